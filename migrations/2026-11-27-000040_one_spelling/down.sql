-- Spellings stay as they are: every version reads them.
SELECT 1;
