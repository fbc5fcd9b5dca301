-- What a consumer of an event failed at, or did while another consumer failed. An event that all take at once has no row.
CREATE TABLE outbox_deliveries (
    event_id bigint NOT NULL REFERENCES outbox ON DELETE CASCADE,
    consumer text NOT NULL,
    attempts integer NOT NULL,
    next_at timestamptz NOT NULL,
    done_at timestamptz,
    failed_at timestamptz,
    problem text,
    PRIMARY KEY (event_id, consumer),
    CHECK (done_at IS NULL OR failed_at IS NULL)
);
CREATE INDEX outbox_deliveries_failed ON outbox_deliveries (failed_at, event_id) WHERE failed_at IS NOT NULL;
