//! A demo of realistic size: a province, or the country, copied in bulk as the owner role.

mod bare_tables;
mod copy;
mod ledger;
mod persons;
mod plan;
mod progress;
mod units;

use std::sync::Arc;
use std::time::Instant;

use actix_web::web::Data;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use tokio_postgres::Client;

use crate::kernel::clock::Period;
use crate::kernel::db;
use crate::kernel::db::schema::accounts;
use crate::kernel::http::problem::Problem;
use crate::kernel::state::State;
use crate::points::Judge;
use crate::{identity, jobs};

use copy::{CopyRows, copy, explain};
use ledger::History;
use persons::MEMBERS;
use plan::LargePlan;
use progress::Progress;

use super::{ADMINISTRATOR, PASSWORD, SignIn, people, publish_series};

pub use plan::Shape;

impl Shape {
    /// 108,600 members in 4,300 cells and 700 committees, half a year of history.
    pub fn province() -> Self {
        Self {
            central: false,
            provinces: 1,
            committees: 700,
            cells: 4_300,
            members: 108_600,
            months: 6,
            document_every: 5,
            visits: true,
        }
    }

    /// 5.6 million members in 34 provinces. The history is shallow: the present month without visits, a document every
    /// ten days.
    pub fn country() -> Self {
        Self {
            central: true,
            provinces: 34,
            committees: 34_000,
            cells: 220_000,
            members: 5_600_000,
            months: 0,
            document_every: 10,
            visits: false,
        }
    }
}

/// Fills an empty database. One that was filled to the end before is left as it is.
///
/// # Errors
/// When the owner role cannot connect, or the database holds something else.
pub async fn fill(state: &Data<State>, shape: Shape) -> Result<(), String> {
    let (all, administrators) = count_accounts(state).await.map_err(|e| e.to_string())?;
    if administrators > 0 {
        return Ok(());
    }
    if all > 0 {
        return Err("the database was filled only in part, or holds something else; begin with an empty one".to_owned());
    }
    let began = Instant::now();
    let url = state
        .config
        .database_owner_url
        .as_ref()
        .ok_or("data in bulk are copied in as the owner role: set SOTAY_DATABASE_OWNER_URL")?;
    let client = db::bare(url).await.map_err(|e| e.to_string())?;
    let plan = Arc::new(LargePlan::new(shape, state.clock.now()));
    eprintln!("Making {} members in {} cells; all people are invented.", plan.shape.members, plan.shape.cells);
    fill_units(&client, &plan).await?;
    fill_people(&client, &plan, state).await?;
    sign_in_cast(state, &plan).await.map_err(|e| e.to_string())?;
    let history = Arc::new(history(state, &plan).await.map_err(|e| e.to_string())?);
    fill_history(&client, &history, state).await?;
    tidy(&client).await?;
    project(&client, &plan, state).await?;
    // Last, since it says that everything is there.
    identity::create_administrator(state, ADMINISTRATOR, "Quản trị hệ thống", Some(PASSWORD))
        .await
        .map_err(|e| e.to_string())?;
    eprintln!("Done in {:.0} s.", began.elapsed().as_secs_f32());
    Ok(())
}

async fn count_accounts(state: &State) -> Result<(i64, i64), Problem> {
    let mut conn = state.work.conn().await?;
    let all = accounts::table.count().get_result(&mut *conn).await?;
    let administrators =
        accounts::table.filter(accounts::kind.eq("administrator")).count().get_result(&mut *conn).await?;
    Ok((all, administrators))
}

/// Writes all rows of a table.
type Make = fn(&LargePlan, &mut CopyRows);

async fn fill_units(client: &Client, plan: &Arc<LargePlan>) -> Result<(), String> {
    let bared = bare_tables::begin(client, &["units", "unit_links", "unit_tree"]).await?;
    let total = u64::from(plan.units());
    let tables: [(&str, &str, Make); 3] = [
        ("units", "units (id, kind, name, code, created_at)", units::units),
        ("links", "unit_links (unit_id, parent_id, valid_from)", units::links),
        ("tree", "unit_tree (ancestor_id, descendant_id, depth, valid_from)", units::tree),
    ];
    for (what, target, make) in tables {
        let plan = plan.clone();
        let make = move |rows: &mut CopyRows| {
            make(&plan, rows);
            Ok(())
        };
        copy(client, target, Progress::new(what, total), make).await?;
    }
    bare_tables::commit(client, bared).await
}

type Maker = fn(&LargePlan, &mut CopyRows) -> Result<(), String>;

async fn fill_people(client: &Client, plan: &Arc<LargePlan>, state: &Data<State>) -> Result<(), String> {
    const TABLES: [&str; 6] = ["accounts", "members", "sign_in_handles", "memberships", "exemptions", "grants"];
    let bared = bare_tables::begin(client, &TABLES).await?;
    let total = u64::from(plan.shape.members);
    let plain: [(&str, &str, Maker); 4] = [
        ("accounts", "accounts (id, kind, display_name, created_at)", persons::accounts),
        ("memberships", "memberships (id, member_id, unit_id, origin, valid_from, valid_to)", persons::memberships),
        ("exemptions", "exemptions (id, member_id, kind, valid_from, reason, created_at)", persons::exemptions),
        ("roles", "grants (id, account_id, role, unit_id, valid_from, created_at)", persons::grants),
    ];
    for (what, target, make) in plain {
        let plan = plan.clone();
        copy(client, target, Progress::new(what, total), move |rows| make(&plan, rows)).await?;
    }
    let (p, s) = (plan.clone(), state.clone());
    copy(client, MEMBERS, Progress::new("members", total), move |rows| persons::members(&p, &s.crypto, rows)).await?;
    let (p, s) = (plan.clone(), state.clone());
    let handles = "sign_in_handles (account_id, kind, digest, since)";
    copy(client, handles, Progress::new("handles", 3 * total), move |rows| persons::handles(&p, &s.crypto, rows))
        .await?;
    bare_tables::commit(client, bared).await
}

