//! Carries out a checked order.
//!
//! Locks units, then transfers, then members, each in the order of their ids.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::{grants, memberships};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::ids::new_id;
use crate::kernel::outbox;
use crate::organisation::members::Origin;
use crate::organisation::units;

use super::effect::{self, Effect};
use super::model::ReorganisationIn;
use super::plan::{self, EndedUnit, ReorganisationPlan};
use super::{register, tree};

/// Who gave the order, and when.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    pub body: &'a ReorganisationIn,
    pub by: Uuid,
    pub now: DateTime<Utc>,
    /// The first day on which it holds.
    pub day: NaiveDate,
    /// Whether all named members must still be there.
    pub strict: bool,
}

/// Carries out the order, in the caller's transaction.
///
/// # Errors
/// As [`plan::check`]; 422 when a member came to one of the units on that very day and has earned points there.
pub async fn apply(conn: &mut Conn, order: &Order<'_>) -> Result<Effect, Problem> {
    let Order { by, now, day, .. } = *order;
    units::lock_tree(conn, true).await?;
    let locked = plan::concerned(conn, order.body, day).await?;
    register::lock_units(conn, &locked.into_iter().collect::<Vec<_>>()).await?;
    let plan = plan::check(conn, order.body, day, order.strict).await?;
    let seen: Vec<Uuid> = plan.concerned.iter().copied().collect();
    let before = register::counts(conn, &seen, day).await?;
    let transfers = lock_transfers(conn, &plan.from).await?;
    let leaving = lock_leaving(conn, &plan).await?;
    let made = match &plan.new_unit {
        Some(new) => Some(units::create(conn, new, now).await?),
        None => None,
    };
    let target = made.or(plan.into).ok_or_else(|| Problem::internal("a reorganisation without a target"))?;
    move_members(conn, &plan, &leaving, target, now).await?;
    let only = (!plan.ending).then_some(leaving.as_slice());
    let roles =
        if plan.from.is_empty() { Vec::new() } else { register::lasting_roles(conn, &plan.from, only, day).await? };
    let kept = keep_roles(conn, &plan, made, by, now).await?;
    end_roles(conn, &plan.from, only, (day, by, now)).await?;
    let (withdrawn, redirected) = settle_transfers(conn, &plan, &transfers, &leaving, target, by, now).await?;
    let ending: &[Uuid] = if plan.ending { &plan.from } else { &[] };
    tree::rewrite(conn, ending, &plan.rehung, Some(target), day).await?;
    tell(conn, &plan, &leaving, &roles, target, now).await?;
    let done = effect::Done { made, moved: leaving.len(), roles, kept, withdrawn, redirected };
    effect::measure(conn, &plan, before, done).await
}

#[derive(QueryableByName)]
struct OpenWork {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    member_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    from_unit_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    to_unit_id: Uuid,
}

/// Open transfers out of and into the units, locked.
async fn lock_transfers(conn: &mut Conn, units: &[Uuid]) -> Result<Vec<OpenWork>, Problem> {
    Ok(diesel::sql_query(
        "SELECT id, member_id, from_unit_id, to_unit_id FROM transfers
         WHERE state = 'proposed' AND (from_unit_id = ANY($1) OR to_unit_id = ANY($1)) ORDER BY id FOR UPDATE",
    )
    .bind::<Array<SqlUuid>, _>(units)
    .load(conn)
    .await?)
}

/// Members who leave their cell, locked, by id.
async fn lock_leaving(conn: &mut Conn, plan: &ReorganisationPlan) -> Result<Vec<Uuid>, Problem> {
    let leaving = match &plan.leaving {
        EndedUnit::Nobody => return Ok(Vec::new()),
        EndedUnit::Everybody => register::members(conn, &plan.from, plan.day).await?,
        EndedUnit::Named(members) => members.clone(),
    };
    diesel::sql_query("SELECT id FROM members WHERE id = ANY($1) ORDER BY id FOR UPDATE")
        .bind::<Array<SqlUuid>, _>(&leaving)
        .execute(conn)
        .await?;
    Ok(leaving)
}

