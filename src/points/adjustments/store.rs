//! Queries on proposals of adjustments.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Int4, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::point_adjustments;
use crate::kernel::http::problem::{Code, Problem};

use super::model::AdjustmentState;

#[derive(QueryableByName)]
struct AdjustmentRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    member_id: Uuid,
    #[diesel(sql_type = Text)]
    member_name: String,
    #[diesel(sql_type = Date)]
    period: NaiveDate,
    #[diesel(sql_type = Int4)]
    points: i32,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    reverses: Option<Uuid>,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = Text)]
    evidence: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = SqlUuid)]
    proposed_by: Uuid,
    #[diesel(sql_type = Text)]
    proposed_by_name: String,
    #[diesel(sql_type = Timestamptz)]
    proposed_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    decided_by: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    decided_by_name: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    decided_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    decision_reason: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    entry_id: Option<Uuid>,
}

/// A correction of a member's points, from the proposal on.
#[derive(Debug, Serialize, ToSchema)]
pub struct PointAdjustment {
    /// Identifier; the entry it becomes names it as its `decision_id`.
    pub id: Uuid,
    /// Whose points.
    pub member_id: Uuid,
    /// The member's name.
    #[schema(max_length = 100, example = "Nguyễn Văn An")]
    pub member_name: String,
    /// The month it counts for; of a reversal that of the entry.
    pub period: Period,
    /// Points given, or taken when negative.
    #[schema(minimum = -10_000, maximum = 10_000, example = 3)]
    pub points: i32,
    /// The entry to be taken back; null when points are adjusted without reference to one.
    pub reverses: Option<Uuid>,
    /// Why; the member sees it with the entry.
    #[schema(max_length = 500, example = "Dự họp nhưng bị bỏ sót trong danh sách")]
    pub reason: String,
    /// What proves it: a document, minutes, a reference.
    #[schema(max_length = 500, example = "Biên bản số 11-BB/CB, trang 2")]
    pub evidence: String,
    /// `proposed`, then `approved`, `refused` or `withdrawn`.
    #[schema(value_type = AdjustmentState)]
    pub state: String,
    /// Who proposed it.
    pub proposed_by: Uuid,
    /// The proposer's name.
    #[schema(max_length = 200, example = "Lê Thị Cúc")]
    pub proposed_by_name: String,
    /// When it was proposed.
    pub proposed_at: DateTime<Utc>,
    /// Who approved, refused or withdrew it; null before.
    pub decided_by: Option<Uuid>,
    /// The name of that person.
    #[schema(max_length = 200)]
    pub decided_by_name: Option<String>,
    /// When it was approved, refused or withdrawn.
    pub decided_at: Option<DateTime<Utc>>,
    /// Why it was refused.
    #[schema(max_length = 500)]
    pub decision_reason: Option<String>,
    /// The entry it became; null until it is approved.
    pub entry_id: Option<Uuid>,
}

impl From<AdjustmentRow> for PointAdjustment {
    fn from(row: AdjustmentRow) -> Self {
        Self {
            id: row.id,
            member_id: row.member_id,
            member_name: row.member_name,
            period: Period::containing(row.period),
            points: row.points,
            reverses: row.reverses,
            reason: row.reason,
            evidence: row.evidence,
            state: row.state,
            proposed_by: row.proposed_by,
            proposed_by_name: row.proposed_by_name,
            proposed_at: row.proposed_at,
            decided_by: row.decided_by,
            decided_by_name: row.decided_by_name,
            decided_at: row.decided_at,
            decision_reason: row.decision_reason,
            entry_id: row.entry_id,
        }
    }
}

const ADJUSTMENT: &str =
    "SELECT a.id, a.member_id, m.full_name AS member_name, a.period, a.points, a.reverses, a.reason,
        a.evidence, a.state, a.proposed_by, p.display_name AS proposed_by_name, a.proposed_at,
        a.decided_by, d.display_name AS decided_by_name, a.decided_at, a.decision_reason, a.entry_id
    FROM point_adjustments a JOIN members m ON m.id = a.member_id JOIN accounts p ON p.id = a.proposed_by
    LEFT JOIN accounts d ON d.id = a.decided_by";

