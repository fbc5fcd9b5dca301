//! What members call reads no table that grows from end to end: the plans of the statements that the running server really sends,
//! over a small province, as PostgreSQL's own `auto_explain` writes them down. And how many statements some of them take.

#![expect(clippy::disallowed_methods, reason = "PostgreSQL logs by its own clock")]

use std::time::Duration;

use chrono::{Datelike, Utc};
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text, Uuid as SqlUuid};
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};
use secrecy::SecretString;
use serde_json::{Value, json};
use sotay::demo::{self, Shape};
use sotay::kernel::db::Conn;
use sotay::{identity, jobs};
use uuid::Uuid;

use crate::support::{Postgres, Request, TestApp};

/// Tables with a row for each member, entry, document, or for what they do.
const GROWING: [&str; 33] = [
    "accounts",
    "members",
    "memberships",
    "sign_in_handles",
    "exemptions",
    "sessions",
    "known_devices",
    "activation_slips",
    "notifications",
    "audit_events",
    "outbox",
    "idempotency_keys",
    "member_months",
    "point_entries",
    "documents",
    "document_targets",
    "document_files",
    "document_openings",
    "document_acknowledgements",
    "document_feed",
    "document_search",
    "document_versions",
    "document_marks",
    "file_contents",
    "reading_sessions",
    "closings",
    "closing_rows",
    "closing_states",
    "attestation_members",
    "point_adjustments",
    "point_appeals",
    "unit_tree",
    "unit_months",
];

/// 10,000 members: more than a request may rank.
fn small_province() -> Shape {
    Shape {
        central: false,
        provinces: 1,
        committees: 60,
        cells: 420,
        members: 10_000,
        months: 3,
        document_every: 5,
        visits: true,
    }
}

