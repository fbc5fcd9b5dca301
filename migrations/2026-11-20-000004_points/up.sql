-- Rules as versioned data, the append-only ledger, monthly totals with cap counters.
CREATE TABLE point_rules (
    code text NOT NULL,
    version integer NOT NULL,
    event text NOT NULL,
    points integer NOT NULL CHECK (points > 0),
    tiers jsonb,
    cap_day integer CHECK (cap_day > 0),
    cap_month integer CHECK (cap_month > 0),
    self_service boolean NOT NULL,
    audience text NOT NULL CHECK (audience IN ('everyone', 'with_device', 'without_device')),
    attested_by text NOT NULL,
    title_vi text NOT NULL,
    title_en text NOT NULL,
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to > valid_from),
    PRIMARY KEY (code, version),
    EXCLUDE USING gist (code WITH =, daterange(valid_from, valid_to) WITH &&)
);
INSERT INTO point_rules (code, version, event, points, tiers, cap_day, cap_month, self_service, audience, attested_by, title_vi, title_en, valid_from) VALUES
    ('document_read', 1, 'document.read', 3, NULL, 6, NULL, true, 'everyone', 'server', 'Đọc xong tài liệu', 'Finished reading a document', '2020-01-01'),
    ('document_acknowledged', 1, 'document.acknowledged', 1, NULL, 3, NULL, true, 'everyone', 'member', 'Xác nhận tài liệu bắt buộc', 'Confirmed a must-read document', '2020-01-01'),
    ('comprehension_passed', 1, 'document.comprehended', 1, NULL, 3, NULL, true, 'everyone', 'server', 'Trả lời câu hỏi đọc hiểu', 'Answered the questions of a document', '2020-01-01'),
    ('quiz_passed', 1, 'quiz.passed', 6, '[{"min_percent": 50, "points": 4}, {"min_percent": 80, "points": 5}, {"min_percent": 100, "points": 6}]', NULL, NULL, true, 'everyone', 'server', 'Đạt bài thi trắc nghiệm', 'Passed a quiz', '2020-01-01'),
    ('contest_entered', 1, 'contest.entered', 5, NULL, NULL, NULL, true, 'everyone', 'server', 'Tham gia một vòng cuộc thi', 'Entered a round of a contest', '2020-01-01'),
    ('meeting_attended', 1, 'meeting.attended', 8, NULL, NULL, NULL, false, 'everyone', 'officers', 'Dự sinh hoạt chi bộ thường kỳ', 'Attended a regular meeting', '2020-01-01'),
    ('thematic_meeting_attended', 1, 'meeting.thematic_attended', 5, NULL, NULL, NULL, false, 'everyone', 'officers', 'Dự sinh hoạt chuyên đề', 'Attended a thematic meeting', '2020-01-01'),
    ('opinion_contributed', 1, 'opinion.accepted', 2, NULL, NULL, 4, false, 'everyone', 'officers', 'Đóng góp ý kiến được ghi nhận', 'Contributed an opinion that was accepted', '2020-01-01'),
    ('daily_visit', 1, 'visit', 1, NULL, 1, 8, true, 'with_device', 'server', 'Truy cập sổ tay trong ngày', 'First visit of a day', '2020-01-01'),
    ('assisted_session', 1, 'assisted_session', 2, NULL, 2, 8, false, 'without_device', 'officers', 'Học tập có người hỗ trợ', 'Studied together with a helper', '2020-01-01');

-- threshold (points a month), prorated (0 or 1), self_service_day_cap (points a day).
-- The nearest unit above that sets a value wins, of self_service_day_cap the least value; no unit is the default
-- of the whole system.
CREATE TABLE point_parameters (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name IN ('threshold', 'prorated', 'self_service_day_cap')),
    unit_id uuid REFERENCES units,
    value integer NOT NULL CHECK (value BETWEEN 0 AND 10000),
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to > valid_from),
    EXCLUDE USING gist (name WITH =, coalesce(unit_id, '00000000-0000-0000-0000-000000000000') WITH =, daterange(valid_from, valid_to) WITH &&)
);
INSERT INTO point_parameters (id, name, unit_id, value, valid_from) VALUES
    ('00000000-0000-7000-8000-000000000001', 'threshold', NULL, 30, '2020-01-01'),
    ('00000000-0000-7000-8000-000000000002', 'prorated', NULL, 1, '2020-01-01'),
    ('00000000-0000-7000-8000-000000000003', 'self_service_day_cap', NULL, 12, '2020-01-01');

-- The ledger. Partitioned by member so that "once per object" is a constraint of the ledger itself.
CREATE TABLE point_entries (
    member_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('award', 'adjustment', 'reversal')),
    rule_code text NOT NULL,
    rule_version integer NOT NULL,
    object_kind text NOT NULL,
    object_id text NOT NULL,
    points integer NOT NULL CHECK (points <> 0),
    period date NOT NULL CHECK (extract(day FROM period) = 1),
    day date NOT NULL,
    occurred_at timestamptz NOT NULL,
    unit_id uuid NOT NULL,
    attested_by uuid,
    reverses uuid,
    CHECK ((kind = 'reversal') = (reverses IS NOT NULL)),
    PRIMARY KEY (member_id, id),
    UNIQUE (member_id, rule_code, object_id)
) PARTITION BY HASH (member_id);
DO $$
BEGIN
    FOR i IN 0..15 LOOP
        EXECUTE format('CREATE TABLE point_entries_%s PARTITION OF point_entries FOR VALUES WITH (MODULUS 16, REMAINDER %s)', i, i);
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON point_entries_%s FROM sotay_app', i);
        EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON point_entries_%s FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', i);
    END LOOP;
END $$;
REVOKE UPDATE, DELETE, TRUNCATE ON point_entries FROM sotay_app;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON point_entries FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE INDEX point_entries_month ON point_entries (member_id, period, id);

-- One row a member and month: the total, and the counters that caps are checked against.
-- Locked before anything else of the member; rebuilt from the ledger at any time.
CREATE TABLE member_months (
    member_id uuid NOT NULL REFERENCES members,
    period date NOT NULL CHECK (extract(day FROM period) = 1),
    points integer NOT NULL DEFAULT 0,
    counters jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (member_id, period)
);

-- What can still be earned: written by the feature that publishes an object, read by forecasts and suggestions.
CREATE TABLE point_offers (
    rule_code text NOT NULL,
    object_id text NOT NULL,
    unit_id uuid NOT NULL REFERENCES units,
    object_kind text NOT NULL,
    title text NOT NULL,
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to > valid_from),
    PRIMARY KEY (rule_code, object_id, unit_id)
);
CREATE INDEX point_offers_unit ON point_offers (unit_id, valid_from);
