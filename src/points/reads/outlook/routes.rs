//! What the month offers over HTTP: for publishers, secretaries and committees.

use std::collections::BTreeMap;

use actix_web::get;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::extract::{Query, ReadRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::Reply;
use crate::kernel::security::access::Permission;
use crate::kernel::security::access::needs::ReadUnit;
use crate::organisation::OnUnit;
use crate::points::reads::mine::PeriodQuery;

use super::basis::Outlook;
use super::store::{self, Child};

/// What the month offers a unit. Where the unit has several cells, the least of what any of them is offered.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitOffer {
    /// The unit.
    unit_id: Uuid,
    /// Its name.
    #[schema(max_length = 200, example = "Chi bộ Tổ dân phố số 5")]
    name: String,
    /// Its kind.
    #[schema(max_length = 40, pattern = "^[a-z_]+$", example = "cell")]
    kind: String,
    /// Its cells.
    #[schema(minimum = 0, maximum = 1_000_000, example = 1)]
    cells: usize,
    /// Cells in which a diligent member with a device cannot reach the threshold.
    #[schema(minimum = 0, maximum = 1_000_000, example = 0)]
    cells_short: usize,
    /// Cells in which a diligent member without a device cannot reach it.
    #[schema(minimum = 0, maximum = 1_000_000, example = 0)]
    cells_short_without_device: usize,
    /// Points a diligent member with a device could earn; null without cells.
    #[schema(minimum = 0, maximum = 100_000, example = 34)]
    with_device: Option<i32>,
    /// Points a diligent member without a device could earn; null without cells.
    #[schema(minimum = 0, maximum = 100_000, example = 30)]
    without_device: Option<i32>,
    /// Points to reach, the most that any of its cells asks for; null without cells.
    #[schema(minimum = 0, maximum = 10_000, example = 30)]
    threshold: Option<i32>,
    /// Whether it is too little for members with a device, in any of its cells.
    falls_short: bool,
    /// Whether it is too little for members without a device, in any of its cells.
    falls_short_without_device: bool,
}

impl UnitOffer {
    fn of(child: Child, outlooks: &[Outlook]) -> Self {
        let cells_short = outlooks.iter().filter(|outlook| outlook.falls_short()).count();
        let cells_short_without_device = outlooks.iter().filter(|outlook| outlook.falls_short_without_device()).count();
        Self {
            unit_id: child.id,
            name: child.name,
            kind: child.kind,
            cells: outlooks.len(),
            cells_short,
            cells_short_without_device,
            with_device: outlooks.iter().map(|outlook| outlook.with_device).min(),
            without_device: outlooks.iter().map(|outlook| outlook.without_device).min(),
            threshold: outlooks.iter().map(|outlook| outlook.threshold).max(),
            falls_short: cells_short > 0,
            falls_short_without_device: cells_short_without_device > 0,
        }
    }
}

/// What the month offers the units below one.
#[derive(Debug, Serialize, ToSchema)]
pub struct MonthOffer {
    /// The month.
    period: Period,
    /// The units directly below, by name; of a cell, the cell itself.
    #[schema(max_items = 200)]
    items: Vec<UnitOffer>,
    /// Where the next page begins; null on the last one.
    #[schema(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    next_cursor: Option<String>,
}

/// Get what the month offers the units below one
///
/// How many points a diligent member could earn in the month by the rules in force: with what came on offer in it, a visit
/// a day, the monthly regular meeting (counted whether it is announced or not) and, without a device, study with a helper.
/// Units where that is less than the threshold are flagged. For those who see the board or publish documents.
#[utoipa::path(tag = "Points", params(("unit_id" = Uuid, Path, description = "The unit."), PageQuery, PeriodQuery))]
#[get("/units/{unit_id}/points/offer")]
pub async fn get_month_offer(
    mut request: ReadRequest<OnUnit<ReadUnit>>,
    page: Query<PageQuery>,
    query: Query<PeriodQuery>,
) -> Result<Reply<MonthOffer>, Problem> {
    let (caller, on) = (&request.scope.caller, &request.scope.on);
    if ![Permission::ReadBoard, Permission::PublishDocuments].iter().any(|needed| caller.may(&on.path, *needed)) {
        return Err(Problem::new(Code::Forbidden));
    }
    let (unit_id, today) = (on.unit_id, day_of(request.scope.now));
    let period = query.0.resolve(today)?;
    let day = period.reference_day(today);
    let rows = store::children(&mut request.conn, unit_id, day, page.0.after()?, page.0.fetch()).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let cells = store::cells(&mut request.conn, &ids, day).await?;
    let mut by_child: BTreeMap<Uuid, Vec<Outlook>> = BTreeMap::new();
    for (cell, outlook) in super::each(&mut request.conn, cells, period, today).await? {
        by_child.entry(cell.under).or_default().push(outlook);
    }
    let shown: Page<UnitOffer> = page.0.page(
        rows,
        |row| (row.name.clone(), row.id),
        |row| {
            let outlooks = by_child.get(&row.id).map_or(&[][..], Vec::as_slice);
            UnitOffer::of(row, outlooks)
        },
    );
    request.reply(&MonthOffer { period, items: shown.items, next_cursor: shown.next_cursor })
}
