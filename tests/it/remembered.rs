//! Cached sessions, members and units end with the transaction that changes them, on any instance.

use chrono::NaiveDate;
use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use serde_json::{Value, json};
use sotay::kernel::db::Conn;
use sotay::kernel::security::access::Role;
use uuid::Uuid;

use crate::organisation::rows;
use crate::support::{Actor, TestApp, World, database_url_as};

/// Two instances over one database; the second has served the member and has cached all it needs.
struct Sides {
    world: World,
    /// The second instance, which lives as long as this.
    _beside: TestApp,
    member: Actor,
    /// The member at the second instance.
    there: Actor,
}

async fn sides() -> Sides {
    let world = World::new().await;
    let beside = TestApp::beside(&world.app).await;
    let member = world.member().await;
    let there = member.at(&beside.base_url);
    for path in ["/v1/me", "/v1/me/points", "/v1/me/rank"] {
        // The second time from memory.
        there.get(path).await.expect(200);
        there.get(path).await.expect(200);
    }
    there.post("/v1/me/visits", &json!({})).await.expect(200);
    Sides { world, _beside: beside, member, there }
}

/// Something an officer, an import or a reorganisation does, in a transaction of its own.
async fn change(world: &World, statements: &str) {
    let mut conn = world.app.state.db.conn().await.unwrap();
    conn.batch_execute(statements).await.unwrap();
}

/// The answers of all that is served from memory.
async fn statuses(there: &Actor) -> [u16; 4] {
    [
        there.get("/v1/me").await.status,
        there.get("/v1/me/points").await.status,
        there.get("/v1/me/rank").await.status,
        there.post("/v1/me/visits", &json!({})).await.status,
    ]
}

async fn points(there: &Actor) -> Value {
    there.get("/v1/me/points").await.expect(200).body
}

async fn cell_of_rank(there: &Actor) -> Value {
    there.get("/v1/me/rank").await.expect(200).body["unit_id"].clone()
}

#[actix_web::test]
async fn a_session_that_ends_at_one_instance_ends_at_all() {
    let sides = sides().await;
    let Sides { member, there, .. } = &sides;
    member.delete("/v1/auth/sessions/current").await.expect(204);
    assert_eq!(statuses(there).await, [401; 4]);
}

#[actix_web::test]
async fn a_session_that_expires_earlier_or_is_gone_ends_at_once() {
    for statement in ["UPDATE sessions SET expires_at = '2026-01-01'", "DELETE FROM sessions"] {
        let sides = sides().await;
        let Sides { world, there, .. } = &sides;
        change(world, statement).await;
        assert_eq!(statuses(there).await, [401; 4], "{statement}");
    }
}

#[actix_web::test]
async fn a_prolonged_session_goes_on_where_it_was_remembered_shorter() {
    let sides = sides().await;
    let Sides { world, there, .. } = &sides;
    change(world, "UPDATE sessions SET expires_at = '2026-11-20T03:05:00Z'").await;
    assert_eq!(statuses(there).await, [200; 4]);
    change(world, "UPDATE sessions SET expires_at = '2027-01-01'").await;
    world.app.advance(600);
    assert_eq!(statuses(there).await, [200; 4]);
}

#[actix_web::test]
async fn a_disabled_account_is_refused_at_once() {
    let sides = sides().await;
    let Sides { world, there, member, .. } = &sides;
    change(world, &format!("UPDATE accounts SET disabled_at = now() WHERE id = '{}'", member.id)).await;
    assert_eq!(statuses(there).await, [401; 4]);
}

#[actix_web::test]
async fn a_role_is_seen_when_it_is_given_and_when_it_is_taken_away() {
    let sides = sides().await;
    let Sides { world, there, member, .. } = &sides;
    let board = format!("/v1/units/{}/points", world.cell);
    assert_eq!(there.get(&board).await.status, 403);
    world.grant(member.id, Role::CellSecretary, Some(world.cell)).await;
    assert_eq!(there.get(&board).await.status, 200);
    change(world, "UPDATE grants SET revoked_at = now()").await;
    assert_eq!(there.get(&board).await.status, 403);
    world.grant(member.id, Role::CellSecretary, Some(world.cell)).await;
    assert_eq!(there.get(&board).await.status, 200);
    change(world, "DELETE FROM grants").await;
    assert_eq!(there.get(&board).await.status, 403);
}

