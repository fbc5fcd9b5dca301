//! Entries of a member over HTTP: the member's own list, and the list for officers.

use std::collections::HashMap;

use actix_web::get;
use actix_web::web::Data;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Date, Int4, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::batching::loader::{self, BatchLoader, BatchQuery, LoadedRequest};
use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::db::statement::Prepared;
use crate::kernel::extract::{BatchedRequest, Empty, Query, ReadRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply;
use crate::kernel::http::reply::Reply;
use crate::kernel::security::access::needs::ReadEntries;
use crate::kernel::security::audit;
use crate::kernel::security::auth::{Principal, require_member};
use crate::organisation::OnMember;

use super::mine::PeriodQuery;
use crate::points::model::{Entry, ObjectRef};

#[derive(QueryableByName)]
struct EntryRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    rule_code: String,
    #[diesel(sql_type = Int4)]
    rule_version: i32,
    #[diesel(sql_type = Int4)]
    points: i32,
    #[diesel(sql_type = Date)]
    period: NaiveDate,
    #[diesel(sql_type = Date)]
    day: NaiveDate,
    #[diesel(sql_type = SqlUuid)]
    unit_id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    occurred_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    object_kind: String,
    #[diesel(sql_type = Text)]
    object_id: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    attested_by: Option<Uuid>,
    #[diesel(sql_type = Bool)]
    late: bool,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    reverses: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    decision_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
}

impl EntryRow {
    /// The entry, which may have been taken back.
    fn entry(self, reversed_by: Option<Uuid>) -> Entry {
        Entry {
            id: self.id,
            kind: self.kind,
            rule: self.rule_code,
            rule_version: self.rule_version,
            points: self.points,
            period: Period::containing(self.period),
            day: self.day,
            unit_id: self.unit_id,
            occurred_at: self.occurred_at,
            object: ObjectRef { kind: self.object_kind, id: self.object_id },
            attested_by: self.attested_by,
            late: self.late,
            reverses: self.reverses,
            reversed_by,
            decision_id: self.decision_id,
            reason: self.reason,
        }
    }
}

/// A row of a batched list, with the place of its request.
#[derive(QueryableByName)]
struct BatchedEntryRow {
    #[diesel(sql_type = Int4)]
    place: i32,
    #[diesel(embed)]
    row: EntryRow,
}

/// Filter of the list: a month, if named, entries before a given one, if named, and a limit.
pub struct EntryQuery {
    period: Option<Period>,
    before: Option<Uuid>,
    fetch: i64,
}

impl EntryQuery {
    fn of(page: &PageQuery, query: &PeriodQuery) -> Result<Self, Problem> {
        Ok(Self { period: query.period, before: page.after()?, fetch: page.fetch() })
    }
}

const LIST: &str = "SELECT k.place, e.id, e.kind, e.rule_code, e.rule_version, e.points, e.period, e.day, e.unit_id,
        e.occurred_at, e.object_kind, e.object_id, e.attested_by, e.late, e.reverses, e.decision_id,
        CASE WHEN e.kind <> 'award' THEN (SELECT a.reason FROM point_adjustments a WHERE a.id = e.decision_id) END AS reason
    FROM unnest($1::int4[], $2::uuid[], $3::date[], $4::uuid[], $5::int8[]) AS k (place, member_id, period, before, most)
    CROSS JOIN LATERAL (SELECT * FROM point_entries p WHERE p.member_id = k.member_id
        AND (k.period IS NULL OR p.period = k.period) AND (k.before IS NULL OR p.id < k.before)
        ORDER BY p.id DESC LIMIT k.most) e
    ORDER BY k.place, e.id DESC";

