//! The database schema: matches the program, migrates both ways, limits the application role.

use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::{AsyncConnection, AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::MigrationHarness;
use serde_json::json;
use sotay::kernel::db::MIGRATIONS;

use crate::support::{World, database_url_as, empty_database};

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

async fn lines(conn: &mut AsyncPgConnection, query: &str) -> Vec<String> {
    let rows: Vec<Line> = diesel::sql_query(query).load(conn).await.unwrap();
    rows.into_iter().map(|row| row.line).collect()
}

const COLUMNS: &str = "SELECT format('%s.%s', table_name, column_name) AS line FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name !~ '^(point_entries_|__diesel)' ORDER BY 1";

#[actix_web::test]
async fn the_program_knows_every_column() {
    let world = World::new().await;
    let mut conn = world.app.state.db.conn().await.unwrap();
    let there = lines(&mut conn, COLUMNS).await;
    let source = include_str!("../../src/kernel/db/schema.rs");
    let mut known = Vec::new();
    let mut table = "";
    for line in source.lines().map(str::trim) {
        if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with(") {")) {
            table = name;
        } else if let Some((column, _)) = line.split_once(" -> ") {
            known.push(format!("{table}.{column}"));
        }
    }
    known.sort();
    let mut there = there;
    there.sort();
    assert_eq!(known, there);
}

#[actix_web::test]
async fn every_migration_goes_back() {
    let owner = empty_database().await;
    let dump = "SELECT format('%s %s %s', c.relkind, c.relname, a.attname) AS line FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 WHERE c.relname !~ '^__diesel' ORDER BY 1";
    let conn = AsyncPgConnection::establish(&owner).await.unwrap();
    let conn = tokio::task::spawn_blocking(move || {
        let mut harness = AsyncMigrationHarness::new(conn);
        harness.run_pending_migrations(MIGRATIONS).unwrap();
        harness.into_inner()
    })
    .await
    .unwrap();
    let mut conn = conn;
    let up = lines(&mut conn, dump).await;
    assert!(up.len() > 100);
    let mut conn = tokio::task::spawn_blocking(move || {
        let mut harness = AsyncMigrationHarness::new(conn);
        harness.revert_all_migrations(MIGRATIONS).unwrap();
        harness.into_inner()
    })
    .await
    .unwrap();
    assert_eq!(lines(&mut conn, dump).await, Vec::<String>::new());
    let mut conn = tokio::task::spawn_blocking(move || {
        let mut harness = AsyncMigrationHarness::new(conn);
        harness.run_pending_migrations(MIGRATIONS).unwrap();
        harness.into_inner()
    })
    .await
    .unwrap();
    assert_eq!(lines(&mut conn, dump).await, up);
}

#[actix_web::test]
async fn the_application_cannot_rewrite_the_ledger() {
    let world = World::new().await;
    let member = world.member().await;
    member.post("/v1/me/visits", &json!({})).await.expect(200);
    let mut conn = world.app.state.db.conn().await.unwrap();
    let partitions =
        lines(&mut conn, "SELECT relname::text AS line FROM pg_class WHERE relname ~ '^point_entries_[0-9]+$'").await;
    assert_eq!(partitions.len(), 16);
    for table in partitions.iter().map(String::as_str).chain(["point_entries", "audit_events"]) {
        for statement in [
            format!("UPDATE {table} SET id = id"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
            format!("DROP TABLE {table}"),
            format!("ALTER TABLE {table} ADD COLUMN x int"),
        ] {
            assert!(conn.batch_execute(&statement).await.is_err(), "{statement}");
        }
    }
}

#[actix_web::test]
async fn not_even_the_owner_rewrites_the_ledger_by_mistake() {
    let world = World::new().await;
    let member = world.member().await;
    member.post("/v1/me/visits", &json!({})).await.expect(200);
    let mut conn = AsyncPgConnection::establish(&database_url_as(&world.app, "sotay_owner")).await.unwrap();
    for statement in ["UPDATE point_entries SET points = 30", "DELETE FROM point_entries", "TRUNCATE point_entries"] {
        let error = conn.batch_execute(statement).await.unwrap_err().to_string();
        assert!(error.contains("append-only"), "{statement}: {error}");
    }
}
