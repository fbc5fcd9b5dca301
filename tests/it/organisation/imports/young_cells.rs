//! Rosters of an earlier day than that on which their cell was made.

use serde_json::json;
use sotay::kernel::security::access::Role;

use super::{AN, BINH, send, titled};
use crate::organisation::count;
use crate::support::{World, confirm_waiting};

#[actix_web::test]
async fn nothing_of_a_roster_begins_before_its_cell() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let new = json!({"name": "Chi bộ mới lập", "kind": "cell", "parent_id": world.ward});
    let cell: uuid::Uuid = officer.post("/v1/units", &new).await.expect(201).id().parse().unwrap();
    let dated = titled("Danh sách tính đến ngày 01/10/2026", &[AN, BINH]);
    let reply = send(&officer, &format!("unit_id={cell}&dry_run=false"), dated).await.expect(200).body;
    assert_eq!((&reply["as_of"], &reply["added"]), (&json!("2026-11-20"), &json!(2)));
    assert_eq!(
        count(&world.app, &format!("memberships WHERE unit_id = '{cell}' AND valid_from = '2026-11-20'")).await,
        2
    );
    assert_eq!(confirm_waiting(&world.committee_officer().await, cell, "exemption").await, 1);
    assert_eq!(count(&world.app, "exemptions WHERE valid_from = '2026-11-20'").await, 1);

    let listed = officer.get(&format!("/v1/units/{cell}/members")).await.expect(200).body;
    let ids: Vec<uuid::Uuid> =
        listed["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().parse().unwrap()).collect();
    world.grant(ids[0], Role::CellSecretary, Some(cell)).await;
    let (secretary, member) = (world.sign_in(ids[0]).await, world.sign_in(ids[1]).await);
    for day in ["2026-11-19", "2026-10-05"] {
        let list = json!({"unit_id": cell, "kind": "meeting_attended", "day": day, "subject": "Sinh hoạt",
            "member_ids": [member.id]});
        let refused = secretary.post("/v1/attestations", &list).await.expect(422);
        let fault = &refused.body["errors"][0];
        assert_eq!((&fault["pointer"], &fault["code"]), (&json!("/day"), &json!("before_unit")));
    }
    let year = member.get("/v1/me/points/trend").await.expect(200).body;
    assert_eq!(year["items"].as_array().unwrap().len(), 11);
    assert_eq!((&year["items"][9]["threshold"], &year["items"][10]["threshold"]), (&json!(null), &json!(11)));
    for period in ["2026-10", "2026-11"] {
        officer.get(&format!("/v1/units/{cell}")).await.expect(200);
        secretary.get(&format!("/v1/units/{cell}/points?period={period}")).await.expect(200);
        member.get(&format!("/v1/me/points?period={period}")).await.expect(200);
        member.get(&format!("/v1/leaderboards/members?period={period}")).await.expect(200);
    }
    secretary.get(&format!("/v1/units/{cell}/points/trend")).await.expect(200);
    assert_eq!(crate::verify::ledger_differs(&world).await, Vec::<String>::new());
}
