//! The effect of a reorganisation: counts before and after, and warnings.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;

use super::model::{EndingRole, ReorganisationEffect, ReorganisationWarning, UnitEffect};
use super::plan::ReorganisationPlan;
use super::register::{self, Counted};

/// Maximum number of units shown; with more, a committee's own counts suffice.
const MOST: usize = 300;

/// What was done, before it is measured.
pub struct Done {
    pub made: Option<Uuid>,
    pub moved: usize,
    pub roles: Vec<EndingRole>,
    pub kept: usize,
    pub withdrawn: usize,
    pub redirected: usize,
}

/// The outcome of a reorganisation.
pub struct Effect {
    pub made: Option<Uuid>,
    pub shown: ReorganisationEffect,
    pub roles: Vec<EndingRole>,
}

/// Counts again after the change.
pub async fn measure(
    conn: &mut Conn,
    plan: &ReorganisationPlan,
    before: Vec<Counted>,
    done: Done,
) -> Result<Effect, Problem> {
    let seen: Vec<Uuid> = plan.concerned.iter().copied().chain(done.made).collect();
    let after = register::counts(conn, &seen, plan.day).await?;
    let warnings = warnings(conn, plan, &before, &after).await?;
    let mut units: BTreeMap<Uuid, UnitEffect> = BTreeMap::new();
    for unit in &before {
        units.insert(unit.id, shown(unit));
        units.entry(unit.id).and_modify(|shown| shown.before = Some(unit.counts()));
    }
    for unit in &after {
        units.entry(unit.id).or_insert_with(|| shown(unit)).after = Some(unit.counts());
    }
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let shown = ReorganisationEffect {
        members_moved: number(done.moved),
        roles_ended: number(done.roles.len()),
        roles_kept: number(done.kept),
        transfers_withdrawn: number(done.withdrawn),
        transfers_redirected: number(done.redirected),
        units: units.into_values().take(MOST).collect(),
        warnings,
    };
    Ok(Effect { made: done.made, shown, roles: done.roles })
}

fn shown(unit: &Counted) -> UnitEffect {
    UnitEffect { unit_id: unit.id, name: unit.name.clone(), before: None, after: None }
}

/// Cells that this leaves too small or without a secretary.
async fn warnings(
    conn: &mut Conn,
    plan: &ReorganisationPlan,
    before: &[Counted],
    after: &[Counted],
) -> Result<Vec<ReorganisationWarning>, Problem> {
    /// Minimum number of official members of a cell.
    const LEAST: i64 = 3;
    let cells: Vec<&Counted> = after.iter().filter(|unit| unit.holds_members).collect();
    let changed =
        |unit: &&&Counted| before.iter().find(|old| old.id == unit.id).is_none_or(|old| old.counts() != unit.counts());
    let mut warnings: Vec<ReorganisationWarning> = cells
        .iter()
        .filter(changed)
        .filter(|unit| unit.counts().official < LEAST)
        .map(|unit| ReorganisationWarning {
            code: "few_official_members".to_owned(),
            unit_id: unit.id,
            detail: "Chi bộ còn dưới 3 đảng viên chính thức.".to_owned(),
            detail_en: "The cell is left with fewer than 3 official members.".to_owned(),
        })
        .collect();
    let ids: Vec<Uuid> = cells.iter().map(|unit| unit.id).collect();
    for unit_id in register::without_secretary(conn, &ids, plan.day).await? {
        warnings.push(ReorganisationWarning {
            code: "without_secretary".to_owned(),
            unit_id,
            detail: "Chi bộ chưa có bí thư từ ngày này.".to_owned(),
            detail_en: "The cell has no secretary from that day on.".to_owned(),
        });
    }
    Ok(warnings)
}
