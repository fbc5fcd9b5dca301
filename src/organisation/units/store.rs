//! Queries on units, their links and the closure of the links.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Int2, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::advisory;
use crate::kernel::db::schema::{unit_kinds, unit_links, unit_tree, units};
use crate::kernel::db::statement::Prepared;
use crate::kernel::http::problem::{Code, Problem, text};
use crate::kernel::ids::new_id;

/// A new unit.
#[derive(Debug, Clone)]
pub struct NewUnit {
    pub name: String,
    pub kind: String,
    pub parent_id: Option<Uuid>,
    pub code: Option<String>,
    /// First day of its life.
    pub valid_from: NaiveDate,
}

/// A unit as it stands on a day.
#[derive(Debug, Clone, Serialize, ToSchema, QueryableByName)]
pub struct OrgUnit {
    /// Identifier.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// Its name.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 200, example = "Chi bộ Tổ dân phố số 5")]
    pub name: String,
    /// Its kind, for example `cell`.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 40, pattern = "^[a-z_]+$", example = "cell")]
    pub kind: String,
    /// Code of 14 digits, if it has one.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(max_length = 18, pattern = "^[0-9]{2}([.][0-9]{3}){4}$", example = "38.168.053.000.001")]
    pub code: Option<String>,
    /// The unit above it; null at the top.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub parent_id: Option<Uuid>,
    /// Number of units directly below.
    #[diesel(sql_type = BigInt)]
    #[schema(minimum = 0, maximum = 100_000)]
    pub children: i64,
}

const UNIT: &str = "
    SELECT u.id, u.name, u.kind, u.code, l.parent_id,
        (SELECT count(*) FROM unit_links c
         WHERE c.parent_id = u.id AND c.valid_from <= $1 AND (c.valid_to IS NULL OR c.valid_to > $1)) AS children
    FROM units u JOIN unit_links l ON l.unit_id = u.id AND l.valid_from <= $1 AND (l.valid_to IS NULL OR l.valid_to > $1)";

/// The unit and all its ancestors on a day, the unit first.
///
/// # Errors
/// 404 when there is no such unit on that day.
pub async fn path(conn: &mut Conn, unit_id: Uuid, day: NaiveDate) -> Result<Vec<Uuid>, Problem> {
    let path: Vec<Uuid> = unit_tree::table
        .filter(unit_tree::descendant_id.eq(unit_id))
        .filter(unit_tree::valid_from.le(day))
        .filter(unit_tree::valid_to.is_null().or(unit_tree::valid_to.gt(day)))
        .order(unit_tree::depth)
        .select(unit_tree::ancestor_id)
        .load(conn)
        .await?;
    if path.is_empty() { Err(Problem::not_found()) } else { Ok(path) }
}

/// The unit directly above on a day; none at the top, and when there was no such unit.
pub async fn parent(conn: &mut Conn, unit_id: Uuid, day: NaiveDate) -> Result<Option<Uuid>, Problem> {
    let found: Option<Option<Uuid>> = unit_links::table
        .filter(unit_links::unit_id.eq(unit_id))
        .filter(unit_links::valid_from.le(day))
        .filter(unit_links::valid_to.is_null().or(unit_links::valid_to.gt(day)))
        .select(unit_links::parent_id)
        .first(conn)
        .await
        .optional()?;
    Ok(found.flatten())
}

/// The unit and all its ancestors on a day; for a unit that has ended by then, the path it had last.
///
/// # Errors
/// 404 when there was no such unit up to that day.
pub async fn last_path(conn: &mut Conn, unit_id: Uuid, day: NaiveDate) -> Result<Vec<Uuid>, Problem> {
    let query = diesel::sql_query(format!(
        "SELECT t.ancestor_id FROM unit_tree t WHERE t.descendant_id = $1 AND {} ORDER BY t.depth",
        stands("$2")
    ))
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Date, _>(day);
    let path: Vec<Ancestor> = Prepared(query).load(conn).await?;
    if path.is_empty() { Err(Problem::not_found()) } else { Ok(path.into_iter().map(|row| row.ancestor_id).collect()) }
}

/// Condition on a row `t` of `unit_tree`: the lower unit stood below the upper one on this day, or when it ended
/// before. The data of an ended unit belong to those above its last place.
pub fn stands(day: &str) -> String {
    format!(
        "t.valid_from <= {day} AND (t.valid_to IS NULL OR t.valid_to > {day} OR t.valid_to = (
            SELECT max(l.valid_to) FROM unit_links l WHERE l.unit_id = t.descendant_id
            HAVING bool_and(l.valid_to IS NOT NULL) AND max(l.valid_to) <= {day}))"
    )
}

#[derive(QueryableByName)]
struct Ancestor {
    #[diesel(sql_type = SqlUuid)]
    ancestor_id: Uuid,
}

