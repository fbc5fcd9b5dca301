//! The entries of a member over HTTP: one's own, and for officers who may have to correct them.

use actix_web::{HttpResponse, get};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Date, Int4, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::access::needs::ProposeAdjustments;
use crate::kernel::audit;
use crate::kernel::call::{Ask, Myself, Query};
use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::page::{Page, PageQuery};
use crate::kernel::problem::Problem;
use crate::kernel::statement::Prepared;
use crate::organisation::OnMember;

use super::mine::PeriodQuery;
use super::model::{Entry, ObjectRef};

#[derive(QueryableByName)]
struct Row {
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
    #[diesel(sql_type = Timestamptz)]
    occurred_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    object_kind: String,
    #[diesel(sql_type = Text)]
    object_id: String,
    #[diesel(sql_type = Bool)]
    late: bool,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    reverses: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    reversed_by: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
}

impl From<Row> for Entry {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            rule: row.rule_code,
            rule_version: row.rule_version,
            points: row.points,
            period: Period::containing(row.period),
            occurred_at: row.occurred_at,
            object: ObjectRef { kind: row.object_kind, id: row.object_id },
            late: row.late,
            reverses: row.reverses,
            reversed_by: row.reversed_by,
            reason: row.reason,
        }
    }
}

/// A member's entries, the newest first. A reversal is found by its object, which the ledger keeps unique. The member comes
/// from a subquery, so that the statement is planned once over all partitions and not at each request over the one.
async fn of_member(
    conn: &mut Conn,
    member_id: Uuid,
    period: Option<Period>,
    before: Option<Uuid>,
    fetch: i64,
) -> Result<Vec<Entry>, Problem> {
    let query = diesel::sql_query(
        "SELECT e.id, e.kind, e.rule_code, e.rule_version, e.points, e.period, e.occurred_at, e.object_kind, e.object_id,
             e.late, e.reverses, r.id AS reversed_by, a.reason
         FROM (SELECT $1::uuid AS member_id OFFSET 0) k
         CROSS JOIN LATERAL (SELECT * FROM point_entries p WHERE p.member_id = k.member_id
             AND ($2::date IS NULL OR p.period = $2) AND ($3::uuid IS NULL OR p.id < $3)
             ORDER BY p.id DESC LIMIT $4) e
         LEFT JOIN LATERAL (SELECT p.id FROM point_entries p
             WHERE p.member_id = k.member_id AND p.rule_code = 'reversal' AND p.object_id = e.id::text OFFSET 0) r ON true
         LEFT JOIN point_adjustments a ON a.id = e.decision_id AND e.kind <> 'award'
         ORDER BY e.id DESC LIMIT $4",
    )
    .bind::<SqlUuid, _>(member_id)
    .bind::<Nullable<Date>, _>(period.map(Period::first_day))
    .bind::<Nullable<SqlUuid>, _>(before)
    .bind::<BigInt, _>(fetch);
    let rows: Vec<Row> = Prepared(query).load(conn).await?;
    Ok(rows.into_iter().map(Entry::from).collect())
}

/// List my entries
///
/// The rows of the ledger, newest first; of one month when `period` is given. A reversal and the entry it takes back name
/// each other.
#[utoipa::path(tag = "Points", params(PageQuery, PeriodQuery), responses((status = 200, description = "A page of entries.", body = Page<Entry>)))]
#[get("/me/points/entries")]
pub async fn list_my_entries(
    mut ask: Ask<Myself>,
    page: Query<PageQuery>,
    query: Query<PeriodQuery>,
) -> Result<HttpResponse, Problem> {
    let (Query(page), member_id) = (page, ask.scope.caller.account_id);
    let rows = of_member(&mut ask.conn, member_id, query.0.period, page.after()?, page.fetch()).await?;
    ask.reply(&page.page(rows, |row| row.id, |row| row))
}

/// List a member's entries
///
/// The same for officers who may propose adjustments on the member's cell. Looking is recorded in the audit log, which the
/// member can read.
#[utoipa::path(tag = "Adjustments", params(PageQuery, PeriodQuery, ("member_id" = Uuid, Path, description = "The member.")),
    responses((status = 200, description = "A page of entries.", body = Page<Entry>)))]
#[get("/members/{member_id}/point-entries")]
pub async fn list_member_entries(
    mut ask: Ask<OnMember<ProposeAdjustments>>,
    page: Query<PageQuery>,
    query: Query<PeriodQuery>,
) -> Result<HttpResponse, Problem> {
    let (Query(page), member_id, unit_id) = (page, ask.scope.on.member_id, ask.scope.on.unit_id);
    let rows = of_member(&mut ask.conn, member_id, query.0.period, page.after()?, page.fetch()).await?;
    let event = audit::Event {
        unit_id: Some(unit_id),
        member_id: Some(member_id),
        details: json!({"period": query.0.period}),
        ..ask.scope.audit("points.entries_listed", "member", member_id)
    };
    audit::record(&mut ask.conn, event, ask.scope.now).await?;
    ask.reply(&page.page(rows, |row| row.id, |row| row))
}