/// What the generator leaves empty, and more documents than it makes.
const FILLING: &str = "
    INSERT INTO documents (id, unit_id, symbol, kind, title, summary, body, words, state, created_by, created_at,
            attested_no_secrets_by, published_at)
        SELECT gen_random_uuid(), d.unit_id, n || '-KH/ĐU', 'ke_hoach', 'Kế hoạch ' || n, '', repeat('chữ ', 200) || n, 201,
            'published', d.created_by, now(), d.created_by, now() - n * interval '1 hour'
        FROM (SELECT * FROM documents LIMIT 1) d, generate_series(1, 6000) n;
    INSERT INTO document_targets SELECT d.id, m.unit_id
        FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM documents) d
        JOIN (SELECT unit_id, row_number() OVER (ORDER BY md5(member_id::text)) AS n FROM memberships) m ON m.n = d.n
        ON CONFLICT DO NOTHING;
    INSERT INTO document_feed SELECT 'u:' || unit_id, document_id, 1, now(), false FROM document_targets ON CONFLICT DO NOTHING;
    INSERT INTO document_search SELECT d.id, d.published_at,
            (SELECT array_agg(key) FROM document_feed f WHERE f.document_id = d.id), to_tsvector('simple', fold_name(d.symbol)),
            to_tsvector('simple', fold_name(d.title)), to_tsvector('simple', fold_name(d.symbol || ' ' || d.title || ' ' || d.body))
        FROM documents d ON CONFLICT DO NOTHING;
    INSERT INTO document_versions (document_id, number, note, state, created_by, created_at, published_at)
        SELECT id, 1, '', 'published', created_by, now(), now() FROM documents ON CONFLICT DO NOTHING;
    INSERT INTO file_contents (sha256, media_type, bytes, storage_key, stored_at, text_state)
        SELECT decode(md5(id::text), 'hex'), 'application/pdf', 1, id, now(), 'read' FROM documents;
    INSERT INTO document_files (id, document_id, name, media_type, bytes, sha256, added_by, added_at, version)
        SELECT gen_random_uuid(), id, 'a.pdf', 'application/pdf', 1, decode(md5(id::text), 'hex'), created_by, now(), 1 FROM documents;
    INSERT INTO known_devices SELECT id, decode(md5(id::text), 'hex'), now() FROM members;
    INSERT INTO activation_slips (id, account_id, code_digest, issued_by, issued_at, expires_at, redeemed_at)
        SELECT gen_random_uuid(), id, decode(md5(id::text), 'hex'), id, now(), now(), now() FROM members;
    INSERT INTO idempotency_keys SELECT id, 'a', 'b', '\\x00', 200, '{}', now() FROM members;
    INSERT INTO attestations (id, unit_id, kind, day, subject, state, recorded_by, recorded_at)
        SELECT md5(unit_id::text)::uuid, unit_id, 'meeting_attended', '2026-10-10', '', 'recorded', min(member_id::text)::uuid, now()
        FROM memberships GROUP BY unit_id;
    INSERT INTO attestation_members (attestation_id, member_id) SELECT md5(unit_id::text)::uuid, member_id FROM memberships;
    INSERT INTO point_adjustments (id, member_id, period, points, reason, evidence, state, proposed_by, proposed_at)
        SELECT gen_random_uuid(), m.id, '2026-10-01', 1, '', '', 'proposed', o.id, now()
        FROM members m, (SELECT id FROM accounts WHERE kind = 'administrator' LIMIT 1) o;
    INSERT INTO notifications (id, account_id, kind, details, created_at)
        SELECT gen_random_uuid(), id, 'new_device', '{}', now() FROM members, generate_series(1, 4);
    INSERT INTO audit_events (id, at, action, object_kind, object_id, member_id, details)
        SELECT gen_random_uuid(), now(), 'a.b', 'c', 'd', id, '{}' FROM members, generate_series(1, 4);
    INSERT INTO sessions (id, account_id, device_name, created_at, last_used_at, expires_at, generation, rotated_at)
        SELECT gen_random_uuid(), id, '', now(), now(), now() + interval '9 days', 0, now() FROM members, generate_series(1, 3);
    INSERT INTO reading_sessions (id, member_id, document_id, document_version, required_seconds, started_at, last_beat_at, expires_at,
            completed_at)
        SELECT gen_random_uuid(), m.id, d.id, 1, 0, now(), now(), now(), now()
        FROM members m, (SELECT id FROM documents ORDER BY id LIMIT 4) d;
    INSERT INTO document_acknowledgements SELECT document_id, member_id, now() FROM reading_sessions;
    INSERT INTO document_openings SELECT document_id, member_id, now() FROM reading_sessions;
    INSERT INTO outbox (topic, payload, created_at, available_at, done_at)
        SELECT 'a', '{}', now(), now(), now() FROM generate_series(1, 20000);
    INSERT INTO point_appeals (id, member_id, kind, period, statement, state, filed_at)
        SELECT gen_random_uuid(), id, 'missing', '2026-10-01', '', 'open', now() FROM members;
    ANALYZE";

#[derive(diesel::QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

#[derive(diesel::QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// A province whose server writes down the plan of every statement of the application.
struct Province {
    app: TestApp,
    postgres: Postgres,
    /// Those of [`GROWING`] that have rows enough for a plan to tell something.
    filled: Vec<String>,
    member: String,
    cell: Uuid,
    above: Vec<Uuid>,
    document: Uuid,
}

