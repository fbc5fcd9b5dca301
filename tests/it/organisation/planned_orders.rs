//! Reorganisations of a day to come: cancelled, become impossible, failing by themselves.

use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};
use serde_json::{Value, json};
use sotay::kernel::db::Conn;
use sotay::kernel::security::access::Role;
use sotay::organisation::reorganisations::apply_due;

use super::reorganisations::into;
use super::{count, rows};
use crate::support::{World, database_url_as};

#[actix_web::test]
async fn what_is_planned_can_be_cancelled_and_what_became_impossible_is_told() {
    let world = World::new().await;
    let officer = world.committee_officer().await;
    let mut order = into(&[world.cell], world.sibling);
    order["effective_on"] = json!("2026-12-10");
    let first = officer.post("/v1/reorganisations", &order).await.expect(201).id();
    let second = officer.post("/v1/reorganisations", &order).await.expect(201).id();
    officer.post(&format!("/v1/reorganisations/{first}/cancel"), &json!({})).await.expect(200);
    officer.post("/v1/reorganisations", &into(&[world.cell], world.sibling)).await.expect(201);
    world.app.set_time("2026-12-12T08:00:00+07:00");
    apply_due(&world.app.state).await.unwrap();
    let failed = rows(&world.app, &format!("SELECT state FROM reorganisations WHERE id = '{second}'")).await;
    assert!(failed.contains("failed"), "{failed}");
    assert_eq!(count(&world.app, "outbox WHERE topic = 'notify.reorganisation_failed'").await, 1);
    assert_eq!(apply_due(&world.app.state).await.unwrap(), 0);
}

#[actix_web::test]
async fn an_order_that_fails_by_itself_holds_up_no_other() {
    let world = World::new().await;
    let (officer, province) = (
        world.committee_officer().await,
        world.officer(world.other_cell, Role::CommitteeOfficer, world.province).await,
    );
    let on = |order: Value| {
        let mut order = order;
        order["effective_on"] = json!("2026-11-25");
        order
    };
    let broken = officer.post("/v1/reorganisations", &on(into(&[world.cell], world.sibling))).await.expect(201).id();
    let move_ward =
        json!({"kind": "move", "unit_ids": [world.other_cell], "parent_id": world.ward, "reason": "Quyết định"});
    let sound = province.post("/v1/reorganisations", &on(move_ward)).await.expect(201).id();
    let mut conn = world.app.state.db.conn().await.unwrap();
    let spoil = format!("UPDATE reorganisations SET details = '{{}}' WHERE id = '{broken}'");
    diesel::sql_query(spoil).execute(&mut *conn).await.unwrap();
    world.app.set_time("2026-11-25T00:00:30+07:00");
    apply_due(&world.app.state).await.unwrap();
    assert_eq!(province.get(&format!("/v1/reorganisations/{sound}")).await.expect(200).body["state"], "applied");
    let left = rows(&world.app, &format!("SELECT state FROM reorganisations WHERE id = '{broken}'")).await;
    assert_eq!(left, r#"[{"state": "planned"}]"#);
}

#[actix_web::test]
async fn an_order_whose_giver_lost_the_right_is_not_carried_out() {
    let world = World::new().await;
    let officer = world.committee_officer().await;
    let mut order = into(&[world.cell], world.sibling);
    order["effective_on"] = json!("2026-12-10");
    let id = officer.post("/v1/reorganisations", &order).await.expect(201).id();
    let mut conn = world.app.state.db.conn().await.unwrap();
    let revoke = format!("UPDATE grants SET revoked_at = now() WHERE account_id = '{}'", officer.id);
    diesel::sql_query(revoke).execute(&mut *conn).await.unwrap();
    world.app.set_time("2026-12-10T08:00:00+07:00");
    apply_due(&world.app.state).await.unwrap();
    let found = rows(&world.app, &format!("SELECT state, failure FROM reorganisations WHERE id = '{id}'")).await;
    assert!(found.contains("failed") && found.contains("không còn quyền"), "{found}");
    assert_eq!(count(&world.app, "outbox WHERE topic = 'notify.reorganisation_failed'").await, 1);
}

#[actix_web::test]
async fn an_order_that_waits_for_ever_holds_up_no_other() {
    let world = World::new().await;
    let province = world.officer(world.other_cell, Role::CommitteeOfficer, world.province).await;
    let third = json!({"name": "Chi bộ 7", "kind": "cell", "parent_id": world.ward});
    let third = province.post("/v1/units", &third).await.expect(201).id();
    let later = |mut order: Value| {
        order["effective_on"] = json!("2026-11-25");
        order
    };
    let stuck = province.post("/v1/reorganisations", &later(into(&[world.cell], world.sibling))).await.expect(201).id();
    let move_it = json!({"kind": "move", "unit_ids": [third], "parent_id": world.other_ward, "reason": "Quyết định"});
    let sound = province.post("/v1/reorganisations", &later(move_it)).await.expect(201).id();
    // Its statement is cancelled each time, as one is that takes too long.
    let mut owner = Conn::establish(&database_url_as(&world.app, "sotay_owner")).await.unwrap();
    let trigger = format!(
        "CREATE FUNCTION stuck() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'canceling statement due to statement timeout' USING ERRCODE = 'query_canceled'; END $$;
         CREATE TRIGGER stuck BEFORE UPDATE ON reorganisations FOR EACH ROW WHEN (OLD.id = '{stuck}') EXECUTE FUNCTION stuck()"
    );
    owner.batch_execute(&trigger).await.unwrap();
    world.app.set_time("2026-11-25T00:00:30+07:00");
    assert_eq!(apply_due(&world.app.state).await.unwrap(), 1);
    assert_eq!(province.get(&format!("/v1/reorganisations/{sound}")).await.expect(200).body["state"], "applied");
    assert_eq!(province.get(&format!("/v1/reorganisations/{stuck}")).await.expect(200).body["state"], "planned");
}
