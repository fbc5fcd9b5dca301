ALTER TABLE quiz_attempts DROP COLUMN voids;
ALTER TABLE quizzes DROP COLUMN regrading, DROP COLUMN voids;
DROP TABLE quiz_voids;
