-- Device sessions, activation slips, known devices, throttling, notifications.
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts,
    -- From which the device's token is derived; the token itself is not stored.
    device_id uuid,
    device_name text NOT NULL,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    generation integer NOT NULL,
    rotated_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revoked_because text
);
CREATE INDEX sessions_account ON sessions (account_id, id);

CREATE TABLE activation_slips (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts,
    code_digest bytea NOT NULL UNIQUE,
    issued_by uuid NOT NULL REFERENCES accounts,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    failures integer NOT NULL DEFAULT 0,
    redeemed_at timestamptz,
    voided_at timestamptz
);
CREATE INDEX activation_slips_account ON activation_slips (account_id, id);

-- Devices that signed in before have an allowance of their own against guessing.
CREATE TABLE known_devices (
    account_id uuid NOT NULL REFERENCES accounts,
    digest bytea NOT NULL,
    last_seen_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, digest)
);

-- Failures a window; a bucket is a keyed hash of what is throttled, never the thing itself.
CREATE TABLE sign_in_failures (
    bucket bytea PRIMARY KEY,
    window_started_at timestamptz NOT NULL,
    failures integer NOT NULL
);
CREATE INDEX sign_in_failures_age ON sign_in_failures (window_started_at);

CREATE TABLE notifications (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts,
    kind text NOT NULL,
    details jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    read_at timestamptz
);
CREATE INDEX notifications_account ON notifications (account_id, id);
