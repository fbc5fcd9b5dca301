//! Demo data: a ward with five cells and months of history; or a province, or the country.
//! All people are invented.

mod client;
mod dice;
mod large;
mod library;
mod oddities;
mod office;
mod people;
mod quizzes;
mod scene;
mod story;

pub use client::client;

use actix_web::web::Data;
use chrono::{DateTime, Days, NaiveDate, Utc};
use clap::ValueEnum;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, Text as SqlText, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::documents::{self, NewDocument};
use crate::identity;
use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::db::schema::accounts;
use crate::kernel::http::problem::Problem;
use crate::kernel::state::State;
use crate::organisation::members::handles::find;
use crate::points;

use dice::Dice;
use library::DemoText;
use scene::Scene;
use story::{Eagerness, Published, at};

pub use large::{Shape, fill as fill_large};

/// Months of history before the present one.
const MONTHS: usize = 4;
/// The password of all accounts to sign in as; the demo answers on this machine only.
pub const PASSWORD: &str = "demo so tay 2026";
/// The administrator's login.
pub const ADMINISTRATOR: &str = "admin";

/// Days between two documents.
const DOCUMENT_EVERY: u64 = 5;

/// How much data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scale {
    /// 229 members in five cells, four months.
    Ward,
    /// 108,600 members in 4,300 cells and 700 committees, half a year.
    Province,
    /// 5.6 million members in 220,000 cells and 34 provinces, the present month.
    Country,
}

impl Scale {
    fn shape(self) -> Option<Shape> {
        match self {
            Self::Ward => None,
            Self::Province => Some(Shape::province()),
            Self::Country => Some(Shape::country()),
        }
    }
}

/// An account to sign in as.
pub struct SignIn {
    pub role: &'static str,
    pub login: String,
}

/// Fills an empty database. One that was filled before is left as it is.
///
/// # Errors
/// When the database cannot be reached, or holds something else.
pub async fn fill(state: &Data<State>, scale: Scale) -> Result<(), String> {
    match scale.shape() {
        Some(shape) => large::fill(state, shape).await,
        None => fill_ward(state).await.map_err(|e| e.to_string()),
    }
}

async fn fill_ward(state: &State) -> Result<(), Problem> {
    let mut conn = state.work.conn().await?;
    if accounts::table.count().get_result::<i64>(&mut *conn).await? > 0 {
        return Ok(());
    }
    drop(conn);
    identity::create_administrator(state, ADMINISTRATOR, "Quản trị hệ thống", Some(PASSWORD)).await?;
    let hash = identity::hash_password(state, PASSWORD).await?;
    state.work.transaction(async |conn| populate(conn, state, &hash).await).await
}

async fn populate(conn: &mut Conn, state: &State, hash: &str) -> Result<(), Problem> {
    let now = state.clock.now();
    let since = beginning(now);
    let mut dice = Dice::new(19_300_203);
    let scene = scene::build(conn, &state.crypto, &mut dice, since, now).await?;
    let accounts: Vec<Uuid> = scene::CAST.iter().map(|part| scene.account(part.role)).collect();
    identity::store_password(conn, &accounts, hash, now).await?;
    let publisher = scene.account("propaganda_officer");
    let documents = publish_series(conn, scene.ward, publisher, (since, DOCUMENT_EVERY), now).await?;
    annotate(conn, &scene, &documents, now).await?;
    oddities::add(conn, &scene, now).await?;
    write_history(conn, &scene, &documents, &mut dice, since, day_of(now)).await?;
    quizzes::add(conn, &scene, &mut dice, now).await?;
    close_past(conn, state, &scene, since, day_of(now)).await?;
    office::open_matters(conn, &scene, now).await
}

/// The months whose days for closing are over: the first cell's closed by its secretary, the others by themselves.
async fn close_past(
    conn: &mut Conn,
    state: &State,
    scene: &Scene,
    since: NaiveDate,
    today: NaiveDate,
) -> Result<(), Problem> {
    let mut period = Period::containing(since);
    while period.next().first_day() + Days::new(5) <= today {
        let first = period.next().first_day();
        let (by_hand, by_itself) = (at(first + Days::new(2), 20, 0), at(first + Days::new(5), 0, 1));
        let closer = |by, now| points::Closer { crypto: &state.crypto, by, request_id: None, now };
        let secretary = closer(Some(scene.account("secretary")), by_hand);
        points::close_cells(conn, &secretary, period, &scene.cells[..1]).await?;
        points::close_cells(conn, &closer(None, by_itself), period, &scene.cells[1..]).await?;
        period = period.next();
    }
    Ok(())
}

/// The first day of the history.
fn beginning(now: DateTime<Utc>) -> NaiveDate {
    let present = Period::containing(day_of(now));
    (0..MONTHS).fold(present, |period, _| period.previous()).first_day()
}

/// A document every so many days, the last of them yesterday at the latest, and a short one today, which no member has
/// read yet.
async fn publish_series(
    conn: &mut Conn,
    unit_id: Uuid,
    publisher: Uuid,
    (since, every): (NaiveDate, u64),
    now: DateTime<Utc>,
) -> Result<Vec<Published>, Problem> {
    let mut published = Vec::new();
    let mut day = since + Days::new(1);
    for text in library::SERIES.iter().cycle() {
        if day >= day_of(now) {
            break;
        }
        let id = publish(conn, unit_id, publisher, text, at(day, 8, 0)).await?;
        published.push(Published { id, on: day, must_read: text.must_read });
        day = day + Days::new(every);
    }
    publish(conn, unit_id, publisher, &library::SHORT, now).await?;
    Ok(published)
}

