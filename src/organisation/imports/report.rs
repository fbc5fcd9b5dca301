//! The report of an import, for people to check before and after.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::http::page::Page;
use crate::organisation::roster::{Position, Roster, RosterRow};
use crate::organisation::units::OrgUnit;

use super::faults::{self, sheet_of};
use super::plan::{ImportPlan, MemberPlace};
use super::stored::ImportedRow;

/// Rows listed one by one; the totals beside the lists count the rest.
const LISTED: usize = 1_000;

/// Result of an import or of its dry run.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportReport {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// The cell.
    pub unit: OrgUnit,
    /// The day on which memberships, exemptions and roles begin: the one the sheet states, but never before the cell
    /// itself, nor in a month that is closed.
    pub as_of: NaiveDate,
    /// Members in the sheet.
    pub read: usize,
    /// Members who are new.
    pub added: usize,
    /// Members whose record agrees with the sheet.
    pub unchanged: usize,
    /// Members whose record changes.
    pub changed_total: usize,
    /// The first 1,000 of them.
    #[schema(max_items = 1000)]
    pub changed: Vec<RowFields>,
    /// Rows that leave a field empty which the register holds; its value stays.
    #[schema(max_items = 1000)]
    pub left_empty: Vec<RowFields>,
    /// Members of the cell who are not in the sheet; they stay members.
    pub missing_total: usize,
    /// The first 1,000 of them.
    #[schema(max_items = 1000)]
    pub missing_from_sheet: Vec<Missing>,
    /// Members newly exempted.
    pub exempted: usize,
    /// Members whom the sheet exempts once a second officer confirms it: each is a decision of the cell.
    pub exemptions_waiting: usize,
    /// Rows that do not mark an exempt member as exempt; the exemption stays.
    #[schema(max_items = 1000)]
    pub exempt_unmarked: Vec<u32>,
    /// Roles newly given; none where a second officer has to confirm them.
    pub granted: usize,
    /// Statements of the sheet that the caller may not put into effect; another officer must.
    #[schema(max_items = 1000)]
    pub proposals: Vec<ProposalOut>,
    /// The sheet in numbers.
    pub counts: ImportCounts,
    /// Positions in the sheet.
    pub positions: Positions,
    /// Headings of columns that were not read.
    #[schema(max_items = 100)]
    pub ignored_columns: Vec<String>,
    /// What was passed over without harm, and what should be looked at: sheets that were not read, names of another cell,
    /// dates that look odd.
    #[schema(max_items = 202)]
    pub notices: Vec<Notice>,
    /// The names of the sheets that were read; several of one layout are one list.
    #[schema(max_items = 255)]
    pub sheets: Vec<String>,
    /// Of a dry run, a page of the rows as they would be stored, in the order of the sheet. Send the file again with
    /// `cursor` for the next page. Null when it was no dry run.
    #[schema(required = true)]
    pub rows: Option<ImportedRows>,
}

/// A page of rows as they would be stored.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportedRowPage)]
pub struct ImportedRows {
    /// The rows, in the order of the sheet.
    #[schema(max_items = 200)]
    pub items: Vec<ImportedRow>,
    /// Where the next page begins; null on the last one.
    #[schema(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub next_cursor: Option<String>,
}

impl From<Page<ImportedRow>> for ImportedRows {
    fn from(page: Page<ImportedRow>) -> Self {
        Self { items: page.items, next_cursor: page.next_cursor }
    }
}

/// A row and the fields it is about.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowFields {
    /// The sheet; null when only one was read.
    #[schema(max_length = 200)]
    pub sheet: Option<String>,
    /// The row as Excel numbers it.
    pub row: u32,
    /// Names of the fields, never their values.
    #[schema(max_items = 10, example = json!(["phone"]))]
    pub fields: Vec<&'static str>,
}

/// A member who is not in the sheet.
#[derive(Debug, Serialize, ToSchema)]
pub struct Missing {
    /// The member.
    pub id: Uuid,
    /// Full name.
    #[schema(max_length = 100, example = "Nguyễn Văn An")]
    pub full_name: String,
}