/// The first day of a unit's life.
///
/// # Errors
/// 404 when there is no such unit.
pub async fn first_day(conn: &mut Conn, unit_id: Uuid) -> Result<NaiveDate, Problem> {
    Ok(unit_links::table
        .filter(unit_links::unit_id.eq(unit_id))
        .order(unit_links::valid_from)
        .select(unit_links::valid_from)
        .first(conn)
        .await?)
}

/// The name of a unit, whatever the day.
pub async fn name(conn: &mut Conn, unit_id: Uuid) -> Result<String, Problem> {
    Ok(units::table.find(unit_id).select(units::name).first(conn).await?)
}

/// One unit on a day.
pub async fn get(conn: &mut Conn, unit_id: Uuid, day: NaiveDate) -> Result<OrgUnit, Problem> {
    Ok(diesel::sql_query(format!("{UNIT} WHERE u.id = $2"))
        .bind::<Date, _>(day)
        .bind::<SqlUuid, _>(unit_id)
        .get_result(conn)
        .await?)
}

/// The units directly below a parent, by name.
pub async fn children(
    conn: &mut Conn,
    parent_id: Uuid,
    day: NaiveDate,
    after: Option<(String, Uuid)>,
    fetch: i64,
) -> Result<Vec<OrgUnit>, Problem> {
    let (name, id) = after.unzip();
    Ok(diesel::sql_query(format!(
        "{UNIT} WHERE l.parent_id = $2 AND ($3::text IS NULL OR (u.name, u.id) > ($3 COLLATE \"vi-x-icu\", $4))
         ORDER BY u.name, u.id LIMIT $5"
    ))
    .bind::<Date, _>(day)
    .bind::<SqlUuid, _>(parent_id)
    .bind::<Nullable<Text>, _>(name)
    .bind::<Nullable<SqlUuid>, _>(id)
    .bind::<BigInt, _>(fetch)
    .load(conn)
    .await?)
}

