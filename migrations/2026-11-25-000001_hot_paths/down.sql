ALTER TABLE member_months RESET (fillfactor);
ALTER TABLE point_entries ADD PRIMARY KEY (member_id, id);
DROP INDEX memberships_member;
CREATE INDEX memberships_member ON memberships (member_id, valid_from);
