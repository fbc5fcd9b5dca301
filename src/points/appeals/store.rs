//! Queries on appeals.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{point_adjustments, point_appeals, point_entries};
use crate::kernel::http::problem::{Code, Problem};

use super::model::{AppealKind, AppealState};

#[derive(QueryableByName)]
struct AppealRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    member_id: Uuid,
    #[diesel(sql_type = Text)]
    member_name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Date)]
    period: NaiveDate,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    entry_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    object: Option<String>,
    #[diesel(sql_type = Text)]
    statement: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Timestamptz)]
    filed_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Text>)]
    answered_by_name: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    answered_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    answer: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    adjustment_id: Option<Uuid>,
}

/// A member's appeal and its answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Appeal {
    /// Identifier.
    pub id: Uuid,
    /// Who appeals.
    pub member_id: Uuid,
    /// The member's name.
    #[schema(max_length = 100, example = "Nguyễn Văn An")]
    pub member_name: String,
    /// Against what: `missing` or `wrong`.
    #[schema(value_type = AppealKind)]
    pub kind: String,
    /// The month it is about.
    pub period: Period,
    /// The entry that is said to be wrong.
    pub entry_id: Option<Uuid>,
    /// What gave no point, in the member's words or as an id.
    #[schema(max_length = 200, example = "Sinh hoạt thường kỳ ngày 05/11")]
    pub object: Option<String>,
    /// What the member says.
    #[schema(max_length = 1000, example = "Tôi có dự họp nhưng không được tính điểm.")]
    pub text: String,
    /// `open`, then `upheld` or `dismissed`.
    #[schema(value_type = AppealState)]
    pub state: String,
    /// When it was filed.
    pub filed_at: DateTime<Utc>,
    /// Name of the officer who answered; null before.
    #[schema(max_length = 200)]
    pub answered_by_name: Option<String>,
    /// When it was answered.
    pub answered_at: Option<DateTime<Utc>>,
    /// The officer's reason.
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
    /// The proposal of an adjustment that follows from it; a second officer decides on that.
    pub adjustment_id: Option<Uuid>,
}

impl From<AppealRow> for Appeal {
    fn from(row: AppealRow) -> Self {
        Self {
            id: row.id,
            member_id: row.member_id,
            member_name: row.member_name,
            kind: row.kind,
            period: Period::containing(row.period),
            entry_id: row.entry_id,
            object: row.object,
            text: row.statement,
            state: row.state,
            filed_at: row.filed_at,
            answered_by_name: row.answered_by_name,
            answered_at: row.answered_at,
            reason: row.answer,
            adjustment_id: row.adjustment_id,
        }
    }
}

const APPEAL: &str =
    "SELECT p.id, p.member_id, m.full_name AS member_name, p.kind, p.period, p.entry_id, p.object, p.statement,
        p.state, p.filed_at, a.display_name AS answered_by_name, p.answered_at, p.answer, p.adjustment_id
    FROM point_appeals p JOIN members m ON m.id = p.member_id LEFT JOIN accounts a ON a.id = p.answered_by";

/// One appeal.
pub async fn get(conn: &mut Conn, id: Uuid) -> Result<Appeal, Problem> {
    let row: AppealRow =
        diesel::sql_query(format!("{APPEAL} WHERE p.id = $1")).bind::<SqlUuid, _>(id).get_result(conn).await?;
    Ok(row.into())
}

/// The appeals of a member, the latest first.
pub async fn of_member(
    conn: &mut Conn,
    member_id: Uuid,
    before: Option<Uuid>,
    fetch: i64,
) -> Result<Vec<Appeal>, Problem> {
    let rows: Vec<AppealRow> = diesel::sql_query(format!(
        "{APPEAL} WHERE p.member_id = $1 AND ($2::uuid IS NULL OR p.id < $2) ORDER BY p.id DESC LIMIT $3"
    ))
    .bind::<SqlUuid, _>(member_id)
    .bind::<Nullable<SqlUuid>, _>(before)
    .bind::<BigInt, _>(fetch)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(Appeal::from).collect())
}