impl Province {
    async fn new() -> Self {
        let postgres = Postgres::start_with(&["log_line_prefix=@@%a@@ "]).await;
        let owner_url = postgres.url("sotay_owner");
        let quiet = TestApp::silent(&postgres.url("sotay_app"), |config| {
            config.database_owner_url = Some(SecretString::from(owner_url.clone()));
        })
        .await;
        demo::fill_large(&quiet.state, small_province()).await.unwrap();
        let mut admin = Conn::establish(&postgres.url("postgres")).await.unwrap();
        admin.batch_execute(FILLING).await.unwrap();
        let state = &quiet.state;
        sotay::points::close_due(&state.work, &state.crypto, state.clock.now()).await.unwrap();
        while jobs::project(&quiet.state).await.unwrap() {}
        while jobs::keep_boards(&quiet.state).await.unwrap() {}
        let (member, cell) = demo::some_members(&quiet.state, 1, None).await.unwrap().unwrap()[0];
        let above = "SELECT ancestor_id AS id FROM unit_tree WHERE descendant_id = $1 ORDER BY depth";
        let above: Vec<Found> = sql_query(above).bind::<SqlUuid, _>(cell).load(&mut admin).await.unwrap();
        let reached = "SELECT document_id AS id FROM document_targets t JOIN unit_tree u ON u.ancestor_id = t.unit_id
            WHERE u.descendant_id = $1 LIMIT 1";
        let document: Found = sql_query(reached).bind::<SqlUuid, _>(cell).get_result(&mut admin).await.unwrap();
        let token = identity::open_demo_sessions(&quiet.state, &[member], 2).await.unwrap().pop().unwrap().access;
        admin.batch_execute("ANALYZE").await.unwrap();
        let filled = "SELECT relname::text AS name FROM pg_class WHERE relkind IN ('r', 'p') AND reltuples >= 400";
        let filled: Vec<Name> = sql_query(filled).load(&mut admin).await.unwrap();
        let filled: Vec<String> = filled.into_iter().map(|row| row.name).collect();
        let empty: Vec<&&str> = GROWING.iter().filter(|table| !filled.contains(&(**table).to_owned())).collect();
        assert!(empty.len() <= 1, "nothing is told of {empty:?}");
        for setting in [
            "session_preload_libraries = 'auto_explain'",
            "auto_explain.log_min_duration = 0",
            "auto_explain.log_format = 'json'",
            // The province is small: reading one of its tables whole must cost what it costs where the table is large.
            "seq_page_cost = 100",
        ] {
            admin.batch_execute(&format!("ALTER ROLE sotay_app SET {setting}")).await.unwrap();
        }
        let app = TestApp::beside(&quiet).await;
        let above = above.into_iter().map(|unit| unit.id).collect();
        Self { app, postgres, filled, member: token, cell, above, document: document.id }
    }

    /// Sends a request and returns what it was answered and the statements that it led to.
    async fn send(&self, method: &str, path: &str) -> (u16, Vec<Statement>) {
        let before = self.postgres.server_log().len();
        let request = Request::new(method, &format!("{}{path}", self.app.base_url)).token(&self.member);
        let request = if method == "POST" { request.json(&json!({})) } else { request };
        let reply = request.send().await;
        assert!(reply.status < 500, "{method} {path}: {} {}", reply.status, reply.body);
        // What is written down comes a moment later.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let log = self.postgres.server_log();
        (reply.status, statements(&log[before..]))
    }
}

impl Province {
    fn faults(&self, statements: &[Statement]) -> Vec<String> {
        let of = |statement: &Statement| {
            let mut found = Vec::new();
            scanned(&statement.plan, &self.filled, false, &mut found);
            found.into_iter().map(|scan| format!("{scan}: {}", statement.text)).collect::<Vec<_>>()
        };
        statements.iter().flat_map(of).collect()
    }
}

/// A statement of a request with its plan.
struct Statement {
    text: String,
    plan: Value,
}

/// Those of requests: jobs may read what they like.
fn statements(log: &str) -> Vec<Statement> {
    let entries = log.split("\n@@").filter(|entry| {
        entry.trim_start_matches("@@").starts_with("sotay requests@@")
            || entry.trim_start_matches("@@").starts_with("sotay batches@@")
    });
    let plans = entries.filter_map(|entry| entry.split_once("plan:\n"));
    let parsed = plans.map(|(_, plan)| {
        let plan: Value = serde_json::from_str(plan.trim()).unwrap_or_else(|error| panic!("{error}: {plan}"));
        Statement { text: plan["Query Text"].as_str().unwrap_or_default().to_owned(), plan: plan["Plan"].clone() }
    });
    parsed.collect()
}