/// A proposal for another officer to decide.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProposalOut {
    /// The sheet; null when only one was read.
    #[schema(max_length = 200)]
    pub sheet: Option<String>,
    /// The row as Excel numbers it.
    pub row: u32,
    /// The role, `exempt`, or the field of the record that stays as it is.
    #[schema(max_length = 40, pattern = "^[a-z_]+$", example = "cell_secretary")]
    pub what: &'static str,
    /// `second_officer`: it waits for a second officer among the unit's decisions; `not_allowed`: the caller gives no roles
    /// here; `own_record`: it is about the caller; `held_by_another`: the cell has another secretary;
    /// `superior`: the member holds a role, so a unit above that role changes the record.
    #[schema(max_length = 40, pattern = "^[a-z_]+$", example = "not_allowed")]
    pub because: &'static str,
}

/// The number of members of each standing in the sheet.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportCounts {
    /// All.
    pub members: usize,
    /// Official ones.
    pub official: usize,
    /// Those on probation.
    pub probationary: usize,
    /// Those exempt.
    pub exempt: usize,
}

/// The number of holders of each position.
#[derive(Debug, Serialize, ToSchema)]
pub struct Positions {
    /// Bí thư.
    pub secretary: usize,
    /// Phó bí thư.
    pub deputy: usize,
    /// Chi ủy viên.
    pub committee_members: usize,
}

/// Something that was skipped.
#[derive(Debug, Serialize, ToSchema)]
pub struct Notice {
    /// Its place in the sheet.
    #[schema(max_length = 500, example = "row 146, column \"A\"")]
    pub pointer: String,
    /// Stable name of its kind.
    #[schema(max_length = 60, pattern = "^[a-z_]+$", example = "row_ignored")]
    pub code: &'static str,
    /// What it is, in Vietnamese.
    #[schema(max_length = 1000)]
    pub detail: String,
}

/// Summarises a plan.
pub fn of(
    roster: &Roster,
    plan: &ImportPlan<'_>,
    unit: OrgUnit,
    as_of: NaiveDate,
    rows: Option<ImportedRows>,
) -> ImportReport {
    let sheet = |place: MemberPlace| sheet_of(roster, place.0).map(str::to_owned);
    let fields = |place: MemberPlace, fields: &[&'static str]| RowFields {
        sheet: sheet(place),
        row: place.1,
        fields: fields.to_vec(),
    };
    ImportReport {
        dry_run: rows.is_some(),
        sheets: roster.sheets.clone(),
        rows,
        unit,
        as_of,
        read: roster.rows.len(),
        added: plan.added.len(),
        unchanged: plan.unchanged(),
        changed_total: plan.changed.len(),
        changed: listed(&plan.changed, |change| fields(change.line.row.place(), &change.fields)),
        left_empty: listed(&plan.left_empty, |(place, empty)| fields(*place, empty)),
        missing_total: plan.missing.len(),
        missing_from_sheet: listed(&plan.missing, |(id, name)| Missing { id: *id, full_name: name.clone() }),
        exempted: if plan.needs_second { 0 } else { plan.exempted.len() },
        exemptions_waiting: if plan.needs_second { plan.exempted.len() } else { 0 },
        exempt_unmarked: listed(&plan.unmarked, |place| place.1),
        granted: plan.granted.len(),
        proposals: listed(&plan.proposals, |proposal| ProposalOut {
            sheet: sheet(proposal.place),
            row: proposal.place.1,
            what: proposal.what,
            because: proposal.because,
        }),
        counts: counts(roster),
        positions: positions(roster),
        ignored_columns: roster.ignored_columns.clone(),
        notices: roster.notices.iter().map(notice).collect(),
    }
}

fn count(roster: &Roster, test: impl Fn(&RosterRow) -> bool) -> usize {
    roster.rows.iter().filter(|row| test(row)).count()
}

fn counts(roster: &Roster) -> ImportCounts {
    let official = count(roster, |row| row.official_on.is_some());
    ImportCounts {
        members: roster.rows.len(),
        official,
        probationary: roster.rows.len() - official,
        exempt: count(roster, |row| row.exempt),
    }
}

fn positions(roster: &Roster) -> Positions {
    let holding = |position| count(roster, |row| row.position == Some(position));
    Positions {
        secretary: holding(Position::Secretary),
        deputy: holding(Position::DeputySecretary),
        committee_members: holding(Position::CommitteeMember),
    }
}

fn listed<T, R>(all: &[T], show: impl Fn(&T) -> R) -> Vec<R> {
    all.iter().take(LISTED).map(show).collect()
}

fn notice(notice: &crate::organisation::roster::RosterFault) -> Notice {
    let located = faults::of_roster(notice);
    Notice { pointer: located.pointer, code: located.code, detail: located.detail.vi.into_owned() }
}
