-- An endpoint of an app is the app's own.
ALTER TABLE webhook_endpoints ADD COLUMN client_id uuid REFERENCES oauth_clients;
CREATE INDEX webhook_endpoints_client ON webhook_endpoints (client_id) WHERE client_id IS NOT NULL;

-- Members who allowed an app anything; few, and looked for at every award.
CREATE INDEX sessions_of_apps ON sessions (account_id) WHERE client_id IS NOT NULL AND revoked_at IS NULL;

-- Whether an approved app may read this of a person now.
CREATE FUNCTION app_may_read(client uuid, account uuid, scope text, at timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM sessions s JOIN oauth_clients c ON c.id = s.client_id
        WHERE s.account_id = account AND s.client_id = client AND s.revoked_at IS NULL AND s.expires_at > at
            AND scope = ANY(s.scopes) AND c.state = 'approved')
$$;
