//! Rosters of an earlier day beside months that are closed.

use serde_json::json;

use super::{AN, BINH, import, sheet, titled, with};
use crate::closings::{IN_TIME, TOO_LATE, close};
use crate::organisation::count;
use crate::support::{World, confirm_waiting};

#[actix_web::test]
async fn what_a_sheet_says_begins_after_the_last_closed_month() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let counted = with(BINH, 9, "");
    let second = world.committee_officer().await;
    import(&secretary, &world, false, sheet(&[AN, counted])).await.expect(200);
    world.app.set_time(IN_TIME);
    close(&secretary, world.cell).await.expect(200);
    let newcomer = with(with(with(AN, 0, "Đỗ Văn Chi"), 3, "038000000003"), 4, "038170000003");
    let dated = titled("Danh sách tính đến ngày 01/11/2026", &[AN, BINH, newcomer]);
    let reply = import(&secretary, &world, false, dated.clone()).await.expect(200).body;
    assert_eq!((&reply["as_of"], &reply["exemptions_waiting"]), (&json!("2026-12-01"), &json!(1)));
    assert_eq!(confirm_waiting(&second, world.cell, "exemption").await, 1);
    assert_eq!(
        count(&world.app, "memberships WHERE valid_from = '2026-12-01'").await,
        1,
        "nobody joins a month that was signed"
    );
    assert_eq!(count(&world.app, "exemptions WHERE valid_from = '2026-12-01' AND valid_to IS NULL").await, 1);
    assert_eq!(count(&world.app, "exemptions").await, 1);
    let board = secretary.get(&format!("/v1/units/{}/points?period=2026-11", world.cell)).await.expect(200).body;
    assert_eq!(board["summary"]["counted"], 3, "November is as it was signed");
    let again = import(&secretary, &world, false, dated).await.expect(200).body;
    assert_eq!(again["exemptions_waiting"], 0);
}

#[actix_web::test]
async fn months_before_a_roster_was_imported_do_not_close_by_themselves() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let dated = titled("Danh sách tính đến ngày 01/01/2026", &[AN, BINH]);
    let reply = import(&officer, &world, false, dated).await.expect(200).body;
    assert_eq!((&reply["as_of"], &reply["added"]), (&json!("2026-01-01"), &json!(2)));
    let closed = format!("closings WHERE unit_id = '{}'", world.cell);
    // The officer's own cell has been in the system for longer.
    assert_eq!(world.close_due().await, 12);
    assert_eq!(count(&world.app, &closed).await, 0);
    world.app.set_time(TOO_LATE);
    assert_eq!(world.close_due().await, 2);
    assert_eq!(count(&world.app, &format!("{closed} AND period = '2026-11-01'")).await, 1);
    assert_eq!(count(&world.app, &closed).await, 1);
}
