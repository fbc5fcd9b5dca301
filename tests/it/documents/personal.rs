//! Bookmarks and private notes.

use serde_json::json;

use super::{published, recall};
use crate::support::{Actor, World};

async fn bookmarks(member: &Actor) -> Vec<String> {
    let page = member.get("/v1/me/bookmarks").await.expect(200);
    page.body["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn bookmarks_are_set_and_taken_away() {
    let world = World::new().await;
    let (officer, member, other) = (world.propaganda_officer().await, world.member().await, world.member().await);
    let (one, two) = (
        published(&world, &officer, json!({"title": "Một"})).await,
        published(&world, &officer, json!({"title": "Hai"})).await,
    );
    for id in [&one, &two, &one] {
        world.app.advance(1);
        member.request("PUT", &format!("/v1/me/bookmarks/{id}")).json(&json!({})).send().await.expect(200);
    }
    assert_eq!(bookmarks(&member).await, ["Hai", "Một"], "setting it again changes nothing");
    assert_eq!(bookmarks(&other).await, Vec::<String>::new());
    let listed = member.get("/v1/documents").await.expect(200).body;
    assert_eq!(listed["items"][0]["bookmarked"], true);
    for _ in 0..2 {
        member.delete(&format!("/v1/me/bookmarks/{two}")).await.expect(200);
    }
    assert_eq!(bookmarks(&member).await, ["Một"]);
    recall(&officer, &one).await.expect(200);
    assert_eq!(bookmarks(&member).await, Vec::<String>::new());
    let outsider = world.outsider().await;
    assert_eq!(outsider.request("PUT", &format!("/v1/me/bookmarks/{one}")).json(&json!({})).send().await.status, 404);
}

#[actix_web::test]
async fn a_note_is_the_members_own_and_never_lost_unseen() {
    let world = World::new().await;
    let (officer, member, other) = (world.propaganda_officer().await, world.member().await, world.member().await);
    let id = published(&world, &officer, json!({})).await;
    let path = format!("/v1/documents/{id}/note");
    let empty = member.get(&path).await.expect(200);
    assert_eq!((&empty.body["text"], &empty.body["changed_at"]), (&json!(""), &json!(null)));
    let tag = empty.header("etag").to_owned();
    let put = async |text: &str, tag: Option<&str>| {
        let request = member.request("PUT", &path);
        let request = match tag {
            Some(tag) => request.header("If-Match", tag),
            None => request,
        };
        request.json(&json!({"text": text})).send().await
    };
    put("Hỏi về Điều 2", Some(&tag)).await.expect(200);
    let stale = put("Khác", Some(&tag)).await.expect(412);
    assert_eq!((stale.code(), &stale.body["current"]), ("precondition_failed", &json!("Hỏi về Điều 2")));
    put("Cuối cùng", None).await.expect(200);
    assert_eq!(member.get(&path).await.expect(200).body["text"], "Cuối cùng");
    assert_eq!(other.get(&path).await.expect(200).body["text"], "");
    assert_eq!(world.outsider().await.get(&path).await.status, 404);
    assert_eq!(officer.get(&path).await.status, 404, "an officer whom it does not reach has no note");
    assert_eq!(put(&"x".repeat(10_001), None).await.status, 400);
    recall(&officer, &id).await.expect(200);
    assert_eq!(member.get(&path).await.status, 404);
}