#[actix_web::test]
async fn a_role_that_ends_with_the_day_ends_where_it_was_remembered() {
    let sides = sides().await;
    let Sides { world, there, member, .. } = &sides;
    let board = format!("/v1/units/{}/points", world.cell);
    world.grant(member.id, Role::CellSecretary, Some(world.cell)).await;
    change(world, "UPDATE grants SET valid_to = '2026-11-21'").await;
    assert_eq!(there.get(&board).await.status, 200);
    world.app.set_time("2026-11-20T17:00:00Z");
    assert_eq!(there.get(&board).await.status, 403, "the next day in Viet Nam");
}

#[actix_web::test]
async fn a_member_who_gets_a_first_cell_is_somebody_at_once() {
    let sides = sides().await;
    let Sides { world, there, member, .. } = &sides;
    let members_of_none = format!("DELETE FROM memberships WHERE member_id = '{}'", member.id);
    change(world, &members_of_none).await;
    let cell = format!("/v1/units/{}", world.cell);
    assert_eq!((there.get(&cell).await.status, there.get("/v1/me/rank").await.status), (404, 404));
    let joined = format!(
        "INSERT INTO memberships (id, member_id, unit_id, origin, valid_from)
         VALUES (gen_random_uuid(), '{}', '{}', 'admitted', '2026-11-10')",
        member.id, world.cell
    );
    change(world, &joined).await;
    assert_eq!((there.get(&cell).await.status, there.get("/v1/me/rank").await.status), (200, 200));
}

#[actix_web::test]
async fn an_exemption_is_seen_when_it_begins_and_when_it_ends() {
    let sides = sides().await;
    let Sides { world, there, member, .. } = &sides;
    assert_ne!(points(there).await["status"], "exempt");
    world.exempt(member.id).await;
    assert_eq!(points(there).await["status"], "exempt");
    change(world, "UPDATE exemptions SET valid_to = '2026-02-01'").await;
    assert_ne!(points(there).await["status"], "exempt");
    world.exempt_from(member.id, "2026-03-01".parse::<NaiveDate>().unwrap()).await;
    assert_eq!(points(there).await["status"], "exempt");
    change(world, "DELETE FROM exemptions").await;
    assert_ne!(points(there).await["status"], "exempt");
}

#[actix_web::test]
async fn a_member_without_a_device_is_offered_what_is_for_them() {
    let sides = sides().await;
    let Sides { world, there, member, .. } = &sides;
    let before = points(there).await;
    change(world, &format!("UPDATE members SET without_device = true WHERE id = '{}'", member.id)).await;
    assert_ne!(points(there).await["attainable"], before["attainable"]);
}

#[actix_web::test]
async fn a_transfer_shows_in_ranks_and_awards() {
    let sides = sides().await;
    let Sides { world, there, member, .. } = &sides;
    assert_eq!(cell_of_rank(there).await, json!(world.cell));
    let ended = format!("UPDATE memberships SET valid_to = '2026-11-10' WHERE member_id = '{}'", member.id);
    change(world, &ended).await;
    assert_eq!(there.get("/v1/me/rank").await.status, 404, "a member of no cell");
    assert_eq!(there.post("/v1/me/visits", &json!({})).await.status, 403, "a member of no cell");
    let joined = format!(
        "INSERT INTO memberships (id, member_id, unit_id, origin, valid_from)
         VALUES (gen_random_uuid(), '{}', '{}', 'transferred', '2026-11-10')",
        member.id, world.other_cell
    );
    change(world, &joined).await;
    assert_eq!(cell_of_rank(there).await, json!(world.other_cell));
    assert_eq!(there.get(&format!("/v1/me/rank?unit_id={}", world.ward)).await.status, 404);
}

#[actix_web::test]
async fn an_earlier_membership_that_is_found_later_counts() {
    let sides = sides().await;
    let Sides { world, there, member, .. } = &sides;
    change(world, "UPDATE memberships SET valid_from = '2026-11-15'").await;
    assert_eq!(points(there).await["prorated"], true);
    let earlier = format!(
        "INSERT INTO memberships (id, member_id, unit_id, origin, valid_from, valid_to)
         VALUES (gen_random_uuid(), '{}', '{}', 'imported', '2020-01-01', '2026-11-15')",
        member.id, world.sibling
    );
    change(world, &earlier).await;
    assert_eq!(points(there).await["prorated"], false);
}

#[actix_web::test]
async fn a_cell_that_moves_takes_its_members_along() {
    let sides = sides().await;
    let Sides { world, there, .. } = &sides;
    let (of_ward, ward) = (format!("/v1/me/rank?unit_id={}", world.ward), format!("/v1/units/{}", world.ward));
    there.get(&of_ward).await.expect(200);
    there.get(&ward).await.expect(200);
    let moved = format!(
        "UPDATE unit_tree SET valid_to = '2026-11-10' WHERE ancestor_id = '{}' AND descendant_id = '{}'",
        world.ward, world.cell
    );
    change(world, &moved).await;
    assert_eq!((there.get(&of_ward).await.status, there.get(&ward).await.status), (404, 404));
}

