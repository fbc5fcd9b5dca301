DROP TABLE kept_places, kept_boards;
