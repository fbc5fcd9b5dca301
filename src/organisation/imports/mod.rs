//! Imports of rosters: compares the sheet with the register, then writes all of it or nothing.

mod apply;
mod faults;
pub mod file;
mod plan;
mod register;
mod report;
pub mod routes;
mod stored;
mod title;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::max;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::db::schema::closing_states;
use crate::kernel::http::page::PageQuery;
use crate::kernel::http::problem::Problem;
use crate::kernel::security::auth::Principal;
use crate::kernel::security::crypto::Crypto;
use crate::organisation::members::lock_numbers;
use crate::organisation::roster::Roster;
use crate::organisation::units;

pub use report::ImportReport;

/// The importer and their authority.
#[derive(Debug, Clone, Copy)]
pub struct Importer<'a> {
    /// None for the operator at the command line, who needs no second officer.
    pub officer: Option<&'a Principal>,
    /// Whether positions become roles; otherwise they are only proposed.
    pub may_grant: bool,
    pub request_id: Option<&'a str>,
}

impl Importer<'_> {
    /// The officer's account.
    #[must_use]
    pub fn account_id(&self) -> Option<Uuid> {
        self.officer.map(|officer| officer.account_id)
    }
}

/// How an import is to be done.
#[derive(Debug, Clone, Copy)]
pub enum ImportMode<'a> {
    /// For real.
    Write,
    /// Only compared, with a page of the rows as they would be stored.
    DryRun(&'a PageQuery),
}

/// Brings a roster into a cell, in the caller's transaction. Memberships, exemptions and roles begin on the day the sheet
/// states, else on the first of this month; never before the cell itself, in a month that it has closed, nor exemptions in one that is closed
/// for the member. People are found by citizen ID, then by card number; nobody is ever removed. A dry run reads and compares,
/// and writes nothing.
///
/// # Errors
/// 404 for an unknown unit, 422 when it is no cell, 422 with every fault otherwise.
pub async fn import(
    conn: &mut Conn,
    crypto: &Crypto,
    roster: &Roster,
    cell_id: Uuid,
    importer: Importer<'_>,
    now: DateTime<Utc>,
    mode: ImportMode<'_>,
) -> Result<ImportReport, Problem> {
    let today = day_of(now);
    let dry_run = matches!(mode, ImportMode::DryRun(_));
    let stated = start(roster, today);
    units::require_cell(conn, cell_id).await?;
    if !dry_run {
        units::lock(conn, cell_id).await?;
        lock_numbers(conn).await?;
    }
    let first = units::first_day(conn, cell_id).await?;
    let as_of = after_closed(conn, cell_id, stated.max(first)).await?;
    let sheet = register::RegisterSheet::new(crypto, roster);
    let register = register::load(conn, &sheet, cell_id, &importer, (as_of, now)).await?;
    let plan = plan::compare(&sheet, &register, &importer)?;
    if !dry_run {
        apply::write(conn, crypto, &plan, cell_id, as_of, &importer, now).await?;
    }
    let unit = units::get(conn, cell_id, today).await?;
    let rows = match mode {
        ImportMode::Write => None,
        ImportMode::DryRun(page) => Some(stored::page(roster, &plan, &register, page)?),
    };
    let other_names = title::notices(conn, roster, &unit, today).await?;
    let mut report = report::of(roster, &plan, unit, as_of, rows.map(Into::into));
    report.notices.splice(0..0, other_names);
    Ok(report)
}

/// This day, or the first after the last month that the cell has closed: the members counted in it were signed.
async fn after_closed(conn: &mut Conn, cell_id: Uuid, day: NaiveDate) -> Result<NaiveDate, Problem> {
    let closed: Option<NaiveDate> = closing_states::table
        .filter(closing_states::unit_id.eq(cell_id))
        .filter(closing_states::period.ge(Period::containing(day).first_day()))
        .filter(closing_states::closing_id.is_not_null())
        .select(max(closing_states::period))
        .first(conn)
        .await?;
    Ok(closed.map_or(day, |month| Period::containing(month).next().first_day()))
}

/// The day that the sheet states, if it has come.
fn start(roster: &Roster, today: NaiveDate) -> NaiveDate {
    let first = Period::containing(today).first_day();
    roster.as_of.filter(|day| *day <= today).unwrap_or(first)
}

/// The keyed hashes of the numbers by which a roster's people are found.
pub fn number_digests(crypto: &Crypto, roster: &Roster) -> Vec<Vec<u8>> {
    register::RegisterSheet::new(crypto, roster).digests()
}
