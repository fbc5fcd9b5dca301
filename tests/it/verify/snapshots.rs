//! Snapshots of closed months: a row changed, removed or added is named, with or without its hash.

use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use serde_json::json;
use sotay::points;

use super::{after, lines};
use crate::closings::{IN_TIME, close, closings};
use crate::support::{Actor, World, database_url_as};

/// A cell of two, one of whom has eight points, whose month is closed.
async fn closed() -> (World, Actor, Actor) {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    world.credit(member.id).await;
    world.app.set_time(IN_TIME);
    close(&secretary, world.cell).await.expect(200);
    assert_eq!(lines(&world).await, Vec::<String>::new());
    (world, secretary, member)
}

#[track_caller]
fn names(found: &[String], named: &[&str]) {
    for named in named {
        assert!(found.iter().any(|line| line.contains(named)), "{named}: {found:?}");
    }
}

const HASH_ANEW: &str = "UPDATE closing_rows SET hash = sha256(convert_to(content, 'UTF8'))";

#[actix_web::test]
async fn a_row_that_was_changed_is_named() {
    let (world, ..) = closed().await;
    let nine = "UPDATE closing_rows SET content = replace(content, '\"points\":8', '\"points\":9') WHERE position = 1";
    let listed = "row 1: not the row that the manifest lists";
    names(
        &after(&world, "closing_rows", nine).await,
        &["row 1: not what was hashed", "row 1: place, member or points"],
    );
    let hidden = format!("{nine}; {HASH_ANEW}; UPDATE closing_rows SET points = 9 WHERE position = 1");
    let said = "the ledger says 8 by [{\"rule\":\"meeting_attended\",\"points\":8}], the closing 9 by";
    let found = after(&world, "closing_rows", &hidden).await;
    names(&found, &[listed, said]);
    assert!(!found.iter().any(|line| line.contains("not what was hashed")), "{found:?}");
    let column = "UPDATE closing_rows SET points = 9 WHERE position = 1";
    names(&after(&world, "closing_rows", column).await, &["row 1: place, member or points", "the closing 9 by"]);
    let rule = "UPDATE closing_rows SET content = replace(content, 'meeting_attended', 'quiz_passed')";
    let said = "the closing 8 by [{\"rule\":\"quiz_passed\",\"points\":8}]";
    names(&after(&world, "closing_rows", &format!("{rule}; {HASH_ANEW}")).await, &[listed, said]);
    let rubbish = format!("UPDATE closing_rows SET content = 'x'; {HASH_ANEW}");
    names(&after(&world, "closing_rows", &rubbish).await, &[listed, "row 2: place, member or points"]);
    assert_eq!(lines(&world).await, Vec::<String>::new());
}

#[actix_web::test]
async fn a_row_that_is_missing_or_was_added_is_named() {
    let (world, ..) = closed().await;
    let gone = "DELETE FROM closing_rows WHERE position = 2";
    names(&after(&world, "closing_rows", gone).await, &["row 2: missing"]);
    let more = "INSERT INTO closing_rows SELECT closing_id, n, member_id, points, content, hash
        FROM closing_rows, generate_series(3, 107) n WHERE position = 1";
    let found = after(&world, "closing_rows", more).await;
    names(&found, &["row 3: not in the manifest", "row 102: not in the manifest", "… and 5 more"]);
    assert!(!found.iter().any(|line| line.contains("row 103: not in the manifest")), "{found:?}");
}

#[actix_web::test]
async fn a_closing_that_was_changed_is_named() {
    let (world, ..) = closed().await;
    for (damage, named) in [
        ("UPDATE closings SET met = met + 1", "its figures are not those of the manifest"),
        ("UPDATE closings SET closed_at = closed_at + interval '1 day'", "its figures are not those of the manifest"),
        (
            "UPDATE closings SET manifest = replace(manifest, '\"met\":0', '\"met\":1')",
            "the manifest is not what was hashed",
        ),
        ("UPDATE closings SET manifest = 'x'", "row 1: not in the manifest"),
    ] {
        names(&after(&world, "closings", damage).await, &[named]);
    }
    let entry = after(&world, "point_entries", "UPDATE point_entries SET points = 7").await;
    names(&entry, &["the ledger says 7 by [{\"rule\":\"meeting_attended\",\"points\":7}], the closing 8 by"]);
}

#[actix_web::test]
async fn each_generation_is_what_the_ledger_said_then() {
    let (world, secretary, member) = closed().await;
    let officer = world.committee_officer().await;
    world.app.set_time("2026-12-04T09:00:00+07:00");
    world.late_award(member.id, &["meeting.thematic_attended"]).await;
    world.app.set_time("2026-12-05T09:00:00+07:00");
    let reopening = format!("{}/2026-11/reopening", closings(world.cell));
    officer.post(&reopening, &json!({"reason": "Thiếu danh sách"})).await.expect(201);
    assert_eq!(lines(&world).await, Vec::<String>::new(), "what came late is not in the first closing");
    world.app.set_time("2026-12-06T09:00:00+07:00");
    world.late_award(member.id, &["opinion.accepted"]).await;
    assert_eq!(lines(&world).await, Vec::<String>::new(), "nor what came when it was reopened");
    world.app.set_time("2026-12-07T09:00:00+07:00");
    close(&secretary, world.cell).await.expect(200);
    world.app.set_time("2026-12-08T09:00:00+07:00");
    world.late_award(member.id, &["opinion.accepted"]).await;
    assert_eq!(lines(&world).await, Vec::<String>::new(), "the second has all but what came after it");
    let found = after(&world, "closing_rows", "UPDATE closing_rows SET points = 99 WHERE position = 1").await;
    names(&found, &["the ledger says 8 by", "the ledger says 15 by"]);
    let former = "UPDATE closings SET manifest_hash = '\\x00' WHERE generation = 1";
    names(&after(&world, "closings", former).await, &["its figures are not those of the manifest"]);
}

#[actix_web::test]
async fn a_closed_month_that_lost_its_mark_gets_it_back() {
    let (world, secretary, member) = closed().await;
    let mut owner = AsyncPgConnection::establish(&database_url_as(&world.app, "sotay_owner")).await.unwrap();
    owner.batch_execute("DELETE FROM member_months").await.unwrap();
    let found = lines(&world).await;
    for actor in [&secretary, &member] {
        names(&found, &[&format!("member {}, month 2026-11: closed at", actor.id)]);
    }
    let repaired = points::repair(&mut world.app.state.db.conn().await.unwrap(), |_| {}).await.unwrap();
    assert_eq!((repaired.months, repaired.closed), (1, 2));
    while sotay::jobs::project(&world.app.state).await.unwrap() {}
    assert_eq!(lines(&world).await, Vec::<String>::new());
    world.late_award(member.id, &["opinion.accepted"]).await;
    let month = member.get("/v1/me/points?period=2026-11").await.expect(200).body;
    assert_eq!((&month["points"], &month["closed"]["points"]), (&json!(10), &json!(8)), "what comes later is late");
    assert_eq!(lines(&world).await, Vec::<String>::new());
}
