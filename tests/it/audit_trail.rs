//! The audit log, read by those whose unit it concerned at the time.

use diesel_async::RunQueryDsl;
use sotay::kernel::security::access::Role;

use crate::support::World;

#[actix_web::test]
async fn the_audit_log_of_a_cell_goes_with_the_unit_above_it_at_the_time() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let other = world.officer(world.other_cell, Role::Inspector, world.other_ward).await;
    let export = format!("/v1/units/{}/points.csv", world.cell);
    secretary.get(&export).await.expect(200);
    world.app.advance(86_400);
    let mut conn = world.app.state.db.conn().await.unwrap();
    for change in [
        format!(
            "UPDATE unit_tree SET valid_to = '2026-11-21' WHERE ancestor_id = '{}' AND descendant_id = '{}'",
            world.ward, world.cell
        ),
        format!(
            "INSERT INTO unit_tree (ancestor_id, descendant_id, depth, valid_from) VALUES ('{}', '{}', 1, '2026-11-21')",
            world.other_ward, world.cell
        ),
    ] {
        diesel::sql_query(change).execute(&mut *conn).await.unwrap();
    }
    secretary.get(&export).await.expect(200);
    let mut seen = Vec::new();
    for (inspector, unit) in [(world.inspector().await, world.ward), (other, world.other_ward)] {
        let path = format!("/v1/audit-events?unit_id={unit}&action=points.exported");
        let events = inspector.get(&path).await.expect(200).body["items"].clone();
        assert_eq!(events.as_array().unwrap().len(), 1, "{events}");
        seen.push(events[0]["id"].clone());
    }
    assert_ne!(seen[0], seen[1]);
}