async fn publish(
    conn: &mut Conn,
    unit_id: Uuid,
    publisher: Uuid,
    text: &DemoText,
    when: DateTime<Utc>,
) -> Result<Uuid, Problem> {
    let new = NewDocument {
        unit_id,
        symbol: text.symbol.to_owned(),
        kind: text.kind,
        title: text.title.to_owned(),
        summary: String::new(),
        text: text.body.to_owned(),
        pages: None,
        must_read_by: text.must_read.then(|| day_of(when) + Days::new(14)),
        topics: Vec::new(),
    };
    let id = documents::draft(conn, &new, publisher, when).await?;
    documents::publish(conn, id, &[unit_id], publisher, when).await?;
    Ok(id)
}

/// The secretary of the first cell adds a cover note to the latest document of the series.
async fn annotate(conn: &mut Conn, scene: &Scene, documents: &[Published], now: DateTime<Utc>) -> Result<(), Problem> {
    let (Some(latest), Some(cell)) = (documents.last(), scene.cells.as_slice().first()) else { return Ok(()) };
    let note = documents::NewCoverNote {
        document_id: latest.id,
        unit_id: *cell,
        must_read_by: None,
        text: "Đề nghị các đồng chí đọc trước kỳ sinh hoạt và chuẩn bị ý kiến.",
        by: scene.account("secretary"),
    };
    documents::write_cover_note(conn, note, None, now).await
}

async fn write_history(
    conn: &mut Conn,
    scene: &Scene,
    documents: &[Published],
    dice: &mut Dice,
    since: NaiveDate,
    today: NaiveDate,
) -> Result<(), Problem> {
    let secretary = scene.account("secretary");
    let mut all = Vec::new();
    for member in scene.members.iter().filter(|member| !member.exempt) {
        let eagerness = if member.id == secretary { Eagerness::full() } else { Eagerness::of(dice) };
        all.push((member.id, story::deeds(dice, eagerness, documents, since, today)));
    }
    points::award_history(conn, all).await?;
    remember_readings(conn).await
}

/// What earned points was read and confirmed; the rest of the must-read documents is overdue.
async fn remember_readings(conn: &mut Conn) -> Result<(), Problem> {
    for statement in [
        "INSERT INTO document_openings (document_id, account_id, opened_at)
         SELECT object_id::uuid, member_id, min(occurred_at) FROM point_entries WHERE object_kind = 'document' GROUP BY 1, 2",
        "INSERT INTO document_acknowledgements (document_id, member_id, acknowledged_at)
         SELECT object_id::uuid, member_id, min(occurred_at) FROM point_entries WHERE rule_code = 'document_acknowledged' GROUP BY 1, 2",
        "INSERT INTO reading_sessions (id, member_id, document_id, document_version, required_seconds, credited_ms, started_at,
             last_beat_at, expires_at, completed_at)
         SELECT gen_random_uuid(), member_id, object_id::uuid, 1, 60, 60000, min(occurred_at), min(occurred_at),
             min(occurred_at) + interval '1 day', min(occurred_at)
         FROM point_entries WHERE rule_code = 'document_read' GROUP BY member_id, object_id",
    ] {
        diesel::sql_query(statement).execute(conn).await?;
    }
    Ok(())
}

/// The accounts to sign in as, in the order in which the demo presents them.
pub fn sign_ins(state: &State, scale: Scale) -> Vec<SignIn> {
    let members = match scale.shape() {
        Some(shape) => large::sign_ins(shape, state),
        None => scene::CAST.iter().map(|part| SignIn { role: part.role, login: part.login() }).collect(),
    };
    members.into_iter().chain([SignIn { role: "administrator", login: ADMINISTRATOR.to_owned() }]).collect()
}

/// Members of the demo with their cells, evenly spread over all of them, exempt ones left out; with a role, only those
/// who hold it. None when the database holds no demo data.
///
/// # Errors
/// When the database cannot be reached.
pub async fn some_members(state: &State, count: i64, role: Option<&str>) -> Result<Option<Vec<(Uuid, Uuid)>>, Problem> {
    let mut conn = state.work.conn().await?;
    if find(&mut conn, &state.crypto, &people::citizen_id(1)).await?.is_empty() {
        return Ok(None);
    }
    let rows: Vec<ChosenAccounts> = diesel::sql_query(
        "WITH fit AS (
            SELECT m.id, ms.unit_id, row_number() OVER (ORDER BY m.no) AS n, count(*) OVER () AS total
            FROM members m JOIN memberships ms ON ms.member_id = m.id
                AND ms.valid_from <= $2 AND (ms.valid_to IS NULL OR ms.valid_to > $2)
            WHERE NOT EXISTS (SELECT 1 FROM exemptions x WHERE x.member_id = m.id)
              AND ($3 IS NULL OR EXISTS (SELECT 1 FROM grants g WHERE g.account_id = m.id AND g.role = $3 AND g.revoked_at IS NULL)))
         SELECT id, unit_id FROM fit WHERE n % greatest(1, total / $1) = 0 ORDER BY n LIMIT $1",
    )
    .bind::<BigInt, _>(count.max(1))
    .bind::<Date, _>(day_of(state.clock.now()))
    .bind::<Nullable<SqlText>, _>(role)
    .load(&mut *conn)
    .await?;
    Ok(Some(rows.into_iter().map(|row| (row.id, row.unit_id)).collect()))
}

#[derive(QueryableByName)]
struct ChosenAccounts {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    unit_id: Uuid,
}
