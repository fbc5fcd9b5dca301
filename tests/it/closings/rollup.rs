//! Roll-ups of closings for committees and provinces.

use serde_json::json;
use sotay::kernel::security::access::Role;

use super::{IN_TIME, close};
use crate::support::World;

#[actix_web::test]
async fn a_province_sees_how_many_cells_have_closed_and_what() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    let other = world.officer(world.sibling, Role::CellSecretary, world.sibling).await;
    let officer = world.officer(world.other_cell, Role::CommitteeOfficer, world.province).await;
    for _ in 0..4 {
        world.credit(member.id).await;
    }
    world.app.set_time(IN_TIME);
    close(&secretary, world.cell).await.expect(200);
    let of = |unit| format!("/v1/units/{unit}/closing-summaries/2026-11");
    let summary = officer.get(&of(world.province)).await.expect(200).body;
    assert_eq!((&summary["cells"], &summary["closed"]), (&json!(3), &json!(1)));
    let ward = &summary["items"][0];
    assert_eq!((&ward["unit_id"], &ward["cells"], &ward["closed"]), (&json!(world.ward), &json!(2), &json!(1)));
    assert_eq!(ward["summary"], json!({"members": 2, "counted": 2, "exempt": 0, "excused": 0, "met": 1, "rate": 0.5}));
    close(&other, world.sibling).await.expect(200);
    let page = officer.get(&format!("{}?limit=1", of(world.ward))).await.expect(200).body;
    assert_eq!((&page["closed"], &page["summary"]["members"]), (&json!(2), &json!(3)));
    assert_eq!(page["items"][0]["unit_id"], json!(world.cell));
    let next = format!("{}?limit=1&cursor={}", of(world.ward), page["next_cursor"].as_str().unwrap());
    assert_eq!(officer.get(&next).await.expect(200).body["items"][0]["summary"]["rate"], json!(0.0));
    secretary.get(&of(world.ward)).await.expect(403);
    secretary.get(&of(world.sibling)).await.expect(404);
    // Late corrections do not change what was closed.
    world.late_award(secretary.id, &["meeting.attended"; 5]).await;
    assert_eq!(officer.get(&of(world.ward)).await.body["summary"]["met"], 1);
}

#[actix_web::test]
async fn a_roll_up_leaves_as_files() {
    let world = World::new().await;
    let (secretary, officer) = (world.secretary().await, world.committee_officer().await);
    world.app.set_time(IN_TIME);
    close(&secretary, world.cell).await.expect(200);
    let path = format!("/v1/units/{}/closing-summaries/2026-11/export", world.ward);
    let csv = String::from_utf8(officer.get(&format!("{path}.csv")).await.expect(200).bytes).unwrap();
    assert!(csv.contains("1,Chi bộ Tổ dân phố số 5,1,1,1,1,0,0"), "{csv}");
    let xlsx = officer.get(&format!("{path}.xlsx")).await.expect(200);
    assert!(xlsx.bytes.starts_with(b"PK"));
    let page = String::from_utf8(officer.get(&format!("{path}.html")).await.expect(200).bytes).unwrap();
    assert!(page.contains("Đã chốt: 1/1 chi bộ"), "{page}");
    assert_eq!(world.audit_count("closings.exported").await, 3);
    secretary.get(&format!("{path}.csv")).await.expect(403);
    assert_eq!(world.audit_count("closings.exported").await, 3);
}
