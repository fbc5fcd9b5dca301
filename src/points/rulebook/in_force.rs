//! The rules in force in a unit: those of the system, narrowed by the limits on its path.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::points::engine::rules::Rule;
use crate::points::engine::store;

use super::narrow::{Limit, narrowed};
use super::store::limits;

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