/// One proposal.
pub async fn get(conn: &mut Conn, id: Uuid) -> Result<PointAdjustment, Problem> {
    let row: AdjustmentRow =
        diesel::sql_query(format!("{ADJUSTMENT} WHERE a.id = $1")).bind::<SqlUuid, _>(id).get_result(conn).await?;
    Ok(row.into())
}

/// Proposals for those who are members of a unit, or of something below it, on a day, or were so last; the latest first.
pub async fn of_unit(
    conn: &mut Conn,
    unit_id: Uuid,
    state: Option<AdjustmentState>,
    day: NaiveDate,
    before: Option<Uuid>,
    fetch: i64,
) -> Result<Vec<PointAdjustment>, Problem> {
    let rows: Vec<AdjustmentRow> = diesel::sql_query(format!(
        "{ADJUSTMENT}
         WHERE EXISTS (SELECT 1 FROM memberships ms JOIN unit_tree t ON t.descendant_id = ms.unit_id AND t.ancestor_id = $1
                 AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2)
             WHERE ms.member_id = a.member_id AND ms.valid_from <= $2 AND NOT EXISTS (SELECT 1 FROM memberships l
                 WHERE l.member_id = ms.member_id AND l.valid_from > ms.valid_from AND l.valid_from <= $2))
           AND ($3::text IS NULL OR a.state = $3) AND ($4::uuid IS NULL OR a.id < $4)
         ORDER BY a.id DESC LIMIT $5"
    ))
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Date, _>(day)
    .bind::<Nullable<Text>, _>(state.map(AdjustmentState::as_str))
    .bind::<Nullable<SqlUuid>, _>(before)
    .bind::<BigInt, _>(fetch)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(PointAdjustment::from).collect())
}

/// Data needed for a decision.
#[derive(Debug, Clone, Queryable)]
pub struct OpenAdjustment {
    pub member_id: Uuid,
    pub period: NaiveDate,
    pub points: i32,
    pub reverses: Option<Uuid>,
    pub reason: String,
    pub state: String,
}

type OpenColumns = (
    point_adjustments::member_id,
    point_adjustments::period,
    point_adjustments::points,
    point_adjustments::reverses,
    point_adjustments::reason,
    point_adjustments::state,
);

const OPEN: OpenColumns = (
    point_adjustments::member_id,
    point_adjustments::period,
    point_adjustments::points,
    point_adjustments::reverses,
    point_adjustments::reason,
    point_adjustments::state,
);

/// Reads a proposal without a lock: its member and month never change.
pub async fn read(conn: &mut Conn, id: Uuid) -> Result<OpenAdjustment, Problem> {
    Ok(point_adjustments::table.find(id).select(OPEN).first(conn).await?)
}

/// Locks a proposal that waits for a decision.
///
/// # Errors
/// 409 when it was decided.
pub async fn lock_proposed(conn: &mut Conn, id: Uuid) -> Result<OpenAdjustment, Problem> {
    let open: OpenAdjustment = point_adjustments::table.find(id).select(OPEN).for_update().first(conn).await?;
    if open.state != AdjustmentState::Proposed.as_str() {
        return Err(Problem::with(
            Code::Conflict,
            "Đề nghị này đã được giải quyết.",
            "This proposal was decided already.",
        ));
    }
    Ok(open)
}

/// The decision on a proposal.
pub struct AdjustmentDecision<'a> {
    pub state: AdjustmentState,
    /// None when it expired.
    pub by: Option<Uuid>,
    pub reason: Option<&'a str>,
    pub entry_id: Option<Uuid>,
}

/// Writes the decision on a proposal whose row is locked.
pub async fn decide(
    conn: &mut Conn,
    id: Uuid,
    decision: &AdjustmentDecision<'_>,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    diesel::update(point_adjustments::table.find(id))
        .set((
            point_adjustments::state.eq(decision.state.as_str()),
            point_adjustments::decided_by.eq(decision.by),
            point_adjustments::decided_at.eq(now),
            point_adjustments::decision_reason.eq(decision.reason),
            point_adjustments::entry_id.eq(decision.entry_id),
        ))
        .execute(conn)
        .await?;
    Ok(())
}
