-- Units with effective-dated parents, accounts, members, memberships, exemptions, grants, transfers.
CREATE TABLE unit_kinds (
    code text PRIMARY KEY,
    rank smallint NOT NULL,
    name_vi text NOT NULL,
    name_en text NOT NULL,
    holds_members boolean NOT NULL
);
INSERT INTO unit_kinds (code, rank, name_vi, name_en, holds_members) VALUES
    ('central', 0, 'Trung ương', 'Central', false),
    ('province', 1, 'Tỉnh ủy, thành ủy và tương đương', 'Province or equivalent', false),
    ('superior_committee', 2, 'Cấp trên trực tiếp của cơ sở', 'Superior of grassroots', false),
    ('grassroots_committee', 3, 'Đảng bộ cơ sở', 'Grassroots committee', false),
    ('sub_committee', 4, 'Đảng bộ trực thuộc cơ sở, đảng bộ bộ phận', 'Sub-committee', false),
    ('cell', 5, 'Chi bộ', 'Cell', true);

CREATE TABLE units (
    id uuid PRIMARY KEY,
    kind text NOT NULL REFERENCES unit_kinds,
    name text COLLATE "vi-x-icu" NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    code text UNIQUE CHECK (code ~ '^[0-9]{2}(\.[0-9]{3}){4}$'),
    created_at timestamptz NOT NULL
);

-- Who was under whom, when: the truth. valid_to is exclusive.
CREATE TABLE unit_links (
    unit_id uuid NOT NULL REFERENCES units,
    parent_id uuid REFERENCES units,
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to > valid_from),
    PRIMARY KEY (unit_id, valid_from),
    EXCLUDE USING gist (unit_id WITH =, daterange(valid_from, valid_to) WITH &&)
);

-- The closure of unit_links, each unit its own ancestor at depth 0; written together with them.
CREATE TABLE unit_tree (
    ancestor_id uuid NOT NULL REFERENCES units,
    descendant_id uuid NOT NULL REFERENCES units,
    depth smallint NOT NULL,
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to > valid_from),
    PRIMARY KEY (ancestor_id, descendant_id, valid_from)
);
CREATE INDEX unit_tree_descendant ON unit_tree (descendant_id, ancestor_id);

-- Everybody who can hold a grant or sign in. A member's account has the member's id.
CREATE TABLE accounts (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('member', 'administrator')),
    display_name text NOT NULL,
    password_hash text,
    password_set_at timestamptz,
    disabled_at timestamptz,
    created_at timestamptz NOT NULL
);

CREATE TABLE members (
    id uuid PRIMARY KEY REFERENCES accounts,
    no bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    full_name text COLLATE "vi-x-icu" NOT NULL CHECK (length(full_name) BETWEEN 1 AND 100),
    given_name text COLLATE "vi-x-icu" NOT NULL GENERATED ALWAYS AS (regexp_replace(full_name, '^.* ', '')) STORED,
    birth_date date NOT NULL,
    sex text NOT NULL CHECK (sex IN ('male', 'female')),
    admitted_on date NOT NULL,
    official_on date CHECK (official_on >= admitted_on),
    citizen_id_sealed bytea NOT NULL,
    card_number_sealed bytea,
    phone_sealed bytea,
    without_device boolean NOT NULL DEFAULT false,
    named_on_leaderboards boolean NOT NULL DEFAULT false,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL
);

-- Keyed hashes by which a person is found. A phone is a handle only while it is one person's.
CREATE TABLE sign_in_handles (
    account_id uuid NOT NULL REFERENCES accounts,
    kind text NOT NULL CHECK (kind IN ('citizen_id', 'card_number', 'phone', 'username')),
    digest bytea NOT NULL,
    PRIMARY KEY (account_id, kind)
);
CREATE UNIQUE INDEX sign_in_handles_unique ON sign_in_handles (kind, digest) WHERE kind <> 'phone';
CREATE INDEX sign_in_handles_digest ON sign_in_handles (digest);

CREATE TABLE memberships (
    id uuid PRIMARY KEY,
    member_id uuid NOT NULL REFERENCES members,
    unit_id uuid NOT NULL REFERENCES units,
    origin text NOT NULL CHECK (origin IN ('imported', 'admitted', 'transferred', 'reorganised')),
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to > valid_from),
    EXCLUDE USING gist (member_id WITH =, daterange(valid_from, valid_to) WITH &&)
);
CREATE INDEX memberships_unit ON memberships (unit_id, valid_from);
CREATE INDEX memberships_member ON memberships (member_id, valid_from);

CREATE TABLE exemptions (
    id uuid PRIMARY KEY,
    member_id uuid NOT NULL REFERENCES members,
    kind text NOT NULL CHECK (kind IN ('exempt', 'excused')),
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to > valid_from),
    reason text NOT NULL,
    recorded_by uuid REFERENCES accounts,
    created_at timestamptz NOT NULL,
    EXCLUDE USING gist (member_id WITH =, kind WITH =, daterange(valid_from, valid_to) WITH &&)
);
CREATE INDEX exemptions_member ON exemptions (member_id);

-- Role on a unit for a term. Only the system administrator's reaches everything (no unit).
CREATE TABLE grants (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts,
    role text NOT NULL,
    unit_id uuid REFERENCES units,
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to > valid_from),
    granted_by uuid REFERENCES accounts,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revoked_by uuid REFERENCES accounts,
    CHECK (unit_id IS NOT NULL OR role = 'system_administrator')
);
CREATE INDEX grants_account ON grants (account_id) WHERE revoked_at IS NULL;
CREATE INDEX grants_unit ON grants (unit_id, id);
CREATE UNIQUE INDEX grants_open ON grants (account_id, role, unit_id) WHERE revoked_at IS NULL AND valid_to IS NULL;

CREATE TABLE transfers (
    id uuid PRIMARY KEY,
    member_id uuid NOT NULL REFERENCES members,
    from_unit_id uuid NOT NULL REFERENCES units,
    to_unit_id uuid NOT NULL REFERENCES units CHECK (to_unit_id <> from_unit_id),
    state text NOT NULL CHECK (state IN ('proposed', 'accepted', 'declined', 'withdrawn')),
    reason text NOT NULL,
    proposed_by uuid NOT NULL REFERENCES accounts,
    proposed_at timestamptz NOT NULL,
    due_on date NOT NULL,
    decided_by uuid REFERENCES accounts,
    decided_at timestamptz,
    decision_note text,
    effective_on date
);
CREATE UNIQUE INDEX transfers_open ON transfers (member_id) WHERE state = 'proposed';
CREATE INDEX transfers_from ON transfers (from_unit_id, id);
CREATE INDEX transfers_to ON transfers (to_unit_id, id);
