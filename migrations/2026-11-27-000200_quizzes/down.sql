ALTER TABLE point_rules DISABLE TRIGGER USER;
UPDATE point_rules SET self_service = true, cap_month = NULL WHERE code = 'quiz_passed';
UPDATE point_rules SET self_service = true WHERE code = 'contest_entered';
ALTER TABLE point_rules ENABLE TRIGGER USER;
DROP TABLE quiz_answers, quiz_attempts, quiz_pool, quiz_targets, quizzes, question_exposures, question_versions, questions, question_banks;
