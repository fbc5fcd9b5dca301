//! Queries on cases.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{case_events, case_members, cases, members};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::ids::new_id;
use crate::kernel::security::access::Permission;
use crate::organisation::{grants, units};

use super::model::{CaseKind, CaseOutcome};

/// The evidence for a case, and the members it concerns.
pub struct Finding {
    pub kind: CaseKind,
    /// The member, the device or the officer it is about.
    pub subject: Uuid,
    /// Those who may see the case and must not decide it.
    pub concerned: Vec<Uuid>,
    /// Members whose cells determine the unit of the case.
    pub places: Vec<Uuid>,
    /// Where it belongs, when that is known.
    pub unit_id: Option<Uuid>,
    pub evidence: Value,
}

#[derive(QueryableByName)]
struct Opened {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Bool)]
    fresh: bool,
}

#[derive(QueryableByName)]
struct CaseUnit {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// When the last case of a kind about a subject was decided.
pub async fn last_decision(conn: &mut Conn, kind: CaseKind, subject: Uuid) -> Result<Option<DateTime<Utc>>, Problem> {
    Ok(cases::table
        .filter(cases::kind.eq(kind.as_str()))
        .filter(cases::subject_id.eq(subject))
        .select(diesel::dsl::max(cases::decided_at))
        .first(conn)
        .await?)
}

/// The nearest unit above most of these members' cells: above all of them, where they have a unit in common.
async fn common_unit(conn: &mut Conn, places: &[Uuid], now: DateTime<Utc>) -> Result<Option<Uuid>, Problem> {
    let found: Option<CaseUnit> = diesel::sql_query(
        "WITH cells AS (SELECT DISTINCT unit_id FROM memberships
             WHERE member_id = ANY($1) AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2))
         SELECT t.ancestor_id AS id FROM cells c JOIN unit_tree t ON t.descendant_id = c.unit_id
             AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2)
         GROUP BY t.ancestor_id
         ORDER BY count(*) DESC, sum(t.depth), t.ancestor_id LIMIT 1",
    )
    .bind::<Array<SqlUuid>, _>(places)
    .bind::<Date, _>(day_of(now))
    .get_result(conn)
    .await
    .optional()?;
    Ok(found.map(|place| place.id))
}

/// Opens a case, unless one of the kind about the subject is open already.
pub async fn open(conn: &mut Conn, finding: &Finding, now: DateTime<Utc>) -> Result<(), Problem> {
    write(conn, finding, "DO NOTHING", now).await
}

/// Opens a case, or adds new evidence to the open one.
pub async fn open_or_extend(conn: &mut Conn, finding: &Finding, now: DateTime<Utc>) -> Result<(), Problem> {
    // Events may arrive in any order: one that shows less than is known already adds nothing.
    let extend = "DO UPDATE SET evidence = cases.evidence || (excluded.evidence - 'first_at')
        WHERE (excluded.evidence ->> 'accounts')::int > (cases.evidence ->> 'accounts')::int";
    write(conn, finding, extend, now).await
}

async fn write(conn: &mut Conn, finding: &Finding, on_conflict: &str, now: DateTime<Utc>) -> Result<(), Problem> {
    let found = match finding.unit_id {
        Some(unit_id) => Some(unit_id),
        None => common_unit(conn, &finding.places, now).await?,
    };
    let Some(unit_id) = found else {
        // Members without a cell have no unit whose inspectors could decide.
        return Ok(());
    };
    let opened: Option<Opened> = diesel::sql_query(format!(
        "INSERT INTO cases (id, kind, subject_id, unit_id, evidence, opened_at, state)
         VALUES ($1, $2, $3, $4, $5, $6, 'open')
         ON CONFLICT (kind, subject_id) WHERE state = 'open' {on_conflict}
         RETURNING id, (xmax = 0) AS fresh"
    ))
    .bind::<SqlUuid, _>(new_id(now))
    .bind::<Text, _>(finding.kind.as_str())
    .bind::<SqlUuid, _>(finding.subject)
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Jsonb, _>(&finding.evidence)
    .bind::<Timestamptz, _>(now)
    .get_result(conn)
    .await
    .optional()?;
    let Some(opened) = opened else {
        return Ok(());
    };
    concern(conn, opened.id, &finding.concerned).await?;
    let waits_in = if opened.fresh { Some(unit_id) } else { widen(conn, opened.id, finding, now).await? };
    if let Some(unit_id) = waits_in {
        let except = [members_of(conn, opened.id).await?, finding.concerned.clone()].concat();
        grants::tell_nearest(conn, (unit_id, Permission::DecideCases), &except, "case_opened", now).await?;
    }
    let kind = if opened.fresh { "opened" } else { "extended" };
    note(conn, opened.id, kind, None, finding.evidence.clone(), now).await
}

