//! Demo data: one ward with five cells, months of history, officers of each role. Everybody is invented.

mod dice;
mod library;
mod oddities;
mod people;
mod scene;
mod story;

use chrono::{DateTime, Days, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::documents::{self, NewDocument};
use crate::identity;
use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::problem::Problem;
use crate::kernel::schema::accounts;
use crate::kernel::state::State;
use crate::points;

use dice::Dice;
use library::Text;
use scene::Scene;
use story::{Eagerness, Published, at};

/// Months of history before the present one.
const MONTHS: usize = 4;
/// The password of everybody who can be signed in as; the demo answers on this machine only.
pub const PASSWORD: &str = "demo so tay 2026";
/// The administrator's login.
pub const ADMINISTRATOR: &str = "admin";

/// Somebody to sign in as.
pub struct SignIn {
    pub role: &'static str,
    pub login: String,
}

/// Fills an empty database. One that has accounts already is left as it is.
///
/// # Errors
/// When the database cannot be reached.
pub async fn fill(state: &State) -> Result<(), Problem> {
    let mut conn = state.db.conn().await?;
    if accounts::table.count().get_result::<i64>(&mut *conn).await? > 0 {
        return Ok(());
    }
    drop(conn);
    identity::create_administrator(state, ADMINISTRATOR, "Quản trị hệ thống", Some(PASSWORD)).await?;
    let hash = identity::hash_password(state, PASSWORD).await?;
    state.db.transaction(async |conn| populate(conn, state, &hash).await).await
}

async fn populate(conn: &mut Conn, state: &State, hash: &str) -> Result<(), Problem> {
    let now = state.clock.now();
    let since = beginning(now);
    let mut dice = Dice::new(19_300_203);
    let scene = scene::build(conn, &state.crypto, &mut dice, since, now).await?;
    let accounts: Vec<Uuid> = scene::CAST.iter().map(|part| scene.account(part.role)).collect();
    identity::store_password(conn, &accounts, hash, now).await?;
    let publisher = scene.account("propaganda_officer");
    let documents = publish_series(conn, &scene, publisher, since, now).await?;
    publish(conn, &scene, publisher, &library::SHORT, now).await?;
    oddities::add(conn, &scene, now).await?;
    write_history(conn, &scene, &documents, &mut dice, since, day_of(now)).await
}

/// The first day of the history.
fn beginning(now: DateTime<Utc>) -> NaiveDate {
    let present = Period::containing(day_of(now));
    (0..MONTHS).fold(present, |period, _| period.previous()).first_day()
}

/// A document every five days, the last of them yesterday at the latest.
async fn publish_series(
    conn: &mut Conn,
    scene: &Scene,
    publisher: Uuid,
    since: NaiveDate,
    now: DateTime<Utc>,
) -> Result<Vec<Published>, Problem> {
    let mut published = Vec::new();
    let mut day = since + Days::new(1);
    for text in library::SERIES.iter().cycle() {
        if day >= day_of(now) {
            break;
        }
        let id = publish(conn, scene, publisher, text, at(day, 8, 0)).await?;
        published.push(Published { id, on: day, must_read: text.must_read });
        day = day + Days::new(5);
    }
    Ok(published)
}

async fn publish(
    conn: &mut Conn,
    scene: &Scene,
    publisher: Uuid,
    text: &Text,
    when: DateTime<Utc>,
) -> Result<Uuid, Problem> {
    let new = NewDocument {
        unit_id: scene.ward,
        symbol: text.symbol.to_owned(),
        kind: text.kind,
        title: text.title.to_owned(),
        summary: String::new(),
        text: text.body.to_owned(),
        pages: None,
        must_read_by: text.must_read.then(|| day_of(when) + Days::new(14)),
    };
    let id = documents::draft(conn, &new, publisher, when).await?;
    documents::publish(conn, id, &[scene.ward], publisher, when).await?;
    Ok(id)
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
    Ok(())
}

/// Whom to sign in as, in the order in which the demo is told.
pub fn sign_ins() -> Vec<SignIn> {
    let members = scene::CAST.iter().map(|part| SignIn { role: part.role, login: part.login() });
    members.chain([SignIn { role: "administrator", login: ADMINISTRATOR.to_owned() }]).collect()
}
