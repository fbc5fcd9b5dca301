DELETE FROM point_parameters WHERE name = 'question_review';
ALTER TABLE point_parameters DROP CONSTRAINT point_parameters_name_check;
ALTER TABLE point_parameters ADD CONSTRAINT point_parameters_name_check
    CHECK (name IN ('threshold', 'prorated', 'self_service_day_cap', 'excuse_days', 'threshold_floor', 'document_review'));
ALTER TABLE questions DROP COLUMN review_id;
DROP TABLE quiz_reminders, quiz_extensions;
