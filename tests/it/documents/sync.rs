//! What a phone gets when it synchronises.

use diesel_async::RunQueryDsl;
use serde_json::{Value, json};

use super::{acknowledge, change, published, read, recall};
use crate::quizzes;
use crate::support::{Actor, World};

async fn sync(phone: &Actor, cursor: Option<&str>) -> Value {
    let path = cursor.map_or("/v1/sync".to_owned(), |cursor| format!("/v1/sync?cursor={cursor}"));
    phone.get(&path).await.expect(200).body
}

/// Synchronises to the end. Returns the documents, what is removed, and the cursor.
async fn whole(phone: &Actor, cursor: Option<&str>) -> (Vec<Value>, Vec<Value>, String) {
    let (mut documents, mut removed, mut cursor) = (Vec::new(), Vec::new(), cursor.map(str::to_owned));
    loop {
        let answer = sync(phone, cursor.as_deref()).await;
        documents.extend(answer["documents"].as_array().unwrap().clone());
        removed.extend(answer["removed"].as_array().unwrap().clone());
        cursor = Some(answer["next_cursor"].as_str().unwrap().to_owned());
        if answer["more"] == false {
            return (documents, removed, cursor.unwrap());
        }
    }
}

/// Synchronises until nothing comes twice any more: transactions of other tests, open in the same cluster, hold the horizon back.
async fn settled(phone: &Actor, cursor: &str) -> String {
    let mut cursor = cursor.to_owned();
    for _ in 0..600 {
        let answer = sync(phone, Some(&cursor)).await;
        cursor = answer["next_cursor"].as_str().unwrap().to_owned();
        if ["documents", "quizzes", "removed"].iter().all(|part| answer[part] == json!([])) {
            return cursor;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the same changes come again and again");
}

fn ids(items: &[Value]) -> Vec<String> {
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// Waits until what publications caused is done: a pass begins at the oldest open transaction, and would tell things twice.
async fn quiet(world: &World) {
    for _ in 0..400 {
        while sotay::jobs::deliver(&world.app.state).await.unwrap() > 0 {}
        let mut conn = world.app.state.db.conn().await.unwrap();
        let open = diesel::sql_query("SELECT FROM outbox WHERE done_at IS NULL").execute(&mut *conn).await.unwrap();
        if open == 0 {
            return;
        }
        drop(conn);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("events are left");
}

#[actix_web::test]
async fn a_phone_learns_of_everything_and_then_of_changes_only() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let one = published(&world, &officer, json!({"title": "Một"})).await;
    quiet(&world).await;
    let (documents, removed, cursor) = whole(&member, None).await;
    assert_eq!((ids(&documents), removed), (vec![one.clone()], vec![]));
    let cursor = settled(&member, &cursor).await;

    let two = published(&world, &officer, json!({"title": "Hai"})).await;
    change(&officer, &one, &json!({"title": "Một, sửa"})).await.expect(200);
    quiet(&world).await;
    let (documents, _, cursor) = whole(&member, Some(&cursor)).await;
    let mut found = ids(&documents);
    found.sort();
    let mut expected = vec![one.clone(), two.clone()];
    expected.sort();
    assert_eq!(found, expected);

    let cursor = settled(&member, &cursor).await;
    recall(&officer, &one).await.expect(200);
    quiet(&world).await;
    let (documents, removed, cursor) = whole(&member, Some(&cursor)).await;
    assert_eq!((ids(&documents), removed), (vec![], vec![json!({"kind": "document", "id": one})]));
    settled(&member, &cursor).await;
    let (documents, removed, _) = whole(&member, None).await;
    assert_eq!((ids(&documents), removed), (vec![two], vec![]));
}

#[actix_web::test]
async fn what_one_phone_does_another_learns() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = published(&world, &officer, json!({"must_read_by": "2026-11-30"})).await;
    let (_, _, cursor) = whole(&member, None).await;
    member.request("PUT", &format!("/v1/me/bookmarks/{id}")).json(&json!({})).send().await.expect(200);
    let note = member.request("PUT", &format!("/v1/documents/{id}/note"));
    note.json(&json!({"text": "Hỏi lại"})).send().await.expect(200);
    read(&world, &member, &id).await;
    acknowledge(&member, &id).await.expect(200);
    let (documents, _, _) = whole(&member, Some(&cursor)).await;
    let seen = &documents[0];
    assert_eq!(
        (&seen["bookmarked"], &seen["note"], &seen["read"], &seen["acknowledged"]),
        (&json!(true), &json!("Hỏi lại"), &json!(true), &json!(true))
    );
    let answer = sync(&member, None).await;
    assert_eq!(answer["month"]["points"], 4);
}

#[actix_web::test]
async fn notifications_come_too_and_their_reading() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = published(&world, &officer, json!({})).await;
    member.get(&format!("/v1/documents/{id}")).await.expect(200);
    let (_, _, cursor) = whole(&member, None).await;
    officer.post(&format!("/v1/documents/{id}/versions"), &json!({"note": "Sửa", "text": "Mới"})).await.expect(201);
    super::publish(&officer, &id, &[]).await.expect(200);
    while sotay::jobs::deliver(&world.app.state).await.unwrap() > 0 {}
    let answer = sync(&member, Some(&cursor)).await;
    assert_eq!(answer["notifications"][0]["kind"], "document_version");
    let notification = answer["notifications"][0]["id"].as_str().unwrap();
    let (_, _, cursor) = whole(&member, Some(&cursor)).await;
    member.post(&format!("/v1/me/notifications/{notification}/read"), &json!({})).await.expect(200);
    let answer = sync(&member, Some(&cursor)).await;
    assert!(answer["notifications"][0]["read_at"].is_string());
}

#[actix_web::test]
async fn what_commits_late_is_not_missed() {
    use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let late = published(&world, &officer, json!({"title": "Muộn"})).await;
    let (_, _, cursor) = whole(&member, None).await;
    let cursor = settled(&member, &cursor).await;
    // A slow transaction changes a document; quicker ones commit and are seen meanwhile.
    let url = crate::support::database_url_as(&world.app, "sotay_owner");
    let mut slow = AsyncPgConnection::establish(&url).await.unwrap();
    slow.batch_execute("BEGIN").await.unwrap();
    let touch =
        format!("UPDATE document_feed SET xid = pg_current_xact_id()::text::bigint WHERE document_id = '{late}'");
    diesel::sql_query(touch).execute(&mut slow).await.unwrap();
    let quick = published(&world, &officer, json!({"title": "Nhanh"})).await;
    let (documents, _, cursor) = whole(&member, Some(&cursor)).await;
    assert_eq!(ids(&documents), [quick]);
    slow.batch_execute("COMMIT").await.unwrap();
    let (documents, _, _) = whole(&member, Some(&cursor)).await;
    assert!(ids(&documents).contains(&late));
}

#[actix_web::test]
async fn quizzes_come_when_they_are_out_and_when_something_happens_to_them() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let bank = quizzes::bank(&world, &officer, 8).await;
    let draft = quizzes::write(&world, &officer, &quizzes::quiz(&world, &bank, json!({}))).await.expect(201).id();
    let first = sync(&member, None).await;
    assert_eq!(first["quizzes"], json!([]), "a draft concerns no member");
    let cursor = first["next_cursor"].as_str().unwrap();

    quizzes::publish(&officer, &draft).await.expect(200);
    let told = sync(&member, Some(cursor)).await;
    assert_eq!((&told["quizzes"][0]["id"], &told["quizzes"][0]["state"]), (&json!(draft), &json!("open")));
    let cursor = settled(&member, told["next_cursor"].as_str().unwrap()).await;

    quizzes::take(&member, &draft, 5).await;
    let told = sync(&member, Some(&cursor)).await;
    assert_eq!((&told["quizzes"][0]["passed"], &told["quizzes"][0]["attempts_left"]), (&json!(true), &json!(1)));
    let cursor = told["next_cursor"].as_str().unwrap();

    world.app.advance(2 * 86_400);
    quizzes_end(&world).await;
    let told = sync(&member, Some(cursor)).await;
    assert_eq!((&told["quizzes"][0]["state"], &told["removed"]), (&json!("closed"), &json!([])));
    let stranger = world.member_of(world.other_cell, "Phạm Văn Dũng").await;
    assert_eq!(sync(&stranger, None).await["quizzes"], json!([]));
}

