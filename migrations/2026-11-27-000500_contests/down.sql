DROP TABLE contest_closing_rows, contest_closings, contest_scores;
ALTER TABLE quizzes DROP COLUMN contest_id, DROP COLUMN round;
DROP TABLE contests;
