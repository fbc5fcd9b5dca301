//! What a month offers: points a diligent member of each cell could earn, against the threshold.

mod basis;
pub mod routes;
mod store;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;

use basis::{Basis, Outlook};
use store::CellOutlook;

/// How many cells the month offers too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    pub cells: usize,
    /// For members with a device.
    pub cells_short: usize,
    pub cells_short_without_device: usize,
}

/// What the month offers the cells among these units and below them.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn reached(conn: &mut Conn, unit_ids: &[Uuid], period: Period, today: NaiveDate) -> Result<Reached, Problem> {
    let cells = store::cells(conn, unit_ids, period.reference_day(today)).await?;
    let outlooks: BTreeMap<Uuid, Outlook> =
        each(conn, cells, period, today).await?.into_iter().map(|(cell, outlook)| (cell.cell_id, outlook)).collect();
    Ok(Reached {
        cells: outlooks.len(),
        cells_short: outlooks.values().filter(|outlook| outlook.falls_short()).count(),
        cells_short_without_device: outlooks.values().filter(|outlook| outlook.falls_short_without_device()).count(),
    })
}

/// The outlook of each cell, computed once for cells with the same inputs.
async fn each(
    conn: &mut Conn,
    cells: Vec<CellOutlook>,
    period: Period,
    today: NaiveDate,
) -> Result<Vec<(CellOutlook, Outlook)>, Problem> {
    let basis = Basis::load(conn, &cells, period, period.reference_day(today)).await?;
    let mut known: BTreeMap<Vec<Uuid>, Outlook> = BTreeMap::new();
    let mut all = Vec::with_capacity(cells.len());
    for cell in cells {
        let outlook = *known.entry(basis.what_matters(&cell.path)).or_insert_with(|| basis.outlook(&cell.path));
        all.push((cell, outlook));
    }
    Ok(all)
}
