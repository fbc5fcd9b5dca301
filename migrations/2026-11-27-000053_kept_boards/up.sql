-- Boards of large units over a span (a month, a quarter, a year), made by a job: how many members have how many points, and the first
-- places. A rank needs one's own points and the histogram; no request ranks a province.
CREATE TABLE kept_boards (
    unit_id uuid NOT NULL REFERENCES units,
    first date NOT NULL CHECK (extract(day FROM first) = 1),
    months smallint NOT NULL CHECK (months IN (1, 3, 12)),
    -- The day on which it was asked for first; what nobody asks for any more is not made anew.
    wanted_at timestamptz NOT NULL,
    -- None until it is made.
    made_at timestamptz,
    counted integer NOT NULL DEFAULT 0,
    scores integer[] NOT NULL DEFAULT '{}',
    holders integer[] NOT NULL DEFAULT '{}',
    -- Of these, how many reached their own threshold.
    reached integer[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (unit_id, first, months)
);
CREATE INDEX kept_boards_made ON kept_boards (made_at NULLS FIRST);

CREATE TABLE kept_places (
    unit_id uuid NOT NULL,
    first date NOT NULL,
    months smallint NOT NULL,
    place integer NOT NULL CHECK (place > 0),
    rank bigint NOT NULL,
    member_id uuid NOT NULL REFERENCES members,
    cell_id uuid NOT NULL REFERENCES units,
    points integer NOT NULL,
    met boolean NOT NULL,
    PRIMARY KEY (unit_id, first, months, place),
    FOREIGN KEY (unit_id, first, months) REFERENCES kept_boards ON DELETE CASCADE
);