/// Administrators among them are not members, and are left out.
async fn concern(conn: &mut Conn, case_id: Uuid, concerned: &[Uuid]) -> Result<(), Problem> {
    diesel::sql_query(
        "INSERT INTO case_members (case_id, member_id) SELECT $1, id FROM members WHERE id = ANY($2) ORDER BY id
         ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(case_id)
    .bind::<Array<SqlUuid>, _>(concerned)
    .execute(conn)
    .await?;
    Ok(())
}

/// Moves a case that grew to the unit to which all members concerned belong. Returns the unit if it changed.
async fn widen(conn: &mut Conn, case_id: Uuid, finding: &Finding, now: DateTime<Utc>) -> Result<Option<Uuid>, Problem> {
    let mut places = members_of(conn, case_id).await?;
    places.extend(&finding.places);
    let Some(unit_id) = common_unit(conn, &places, now).await? else { return Ok(None) };
    let elsewhere = cases::table.find(case_id).filter(cases::unit_id.ne(unit_id));
    let moved = diesel::update(elsewhere).set(cases::unit_id.eq(unit_id)).execute(conn).await?;
    Ok((moved > 0).then_some(unit_id))
}

/// Appends to the history of a case.
async fn note(
    conn: &mut Conn,
    case_id: Uuid,
    kind: &str,
    actor_id: Option<Uuid>,
    details: Value,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    diesel::insert_into(case_events::table)
        .values((
            case_events::id.eq(new_id(now)),
            case_events::case_id.eq(case_id),
            case_events::at.eq(now),
            case_events::kind.eq(kind),
            case_events::actor_id.eq(actor_id),
            case_events::details.eq(details),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// The members a case concerns.
pub async fn members_of(conn: &mut Conn, case_id: Uuid) -> Result<Vec<Uuid>, Problem> {
    Ok(case_members::table
        .filter(case_members::case_id.eq(case_id))
        .order(case_members::member_id)
        .select(case_members::member_id)
        .load(conn)
        .await?)
}

/// The same with names, at most so many.
pub async fn names_of(conn: &mut Conn, case_id: Uuid, most: i64) -> Result<Vec<(Uuid, String)>, Problem> {
    Ok(case_members::table
        .inner_join(members::table.on(members::id.eq(case_members::member_id)))
        .filter(case_members::case_id.eq(case_id))
        .order(case_members::member_id)
        .limit(most)
        .select((members::id, members::full_name))
        .load(conn)
        .await?)
}

/// A case as it stands.
#[derive(Debug, QueryableByName)]
pub struct CaseRow {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = SqlUuid)]
    pub unit_id: Uuid,
    #[diesel(sql_type = Text)]
    pub unit_name: String,
    #[diesel(sql_type = Jsonb)]
    pub evidence: Value,
    #[diesel(sql_type = Timestamptz)]
    pub opened_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub state: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub outcome: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub decided_at: Option<DateTime<Utc>>,
}

const CASE: &str = "SELECT c.id, c.kind, c.unit_id, u.name AS unit_name, c.evidence, c.opened_at, c.state,
        c.outcome, c.reason, c.decided_at
    FROM cases c JOIN units u ON u.id = c.unit_id";

/// One case.
pub async fn get(conn: &mut Conn, id: Uuid) -> Result<CaseRow, Problem> {
    Ok(diesel::sql_query(format!("{CASE} WHERE c.id = $1")).bind::<SqlUuid, _>(id).get_result(conn).await?)
}

/// Cases of a unit and everything below it, or below it when it ended, the latest first.
pub async fn of_unit(
    conn: &mut Conn,
    unit_id: Uuid,
    state: Option<&str>,
    before: Option<Uuid>,
    fetch: i64,
    now: DateTime<Utc>,
) -> Result<Vec<CaseRow>, Problem> {
    Ok(diesel::sql_query(format!(
        "{CASE} WHERE c.unit_id IN (SELECT t.descendant_id FROM unit_tree t WHERE t.ancestor_id = $1 AND {})
           AND ($3::text IS NULL OR c.state = $3) AND ($4::uuid IS NULL OR c.id < $4)
         ORDER BY c.id DESC LIMIT $5",
        units::stands("$2")
    ))
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Date, _>(day_of(now))
    .bind::<Nullable<Text>, _>(state)
    .bind::<Nullable<SqlUuid>, _>(before)
    .bind::<BigInt, _>(fetch)
    .load(conn)
    .await?)
}

/// Cases that concern a member, the latest first.
pub async fn of_member(
    conn: &mut Conn,
    member_id: Uuid,
    before: Option<Uuid>,
    fetch: i64,
) -> Result<Vec<CaseRow>, Problem> {
    Ok(diesel::sql_query(format!(
        "{CASE} JOIN case_members m ON m.case_id = c.id
         WHERE m.member_id = $1 AND ($2::uuid IS NULL OR c.id < $2) ORDER BY c.id DESC LIMIT $3"
    ))
    .bind::<SqlUuid, _>(member_id)
    .bind::<Nullable<SqlUuid>, _>(before)
    .bind::<BigInt, _>(fetch)
    .load(conn)
    .await?)
}

/// The unit and the subject of a case.
pub async fn place(conn: &mut Conn, id: Uuid) -> Result<(Uuid, Uuid), Problem> {
    Ok(cases::table.find(id).select((cases::unit_id, cases::subject_id)).first(conn).await?)
}

/// Decides an open case.
///
/// # Errors
/// 409 when it was decided.
pub async fn decide(
    conn: &mut Conn,
    id: Uuid,
    (outcome, reason): (CaseOutcome, &str),
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let decided = diesel::update(cases::table.find(id).filter(cases::state.eq("open")))
        .set((
            cases::state.eq("decided"),
            cases::outcome.eq(outcome.as_str()),
            cases::reason.eq(reason),
            cases::decided_by.eq(by),
            cases::decided_at.eq(now),
        ))
        .execute(conn)
        .await?;
    if decided == 0 {
        return Err(Problem::with(Code::Conflict, "Vụ việc này đã được kết luận.", "This case was decided already."));
    }
    note(conn, id, "decided", Some(by), json!({"outcome": outcome.as_str(), "reason": reason}), now).await
}
