//! Quizzes and their audience in the database.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Jsonb, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{quiz_targets, quizzes};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::ids::new_id;

use super::model::{QuizTarget, Reveal, Source};

pub const DRAFT: &str = "draft";
pub const PUBLISHED: &str = "published";

/// A quiz as it stands.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = quizzes)]
pub struct QuizRow {
    pub id: Uuid,
    pub unit_id: Uuid,
    pub title: String,
    pub state: String,
    pub draws: serde_json::Value,
    pub question_count: i32,
    pub minutes: i32,
    pub pass_percent: i32,
    pub attempts: i32,
    pub cooldown_minutes: i32,
    pub practice: bool,
    pub reveal: String,
    pub opens_at: DateTime<Utc>,
    pub closes_at: DateTime<Utc>,
    /// The contest of which it is a round, and which one.
    pub contest_id: Option<Uuid>,
    pub round: Option<i16>,
    /// How many of its questions are voided.
    pub voids: i32,
}

impl QuizRow {
    pub fn is_published(&self) -> bool {
        self.state == PUBLISHED
    }

    pub fn source(&self) -> Result<Source, Problem> {
        serde_json::from_value(self.draws.clone()).map_err(Problem::internal)
    }

    pub fn reveal(&self) -> Reveal {
        if self.reveal == Reveal::AtOnce.as_str() { Reveal::AtOnce } else { Reveal::AfterWindow }
    }
}

/// A quiz to be written.
#[derive(Debug, Clone)]
pub struct NewQuiz {
    pub unit_id: Uuid,
    pub title: String,
    pub source: Source,
    pub minutes: i32,
    pub pass_percent: i32,
    pub attempts: i32,
    pub cooldown_minutes: i32,
    pub practice: bool,
    pub reveal: Reveal,
    pub opens_at: DateTime<Utc>,
    pub closes_at: DateTime<Utc>,
    pub targets: Vec<QuizTarget>,
}

/// Writes a draft. Returns its id.
pub async fn draft(conn: &mut Conn, new: &NewQuiz, by: Uuid, now: DateTime<Utc>) -> Result<Uuid, Problem> {
    require_audience(conn, new.unit_id, &new.targets, now).await?;
    let id = new_id(now);
    diesel::insert_into(quizzes::table)
        .values((
            quizzes::id.eq(id),
            quizzes::unit_id.eq(new.unit_id),
            quizzes::title.eq(&new.title),
            quizzes::state.eq(DRAFT),
            quizzes::draws.eq(serde_json::to_value(&new.source).map_err(Problem::internal)?),
            quizzes::question_count.eq(i32::try_from(new.source.count()).unwrap_or(i32::MAX)),
            quizzes::minutes.eq(new.minutes),
            quizzes::pass_percent.eq(new.pass_percent),
            quizzes::attempts.eq(new.attempts),
            quizzes::cooldown_minutes.eq(new.cooldown_minutes),
            quizzes::practice.eq(new.practice),
            quizzes::reveal.eq(new.reveal.as_str()),
            quizzes::opens_at.eq(new.opens_at),
            quizzes::closes_at.eq(new.closes_at),
            quizzes::created_by.eq(by),
            quizzes::created_at.eq(now),
        ))
        .execute(conn)
        .await?;
    let rows: Vec<_> = new
        .targets
        .iter()
        .filter_map(|target| Some((target.unit_id.or(target.member_id)?, target)))
        .map(|(target_id, target)| {
            (
                quiz_targets::quiz_id.eq(id),
                quiz_targets::target_id.eq(target_id),
                quiz_targets::unit_id.eq(target.unit_id),
                quiz_targets::member_id.eq(target.member_id),
            )
        })
        .collect();
    diesel::insert_into(quiz_targets::table).values(rows).on_conflict_do_nothing().execute(conn).await?;
    Ok(id)
}

#[derive(QueryableByName)]
struct Within {
    #[diesel(sql_type = Bool)]
    within: bool,
}