/// Appeals of those who are members of a unit, or of something below it, on a day; the latest first.
pub async fn of_unit(
    conn: &mut Conn,
    unit_id: Uuid,
    state: Option<AppealState>,
    day: NaiveDate,
    before: Option<Uuid>,
    fetch: i64,
) -> Result<Vec<Appeal>, Problem> {
    let rows: Vec<AppealRow> = diesel::sql_query(format!(
        "{APPEAL}
         WHERE EXISTS (SELECT 1 FROM memberships ms JOIN unit_tree t ON t.descendant_id = ms.unit_id AND t.ancestor_id = $1
                 AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2)
             WHERE ms.member_id = p.member_id AND ms.valid_from <= $2 AND NOT EXISTS (SELECT 1 FROM memberships l
                 WHERE l.member_id = ms.member_id AND l.valid_from > ms.valid_from AND l.valid_from <= $2))
           AND ($3::text IS NULL OR p.state = $3) AND ($4::uuid IS NULL OR p.id < $4)
         ORDER BY p.id DESC LIMIT $5"
    ))
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Date, _>(day)
    .bind::<Nullable<Text>, _>(state.map(AppealState::as_str))
    .bind::<Nullable<SqlUuid>, _>(before)
    .bind::<BigInt, _>(fetch)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(Appeal::from).collect())
}

/// Whose appeal it is.
pub async fn member_of(conn: &mut Conn, id: Uuid) -> Result<Uuid, Problem> {
    Ok(point_appeals::table.find(id).select(point_appeals::member_id).first(conn).await?)
}

/// The month of a member's entry.
pub async fn month_of_entry(conn: &mut Conn, member_id: Uuid, entry_id: Uuid) -> Result<Option<Period>, Problem> {
    let entry =
        point_entries::table.filter(point_entries::member_id.eq(member_id)).filter(point_entries::id.eq(entry_id));
    let period: Option<NaiveDate> = entry.select(point_entries::period).first(conn).await.optional()?;
    Ok(period.map(Period::containing))
}

/// Data needed for an answer.
#[derive(Debug, Clone, Queryable)]
pub struct OpenAppeal {
    pub member_id: Uuid,
    pub entry_id: Option<Uuid>,
    pub state: String,
}

/// Locks an appeal that waits for an answer.
///
/// # Errors
/// 409 when it was answered.
pub async fn lock_open(conn: &mut Conn, id: Uuid) -> Result<OpenAppeal, Problem> {
    let open: OpenAppeal = point_appeals::table
        .find(id)
        .select((point_appeals::member_id, point_appeals::entry_id, point_appeals::state))
        .for_update()
        .first(conn)
        .await?;
    if open.state != AppealState::Open.as_str() {
        return Err(Problem::with(
            Code::Conflict,
            "Khiếu nại này đã được trả lời.",
            "This appeal was answered already.",
        ));
    }
    Ok(open)
}

#[derive(QueryableByName)]
struct Voucher {
    #[diesel(sql_type = SqlUuid)]
    officer: Uuid,
}

/// The officers who vouched for an entry: recorded or confirmed its attestation, proposed or approved its adjustment.
pub async fn vouchers(conn: &mut Conn, member_id: Uuid, entry_id: Uuid) -> Result<Vec<Uuid>, Problem> {
    let rows: Vec<Voucher> = diesel::sql_query(
        "WITH entry AS (SELECT attested_by, decision_id FROM point_entries WHERE member_id = $1 AND id = $2)
         SELECT officer FROM (
             SELECT attested_by AS officer FROM entry
             UNION SELECT a.proposed_by FROM entry e JOIN point_adjustments a ON a.id = e.decision_id
             UNION SELECT unnest(ARRAY[t.recorded_by, t.decided_by]) FROM attestation_members am
                 JOIN attestations t ON t.id = am.attestation_id
                 WHERE am.member_id = $1 AND am.entries @> to_jsonb($2::text)) v
         WHERE officer IS NOT NULL",
    )
    .bind::<SqlUuid, _>(member_id)
    .bind::<SqlUuid, _>(entry_id)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.officer).collect())
}

/// Whether a member has a proposal of an adjustment that is alive.
pub async fn has_adjustment(conn: &mut Conn, member_id: Uuid, adjustment_id: Uuid) -> Result<bool, Problem> {
    let found: i64 = point_adjustments::table
        .filter(point_adjustments::id.eq(adjustment_id))
        .filter(point_adjustments::member_id.eq(member_id))
        .filter(point_adjustments::state.eq_any(["proposed", "approved"]))
        .count()
        .get_result(conn)
        .await?;
    Ok(found > 0)
}