/// The growing tables that a plan reads from end to end. Along an index is from end to end as well, unless it stops early.
fn scanned(plan: &Value, filled: &[String], stops_early: bool, found: &mut Vec<String>) {
    let kind = plan["Node Type"].as_str().unwrap_or_default();
    let relation = plan["Relation Name"].as_str().unwrap_or_default();
    let grows = GROWING.contains(&relation) && filled.iter().any(|table| table == relation);
    let grows = grows || relation.starts_with("point_entries_");
    let whole = match kind {
        "Seq Scan" => true,
        "Index Scan" | "Index Only Scan" => plan["Index Cond"].is_null() && !stops_early,
        _ => false,
    };
    if grows && whole {
        found.push(format!("{kind} on {relation}"));
    }
    let stops_early = match kind {
        "Limit" => true,
        // What is sorted or counted is read whole first.
        "Sort" | "Aggregate" | "Hash" | "WindowAgg" => false,
        _ => stops_early,
    };
    for below in plan["Plans"].as_array().into_iter().flatten() {
        scanned(below, filled, stops_early, found);
    }
}

/// What a member's phone asks for, and what a member may ask for beside it.
fn calls(province: &Province) -> Vec<(&'static str, String)> {
    let (cell, document, now) = (province.cell, province.document, Utc::now());
    let (year, quarter) = (now.year(), now.month0() / 3 + 1);
    let past_quarter = if quarter == 1 { format!("{}-Q4", year - 1) } else { format!("{year}-Q{}", quarter - 1) };
    let past_month = (now - chrono::Duration::days(31)).format("%Y-%m").to_string();
    let mut paths: Vec<(&str, String)> = [
        "/v1/me",
        "/v1/me/points",
        "/v1/me/points/entries",
        "/v1/me/points/trend",
        "/v1/me/notifications",
        "/v1/me/sessions",
        "/v1/me/access-log",
        "/v1/me/attestations",
        "/v1/me/appeals",
        "/v1/me/cases",
        "/v1/documents",
        "/v1/documents?unread=true",
        "/v1/documents?q=ke%20hoach%2042",
        "/v1/documents?q=chu",
        "/v1/documents?issuer=du",
        "/v1/me/bookmarks",
        "/v1/sync",
        "/v1/document-kinds",
        "/v1/point-rules",
        "/v1/units",
    ]
    .into_iter()
    .map(|path| ("GET", path.to_owned()))
    .collect();
    paths.push(("GET", format!("/v1/me/points?period={past_month}")));
    for unit in &province.above {
        for span in [
            String::new(),
            format!("&period={past_month}"),
            format!("&period={past_quarter}"),
            format!("&period={year}"),
        ] {
            paths.push(("GET", format!("/v1/leaderboards/members?unit_id={unit}{span}")));
            paths.push(("GET", format!("/v1/leaderboards/members/neighbourhood?unit_id={unit}{span}")));
            paths.push(("GET", format!("/v1/me/rank?unit_id={unit}{span}")));
        }
        paths.push(("GET", format!("/v1/units/{unit}")));
        paths.push(("GET", format!("/v1/leaderboards/cells?unit_id={unit}")));
    }
    paths.push(("GET", format!("/v1/documents/{document}")));
    paths.push(("GET", format!("/v1/units/{cell}/members?q=nguyen")));
    paths.push(("POST", "/v1/me/visits".to_owned()));
    paths.push(("POST", format!("/v1/documents/{document}/reading-sessions")));
    paths.push(("POST", format!("/v1/documents/{document}/acknowledgement")));
    paths
}

