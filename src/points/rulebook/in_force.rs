//! The rules in force in a unit: those of the system as the limits on its path leave them.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::problem::Problem;
use crate::points::rules::Rule;
use crate::points::store;

use super::narrow::{Limit, narrowed};
use super::store::{limits, limits_of_units};

/// The rules in force on a day in the unit with this path: itself first, then its ancestors. Without a path, the rules of
/// the whole system.
pub async fn rules_for(conn: &mut Conn, path: &[Uuid], day: NaiveDate) -> Result<Vec<Rule>, Problem> {
    let rules = store::rules(conn, day).await?;
    if path.is_empty() {
        return Ok(rules);
    }
    let limits: Vec<Limit> = limits(conn, path, day).await?.into_iter().map(Limit::from).collect();
    Ok(narrowed(&rules, &limits))
}

/// The same for many units at once; units without limits share one list.
pub async fn rules_for_units(
    conn: &mut Conn,
    unit_ids: &[Uuid],
    day: NaiveDate,
) -> Result<BTreeMap<Uuid, Arc<Vec<Rule>>>, Problem> {
    let rules = Arc::new(store::rules(conn, day).await?);
    let mut limits: BTreeMap<Uuid, Vec<Limit>> = BTreeMap::new();
    for (unit_id, limit) in limits_of_units(conn, unit_ids, day).await? {
        limits.entry(unit_id).or_default().push(limit);
    }
    let here =
        |unit: &Uuid| limits.get(unit).map_or_else(|| rules.clone(), |limits| Arc::new(narrowed(&rules, limits)));
    Ok(unit_ids.iter().map(|unit| (*unit, here(unit))).collect())
}