/// Gives those who can be signed in as their password.
async fn sign_in_cast(state: &State, plan: &LargePlan) -> Result<(), Problem> {
    let ids: Vec<_> = plan.cast().into_iter().map(|(_, number)| plan.member_id(number)).collect();
    let hash = identity::hash_password(state, PASSWORD).await?;
    let now = state.clock.now();
    state.work.transaction(async |conn| identity::store_password(conn, &ids, &hash, now).await).await
}

/// Publishes the documents, and reads the rules.
async fn history(state: &State, plan: &Arc<LargePlan>) -> Result<History, Problem> {
    let (unit, publisher) = (plan.unit_id(plan.top()), plan.member_id(plan.publisher()));
    state
        .work
        .transaction(async |conn| {
            let every = plan.shape.document_every;
            let documents = publish_series(conn, unit, publisher, (plan.since, every), plan.now).await?;
            Ok(History { plan: plan.clone(), judge: Judge::load(conn, plan.since, plan.today).await?, documents })
        })
        .await
}

/// Months on the connection given; the ledger, which has no foreign keys, on two more.
async fn fill_history(client: &Client, history: &Arc<History>, state: &State) -> Result<(), String> {
    let url = state.config.database_owner_url.as_ref().ok_or("no owner")?;
    let cells = history.plan.shape.cells;
    let slice = async |what, cells: std::ops::Range<u32>| {
        let client = db::bare(url).await.map_err(|e| e.to_string())?;
        let h = history.clone();
        // The number of entries is not known beforehand.
        copy(&client, ledger::ENTRIES, Progress::new(what, 0), move |rows| ledger::entries(&h, cells, rows)).await
    };
    let months = async {
        let bared = bare_tables::begin(client, &["member_months"]).await?;
        let h = history.clone();
        let total = u64::from(history.plan.shape.members) * (history.plan.shape.months as u64 + 1);
        let progress = Progress::new("months", total);
        // They are made member by member, but came month by month: rows of a month lie side by side in a database that grew.
        let staged = "CREATE TEMP TABLE staged (LIKE member_months INCLUDING DEFAULTS)";
        client.batch_execute(staged).await.map_err(|e| explain(&e))?;
        let target = "staged (member_id, period, points, counters)";
        copy(client, target, progress, move |rows| ledger::months(&h, rows)).await?;
        let sorted = "INSERT INTO member_months SELECT * FROM staged ORDER BY period, member_id; DROP TABLE staged";
        client.batch_execute(sorted).await.map_err(|e| explain(&e))?;
        bare_tables::commit(client, bared).await
    };
    let (months, first, second) =
        tokio::join!(months, slice("ledger, first half", 0..cells / 2), slice("ledger, second half", cells / 2..cells));
    months?;
    first?;
    second?;
    Ok(())
}

/// Updates the planner's statistics, and sets hint bits so that the first readers need not.
async fn tidy(client: &Client) -> Result<(), String> {
    let began = Instant::now();
    for table in [
        "units",
        "unit_links",
        "unit_tree",
        "accounts",
        "members",
        "sign_in_handles",
        "memberships",
        "exemptions",
        "grants",
        "member_months",
        "point_entries",
        "documents",
        "document_targets",
        "document_feed",
        "document_search",
        "point_offers",
    ] {
        client.batch_execute(&format!("VACUUM (ANALYZE) {table}")).await.map_err(|e| explain(&e))?;
    }
    eprintln!("  {:<22} {:>15} {:>5.0} s", "statistics", "", began.elapsed().as_secs_f32());
    Ok(())
}

/// Computes the figures of units in full, month by month: millions of changed members one by one would take hours.
async fn project(client: &Client, plan: &LargePlan, state: &State) -> Result<(), String> {
    let began = Instant::now();
    client.batch_execute("DELETE FROM point_changes").await.map_err(|e| explain(&e))?;
    client
        .execute(
            "INSERT INTO point_changes (kind, ids, since, until, bulk) SELECT 'below', '{}', p::date, p::date, true
             FROM generate_series($1::text::date, $2::text::date, '1 month') AS p",
            &[&plan.since.to_string(), &Period::containing(plan.today).first_day().to_string()],
        )
        .await
        .map_err(|e| explain(&e))?;
    while jobs::project(state).await.map_err(|e| e.to_string())? {}
    eprintln!("  {:<22} {:>15} {:>5.0} s", "figures of units", "", began.elapsed().as_secs_f32());
    Ok(())
}

/// The accounts to sign in as.
pub fn sign_ins(shape: Shape, state: &State) -> Vec<SignIn> {
    let plan = LargePlan::new(shape, state.clock.now());
    let sign_in = |(role, number)| SignIn { role, login: people::citizen_id(u64::from(number) + 1) };
    plan.cast().into_iter().map(sign_in).collect()
}