#[actix_web::test]
async fn a_change_that_commits_after_a_later_one_is_seen_all_the_same() {
    let sides = sides().await;
    let Sides { world, there, member, .. } = &sides;
    let other = world.outsider().await;
    let exempt = |whom: &Actor| {
        format!(
            "INSERT INTO exemptions (id, member_id, kind, valid_from, reason, created_at)
             VALUES (gen_random_uuid(), '{}', 'exempt', '2026-01-01', 'tuổi cao', now())",
            whom.id
        )
    };
    let url = database_url_as(&world.app, "sotay_app");
    let mut slow = Conn::establish(&url).await.unwrap();
    slow.batch_execute("BEGIN").await.unwrap();
    slow.batch_execute(&exempt(member)).await.unwrap();
    // Later ones begin and commit, and the instance polls again and again.
    change(world, &exempt(&other)).await;
    for _ in 0..3 {
        assert_ne!(points(there).await["status"], "exempt");
        there.post("/v1/me/visits", &json!({})).await.expect(200);
    }
    slow.batch_execute("COMMIT").await.unwrap();
    assert_eq!(points(there).await["status"], "exempt");
}

/// An offer that a unit's members find, and all below it.
fn offered(unit: Uuid, object: u32) -> String {
    format!(
        "INSERT INTO point_offers (rule_code, object_id, unit_id, object_kind, title, valid_from)
         VALUES ('document_read', '{object}', '{unit}', 'document', 'Kế hoạch', '2026-11-01');"
    )
}

/// The number of the last change of what is in force.
async fn last_change(world: &World) -> String {
    rows(&world.app, "SELECT version FROM points_in_force").await.replace(|c: char| !c.is_ascii_digit(), "")
}

/// Whether changes since this one concern a unit by its name, or everything.
async fn changed(world: &World, unit: Uuid, since: &str) -> String {
    let query = format!(
        "SELECT EXISTS (SELECT FROM unnest(unit_ids, versions) AS u (unit, at) WHERE unit = '{unit}' AND at > {since}) AS listed,
             since > {since} AS everything FROM points_in_force"
    );
    rows(&world.app, &query).await
}

#[actix_web::test]
async fn an_offer_elsewhere_leaves_what_is_cached_and_one_above_does_not() {
    const LISTED: &str = r#"[{"listed": true, "everything": false}]"#;
    const NOT_LISTED: &str = r#"[{"listed": false, "everything": false}]"#;
    const EVERYTHING: &str = r#"[{"listed": false, "everything": true}]"#;
    let sides = sides().await;
    let (world, there) = (&sides.world, &sides.there);
    let before = points(there).await["attainable"].clone();

    let since = last_change(world).await;
    change(world, &offered(world.sibling, 1)).await;
    assert_eq!(changed(world, world.sibling, &since).await, LISTED);
    assert_eq!(changed(world, world.cell, &since).await, NOT_LISTED);
    assert_eq!(points(there).await["attainable"], before, "another cell's offer");

    let since = last_change(world).await;
    change(world, &offered(world.ward, 2)).await;
    assert_eq!(changed(world, world.ward, &since).await, LISTED);
    let with_one = points(there).await["attainable"].clone();
    assert_ne!(with_one, before, "an offer of the ward");

    // More than are listed: what was read before them is read again.
    let since = last_change(world).await;
    let many: String = (3..40).map(|object| offered(world.sibling, object)).collect();
    change(world, &many).await;
    change(world, &many.replace("document_read", "document_acknowledged")).await;
    assert_eq!(changed(world, world.ward, &since).await, EVERYTHING);
    assert_eq!(points(there).await["attainable"], with_one);

    let since = last_change(world).await;
    change(world, "UPDATE point_offers SET valid_to = '2026-11-02' WHERE object_id = '2'").await;
    assert_eq!(changed(world, world.ward, &since).await, LISTED);
    assert_eq!(points(there).await["attainable"], before, "it has ended");

    let since = last_change(world).await;
    change(world, "UPDATE point_parameters SET value = 31 WHERE name = 'threshold' AND unit_id IS NULL").await;
    assert_eq!(changed(world, world.ward, &since).await, EVERYTHING);
    assert_eq!(points(there).await["threshold"], 31);
}
