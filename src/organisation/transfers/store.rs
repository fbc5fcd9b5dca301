//! Queries on transfers.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::transfers;
use crate::kernel::http::problem::{Code, Problem};
use crate::organisation::units;

/// A transfer of a member from one cell to another.
#[derive(Debug, Serialize, ToSchema, QueryableByName)]
pub struct Transfer {
    /// Identifier.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// The member.
    #[diesel(sql_type = SqlUuid)]
    pub member_id: Uuid,
    /// The member's name.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 100, example = "Nguyễn Văn An")]
    pub member_name: String,
    /// The cell the member leaves.
    #[diesel(sql_type = SqlUuid)]
    pub from_unit_id: Uuid,
    /// Its name.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 200, example = "Chi bộ Tổ dân phố số 5")]
    pub from_unit_name: String,
    /// The cell the member comes to.
    #[diesel(sql_type = SqlUuid)]
    pub to_unit_id: Uuid,
    /// Its name.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 200, example = "Chi bộ Tổ dân phố số 6")]
    pub to_unit_name: String,
    /// `proposed`, then `accepted`, `declined` or `withdrawn`.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 20, pattern = "^[a-z]+$", example = "proposed")]
    pub state: String,
    /// Why the member moves.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 500, example = "Chuyển nơi cư trú")]
    pub reason: String,
    /// When it was proposed.
    #[diesel(sql_type = Timestamptz)]
    pub proposed_at: DateTime<Utc>,
    /// The last day on which it can take effect: 60 working days after the proposal.
    #[diesel(sql_type = Date)]
    pub due_on: NaiveDate,
    /// When it was accepted, declined or withdrawn; null before.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub decided_at: Option<DateTime<Utc>>,
    /// The reason given when it was declined.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(max_length = 500)]
    pub decision_note: Option<String>,
    /// The first day in the new cell, once accepted.
    #[diesel(sql_type = Nullable<Date>)]
    pub effective_on: Option<NaiveDate>,
}

/// The data needed to decide; the row stays locked until the transaction ends.
#[derive(Debug, Clone, Queryable)]
pub struct OpenTransfer {
    pub member_id: Uuid,
    pub from_unit_id: Uuid,
    pub to_unit_id: Uuid,
    pub proposed_by: Uuid,
    pub due_on: NaiveDate,
    pub state: String,
}

/// A proposed transfer.
pub struct TransferProposal<'a> {
    pub id: Uuid,
    pub member_id: Uuid,
    pub from_unit_id: Uuid,
    pub to_unit_id: Uuid,
    pub reason: &'a str,
    pub proposed_by: Uuid,
    pub due_on: NaiveDate,
}

/// How a transfer ended.
pub struct TransferDecision<'a> {
    pub state: &'static str,
    pub by: Uuid,
    pub note: Option<&'a str>,
    pub effective_on: Option<NaiveDate>,
}

const TRANSFER: &str = "SELECT t.id, t.member_id, m.full_name AS member_name, t.from_unit_id, f.name AS from_unit_name,
        t.to_unit_id, u.name AS to_unit_name, t.state, t.reason, t.proposed_at, t.due_on, t.decided_at, t.decision_note,
        t.effective_on
    FROM transfers t JOIN members m ON m.id = t.member_id JOIN units f ON f.id = t.from_unit_id
    JOIN units u ON u.id = t.to_unit_id";

/// One transfer.
pub async fn get(conn: &mut Conn, id: Uuid) -> Result<Transfer, Problem> {
    Ok(diesel::sql_query(format!("{TRANSFER} WHERE t.id = $1")).bind::<SqlUuid, _>(id).get_result(conn).await?)
}

/// Transfers out of and into a unit and everything below it, the latest first.
pub async fn of_unit(
    conn: &mut Conn,
    unit_id: Uuid,
    day: NaiveDate,
    before: Option<Uuid>,
    fetch: i64,
) -> Result<Vec<Transfer>, Problem> {
    Ok(diesel::sql_query(format!(
        "WITH below AS (SELECT t.descendant_id AS id FROM unit_tree t WHERE t.ancestor_id = $1 AND {})
         {TRANSFER}
         WHERE (t.from_unit_id IN (SELECT id FROM below) OR t.to_unit_id IN (SELECT id FROM below))
           AND ($3::uuid IS NULL OR t.id < $3)
         ORDER BY t.id DESC LIMIT $4",
        units::stands("$2")
    ))
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Date, _>(day)
    .bind::<Nullable<SqlUuid>, _>(before)
    .bind::<BigInt, _>(fetch)
    .load(conn)
    .await?)
}

/// The cells of a transfer: left, then entered.
pub async fn sides(conn: &mut Conn, id: Uuid) -> Result<(Uuid, Uuid), Problem> {
    Ok(transfers::table.find(id).select((transfers::from_unit_id, transfers::to_unit_id)).first(conn).await?)
}

/// Writes a proposal for a member whose row is locked.
///
/// # Errors
/// 409 when one is open already.
pub async fn propose(conn: &mut Conn, new: &TransferProposal<'_>, now: DateTime<Utc>) -> Result<(), Problem> {
    let open: i64 = transfers::table
        .filter(transfers::member_id.eq(new.member_id))
        .filter(transfers::state.eq("proposed"))
        .count()
        .get_result(conn)
        .await?;
    if open > 0 {
        return Err(Problem::with(
            Code::Conflict,
            "Đảng viên đang có một đề nghị chuyển sinh hoạt chưa giải quyết.",
            "A transfer of this member is open already.",
        ));
    }
    diesel::insert_into(transfers::table)
        .values((
            transfers::id.eq(new.id),
            transfers::member_id.eq(new.member_id),
            transfers::from_unit_id.eq(new.from_unit_id),
            transfers::to_unit_id.eq(new.to_unit_id),
            transfers::state.eq("proposed"),
            transfers::reason.eq(new.reason),
            transfers::proposed_by.eq(new.proposed_by),
            transfers::proposed_at.eq(now),
            transfers::due_on.eq(new.due_on),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Locks a transfer that waits for a decision.
///
/// # Errors
/// 409 when it was decided.
pub async fn lock_open(conn: &mut Conn, id: Uuid) -> Result<OpenTransfer, Problem> {
    let open: OpenTransfer = transfers::table
        .find(id)
        .select((
            transfers::member_id,
            transfers::from_unit_id,
            transfers::to_unit_id,
            transfers::proposed_by,
            transfers::due_on,
            transfers::state,
        ))
        .for_update()
        .first(conn)
        .await?;
    if open.state != "proposed" {
        return Err(Problem::with(
            Code::Conflict,
            "Đề nghị này đã được giải quyết.",
            "This transfer was decided already.",
        ));
    }
    Ok(open)
}

/// Writes the end of a transfer whose row is locked.
pub async fn decide(
    conn: &mut Conn,
    id: Uuid,
    decision: &TransferDecision<'_>,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    diesel::update(transfers::table.find(id))
        .set((
            transfers::state.eq(decision.state),
            transfers::decided_by.eq(decision.by),
            transfers::decided_at.eq(now),
            transfers::decision_note.eq(decision.note),
            transfers::effective_on.eq(decision.effective_on),
        ))
        .execute(conn)
        .await?;
    Ok(())
}
