//! Something for officers and inspectors to look at: a draft of a rule and an open case.

use chrono::{DateTime, Days, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{case_events, case_members, cases, point_rule_changes};
use crate::kernel::http::problem::Problem;
use crate::kernel::ids::new_id;

use super::scene::Scene;

/// Members whose accounts were signed in on one device.
const ON_ONE_DEVICE: usize = 11;

/// Writes them.
pub async fn add(conn: &mut Conn, scene: &Scene, now: DateTime<Utc>) -> Result<(), Problem> {
    let officer = scene.account("committee_officer");
    draft(conn, scene.ward, officer, now).await?;
    case(conn, scene, now).await
}

async fn draft(conn: &mut Conn, ward: Uuid, officer: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    diesel::insert_into(point_rule_changes::table)
        .values((
            point_rule_changes::id.eq(new_id(now)),
            point_rule_changes::unit_id.eq(ward),
            point_rule_changes::scope.eq("unit"),
            point_rule_changes::rule_code.eq("contest_entered"),
            point_rule_changes::cap_month.eq(10),
            point_rule_changes::valid_from.eq(day_of(now) + Days::new(30)),
            point_rule_changes::state.eq("draft"),
            point_rule_changes::created_by.eq(officer),
            point_rule_changes::created_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

async fn case(conn: &mut Conn, scene: &Scene, now: DateTime<Utc>) -> Result<(), Problem> {
    let id = new_id(now);
    let evidence = json!({"accounts": ON_ONE_DEVICE, "sign_ins": ON_ONE_DEVICE, "first_at": now, "last_at": now});
    diesel::insert_into(cases::table)
        .values((
            cases::id.eq(id),
            cases::kind.eq("shared_device"),
            cases::subject_id.eq(new_id(now)),
            cases::unit_id.eq(scene.ward),
            cases::evidence.eq(&evidence),
            cases::opened_at.eq(now),
            cases::state.eq("open"),
        ))
        .execute(conn)
        .await?;
    let concerned: Vec<_> = scene
        .members
        .iter()
        .skip(ON_ONE_DEVICE)
        .take(ON_ONE_DEVICE)
        .map(|member| (case_members::case_id.eq(id), case_members::member_id.eq(member.id)))
        .collect();
    diesel::insert_into(case_members::table).values(concerned).execute(conn).await?;
    diesel::insert_into(case_events::table)
        .values((
            case_events::id.eq(new_id(now)),
            case_events::case_id.eq(id),
            case_events::at.eq(now),
            case_events::kind.eq("opened"),
            case_events::details.eq(evidence),
        ))
        .execute(conn)
        .await?;
    Ok(())
}
