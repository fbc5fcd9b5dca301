//! The plan of an order, checked against the units as they are on the day.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Problem, text};
use crate::organisation::units::NewUnit;

use super::model::{MadeUnitIn, OrderKind, ReorganisationIn};
use super::register::{self, RegisteredUnit};

/// Who leaves the units of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndedUnit {
    /// No member: the units keep their members.
    Nobody,
    /// All members of the units on the day.
    Everybody,
    /// These members, as far as they belong to the unit on the day.
    Named(Vec<Uuid>),
}

/// A checked order.
#[derive(Debug, Clone)]
pub struct ReorganisationPlan {
    pub day: NaiveDate,
    /// The units members leave: those that end, or the one that is split.
    pub from: Vec<Uuid>,
    /// Whether those units end.
    pub ending: bool,
    pub leaving: EndedUnit,
    /// The unit to be made.
    pub new_unit: Option<NewUnit>,
    /// Where members and child units go when no unit is made.
    pub into: Option<Uuid>,
    /// Units that come under another parent.
    pub rehung: Vec<Uuid>,
    /// Whose roles go on in the new unit.
    pub keep_roles_of: Option<Uuid>,
    /// Everything whose counts may change: units, parents, targets.
    pub concerned: BTreeSet<Uuid>,
}

/// The units on which the caller needs the right to manage units: those named, their parents, the targets.
pub async fn concerned(conn: &mut Conn, body: &ReorganisationIn, day: NaiveDate) -> Result<BTreeSet<Uuid>, Problem> {
    let named: Vec<Uuid> = body.unit_ids.iter().chain(&body.into_unit_id).chain(&body.parent_id).copied().collect();
    let mut all: BTreeSet<Uuid> = named.iter().copied().collect();
    let units: Vec<Uuid> = body.unit_ids.iter().chain(&body.into_unit_id).copied().collect();
    for place in register::places(conn, &units, day).await? {
        all.extend(place.parent_id);
    }
    Ok(all)
}

/// Checks an order. With `strict` every named member must belong to the unit; without, members who left meanwhile are
/// left out.
///
/// # Errors
/// 422 for what does not fit together, 404 for units that are not there on the day.
pub async fn check(
    conn: &mut Conn,
    body: &ReorganisationIn,
    day: NaiveDate,
    strict: bool,
) -> Result<ReorganisationPlan, Problem> {
    let distinct: BTreeSet<Uuid> = body.unit_ids.iter().copied().collect();
    if distinct.len() != body.unit_ids.len() {
        return Err(Problem::fault("/unit_ids", "duplicate", text("Có tổ chức bị lặp.", "A unit is named twice.")));
    }
    let ids: Vec<Uuid> = distinct.into_iter().collect();
    let places = register::places(conn, &ids, day).await?;
    if places.len() != ids.len() {
        return Err(Problem::not_found());
    }
    if places.iter().any(|place| place.valid_from >= day) {
        return Err(rule(
            "Có tổ chức vừa được lập hoặc sắp xếp đúng ngày này; hãy chọn ngày sau.",
            "A unit was made or reorganised on that very day; choose a later one.",
        ));
    }
    let mut plan = match body.kind {
        OrderKind::Merge => merge(conn, body, &places, day).await?,
        OrderKind::Split => split(conn, body, &places[0], day, strict).await?,
        OrderKind::Move => rehang(conn, body, &places, day).await?,
    };
    require_older(conn, &plan.rehung, day).await?;
    plan.concerned.extend(ids);
    plan.concerned.extend(places.iter().filter_map(|place| place.parent_id));
    Ok(plan)
}