/// Insists that the audience is the owning unit, or units and members below it.
pub async fn require_audience(
    conn: &mut Conn,
    owner: Uuid,
    targets: &[QuizTarget],
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let units: Vec<Uuid> = targets.iter().filter_map(|target| target.unit_id).collect();
    let members: Vec<Uuid> = targets.iter().filter_map(|target| target.member_id).collect();
    let row: Within = diesel::sql_query(
        "WITH below AS (SELECT t.descendant_id FROM unit_tree t WHERE t.ancestor_id = $1
             AND t.valid_from <= $4 AND (t.valid_to IS NULL OR t.valid_to > $4))
         SELECT NOT EXISTS (SELECT 1 FROM unnest($2::uuid[]) AS u (id) WHERE u.id NOT IN (TABLE below))
            AND NOT EXISTS (SELECT 1 FROM unnest($3::uuid[]) AS m (id) WHERE NOT EXISTS (
                SELECT 1 FROM memberships s JOIN below b ON b.descendant_id = s.unit_id WHERE s.member_id = m.id
                AND s.valid_from <= $4 AND (s.valid_to IS NULL OR s.valid_to > $4))) AS within",
    )
    .bind::<SqlUuid, _>(owner)
    .bind::<Array<SqlUuid>, _>(units)
    .bind::<Array<SqlUuid>, _>(members)
    .bind::<Date, _>(day_of(now))
    .get_result(conn)
    .await?;
    if row.within {
        return Ok(());
    }
    Err(Problem::with(
        Code::RuleNotMet,
        "Bài thi chỉ giao cho chính đơn vị sở hữu, các tổ chức trực thuộc và đảng viên của các tổ chức đó.",
        "A quiz goes to the unit that owns it, to units below it and to their members only.",
    ))
}

/// One quiz. 404 when there is none.
pub async fn get(conn: &mut Conn, id: Uuid) -> Result<QuizRow, Problem> {
    Ok(quizzes::table.find(id).select(QuizRow::as_select()).first(conn).await?)
}

/// The same, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: Uuid) -> Result<QuizRow, Problem> {
    Ok(quizzes::table.find(id).select(QuizRow::as_select()).for_update().first(conn).await?)
}

/// The audience of a quiz.
pub async fn targets(conn: &mut Conn, id: Uuid) -> Result<Vec<QuizTarget>, Problem> {
    let rows: Vec<(Option<Uuid>, Option<Uuid>)> = quiz_targets::table
        .filter(quiz_targets::quiz_id.eq(id))
        .order(quiz_targets::target_id)
        .select((quiz_targets::unit_id, quiz_targets::member_id))
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(|(unit_id, member_id)| QuizTarget { unit_id, member_id }).collect())
}

/// Whether a quiz is published to a member: by name, or to their cell or a unit above it.
pub async fn reaches(conn: &mut Conn, id: Uuid, member_id: Uuid, home: &[Uuid]) -> Result<bool, Problem> {
    let found: Option<Uuid> = quiz_targets::table
        .inner_join(quizzes::table.on(quizzes::id.eq(quiz_targets::quiz_id)))
        .filter(quizzes::id.eq(id))
        .filter(quizzes::state.eq(PUBLISHED))
        .filter(quiz_targets::target_id.eq_any(home).or(quiz_targets::target_id.eq(member_id)))
        .select(quizzes::id)
        .first(conn)
        .await
        .optional()?;
    Ok(found.is_some())
}

/// Quizzes published to a member, those that close last first.
pub async fn reaching(
    conn: &mut Conn,
    member_id: Uuid,
    home: &[Uuid],
    after: Option<(DateTime<Utc>, Uuid)>,
    fetch: i64,
) -> Result<Vec<QuizRow>, Problem> {
    let reached = quiz_targets::table
        .filter(quiz_targets::target_id.eq_any(home.to_vec()).or(quiz_targets::target_id.eq(member_id)))
        .select(quiz_targets::quiz_id);
    let mut query = quizzes::table
        .filter(quizzes::state.eq(PUBLISHED))
        .filter(quizzes::id.eq_any(reached))
        .order((quizzes::closes_at.desc(), quizzes::id.desc()))
        .limit(fetch)
        .select(QuizRow::as_select())
        .into_boxed();
    if let Some((closes_at, id)) = after {
        let earlier = quizzes::closes_at.lt(closes_at);
        query = query.filter(earlier.or(quizzes::closes_at.eq(closes_at).and(quizzes::id.lt(id))));
    }
    Ok(query.load(conn).await?)
}

