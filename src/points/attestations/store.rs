//! Queries on attestations and the members on them.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Int4, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::attestations;
use crate::kernel::http::problem::{Code, Problem};
use crate::organisation::units;
use crate::points::model::Refusal;

use super::model::{AttestationKind, AttestationState};

/// What an officer vouches for.
#[derive(Debug, Serialize, ToSchema, QueryableByName)]
pub struct Attestation {
    /// Identifier.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// The cell.
    #[diesel(sql_type = SqlUuid)]
    pub unit_id: Uuid,
    /// Its name.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 200, example = "Chi bộ Tổ dân phố số 5")]
    pub unit_name: String,
    /// What is attested: `meeting_attended`, `thematic_meeting_attended`, `opinion_contributed`, `assisted_session`.
    #[diesel(sql_type = Text)]
    #[schema(value_type = AttestationKind)]
    pub kind: String,
    /// The day on which it happened.
    #[diesel(sql_type = Date)]
    pub day: NaiveDate,
    /// Which meeting, or what was done.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 200, example = "Sinh hoạt thường kỳ tháng 11")]
    pub subject: String,
    /// Further remarks of the recorder.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(max_length = 500)]
    pub note: Option<String>,
    /// `recorded`, then `confirmed`, `declined` or `withdrawn`.
    #[diesel(sql_type = Text)]
    #[schema(value_type = AttestationState)]
    pub state: String,
    /// How many members are on the list.
    #[diesel(sql_type = BigInt)]
    #[schema(minimum = 1, maximum = 500, example = 24)]
    pub member_count: i64,
    /// Who recorded it.
    #[diesel(sql_type = SqlUuid)]
    pub recorded_by: Uuid,
    /// The recorder's name.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 200, example = "Lê Thị Cúc")]
    pub recorded_by_name: String,
    /// When it was recorded.
    #[diesel(sql_type = Timestamptz)]
    pub recorded_at: DateTime<Utc>,
    /// Who confirmed, declined or withdrew it; null before.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub decided_by: Option<Uuid>,
    /// The name of that person.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(max_length = 200)]
    pub decided_by_name: Option<String>,
    /// When it was confirmed, declined or withdrawn.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub decided_at: Option<DateTime<Utc>>,
    /// Why it was declined.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(max_length = 500)]
    pub decision_reason: Option<String>,
}

/// A member on a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttestedMember {
    /// Who.
    pub member_id: Uuid,
    /// The member's name.
    #[schema(max_length = 100, example = "Nguyễn Văn An")]
    pub member_name: String,
    /// Points given when the list was confirmed; null before.
    #[schema(minimum = 0, maximum = 10_000, example = 8)]
    pub points_awarded: Option<i32>,
    /// Which rules gave nothing, and why.
    #[schema(max_items = 20)]
    pub refusals: Vec<Refusal>,
}

/// An attestation with the members on it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttestationDetail {
    /// What is attested, and where it stands.
    #[serde(flatten)]
    pub attestation: Attestation,
    /// Who is on the list, by Vietnamese given name.
    #[schema(max_items = 500)]
    pub members: Vec<AttestedMember>,
}

const ATTESTATION: &str = "SELECT a.id, a.unit_id, u.name AS unit_name, a.kind, a.day, a.subject, a.note, a.state,
        (SELECT count(*) FROM attestation_members am WHERE am.attestation_id = a.id) AS member_count,
        a.recorded_by, r.display_name AS recorded_by_name, a.recorded_at,
        a.decided_by, d.display_name AS decided_by_name, a.decided_at, a.decision_reason
    FROM attestations a JOIN units u ON u.id = a.unit_id JOIN accounts r ON r.id = a.recorded_by
    LEFT JOIN accounts d ON d.id = a.decided_by";

#[derive(QueryableByName)]
struct AttestedMemberRow {
    #[diesel(sql_type = SqlUuid)]
    member_id: Uuid,
    #[diesel(sql_type = Text)]
    full_name: String,
    #[diesel(sql_type = Nullable<Int4>)]
    points: Option<i32>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    refusals: Option<serde_json::Value>,
}

/// One attestation with its members.
pub async fn get(conn: &mut Conn, id: Uuid) -> Result<AttestationDetail, Problem> {
    let attestation: Attestation =
        diesel::sql_query(format!("{ATTESTATION} WHERE a.id = $1")).bind::<SqlUuid, _>(id).get_result(conn).await?;
    let rows: Vec<AttestedMemberRow> = diesel::sql_query(
        "SELECT am.member_id, m.full_name, am.points, am.refusals FROM attestation_members am
         JOIN members m ON m.id = am.member_id WHERE am.attestation_id = $1 ORDER BY m.given_name, m.full_name, m.id",
    )
    .bind::<SqlUuid, _>(id)
    .load(conn)
    .await?;
    let members = rows.into_iter().map(shown).collect::<Result<_, _>>()?;
    Ok(AttestationDetail { attestation, members })
}