async fn merge(
    conn: &mut Conn,
    body: &ReorganisationIn,
    places: &[RegisteredUnit],
    day: NaiveDate,
) -> Result<ReorganisationPlan, Problem> {
    forbid("/member_ids", body.member_ids.is_some())?;
    forbid("/child_unit_ids", body.child_unit_ids.is_some())?;
    let first = &places[0];
    if places.iter().any(|place| place.kind != first.kind) {
        return Err(rule("Chỉ sáp nhập các tổ chức cùng loại.", "Only units of one kind are merged."));
    }
    let ids: Vec<Uuid> = places.iter().map(|place| place.id).collect();
    let mut plan = ReorganisationPlan {
        day,
        rehung: if first.holds_members { Vec::new() } else { register::children(conn, &ids, day).await? },
        leaving: if first.holds_members { EndedUnit::Everybody } else { EndedUnit::Nobody },
        from: ids,
        ending: true,
        new_unit: None,
        into: body.into_unit_id,
        keep_roles_of: body.keep_roles_of,
        concerned: BTreeSet::new(),
    };
    match (&body.new_unit, body.into_unit_id) {
        (Some(new), None) if places.len() > 1 => {
            plan.new_unit = Some(made(conn, new, first, parent_of(body, places)?, day).await?);
            if body.keep_roles_of.is_some_and(|kept| !plan.from.contains(&kept)) {
                let detail = text("Không phải một trong các tổ chức được sáp nhập.", "Not one of the merged units.");
                return Err(Problem::fault("/keep_roles_of", "not_an_option", detail));
            }
        }
        (None, Some(into)) => {
            forbid("/keep_roles_of", body.keep_roles_of.is_some())?;
            forbid("/parent_id", body.parent_id.is_some())?;
            let target = register::place(conn, into, day).await?;
            if target.kind != first.kind || plan.from.contains(&into) {
                return Err(rule(
                    "Tổ chức nhận phải cùng loại và không nằm trong số bị sáp nhập.",
                    "The unit they are merged into is of the same kind, and not one of them.",
                ));
            }
            plan.concerned.insert(into);
            plan.concerned.extend(target.parent_id);
        }
        _ => return Err(no_target()),
    }
    plan.concerned.extend(plan.new_unit.as_ref().and_then(|new| new.parent_id));
    Ok(plan)
}

async fn split(
    conn: &mut Conn,
    body: &ReorganisationIn,
    unit: &RegisteredUnit,
    day: NaiveDate,
    strict: bool,
) -> Result<ReorganisationPlan, Problem> {
    forbid("/into_unit_id", body.into_unit_id.is_some())?;
    forbid("/keep_roles_of", body.keep_roles_of.is_some())?;
    if body.unit_ids.len() != 1 {
        let detail = text("Chỉ chia tách từng tổ chức.", "One unit is split at a time.");
        return Err(Problem::fault("/unit_ids", "too_long", detail));
    }
    let new = body.new_unit.as_ref().ok_or_else(|| missing("/new_unit"))?;
    let (leaving, rehung) = if unit.holds_members {
        forbid("/child_unit_ids", body.child_unit_ids.is_some())?;
        let wanted = body.member_ids.as_ref().ok_or_else(|| missing("/member_ids"))?;
        (EndedUnit::Named(leavers(conn, unit.id, wanted, day, strict).await?), Vec::new())
    } else {
        forbid("/member_ids", body.member_ids.is_some())?;
        let wanted = body.child_unit_ids.as_ref().ok_or_else(|| missing("/child_unit_ids"))?;
        (
            EndedUnit::Nobody,
            some_of("/child_unit_ids", wanted, &register::children(conn, &[unit.id], day).await?, strict)?,
        )
    };
    let parent = parent_of(body, std::slice::from_ref(unit))?;
    let new_unit = made(conn, new, unit, parent, day).await?;
    Ok(ReorganisationPlan {
        day,
        from: vec![unit.id],
        ending: false,
        leaving,
        concerned: new_unit.parent_id.into_iter().collect(),
        new_unit: Some(new_unit),
        into: None,
        rehung,
        keep_roles_of: None,
    })
}

async fn rehang(
    conn: &mut Conn,
    body: &ReorganisationIn,
    places: &[RegisteredUnit],
    day: NaiveDate,
) -> Result<ReorganisationPlan, Problem> {
    forbid("/into_unit_id", body.into_unit_id.is_some())?;
    forbid("/new_unit", body.new_unit.is_some())?;
    forbid("/member_ids", body.member_ids.is_some())?;
    forbid("/child_unit_ids", body.child_unit_ids.is_some())?;
    forbid("/keep_roles_of", body.keep_roles_of.is_some())?;
    let parent_id = body.parent_id.ok_or_else(|| missing("/parent_id"))?;
    let parent = register::place(conn, parent_id, day).await?;
    if places.iter().any(|place| place.rank <= parent.rank) {
        return Err(cannot_stand_there());
    }
    if places.iter().any(|place| place.parent_id == Some(parent_id)) {
        return Err(rule("Tổ chức đã trực thuộc cấp trên này.", "A unit stands below this parent already."));
    }
    Ok(ReorganisationPlan {
        day,
        from: Vec::new(),
        ending: false,
        leaving: EndedUnit::Nobody,
        new_unit: None,
        into: Some(parent_id),
        rehung: places.iter().map(|place| place.id).collect(),
        keep_roles_of: None,
        concerned: BTreeSet::from([parent_id]),
    })
}

