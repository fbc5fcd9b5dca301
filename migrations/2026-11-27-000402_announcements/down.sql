DROP FUNCTION home_of;
DROP TABLE announcement_reads;
DROP TABLE announcement_audiences;
DROP TABLE announcements;