fn shown(row: AttestedMemberRow) -> Result<AttestedMember, Problem> {
    let refusals = row.refusals.map(serde_json::from_value).transpose().map_err(Problem::internal)?;
    Ok(AttestedMember {
        member_id: row.member_id,
        member_name: row.full_name,
        points_awarded: row.points,
        refusals: refusals.unwrap_or_default(),
    })
}

/// Attestations of a unit and everything below it, or below it when it ended, the latest first.
pub async fn of_unit(
    conn: &mut Conn,
    unit_id: Uuid,
    state: Option<AttestationState>,
    day: NaiveDate,
    before: Option<Uuid>,
    fetch: i64,
) -> Result<Vec<Attestation>, Problem> {
    Ok(diesel::sql_query(format!(
        "{ATTESTATION}
         WHERE a.unit_id IN (SELECT t.descendant_id FROM unit_tree t WHERE t.ancestor_id = $1 AND {})
           AND ($3::text IS NULL OR a.state = $3) AND ($4::uuid IS NULL OR a.id < $4)
         ORDER BY a.id DESC LIMIT $5",
        units::stands("$2")
    ))
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Date, _>(day)
    .bind::<Nullable<Text>, _>(state.map(AttestationState::as_str))
    .bind::<Nullable<SqlUuid>, _>(before)
    .bind::<BigInt, _>(fetch)
    .load(conn)
    .await?)
}

/// Data needed for a decision.
#[derive(Debug, Clone, Queryable)]
pub struct OpenAttestation {
    pub id: Uuid,
    pub unit_id: Uuid,
    pub kind: String,
    pub day: NaiveDate,
    pub subject: String,
    pub state: String,
    pub recorded_by: Uuid,
    pub recorded_at: DateTime<Utc>,
}

/// The cell of an attestation.
pub async fn unit_of(conn: &mut Conn, id: Uuid) -> Result<Uuid, Problem> {
    Ok(attestations::table.find(id).select(attestations::unit_id).first(conn).await?)
}

/// Locks an attestation until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: Uuid) -> Result<OpenAttestation, Problem> {
    Ok(attestations::table
        .find(id)
        .select((
            attestations::id,
            attestations::unit_id,
            attestations::kind,
            attestations::day,
            attestations::subject,
            attestations::state,
            attestations::recorded_by,
            attestations::recorded_at,
        ))
        .for_update()
        .first(conn)
        .await?)
}

/// Refuses an attestation that was decided.
///
/// # Errors
/// 409 when it was.
pub fn require_recorded(open: &OpenAttestation) -> Result<(), Problem> {
    if open.state == AttestationState::Recorded.as_str() {
        return Ok(());
    }
    Err(Problem::with(Code::Conflict, "Danh sách này đã được giải quyết.", "This attestation was decided already."))
}

/// The decision on an attestation.
pub struct AttestationDecision<'a> {
    pub state: AttestationState,
    /// None when it expired.
    pub by: Option<Uuid>,
    pub reason: Option<&'a str>,
}

/// Writes the decision on an attestation whose row is locked.
pub async fn decide(
    conn: &mut Conn,
    id: Uuid,
    decision: &AttestationDecision<'_>,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    diesel::update(attestations::table.find(id))
        .set((
            attestations::state.eq(decision.state.as_str()),
            attestations::decided_by.eq(decision.by),
            attestations::decided_at.eq(now),
            attestations::decision_reason.eq(decision.reason),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// A member on a list that is to be confirmed.
#[derive(Debug, QueryableByName)]
pub struct ListedAttestation {
    #[diesel(sql_type = SqlUuid)]
    pub member_id: Uuid,
    /// Whether they belonged to the cell on the day; a transfer can come between.
    #[diesel(sql_type = Bool)]
    pub belongs: bool,
}

/// Who is on a list, in the order in which months are locked.
pub async fn listed(conn: &mut Conn, open: &OpenAttestation) -> Result<Vec<ListedAttestation>, Problem> {
    Ok(diesel::sql_query(
        "SELECT am.member_id, EXISTS (SELECT 1 FROM memberships ms WHERE ms.member_id = am.member_id AND ms.unit_id = $2
             AND ms.valid_from <= $3 AND (ms.valid_to IS NULL OR ms.valid_to > $3)) AS belongs
         FROM attestation_members am WHERE am.attestation_id = $1 ORDER BY am.member_id",
    )
    .bind::<SqlUuid, _>(open.id)
    .bind::<SqlUuid, _>(open.unit_id)
    .bind::<Date, _>(open.day)
    .load(conn)
    .await?)
}

#[derive(QueryableByName)]
struct Credited {
    #[diesel(sql_type = SqlUuid)]
    member_id: Uuid,
    #[diesel(sql_type = Text)]
    object_id: String,
}

/// The thematic meetings of the day for which members were credited while the object was still that of a cell and day.
/// They are the same object as that of the day, and are credited once.
pub async fn thematic_objects(
    conn: &mut Conn,
    open: &OpenAttestation,
    listed: &[ListedAttestation],
) -> Result<HashMap<Uuid, String>, Problem> {
    let rule = AttestationKind::ThematicMeetingAttended.as_str();
    if open.kind != rule {
        return Ok(HashMap::new());
    }
    let members: Vec<Uuid> = listed.iter().map(|member| member.member_id).collect();
    let rows: Vec<Credited> = diesel::sql_query(
        "SELECT e.member_id, e.object_id FROM point_entries e
         WHERE e.member_id = ANY($1) AND e.rule_code = $2 AND e.kind = 'award' AND e.object_id LIKE '%:' || $3::text",
    )
    .bind::<Array<SqlUuid>, _>(members)
    .bind::<Text, _>(rule)
    .bind::<Text, _>(open.day.to_string())
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.member_id, row.object_id)).collect())
}