/// Does what the program's loop does when windows have ended.
async fn quizzes_end(world: &World) {
    while sotay::quizzes::grade_due(&world.app.state.work, world.app.state.clock.now()).await.unwrap() {}
}

#[actix_web::test]
async fn a_quiz_that_commits_late_is_not_missed() {
    use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
    let world = World::new().await;
    let member = world.member().await;
    let late = quizzes::published(&world, json!({"title": "Muộn"})).await;
    let cursor = settled(&member, sync(&member, None).await["next_cursor"].as_str().unwrap()).await;
    // A slow transaction closes one quiz; another is published and seen meanwhile.
    let url = crate::support::database_url_as(&world.app, "sotay_owner");
    let mut slow = AsyncPgConnection::establish(&url).await.unwrap();
    slow.batch_execute("BEGIN").await.unwrap();
    let ended = format!("UPDATE quizzes SET ended_at = closes_at WHERE id = '{late}'");
    diesel::sql_query(ended).execute(&mut slow).await.unwrap();
    let quick = quizzes::published(&world, json!({"title": "Nhanh"})).await;
    let told = sync(&member, Some(&cursor)).await;
    assert_eq!(ids(told["quizzes"].as_array().unwrap()), [quick]);
    let cursor = told["next_cursor"].as_str().unwrap();

    slow.batch_execute("COMMIT").await.unwrap();

    let told = sync(&member, Some(cursor)).await;
    assert!(ids(told["quizzes"].as_array().unwrap()).contains(&late));
}