/// The quizzes a unit owns, drafts too, newest first.
pub async fn of_unit(
    conn: &mut Conn,
    unit_id: Uuid,
    before: Option<Uuid>,
    fetch: i64,
) -> Result<Vec<QuizRow>, Problem> {
    let mut query = quizzes::table
        .filter(quizzes::unit_id.eq(unit_id))
        .order(quizzes::id.desc())
        .limit(fetch)
        .select(QuizRow::as_select())
        .into_boxed();
    if let Some(id) = before {
        query = query.filter(quizzes::id.lt(id));
    }
    Ok(query.load(conn).await?)
}

/// Marks a draft as published.
pub async fn mark_published(conn: &mut Conn, id: Uuid, by: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    diesel::update(quizzes::table.find(id))
        .set((quizzes::state.eq(PUBLISHED), quizzes::published_by.eq(by), quizzes::published_at.eq(now)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Marks some quizzes whose window has ended. Returns them.
pub async fn end_some(conn: &mut Conn, most: i64, now: DateTime<Utc>) -> Result<Vec<Uuid>, Problem> {
    let rows: Vec<Ended> = diesel::sql_query(
        "UPDATE quizzes SET ended_at = $1 WHERE id IN (SELECT id FROM quizzes WHERE state = 'published'
             AND ended_at IS NULL AND closes_at <= $1 ORDER BY closes_at LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING id",
    )
    .bind::<diesel::sql_types::Timestamptz, _>(now)
    .bind::<BigInt, _>(most)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

#[derive(QueryableByName)]
struct Ended {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// What one member has done with a quiz.
#[derive(Debug, Clone, Default, QueryableByName)]
pub struct OwnState {
    #[diesel(sql_type = SqlUuid)]
    pub quiz_id: Uuid,
    #[diesel(sql_type = BigInt)]
    pub used: i64,
    #[diesel(sql_type = Bool)]
    pub passed: bool,
    #[diesel(sql_type = diesel::sql_types::Nullable<SqlUuid>)]
    pub open_attempt_id: Option<Uuid>,
}

/// The same for several quizzes. Attempts whose time is over are open no longer.
pub async fn own_states(
    conn: &mut Conn,
    member_id: Uuid,
    quiz_ids: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<OwnState>, Problem> {
    Ok(diesel::sql_query(
        "SELECT quiz_id, count(*) AS used, coalesce(bool_or(passed), false) AS passed,
             (array_agg(id) FILTER (WHERE submitted_at IS NULL AND expires_at > $3))[1] AS open_attempt_id
         FROM quiz_attempts WHERE member_id = $1 AND quiz_id = ANY($2) GROUP BY quiz_id",
    )
    .bind::<SqlUuid, _>(member_id)
    .bind::<Array<SqlUuid>, _>(quiz_ids)
    .bind::<diesel::sql_types::Timestamptz, _>(now)
    .load(conn)
    .await?)
}

/// Whether a pool shares questions with one of another kind that is still to be taken: the key of one would be that of the other.
pub async fn shares_questions(
    conn: &mut Conn,
    identities: &serde_json::Value,
    with_shown_keys: bool,
    now: DateTime<Utc>,
) -> Result<bool, Problem> {
    let row: Within = diesel::sql_query(
        "SELECT EXISTS (SELECT 1 FROM quiz_pool p JOIN quizzes z ON z.id = p.quiz_id
             WHERE z.state = 'published' AND z.closes_at > $3
             AND CASE WHEN $2 THEN z.reveal = 'at_once' ELSE NOT z.practice END
             AND p.identity IN (SELECT decode(i, 'hex') FROM jsonb_array_elements_text($1) AS i)) AS within",
    )
    .bind::<Jsonb, _>(identities)
    .bind::<Bool, _>(with_shown_keys)
    .bind::<diesel::sql_types::Timestamptz, _>(now)
    .get_result(conn)
    .await?;
    Ok(row.within)
}