/// The units of a list of ids, or the topmost ones of all when the list is none; by name.
pub async fn of_ids(
    conn: &mut Conn,
    ids: Option<&[Uuid]>,
    day: NaiveDate,
    after: Option<(String, Uuid)>,
    fetch: i64,
) -> Result<Vec<OrgUnit>, Problem> {
    let (name, id) = after.unzip();
    Ok(diesel::sql_query(format!(
        "{UNIT} WHERE (CASE WHEN $2::uuid[] IS NULL THEN l.parent_id IS NULL ELSE u.id = ANY($2) END)
         AND ($3::text IS NULL OR (u.name, u.id) > ($3 COLLATE \"vi-x-icu\", $4))
         ORDER BY u.name, u.id LIMIT $5"
    ))
    .bind::<Date, _>(day)
    .bind::<Nullable<diesel::sql_types::Array<SqlUuid>>, _>(ids)
    .bind::<Nullable<Text>, _>(name)
    .bind::<Nullable<SqlUuid>, _>(id)
    .bind::<BigInt, _>(fetch)
    .load(conn)
    .await?)
}

/// Whether members belong to units of this unit's kind.
///
/// # Errors
/// 404 when there is no such unit.
pub async fn is_cell(conn: &mut Conn, unit_id: Uuid) -> Result<bool, Problem> {
    Ok(units::table
        .inner_join(unit_kinds::table.on(unit_kinds::code.eq(units::kind)))
        .filter(units::id.eq(unit_id))
        .select(unit_kinds::holds_members)
        .first(conn)
        .await?)
}

#[derive(QueryableByName)]
struct Top {
    #[diesel(sql_type = diesel::sql_types::Bool)]
    top: bool,
}

/// Whether a unit stands at the top of the whole system: the central one, or the only one without a parent.
pub async fn is_top(conn: &mut Conn, unit_id: Uuid, day: NaiveDate) -> Result<bool, Problem> {
    let found: Top = diesel::sql_query(
        "SELECT EXISTS (SELECT 1 FROM units WHERE id = $1 AND kind = 'central')
            OR coalesce((SELECT array_agg(unit_id) = ARRAY[$1] FROM (SELECT unit_id FROM unit_links
                WHERE parent_id IS NULL AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2) LIMIT 2) l), false) AS top",
    )
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Date, _>(day)
    .get_result(conn)
    .await?;
    Ok(found.top)
}

/// Refuses units that hold no members.
///
/// # Errors
/// 404 when there is no such unit, 422 when it is no cell.
pub async fn require_cell(conn: &mut Conn, unit_id: Uuid) -> Result<(), Problem> {
    if is_cell(conn, unit_id).await? {
        return Ok(());
    }
    Err(Problem::with(
        Code::RuleNotMet,
        "Chỉ chi bộ mới có đảng viên sinh hoạt trực tiếp.",
        "Only a cell holds members.",
    ))
}

/// Locks the unit's row until the transaction ends, so that what must be unique in the unit is decided one by one.
pub async fn lock(conn: &mut Conn, unit_id: Uuid) -> Result<(), Problem> {
    units::table.find(unit_id).select(units::id).for_no_key_update().first::<Uuid>(conn).await?;
    Ok(())
}

/// Keeps a unit from being merged until the transaction ends.
pub async fn keep(conn: &mut Conn, unit_id: Uuid) -> Result<(), Problem> {
    units::table.find(unit_id).select(units::id).for_key_share().first::<Uuid>(conn).await?;
    Ok(())
}

/// Keeps a unit as it is until the transaction ends, and requires that it has not ended: an admission into a cell that
/// is being merged waits for the merger and is then refused.
///
/// # Errors
/// 409 when the unit has ended.
pub async fn hold(conn: &mut Conn, unit_id: Uuid, day: NaiveDate) -> Result<(), Problem> {
    keep(conn, unit_id).await?;
    let alive: i64 = unit_links::table
        .filter(unit_links::unit_id.eq(unit_id))
        .filter(unit_links::valid_to.is_null().or(unit_links::valid_to.gt(day)))
        .count()
        .get_result(conn)
        .await?;
    if alive > 0 {
        return Ok(());
    }
    Err(Problem::with(Code::Conflict, "Tổ chức này đã được sáp nhập.", "The unit has been merged into another."))
}

/// Locks the tree of units: alone for changes of place; shared for a new unit, which only keeps others from changing
/// places.
pub async fn lock_tree(conn: &mut Conn, alone: bool) -> Result<(), Problem> {
    let tree = advisory::LockPurpose::UnitTree;
    if alone { advisory::lock(conn, tree).await } else { advisory::lock_shared(conn, tree).await }
}

/// Creates a unit with its link and its place in the closure.
///
/// # Errors
/// 422 for an unknown kind, 404 for an unknown parent, 409 for a code in use or a parent that has ended, 422 when the
/// kind cannot stand below the parent's.
pub async fn create(conn: &mut Conn, new: &NewUnit, now: DateTime<Utc>) -> Result<Uuid, Problem> {
    lock_tree(conn, false).await?;
    if let Some(parent_id) = new.parent_id {
        hold(conn, parent_id, new.valid_from).await?;
    }
    let rank = rank_of(conn, &new.kind).await?.ok_or_else(|| {
        Problem::fault("/kind", "not_an_option", text("Không có loại tổ chức này.", "There is no such kind of unit."))
    })?;
    if let Some(parent_id) = new.parent_id {
        let parent_kind: String = units::table.find(parent_id).select(units::kind).first(conn).await?;
        if rank_of(conn, &parent_kind).await?.is_none_or(|parent_rank| parent_rank >= rank) {
            return Err(Problem::with(
                Code::RuleNotMet,
                "Loại tổ chức này không thể trực thuộc tổ chức cấp trên đã chọn.",
                "A unit of this kind cannot stand below the chosen parent.",
            ));
        }
    }
    let id = new_id(now);
    let inserted = diesel::insert_into(units::table)
        .values((
            units::id.eq(id),
            units::kind.eq(&new.kind),
            units::name.eq(&new.name),
            units::code.eq(&new.code),
            units::created_at.eq(now),
        ))
        .on_conflict(units::code)
        .do_nothing()
        .execute(conn)
        .await?;
    if inserted == 0 {
        return Err(Problem::with(Code::Conflict, "Mã tổ chức đã được dùng.", "The unit code is in use."));
    }
    link(conn, id, new.parent_id, new.valid_from).await?;
    Ok(id)
}

async fn rank_of(conn: &mut Conn, kind: &str) -> Result<Option<i16>, Problem> {
    Ok(unit_kinds::table.find(kind).select(unit_kinds::rank).first(conn).await.optional()?)
}

async fn link(conn: &mut Conn, unit_id: Uuid, parent_id: Option<Uuid>, valid_from: NaiveDate) -> Result<(), Problem> {
    diesel::insert_into(unit_links::table)
        .values((
            unit_links::unit_id.eq(unit_id),
            unit_links::parent_id.eq(parent_id),
            unit_links::valid_from.eq(valid_from),
        ))
        .execute(conn)
        .await?;
    let ancestors: Vec<(Uuid, i16)> = match parent_id {
        Some(parent_id) => {
            unit_tree::table
                .filter(unit_tree::descendant_id.eq(parent_id))
                .filter(unit_tree::valid_to.is_null())
                .select((unit_tree::ancestor_id, unit_tree::depth))
                .load(conn)
                .await?
        }
        None => Vec::new(),
    };
    let (mut ids, mut depths): (Vec<Uuid>, Vec<i16>) = ancestors.into_iter().map(|(id, depth)| (id, depth + 1)).unzip();
    ids.push(unit_id);
    depths.push(0);
    diesel::sql_query(
        "INSERT INTO unit_tree (ancestor_id, descendant_id, depth, valid_from)
         SELECT a, $3, d, $4 FROM unnest($1, $2) AS t(a, d)",
    )
    .bind::<diesel::sql_types::Array<SqlUuid>, _>(ids)
    .bind::<diesel::sql_types::Array<Int2>, _>(depths)
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Date, _>(valid_from)
    .execute(conn)
    .await?;
    Ok(())
}
