//! Queries on grants.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{accounts, grants};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::security::access::{Grant, Role};
use crate::kernel::security::auth::{AccountKind, Principal};

/// A role that an account holds, or held, on a unit.
#[derive(Debug, Serialize, ToSchema, QueryableByName)]
pub struct GrantOut {
    /// Identifier.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// The account that holds it; a member's account has the member's id.
    #[diesel(sql_type = SqlUuid)]
    pub account_id: Uuid,
    /// The holder's name.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 200, example = "Nguyễn Văn An")]
    pub name: String,
    /// The role.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 40, pattern = "^[a-z_]+$", example = "cell_secretary")]
    pub role: String,
    /// The unit it is given on; it reaches everything below.
    #[diesel(sql_type = SqlUuid)]
    pub unit_id: Uuid,
    /// Its first day.
    #[diesel(sql_type = Date)]
    pub valid_from: NaiveDate,
    /// The day after its last; null when it has no end.
    #[diesel(sql_type = Nullable<Date>)]
    pub valid_to: Option<NaiveDate>,
    /// When it was given.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// When it was revoked before its end; null otherwise.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A new grant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewGrant {
    pub id: Uuid,
    pub account_id: Uuid,
    pub role: Role,
    pub unit_id: Uuid,
    pub valid_from: NaiveDate,
    pub valid_to: Option<NaiveDate>,
    pub granted_by: Uuid,
}

const GRANT: &str = "SELECT g.id, g.account_id, a.display_name AS name, g.role, g.unit_id, g.valid_from, g.valid_to,
        g.created_at, g.revoked_at
    FROM grants g JOIN accounts a ON a.id = g.account_id";

/// The grants of a unit itself, past ones too, the latest first.
pub async fn of_unit(
    conn: &mut Conn,
    unit_id: Uuid,
    before: Option<Uuid>,
    fetch: i64,
) -> Result<Vec<GrantOut>, Problem> {
    Ok(diesel::sql_query(format!(
        "{GRANT} WHERE g.unit_id = $1 AND ($2::uuid IS NULL OR g.id < $2) ORDER BY g.id DESC LIMIT $3"
    ))
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Nullable<SqlUuid>, _>(before)
    .bind::<BigInt, _>(fetch)
    .load(conn)
    .await?)
}

/// One grant.
pub async fn get(conn: &mut Conn, id: Uuid) -> Result<GrantOut, Problem> {
    Ok(diesel::sql_query(format!("{GRANT} WHERE g.id = $1")).bind::<SqlUuid, _>(id).get_result(conn).await?)
}

/// The account and the unit of a grant.
pub async fn place(conn: &mut Conn, id: Uuid) -> Result<(Uuid, Option<Uuid>), Problem> {
    Ok(grants::table.find(id).select((grants::account_id, grants::unit_id)).first(conn).await?)
}

/// Whether there is such an account of an administrator.
pub async fn is_staff(conn: &mut Conn, account_id: Uuid) -> Result<bool, Problem> {
    let found: i64 = accounts::table
        .filter(accounts::id.eq(account_id))
        .filter(accounts::kind.eq("administrator"))
        .count()
        .get_result(conn)
        .await?;
    Ok(found > 0)
}

/// Refuses a role that is taken for a part of its term.
///
/// # Errors
/// 409 when the account holds the role there during a part of the term, or another secretary does.
pub async fn require_free(conn: &mut Conn, new: &NewGrant) -> Result<(), Problem> {
    let mut overlapping = grants::table
        .filter(grants::unit_id.eq(new.unit_id))
        .filter(grants::role.eq(new.role.as_str()))
        .filter(grants::revoked_at.is_null())
        .filter(grants::valid_to.is_null().or(grants::valid_to.gt(new.valid_from)))
        .into_boxed();
    if let Some(to) = new.valid_to {
        overlapping = overlapping.filter(grants::valid_from.lt(to));
    }
    if new.role != Role::CellSecretary {
        overlapping = overlapping.filter(grants::account_id.eq(new.account_id));
    }
    let found: i64 = overlapping.count().get_result(conn).await?;
    if found > 0 {
        return Err(Problem::with(
            Code::Conflict,
            "Vai trò này đã được giao trong thời gian đó; chi bộ chỉ có một bí thư.",
            "The role is held during a part of this term already; a cell has one secretary.",
        ));
    }
    Ok(())
}

