//! Queries on decisions.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::decisions;
use crate::kernel::http::problem::{Code, Problem};
use crate::organisation::units;

use super::model::{Decision, DecisionState};

/// A decision with the names shown to people.
#[derive(Debug, QueryableByName)]
pub struct Named {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = SqlUuid)]
    pub object_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub unit_id: Uuid,
    #[diesel(sql_type = Text)]
    pub unit_name: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub subject_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    pub subject_name: Option<String>,
    #[diesel(sql_type = Text)]
    pub reason: String,
    #[diesel(sql_type = Jsonb)]
    pub payload: Value,
    #[diesel(sql_type = Text)]
    pub state: String,
    #[diesel(sql_type = SqlUuid)]
    pub proposed_by: Uuid,
    #[diesel(sql_type = Text)]
    pub proposed_by_name: String,
    #[diesel(sql_type = Timestamptz)]
    pub proposed_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub expires_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub decided_by: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    pub decided_by_name: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub decided_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub decision_reason: Option<String>,
}

/// Proposals that waited beyond their time are shown as expired before they are swept. `$1` is the current time.
const NAMED: &str = "SELECT d.id, d.kind, d.object_id, d.unit_id, u.name AS unit_name, d.subject_id,
        s.display_name AS subject_name, d.reason, d.payload,
        CASE WHEN d.state = 'waiting' AND d.expires_at <= $1 THEN 'expired' ELSE d.state END AS state,
        d.proposed_by, p.display_name AS proposed_by_name, d.proposed_at, d.expires_at,
        d.decided_by, e.display_name AS decided_by_name, d.decided_at, d.decision_reason
    FROM decisions d JOIN units u ON u.id = d.unit_id JOIN accounts p ON p.id = d.proposed_by
    LEFT JOIN accounts s ON s.id = d.subject_id LEFT JOIN accounts e ON e.id = d.decided_by";

/// One decision with names.
pub async fn named(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> Result<Named, Problem> {
    let query = diesel::sql_query(format!("{NAMED} WHERE d.id = $2"));
    Ok(query.bind::<Timestamptz, _>(now).bind::<SqlUuid, _>(id).get_result(conn).await?)
}

/// Which decisions of a unit are listed.
pub struct DecisionFilter<'a> {
    pub unit_id: Uuid,
    /// Kinds that the caller may see.
    pub kinds: Vec<&'a str>,
    pub state: DecisionState,
    pub before: Option<Uuid>,
    pub fetch: i64,
}

/// Decisions of a unit and the units below it, latest first.
pub async fn of_unit(conn: &mut Conn, wanted: &DecisionFilter<'_>, now: DateTime<Utc>) -> Result<Vec<Named>, Problem> {
    // Each branch filters by the stored state too, so that the index of waiting decisions is used.
    let in_state = match wanted.state {
        DecisionState::Waiting => "d.state = 'waiting' AND d.expires_at > $1",
        DecisionState::Expired => "(d.state = 'expired' OR d.state = 'waiting' AND d.expires_at <= $1)",
        DecisionState::Confirmed => "d.state = 'confirmed'",
        DecisionState::Declined => "d.state = 'declined'",
        DecisionState::Withdrawn => "d.state = 'withdrawn'",
    };
    let query = format!(
        "{NAMED} WHERE d.unit_id IN (SELECT t.descendant_id FROM unit_tree t WHERE t.ancestor_id = $2 AND {})
           AND d.kind = ANY($4) AND {in_state} AND ($5::uuid IS NULL OR d.id < $5)
         ORDER BY d.id DESC LIMIT $6",
        units::stands("$3")
    );
    Ok(diesel::sql_query(query)
        .bind::<Timestamptz, _>(now)
        .bind::<SqlUuid, _>(wanted.unit_id)
        .bind::<Date, _>(day_of(now))
        .bind::<Array<Text>, _>(&wanted.kinds)
        .bind::<Nullable<SqlUuid>, _>(wanted.before)
        .bind::<BigInt, _>(wanted.fetch)
        .load(conn)
        .await?)
}