#[actix_web::test]
async fn the_profile_comes_when_it_has_changed() {
    let world = World::new().await;
    let member = world.member().await;
    let first = sync(&member, None).await;
    assert_eq!(first["profile"]["cell"]["name"], "Chi bộ Tổ dân phố số 5");
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(sync(&member, Some(cursor)).await["profile"], Value::Null);

    member.patch("/v1/me", &json!({"named_on_leaderboards": true})).await.expect(200);

    let told = sync(&member, Some(cursor)).await;
    assert_eq!(told["profile"]["named_on_leaderboards"], true);
    let cursor = told["next_cursor"].as_str().unwrap();
    assert_eq!(sync(&member, Some(cursor)).await["profile"], Value::Null);
}

#[actix_web::test]
async fn a_cursor_is_for_its_member_and_for_some_time() {
    let world = World::new().await;
    let (member, other) = (world.member().await, world.member().await);
    let (_, _, cursor) = whole(&member, None).await;
    let path = format!("/v1/sync?cursor={cursor}");
    assert_eq!(other.get(&path).await.status, 400);
    assert_eq!(member.get("/v1/sync?cursor=bm90").await.status, 400);
    assert_eq!(world.administrator().await.get("/v1/sync").await.status, 403);
    world.app.advance(91 * 86_400);
    let signed_in = world.sign_in(member.id).await;
    let old = signed_in.get(&path).await;
    assert_eq!((old.status, old.code()), (410, "sync_expired"));
}

#[actix_web::test]
async fn many_documents_come_page_by_page() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let mut expected = Vec::new();
    for number in 1..=103 {
        expected.push(
            published(&world, &officer, json!({"symbol": format!("{number}-KH/ĐU"), "text": format!("Số {number}")}))
                .await,
        );
    }
    let first = sync(&member, None).await;
    assert_eq!((first["documents"].as_array().unwrap().len(), &first["more"]), (100, &json!(true)));
    let (documents, _, _) = whole(&member, None).await;
    let mut found = ids(&documents);
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}