/// Gives a role on a unit whose row is locked.
///
/// # Errors
/// As [`require_free`].
pub async fn create(conn: &mut Conn, new: &NewGrant, now: DateTime<Utc>) -> Result<(), Problem> {
    require_free(conn, new).await?;
    diesel::insert_into(grants::table)
        .values((
            grants::id.eq(new.id),
            grants::account_id.eq(new.account_id),
            grants::role.eq(new.role.as_str()),
            grants::unit_id.eq(new.unit_id),
            grants::valid_from.eq(new.valid_from),
            grants::valid_to.eq(new.valid_to),
            grants::granted_by.eq(new.granted_by),
            grants::created_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// The account with the roles it holds today, as if it called; none when it is disabled or missing.
pub async fn principal(conn: &mut Conn, account_id: Uuid, now: DateTime<Utc>) -> Result<Option<Principal>, Problem> {
    let today = day_of(now);
    let enabled = accounts::table.find(account_id).filter(accounts::disabled_at.is_null()).select(accounts::kind);
    let kind = enabled.first::<String>(conn).await.optional()?;
    // An account of an unknown kind may do nothing.
    let Some(kind) = kind.as_deref().and_then(AccountKind::parse) else {
        return Ok(None);
    };
    let held: Vec<(String, Option<Uuid>)> = grants::table
        .filter(grants::account_id.eq(account_id))
        .filter(grants::revoked_at.is_null())
        .filter(grants::valid_from.le(today))
        .filter(grants::valid_to.is_null().or(grants::valid_to.gt(today)))
        .select((grants::role, grants::unit_id))
        .load(conn)
        .await?;
    let grants = held.iter().filter_map(|(role, unit_id)| Some(Grant { role: Role::parse(role)?, unit_id: *unit_id }));
    // No session: this principal calls nothing, and its own cell gives no rights.
    let (session_id, grants, home) = (Uuid::nil(), grants.collect(), Vec::new());
    Ok(Some(Principal { account_id, session_id, kind, grants, home, client_id: None }))
}

/// Revokes a grant from this moment on. Returns false when it was revoked before.
pub async fn revoke(conn: &mut Conn, id: Uuid, by: Uuid, now: DateTime<Utc>) -> Result<bool, Problem> {
    let revoked = diesel::update(grants::table.find(id).filter(grants::revoked_at.is_null()))
        .set((grants::revoked_at.eq(now), grants::revoked_by.eq(by)))
        .execute(conn)
        .await?;
    Ok(revoked > 0)
}

/// Who is secretary of a cell on a day or later.
pub async fn open_secretary(conn: &mut Conn, unit_id: Uuid, day: NaiveDate) -> Result<Vec<Uuid>, Problem> {
    Ok(grants::table
        .filter(grants::unit_id.eq(unit_id))
        .filter(grants::role.eq(Role::CellSecretary.as_str()))
        .filter(grants::revoked_at.is_null())
        .filter(grants::valid_to.is_null().or(grants::valid_to.gt(day)))
        .select(grants::account_id)
        .load(conn)
        .await?)
}

/// Ends an account's roles on a unit on a day; roles that would begin later never do. Returns how many grants ended.
pub async fn end_on_unit(
    conn: &mut Conn,
    account_id: Uuid,
    unit_id: Uuid,
    day: NaiveDate,
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<usize, Problem> {
    let open = || {
        grants::table
            .filter(grants::account_id.eq(account_id))
            .filter(grants::unit_id.eq(unit_id))
            .filter(grants::revoked_at.is_null())
            .filter(grants::valid_to.is_null().or(grants::valid_to.gt(day)))
    };
    let ended =
        diesel::update(open().filter(grants::valid_from.lt(day))).set(grants::valid_to.eq(day)).execute(conn).await?;
    let revoked = diesel::update(open().filter(grants::valid_from.ge(day)))
        .set((grants::revoked_at.eq(now), grants::revoked_by.eq(by)))
        .execute(conn)
        .await?;
    Ok(ended + revoked)
}
