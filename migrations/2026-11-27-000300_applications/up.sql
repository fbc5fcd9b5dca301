-- Applications of third parties. Each has an account of its own, so that sessions, audit and suspension know it as they know people;
-- the account is disabled unless the application is approved.
ALTER TABLE accounts DROP CONSTRAINT accounts_kind_check;
ALTER TABLE accounts ADD CONSTRAINT accounts_kind_check CHECK (kind IN ('member', 'administrator', 'client'));

CREATE TABLE oauth_clients (
    id uuid PRIMARY KEY REFERENCES accounts,
    unit_id uuid NOT NULL REFERENCES units,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('public', 'confidential')),
    redirect_uris text[] NOT NULL,
    scopes text[] NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'approved', 'suspended')),
    -- Keyed hashes. The secret before the last rotation works until its time is over.
    secret_digest bytea,
    former_secret_digest bytea,
    former_secret_until timestamptz,
    registered_by uuid NOT NULL REFERENCES accounts,
    created_at timestamptz NOT NULL,
    decided_by uuid REFERENCES accounts,
    decided_at timestamptz,
    CHECK ((kind = 'public') = (secret_digest IS NULL))
);
CREATE INDEX oauth_clients_unit ON oauth_clients (unit_id, id);

-- What an application was allowed is a session too: it is refreshed, revoked and noticed as those of devices are.
ALTER TABLE sessions ADD COLUMN client_id uuid REFERENCES oauth_clients;
ALTER TABLE sessions ADD COLUMN scopes text[];
ALTER TABLE sessions ADD CONSTRAINT sessions_of_clients CHECK ((client_id IS NULL) = (scopes IS NULL));
CREATE INDEX sessions_client ON sessions (client_id, account_id) WHERE client_id IS NOT NULL;

-- Authorization codes: used once, within a minute, by the client and for the address they were made for.
CREATE TABLE oauth_codes (
    digest bytea PRIMARY KEY,
    client_id uuid NOT NULL REFERENCES oauth_clients,
    account_id uuid NOT NULL REFERENCES accounts,
    redirect_uri text NOT NULL,
    challenge text NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    -- The session that it bought; a second use ends that.
    session_id uuid
);
CREATE INDEX oauth_codes_age ON oauth_codes (expires_at);

-- Which kinds of their data an application read for whom on which day; each row has its event in the access log.
CREATE TABLE app_reads (
    client_id uuid NOT NULL REFERENCES oauth_clients,
    account_id uuid NOT NULL REFERENCES accounts,
    scope text NOT NULL,
    day date NOT NULL,
    PRIMARY KEY (client_id, account_id, scope, day)
);
CREATE INDEX app_reads_age ON app_reads (day);

-- Through which application a deed was done.
ALTER TABLE audit_events ADD COLUMN client_id uuid;
