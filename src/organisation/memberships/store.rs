//! Queries on memberships. Every change locks the member first.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::{members, memberships};
use crate::kernel::http::problem::Problem;
use crate::organisation::members::Origin;

/// A period in which a member belonged to a cell.
#[derive(Debug, Serialize, ToSchema, QueryableByName)]
pub struct Membership {
    /// Identifier.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// The cell.
    #[diesel(sql_type = SqlUuid)]
    pub unit_id: Uuid,
    /// The cell's name.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 200, example = "Chi bộ Tổ dân phố số 5")]
    pub unit_name: String,
    /// Its origin: `imported`, `admitted`, `transferred` or `reorganised`.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 20, pattern = "^[a-z]+$", example = "imported")]
    pub origin: String,
    /// Its first day.
    #[diesel(sql_type = Date)]
    pub valid_from: NaiveDate,
    /// The day after its last; null while it lasts.
    #[diesel(sql_type = Nullable<Date>)]
    pub valid_to: Option<NaiveDate>,
    /// Why it ended for good: `deceased`, `left` or `expelled`; null while it lasts, and where another one follows.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(max_length = 20, pattern = "^[a-z]+$", example = "deceased")]
    pub ended_because: Option<String>,
}

/// The membership of a day.
#[derive(Debug, Clone, Copy, Queryable)]
pub struct OnDay {
    pub id: Uuid,
    pub unit_id: Uuid,
    pub valid_from: NaiveDate,
    pub valid_to: Option<NaiveDate>,
}

/// Locks the member's row until the transaction ends, so that changes of one member are serialised.
///
/// # Errors
/// 404 when there is no such member.
pub async fn lock_member(conn: &mut Conn, member_id: Uuid) -> Result<(), Problem> {
    members::table.find(member_id).select(members::id).for_update().first::<Uuid>(conn).await?;
    Ok(())
}

/// The membership in force on a day.
pub async fn on_day(conn: &mut Conn, member_id: Uuid, day: NaiveDate) -> Result<Option<OnDay>, Problem> {
    Ok(memberships::table
        .filter(memberships::member_id.eq(member_id))
        .filter(memberships::valid_from.le(day))
        .filter(memberships::valid_to.is_null().or(memberships::valid_to.gt(day)))
        .select((memberships::id, memberships::unit_id, memberships::valid_from, memberships::valid_to))
        .first(conn)
        .await
        .optional()?)
}

/// Ends a membership: `valid_to` is the first day that no longer belongs to it.
pub async fn end(conn: &mut Conn, id: Uuid, valid_to: NaiveDate) -> Result<(), Problem> {
    diesel::update(memberships::table.find(id)).set(memberships::valid_to.eq(valid_to)).execute(conn).await?;
    Ok(())
}

/// Begins a membership without end.
pub async fn begin(
    conn: &mut Conn,
    id: Uuid,
    member_id: Uuid,
    unit_id: Uuid,
    origin: Origin,
    valid_from: NaiveDate,
) -> Result<(), Problem> {
    diesel::insert_into(memberships::table)
        .values((
            memberships::id.eq(id),
            memberships::member_id.eq(member_id),
            memberships::unit_id.eq(unit_id),
            memberships::origin.eq(origin.as_str()),
            memberships::valid_from.eq(valid_from),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// The memberships of a member, the latest first.
pub async fn history(
    conn: &mut Conn,
    member_id: Uuid,
    before: Option<NaiveDate>,
    fetch: i64,
) -> Result<Vec<Membership>, Problem> {
    Ok(diesel::sql_query(
        "SELECT m.id, m.unit_id, u.name AS unit_name, m.origin, m.valid_from, m.valid_to, m.ended_because
         FROM memberships m JOIN units u ON u.id = m.unit_id
         WHERE m.member_id = $1 AND ($2::date IS NULL OR m.valid_from < $2)
         ORDER BY m.valid_from DESC LIMIT $3",
    )
    .bind::<SqlUuid, _>(member_id)
    .bind::<Nullable<Date>, _>(before)
    .bind::<BigInt, _>(fetch)
    .load(conn)
    .await?)
}
