-- Where events of a unit and of what is below it are sent.
CREATE TABLE webhook_endpoints (
    id uuid PRIMARY KEY,
    unit_id uuid NOT NULL REFERENCES units,
    created_by uuid NOT NULL REFERENCES accounts,
    url text NOT NULL,
    description text,
    events text[] NOT NULL,
    created_at timestamptz NOT NULL,
    paused_at timestamptz,
    pause_reason text,
    failing_since timestamptz,
    failures integer NOT NULL,
    -- Not called before: leased to an instance, or left alone after a failure.
    next_at timestamptz NOT NULL
);
CREATE INDEX webhook_endpoints_unit ON webhook_endpoints (unit_id);
CREATE INDEX webhook_endpoints_next ON webhook_endpoints (next_at) WHERE paused_at IS NULL;

-- One a time; two while one takes the place of the other.
CREATE TABLE webhook_secrets (
    id uuid PRIMARY KEY,
    endpoint_id uuid NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz
);
CREATE INDEX webhook_secrets_endpoint ON webhook_secrets (endpoint_id);

-- What happened, as other systems are told.
CREATE TABLE webhook_events (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    unit_id uuid NOT NULL REFERENCES units,
    data jsonb NOT NULL,
    occurred_at timestamptz NOT NULL
);

-- The same for each unit from which an event is seen, in the order of transactions.
CREATE TABLE webhook_feed (
    recipient_id uuid NOT NULL,
    xid bigint NOT NULL,
    event_id uuid NOT NULL REFERENCES webhook_events ON DELETE CASCADE,
    PRIMARY KEY (recipient_id, xid, event_id)
);
CREATE INDEX webhook_feed_event ON webhook_feed (event_id);

CREATE TABLE webhook_deliveries (
    id uuid PRIMARY KEY,
    endpoint_id uuid NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    event_id uuid NOT NULL REFERENCES webhook_events ON DELETE CASCADE,
    attempts integer NOT NULL,
    -- When it is tried next; none when it has arrived or was given up.
    next_at timestamptz,
    delivered_at timestamptz,
    failed_at timestamptz,
    last_attempt_at timestamptz,
    last_status integer,
    last_error text,
    last_millis integer,
    UNIQUE (endpoint_id, event_id)
);
CREATE INDEX webhook_deliveries_log ON webhook_deliveries (endpoint_id, id);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX webhook_deliveries_event ON webhook_deliveries (event_id);