/// Outcome of the confirmation for one member.
pub struct AttestationOutcome {
    pub member_id: Uuid,
    pub points: i32,
    /// Entries written to the ledger.
    pub entries: Vec<Uuid>,
    pub refusals: Vec<Refusal>,
}

/// Writes the outcomes of a confirmation.
pub async fn write_outcomes(conn: &mut Conn, id: Uuid, outcomes: &[AttestationOutcome]) -> Result<(), Problem> {
    let members: Vec<Uuid> = outcomes.iter().map(|outcome| outcome.member_id).collect();
    let points: Vec<i32> = outcomes.iter().map(|outcome| outcome.points).collect();
    let json = |value: Result<serde_json::Value, serde_json::Error>| value.map_err(Problem::internal);
    let entries: Vec<serde_json::Value> =
        outcomes.iter().map(|outcome| json(serde_json::to_value(&outcome.entries))).collect::<Result<_, _>>()?;
    let refusals: Vec<serde_json::Value> =
        outcomes.iter().map(|outcome| json(serde_json::to_value(&outcome.refusals))).collect::<Result<_, _>>()?;
    diesel::sql_query(
        "UPDATE attestation_members am SET points = o.points, entries = o.entries, refusals = o.refusals
         FROM unnest($2, $3, $4, $5) AS o(member_id, points, entries, refusals)
         WHERE am.attestation_id = $1 AND am.member_id = o.member_id",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Array<SqlUuid>, _>(members)
    .bind::<Array<Int4>, _>(points)
    .bind::<Array<Jsonb>, _>(entries)
    .bind::<Array<Jsonb>, _>(refusals)
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct AttestationUnit {
    #[diesel(sql_type = BigInt)]
    place: i64,
}

/// The places (from 0) of those who did not belong to the cell on the day, or do not exist.
pub async fn strangers(
    conn: &mut Conn,
    unit_id: Uuid,
    day: NaiveDate,
    member_ids: &[Uuid],
) -> Result<Vec<i64>, Problem> {
    let places: Vec<AttestationUnit> = diesel::sql_query(
        "SELECT t.place - 1 AS place FROM unnest($1) WITH ORDINALITY AS t(member_id, place)
         WHERE NOT EXISTS (SELECT 1 FROM memberships ms WHERE ms.member_id = t.member_id AND ms.unit_id = $2
             AND ms.valid_from <= $3 AND (ms.valid_to IS NULL OR ms.valid_to > $3))
         ORDER BY t.place",
    )
    .bind::<Array<SqlUuid>, _>(member_ids)
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Date, _>(day)
    .load(conn)
    .await?;
    Ok(places.into_iter().map(|row| row.place).collect())
}

/// How many attestations of a cell wait for a second officer.
pub async fn waiting(conn: &mut Conn, unit_id: Uuid) -> Result<i64, Problem> {
    Ok(attestations::table
        .filter(attestations::unit_id.eq(unit_id))
        .filter(attestations::state.eq(AttestationState::Recorded.as_str()))
        .count()
        .get_result(conn)
        .await?)
}

/// Another day on which the cell's regular meeting of the month was recorded.
pub async fn other_regular_day(conn: &mut Conn, unit_id: Uuid, day: NaiveDate) -> Result<Option<NaiveDate>, Problem> {
    let period = Period::containing(day);
    let alive = [AttestationState::Recorded.as_str(), AttestationState::Confirmed.as_str()];
    Ok(attestations::table
        .filter(attestations::unit_id.eq(unit_id))
        .filter(attestations::kind.eq("meeting_attended"))
        .filter(attestations::state.eq_any(alive))
        .filter(attestations::day.between(period.first_day(), period.last_day()))
        .filter(attestations::day.ne(day))
        .select(attestations::day)
        .first(conn)
        .await
        .optional()?)
}