/// The entries of members, the newest first, in the order of the input.
async fn of_members(mut conn: &Conn, members: &[Uuid], wanted: &[&EntryQuery]) -> Result<Vec<Vec<Entry>>, Problem> {
    let query = diesel::sql_query(LIST)
        .bind::<Array<Int4>, _>((0..).take(members.len()).collect::<Vec<i32>>())
        .bind::<Array<SqlUuid>, _>(members)
        .bind::<Array<Nullable<Date>>, _>(
            wanted.iter().map(|one| one.period.map(Period::first_day)).collect::<Vec<_>>(),
        )
        .bind::<Array<Nullable<SqlUuid>>, _>(wanted.iter().map(|one| one.before).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(wanted.iter().map(|one| one.fetch).collect::<Vec<_>>());
    let (rows, reversals) = tokio::join!(Prepared(query).load::<BatchedEntryRow>(&mut conn), reversals(conn, members));
    let (rows, reversals) = (rows?, reversals?);
    let lists = loader::by_place(rows, members.len(), |placed| placed.place);
    let entry = |BatchedEntryRow { row, .. }| {
        let reversed_by = reversals.get(&row.id).copied();
        row.entry(reversed_by)
    };
    Ok(lists.into_iter().map(|list| list.into_iter().map(entry).collect()).collect())
}

#[derive(QueryableByName)]
struct Reversal {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    reverses: Uuid,
}

/// `OFFSET 0` keeps the planner from joining all partitions: only that of the member is read.
const REVERSALS: &str = "SELECT e.id, e.reverses FROM unnest($1::uuid[]) AS k (member_id)
    CROSS JOIN LATERAL (SELECT p.id, p.reverses FROM point_entries p
        WHERE p.member_id = k.member_id AND p.rule_code = 'reversal' OFFSET 0) e";

/// Reversals of members, by the entry that each takes back. Few members have any, so one lookup for each is enough.
async fn reversals(mut conn: &Conn, members: &[Uuid]) -> Result<HashMap<Uuid, Uuid>, Problem> {
    let query = diesel::sql_query(REVERSALS).bind::<Array<SqlUuid>, _>(members);
    let rows: Vec<Reversal> = Prepared(query).load(&mut conn).await?;
    Ok(rows.into_iter().map(|row| (row.reverses, row.id)).collect())
}

/// Batched query that lists entries for all concurrent requests.
pub struct EntryLoader;

impl BatchQuery for EntryLoader {
    type Input = EntryQuery;
    type Output = Vec<Entry>;

    fn admit(caller: &Principal) -> Result<(), Problem> {
        require_member(Some(caller.kind))
    }

    async fn answer(conn: &Conn, asked: &[LoadedRequest<'_, EntryQuery>]) -> Result<Vec<Vec<Entry>>, Problem> {
        let members: Vec<Uuid> = asked.iter().map(|one| one.caller.account_id).collect();
        let wanted: Vec<&EntryQuery> = asked.iter().map(|one| one.wanted).collect();
        of_members(conn, &members, &wanted).await
    }
}

/// List my entries
///
/// The rows of the ledger, newest first; of one month when `period` is given. A reversal and the entry it takes back name
/// each other.
#[utoipa::path(tag = "Points", security(("bearer" = []), ("oauth2" = ["points:read"])), params(PageQuery, PeriodQuery), responses((status = 403, description = "The caller is no member.")))]
#[get("/me/points/entries")]
pub async fn list_my_entries(
    request: BatchedRequest<Empty>,
    page: Query<PageQuery>,
    query: Query<PeriodQuery>,
    desk: Data<BatchLoader<EntryLoader>>,
) -> Result<Reply<Page<Entry>>, Problem> {
    let Query(page) = page;
    let rows = desk.ask(request.claims, EntryQuery::of(&page, &query.0)?, request.now).await?;
    reply::json(&request.request, &page.page(rows, |row| row.id, |row| row))
}

/// List a member's entries
///
/// The same list for officers who may propose adjustments on the member's cell, and inspectors. Each read is recorded
/// in the audit log, which the member can read.
#[utoipa::path(tag = "Adjustments", params(PageQuery, PeriodQuery, ("member_id" = Uuid, Path, description = "The member.")))]
#[get("/members/{member_id}/point-entries")]
pub async fn list_member_entries(
    mut request: ReadRequest<OnMember<ReadEntries>>,
    page: Query<PageQuery>,
    query: Query<PeriodQuery>,
) -> Result<Reply<Page<Entry>>, Problem> {
    let (Query(page), member_id, unit_id) = (page, request.scope.on.member_id, request.scope.on.unit_id);
    let wanted = EntryQuery::of(&page, &query.0)?;
    let rows = of_members(&request.conn, &[member_id], &[&wanted]).await?.pop().unwrap_or_default();
    let event = audit::AuditEvent {
        unit_id: Some(unit_id),
        member_id: Some(member_id),
        details: json!({"period": query.0.period}),
        ..request.scope.audit("points.entries_listed", "member", member_id)
    };
    audit::record(&mut request.conn, event, request.scope.now).await?;
    request.reply(&page.page(rows, |row| row.id, |row| row))
}