/// Waiting decisions of some kinds anywhere, for the command line; oldest first.
pub async fn waiting(conn: &mut Conn, kinds: &[&str], most: i64, now: DateTime<Utc>) -> Result<Vec<Named>, Problem> {
    let query =
        format!("{NAMED} WHERE d.kind = ANY($2) AND d.state = 'waiting' AND d.expires_at > $1 ORDER BY d.id LIMIT $3");
    Ok(diesel::sql_query(query)
        .bind::<Timestamptz, _>(now)
        .bind::<Array<Text>, _>(kinds)
        .bind::<BigInt, _>(most)
        .load(conn)
        .await?)
}

/// One decision.
pub async fn get(conn: &mut Conn, id: Uuid) -> Result<Decision, Problem> {
    Ok(decisions::table.find(id).select(Decision::as_select()).first(conn).await?)
}

/// The same, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: Uuid) -> Result<Decision, Problem> {
    Ok(decisions::table.find(id).select(Decision::as_select()).for_update().first(conn).await?)
}

/// The last decision of a kind about an object.
pub async fn last_of(conn: &mut Conn, kind: &str, object_id: Uuid) -> Result<Option<Decision>, Problem> {
    Ok(decisions::table
        .filter(decisions::object_id.eq(object_id))
        .filter(decisions::kind.eq(kind))
        .order(decisions::id.desc())
        .select(Decision::as_select())
        .first(conn)
        .await
        .optional()?)
}

/// Whether a decision of a kind about a person waits already.
pub async fn waits_about(conn: &mut Conn, kind: &str, subject_id: Uuid, now: DateTime<Utc>) -> Result<bool, Problem> {
    let waiting = decisions::table
        .filter(decisions::subject_id.eq(subject_id))
        .filter(decisions::kind.eq(kind))
        .filter(decisions::state.eq(DecisionState::Waiting.as_str()))
        .filter(decisions::expires_at.gt(now));
    Ok(diesel::select(diesel::dsl::exists(waiting)).get_result(conn).await?)
}

/// Refuses what waits already.
pub fn waits_already() -> Problem {
    Problem::with(
        Code::Conflict,
        "Việc này đã được đề nghị và đang chờ quyết định.",
        "This was proposed already and waits for a decision.",
    )
}

/// Writes a proposal.
///
/// # Errors
/// 409 when one of the kind about the same object waits already.
pub async fn insert(conn: &mut Conn, new: &Decision) -> Result<(), Problem> {
    let written = diesel::insert_into(decisions::table)
        .values((
            decisions::id.eq(new.id),
            decisions::kind.eq(&new.kind),
            decisions::object_id.eq(new.object_id),
            decisions::unit_id.eq(new.unit_id),
            decisions::subject_id.eq(new.subject_id),
            decisions::at_stake.eq(&new.at_stake),
            decisions::reason.eq(&new.reason),
            decisions::payload.eq(&new.payload),
            decisions::proposed_by.eq(new.proposed_by),
            decisions::proposed_at.eq(new.proposed_at),
            decisions::expires_at.eq(new.expires_at),
            decisions::state.eq(DecisionState::Waiting.as_str()),
        ))
        // No conflict target: a plan with parameters does not match the partial index.
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    if written == 0 {
        return Err(waits_already());
    }
    Ok(())
}

/// Writes how a locked decision ended.
pub async fn end(conn: &mut Conn, decision: &Decision) -> Result<(), Problem> {
    diesel::update(decisions::table.find(decision.id))
        .set((
            decisions::state.eq(&decision.state),
            decisions::decided_by.eq(decision.decided_by),
            decisions::decided_at.eq(decision.decided_at),
            decisions::decision_reason.eq(&decision.decision_reason),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Locks some proposals that waited beyond their time; skips those that another instance has locked.
pub async fn lock_overdue(conn: &mut Conn, most: i64, now: DateTime<Utc>) -> Result<Vec<Decision>, Problem> {
    Ok(decisions::table
        .filter(decisions::state.eq(DecisionState::Waiting.as_str()))
        .filter(decisions::expires_at.le(now))
        .order(decisions::id)
        .limit(most)
        .select(Decision::as_select())
        .for_update()
        .skip_locked()
        .load(conn)
        .await?)
}

/// Whether the unit of a decision is this one or lies below it.
pub async fn is_below(conn: &mut Conn, decision_id: Uuid, unit_id: Uuid, now: DateTime<Utc>) -> Result<bool, Problem> {
    let Some(own) = decisions::table.find(decision_id).select(decisions::unit_id).first(conn).await.optional()? else {
        return Ok(false);
    };
    Ok(units::last_path(conn, own, day_of(now)).await?.contains(&unit_id))
}
