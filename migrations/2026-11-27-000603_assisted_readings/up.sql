-- Readings of members without a device, together with a helper: who recorded it. A second officer has confirmed it.
ALTER TABLE reading_sessions ADD COLUMN assisted_by uuid REFERENCES accounts;