#[actix_web::test]
async fn nothing_that_members_call_scans_what_grows() {
    let province = Province::new().await;
    let (mut wrong, mut looked_at) = (Vec::new(), 0);
    for (method, path) in calls(&province) {
        let (status, statements) = province.send(method, &path).await;
        looked_at += statements.len();
        wrong.extend(
            province.faults(&statements).into_iter().map(|fault| format!("{method} {path} ({status}): {fault}")),
        );
    }
    assert!(looked_at > 150, "{looked_at} plans");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    kept_boards_are_right(&province).await;
    counts_of_statements(&province).await;
    a_scan_is_seen(&province).await;
}

#[derive(diesel::QueryableByName, Debug, PartialEq)]
struct Rank {
    #[diesel(sql_type = BigInt)]
    rank: i64,
    #[diesel(sql_type = BigInt)]
    of: i64,
}

/// The rank in the province over the year, which a job has counted, is what the ledger's months say.
async fn kept_boards_are_right(province: &Province) {
    let (now, top) = (Utc::now(), province.above.last().unwrap());
    let path = format!("{}/v1/me/rank?unit_id={top}&period={}", province.app.base_url, now.year());
    let told = Request::new("GET", &path).token(&province.member).send().await.expect(200).body;
    assert_eq!(told["source"], "roll_up", "{told}");
    let query = format!(
        "WITH sums AS (SELECT s.member_id, coalesce((SELECT sum(m.points) FROM member_months m
                WHERE m.member_id = s.member_id AND m.period >= '{}-01-01'), 0) AS points
            FROM memberships s WHERE s.valid_from <= '{day}' AND (s.valid_to IS NULL OR s.valid_to > '{day}')
              AND NOT EXISTS (SELECT 1 FROM exemptions x WHERE x.member_id = s.member_id AND x.kind = 'exempt'
                  AND x.valid_from <= '{day}' AND (x.valid_to IS NULL OR x.valid_to > '{day}')))
         SELECT count(*) FILTER (WHERE points > {}) + 1 AS rank, count(*) AS of FROM sums",
        now.year(),
        told["points"],
        day = sotay::kernel::clock::day_of(now),
    );
    let mut admin = Conn::establish(&province.postgres.url("postgres")).await.unwrap();
    let found: Rank = sql_query(query).get_result(&mut admin).await.unwrap();
    assert_eq!(Some((found.rank, found.of)), told["rank"].as_i64().zip(told["of"].as_i64()), "{told}");
}

/// Neither grows with the months, nor with anything else.
async fn counts_of_statements(province: &Province) {
    let past_month = (Utc::now() - chrono::Duration::days(31)).format("%Y-%m").to_string();
    for (path, most) in [
        ("/v1/me/points/trend".to_owned(), 14),
        ("/v1/me/points/trend?year=2025".to_owned(), 14),
        (format!("/v1/me/points?period={past_month}"), 12),
    ] {
        let (_, statements) = province.send("GET", &path).await;
        let texts: Vec<&str> = statements.iter().map(|statement| statement.text.as_str()).collect();
        assert!(texts.len() <= most, "{path}: {} statements\n{}", texts.len(), texts.join("\n"));
    }
}

/// That the check finds what it looks for: a statement as a careless hand would write it.
async fn a_scan_is_seen(province: &Province) {
    let before = province.postgres.server_log().len();
    let mut conn = province.app.state.db.conn().await.unwrap();
    sql_query("SELECT id FROM members WHERE position('an' IN lower(full_name)) > $1::int ORDER BY id LIMIT 5")
        .bind::<diesel::sql_types::Int4, _>(0)
        .execute(&mut *conn)
        .await
        .unwrap();
    sql_query("SELECT count(*) FROM notifications WHERE details::text = $1")
        .bind::<Text, _>("a")
        .execute(&mut *conn)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let found = province.faults(&statements(&province.postgres.server_log()[before..]));
    assert!(found.iter().any(|fault| fault.contains("on notifications")), "{found:?}");
}
