-- The key by which push services know this server (VAPID). Subscriptions are bound to it, so it stays.
CREATE TABLE push_keys (
    id uuid PRIMARY KEY,
    public_key bytea NOT NULL,
    private_key_sealed bytea NOT NULL,
    created_at timestamptz NOT NULL
);

-- Where a phone is told that there is something new. It says no more, so that one waiting push a phone is enough.
CREATE TABLE push_subscriptions (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts,
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    endpoint_digest bytea NOT NULL UNIQUE,
    -- The address and the keys of the phone.
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL,
    -- When it is told; none when there is nothing to tell.
    next_at timestamptz,
    -- Grows with everything there is to tell.
    requests bigint NOT NULL,
    urgent boolean NOT NULL,
    attempts integer NOT NULL
);
CREATE INDEX push_subscriptions_account ON push_subscriptions (account_id);
CREATE INDEX push_subscriptions_session ON push_subscriptions (session_id);
CREATE INDEX push_subscriptions_due ON push_subscriptions (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE notification_preferences (
    account_id uuid PRIMARY KEY REFERENCES accounts,
    muted_kinds text[] NOT NULL,
    quiet_hours boolean NOT NULL,
    changed_at timestamptz NOT NULL
);