/// The new unit: of the kind of the old one, below a parent that may hold it.
async fn made(
    conn: &mut Conn,
    new: &MadeUnitIn,
    like: &RegisteredUnit,
    parent_id: Uuid,
    day: NaiveDate,
) -> Result<NewUnit, Problem> {
    if register::place(conn, parent_id, day).await?.rank >= like.rank {
        return Err(cannot_stand_there());
    }
    Ok(NewUnit {
        name: new.name.trim().to_owned(),
        kind: like.kind.clone(),
        parent_id: Some(parent_id),
        code: new.code.clone(),
        valid_from: day,
    })
}

fn parent_of(body: &ReorganisationIn, places: &[RegisteredUnit]) -> Result<Uuid, Problem> {
    let common = places[0].parent_id.filter(|id| places.iter().all(|place| place.parent_id == Some(*id)));
    body.parent_id.or(common).ok_or_else(|| missing("/parent_id"))
}

async fn leavers(
    conn: &mut Conn,
    unit_id: Uuid,
    wanted: &[Uuid],
    day: NaiveDate,
    strict: bool,
) -> Result<Vec<Uuid>, Problem> {
    let there = register::members(conn, &[unit_id], day).await?;
    some_of("/member_ids", wanted, &there, strict)
}

/// The requested ones among those present; some must go, and some must stay.
fn some_of(pointer: &str, wanted: &[Uuid], there: &[Uuid], strict: bool) -> Result<Vec<Uuid>, Problem> {
    let there: BTreeSet<Uuid> = there.iter().copied().collect();
    let mut going = BTreeSet::new();
    for (index, id) in wanted.iter().enumerate() {
        if there.contains(id) {
            going.insert(*id);
        } else if strict {
            let detail = text("Không thuộc tổ chức này.", "Does not belong to the unit.");
            return Err(Problem::fault(format!("{pointer}/{index}"), "not_an_option", detail));
        }
    }
    if going.is_empty() || going.len() == there.len() {
        let detail = text("Phải có một phần chuyển đi và một phần ở lại.", "Some must go, and some must stay.");
        return Err(Problem::fault(pointer, "out_of_range", detail));
    }
    Ok(going.into_iter().collect())
}

/// Requires that units that come under another parent have been in place for a day.
async fn require_older(conn: &mut Conn, units: &[Uuid], day: NaiveDate) -> Result<(), Problem> {
    if register::places(conn, units, day).await?.iter().all(|place| place.valid_from < day) {
        return Ok(());
    }
    Err(rule(
        "Có tổ chức trực thuộc vừa được lập hoặc sắp xếp đúng ngày này; hãy chọn ngày sau.",
        "A unit below was made or reorganised on that very day; choose a later one.",
    ))
}

fn rule(vi: &'static str, en: &'static str) -> Problem {
    Problem::with(Code::RuleNotMet, vi, en)
}

fn no_target() -> Problem {
    rule(
        "Sáp nhập từ hai tổ chức thành một tổ chức mới, hoặc vào một tổ chức đang có.",
        "Two units or more are merged into a new one, or any number into one that is there.",
    )
}

fn cannot_stand_there() -> Problem {
    rule(
        "Loại tổ chức này không thể trực thuộc tổ chức cấp trên đã chọn.",
        "A unit of this kind cannot stand below the chosen parent.",
    )
}

fn missing(pointer: &str) -> Problem {
    Problem::fault(pointer, "required", text("Cần có ở đây.", "It is required here."))
}

fn forbid(pointer: &str, there: bool) -> Result<(), Problem> {
    if there {
        return Err(Problem::fault(pointer, "unexpected", text("Không dùng ở đây.", "It is not used here.")));
    }
    Ok(())
}