/// Ends the memberships of the day and begins those in the other cell, each until the old one would have ended. Future
/// memberships in an ending cell begin in the other one instead.
async fn move_members(
    conn: &mut Conn,
    plan: &ReorganisationPlan,
    leaving: &[Uuid],
    target: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    if leaving.is_empty() && plan.leaving == EndedUnit::Nobody {
        return Ok(());
    }
    let old: Vec<(Uuid, Uuid, Option<NaiveDate>)> = memberships::table
        .filter(memberships::unit_id.eq_any(&plan.from))
        .filter(memberships::member_id.eq_any(leaving))
        .filter(memberships::valid_from.lt(plan.day))
        .filter(memberships::valid_to.is_null().or(memberships::valid_to.gt(plan.day)))
        .order(memberships::member_id)
        .select((memberships::id, memberships::member_id, memberships::valid_to))
        .load(conn)
        .await?;
    let ended: Vec<Uuid> = old.iter().map(|(id, ..)| *id).collect();
    diesel::update(memberships::table.filter(memberships::id.eq_any(&ended)))
        .set(memberships::valid_to.eq(plan.day))
        .execute(conn)
        .await?;
    diesel::sql_query(
        "INSERT INTO memberships (id, member_id, unit_id, origin, valid_from, valid_to)
         SELECT i, m, $4, $5, $6, v FROM unnest($1, $2, $3) AS t(i, m, v)",
    )
    .bind::<Array<SqlUuid>, _>(old.iter().map(|_| new_id(now)).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(old.iter().map(|(_, member, _)| *member).collect::<Vec<_>>())
    .bind::<Array<Nullable<Date>>, _>(old.iter().map(|(.., to)| *to).collect::<Vec<_>>())
    .bind::<SqlUuid, _>(target)
    .bind::<Text, _>(Origin::Reorganised.as_str())
    .bind::<Date, _>(plan.day)
    .execute(conn)
    .await?;
    send_on(conn, plan, (!plan.ending).then_some(leaving), target).await
}

/// Moves memberships that begin on the day or later to the other cell: one without length cannot be kept.
async fn send_on(
    conn: &mut Conn,
    plan: &ReorganisationPlan,
    only: Option<&[Uuid]>,
    target: Uuid,
) -> Result<(), Problem> {
    if earned_that_day(conn, plan, only).await? {
        return Err(Problem::with(
            Code::RuleNotMet,
            "Có đảng viên vừa về chi bộ đúng ngày này và đã được ghi điểm; hãy chọn ngày sau.",
            "A member joined the cell on that very day and has earned points there; choose a later day.",
        ));
    }
    diesel::sql_query(
        "UPDATE memberships SET unit_id = $2 WHERE unit_id = ANY($1) AND valid_from >= $3
           AND ($4::uuid[] IS NULL OR member_id = ANY($4))",
    )
    .bind::<Array<SqlUuid>, _>(&plan.from)
    .bind::<SqlUuid, _>(target)
    .bind::<Date, _>(plan.day)
    .bind::<Nullable<Array<SqlUuid>>, _>(only)
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct FoundUnit {
    #[diesel(sql_type = Bool)]
    found: bool,
}

/// Entries name the cell of their day, so a membership that has entries stays where it is.
async fn earned_that_day(conn: &mut Conn, plan: &ReorganisationPlan, only: Option<&[Uuid]>) -> Result<bool, Problem> {
    let row: FoundUnit = diesel::sql_query(
        "SELECT EXISTS (SELECT 1 FROM memberships m
            JOIN point_entries e ON e.member_id = m.member_id AND e.unit_id = m.unit_id AND e.day >= m.valid_from
            WHERE m.unit_id = ANY($1) AND m.valid_from >= $2 AND ($3::uuid[] IS NULL OR m.member_id = ANY($3))) AS found",
    )
    .bind::<Array<SqlUuid>, _>(&plan.from)
    .bind::<Date, _>(plan.day)
    .bind::<Nullable<Array<SqlUuid>>, _>(only)
    .get_result(conn)
    .await?;
    Ok(row.found)
}

/// Gives the roles of one merged unit again on the new unit. Returns how many.
async fn keep_roles(
    conn: &mut Conn,
    plan: &ReorganisationPlan,
    made: Option<Uuid>,
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<usize, Problem> {
    let (Some(kept), Some(made)) = (plan.keep_roles_of, made) else {
        return Ok(0);
    };
    let held: Vec<(Uuid, String, NaiveDate, Option<NaiveDate>)> = grants::table
        .filter(grants::unit_id.eq(kept))
        .filter(grants::revoked_at.is_null())
        .filter(grants::valid_to.is_null().or(grants::valid_to.gt(plan.day)))
        .order(grants::id)
        .select((grants::account_id, grants::role, grants::valid_from, grants::valid_to))
        .load(conn)
        .await?;
    let rows: Vec<_> = held
        .into_iter()
        .map(|(account, role, from, to)| {
            (
                grants::id.eq(new_id(now)),
                grants::account_id.eq(account),
                grants::role.eq(role),
                grants::unit_id.eq(made),
                grants::valid_from.eq(from.max(plan.day)),
                grants::valid_to.eq(to),
                grants::granted_by.eq(by),
                grants::created_at.eq(now),
                // Two officers gave them on the merged unit.
                grants::needs_decision.eq(false),
            )
        })
        .collect();
    Ok(diesel::insert_into(grants::table).values(rows).execute(conn).await?)
}

/// Ends roles on the units: all of them, or those of some accounts. Roles that would begin later never do.
async fn end_roles(
    conn: &mut Conn,
    units: &[Uuid],
    only: Option<&[Uuid]>,
    (day, by, now): (NaiveDate, Uuid, DateTime<Utc>),
) -> Result<(), Problem> {
    diesel::sql_query(
        "UPDATE grants SET valid_to = CASE WHEN valid_from < $3 THEN $3 ELSE valid_to END,
            revoked_at = CASE WHEN valid_from < $3 THEN NULL ELSE $5 END,
            revoked_by = CASE WHEN valid_from < $3 THEN NULL ELSE $4 END
         WHERE unit_id = ANY($1) AND ($2::uuid[] IS NULL OR account_id = ANY($2)) AND revoked_at IS NULL
           AND (valid_to IS NULL OR valid_to > $3)",
    )
    .bind::<Array<SqlUuid>, _>(units)
    .bind::<Nullable<Array<SqlUuid>>, _>(only)
    .bind::<Date, _>(day)
    .bind::<SqlUuid, _>(by)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Redirects open transfers to where their cells are now, and withdraws those that lead nowhere. Returns how many of
/// each.
async fn settle_transfers(
    conn: &mut Conn,
    plan: &ReorganisationPlan,
    open: &[OpenWork],
    leaving: &[Uuid],
    target: Uuid,
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<(usize, usize), Problem> {
    let gone: BTreeSet<Uuid> = leaving.iter().copied().collect();
    let (mut withdrawn, mut redirected) = (Vec::new(), Vec::new());
    for transfer in open {
        let leaves = plan.from.contains(&transfer.from_unit_id) && gone.contains(&transfer.member_id);
        let from = if leaves { target } else { transfer.from_unit_id };
        let comes = plan.ending && plan.from.contains(&transfer.to_unit_id);
        let to = if comes { target } else { transfer.to_unit_id };
        if from == to {
            withdrawn.push(transfer.id);
        } else if (from, to) != (transfer.from_unit_id, transfer.to_unit_id) {
            redirected.push((transfer.id, from, to));
        }
    }
    diesel::sql_query(
        "UPDATE transfers SET state = 'withdrawn', decided_by = $2, decided_at = $3,
            decision_note = 'Sắp xếp lại tổ chức' WHERE id = ANY($1)",
    )
    .bind::<Array<SqlUuid>, _>(&withdrawn)
    .bind::<SqlUuid, _>(by)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    diesel::sql_query(
        "UPDATE transfers t SET from_unit_id = f, to_unit_id = o FROM unnest($1, $2, $3) AS n(i, f, o) WHERE t.id = i",
    )
    .bind::<Array<SqlUuid>, _>(redirected.iter().map(|(id, ..)| *id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(redirected.iter().map(|(_, from, _)| *from).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(redirected.iter().map(|(.., to)| *to).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok((withdrawn.len(), redirected.len()))
}

/// Notifies the people concerned, and the features above of what they must carry over.
async fn tell(
    conn: &mut Conn,
    plan: &ReorganisationPlan,
    leaving: &[Uuid],
    roles: &[super::model::EndingRole],
    target: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let details = json!({"unit_id": target, "unit_name": units::name(conn, target).await?, "effective_on": plan.day});
    outbox::tell(conn, "cell_changed", leaving, &details, now).await?;
    let holders: BTreeSet<Uuid> = roles.iter().map(|role| role.account_id).collect();
    let holders: Vec<Uuid> = holders.into_iter().collect();
    outbox::tell(conn, "roles_ended", &holders, &json!({"effective_on": plan.day}), now).await?;
    if plan.from.is_empty() {
        return Ok(());
    }
    let event = json!({"from_unit_ids": plan.from, "to_unit_id": target, "effective_on": plan.day});
    outbox::emit(conn, "units.reorganised", event, now).await
}
