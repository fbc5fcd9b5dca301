//! Batched lists and profiles: each answer must come back to its own request.

use chrono::Duration;
use diesel::ExpressionMethods;
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};
use futures_util::future::join_all;
use serde_json::{Value, json};
use sotay::kernel::db::Conn;
use sotay::kernel::db::schema::{notifications, reading_sessions};
use sotay::kernel::ids::new_id;
use sotay::kernel::security::access::Role;
use sotay::points::{Deed, award};

use super::*;
use crate::support::database_url_as;

/// A member with so many entries and notifications; those of the cell with an odd number have read the first of its two
/// documents.
struct One {
    actor: Actor,
    number: usize,
    of_other_cell: bool,
}

async fn tell(world: &World, account: Uuid, times: usize) {
    let now = world.app.state.clock.now();
    let mut conn = world.app.state.db.conn().await.unwrap();
    for _ in 0..times {
        let row = (
            notifications::id.eq(new_id(now)),
            notifications::account_id.eq(account),
            notifications::kind.eq("new_device"),
            notifications::details.eq(json!({"device_name": account})),
            notifications::created_at.eq(now),
        );
        diesel::insert_into(notifications::table).values(row).execute(&mut *conn).await.unwrap();
    }
}

async fn has_read(world: &World, member: Uuid, document: &str) {
    let now = world.app.state.clock.now();
    let row = (
        reading_sessions::id.eq(new_id(now)),
        reading_sessions::member_id.eq(member),
        reading_sessions::document_id.eq(document.parse::<Uuid>().unwrap()),
        reading_sessions::document_version.eq(1),
        reading_sessions::required_seconds.eq(60),
        reading_sessions::started_at.eq(now),
        reading_sessions::last_beat_at.eq(now),
        reading_sessions::expires_at.eq(now + Duration::hours(1)),
        reading_sessions::completed_at.eq(now),
    );
    let mut conn = world.app.state.db.conn().await.unwrap();
    diesel::insert_into(reading_sessions::table).values(row).execute(&mut *conn).await.unwrap();
}

async fn earn(world: &World, member: Uuid, times: usize) {
    let now = world.app.state.clock.now();
    for number in 0..times {
        let object_id = format!("{member}-{number}");
        let deed = Deed { event: "meeting.attended", object_kind: "meeting", object_id, ..Deed::default() };
        world.app.state.db.transaction(async |conn| award(conn, member, &deed, now).await).await.unwrap();
    }
}

fn all<'a>(list: &'a Value, pointer: &str) -> Vec<&'a Value> {
    list["items"].as_array().unwrap().iter().map(|item| item.pointer(pointer).unwrap()).collect()
}

impl One {
    fn has_read_one(&self) -> bool {
        !self.of_other_cell && self.number % 2 == 1
    }

    async fn asks_for_everything(&self) {
        let Self { actor, number, of_other_cell } = self;
        let (id, number) = (actor.id.to_string(), *number);
        let [me, entries, notifications, documents] =
            ["/v1/me", "/v1/me/points/entries?limit=200", "/v1/me/notifications?limit=200", "/v1/documents?limit=200"];
        let unread = format!("{documents}&unread=true");
        let paths = [me, entries, notifications, documents, &unread];
        let replies = join_all(paths.map(|path| actor.get(path))).await;
        let [me, entries, notifications, documents, unread] =
            replies.into_iter().map(|reply| reply.expect(200).body).collect::<Vec<_>>().try_into().unwrap();
        assert_eq!((&me["id"], &me["unread_notifications"]), (&json!(id), &json!(number)), "{me}");
        assert_eq!(me["full_name"], format!("Lê Văn Bảy {number}"));
        let objects = all(&entries, "/object/id");
        assert_eq!(objects.len(), number);
        assert!(objects.iter().all(|object| object.as_str().unwrap().starts_with(&id)), "{entries}");
        let (announced, devices): (Vec<_>, Vec<_>) =
            all(&notifications, "/device_name").into_iter().partition(|device| device.is_null());
        assert_eq!(devices, vec![&json!(id); number]);
        assert!(announced.len() <= 2, "{notifications}");
        let titles = all(&documents, "/title");
        assert_eq!(titles.len(), if *of_other_cell { 1 } else { 2 }, "{documents}");
        let left = documents["items"].as_array().unwrap().iter().filter(|item| item["read"] == false).count();
        assert_eq!(left, titles.len() - usize::from(self.has_read_one()), "{documents}");
        assert_eq!(all(&unread, "/title").len(), left, "{unread}");
        // Each asks for pages of another size.
        if number > 1 {
            let page = actor.get(&format!("/v1/me/points/entries?limit={}", number - 1)).await.expect(200).body;
            assert_eq!(all(&page, "/object/id"), objects[..number - 1]);
            let cursor = page["next_cursor"].as_str().unwrap();
            let rest = actor.get(&format!("/v1/me/points/entries?cursor={cursor}")).await.expect(200).body;
            assert_eq!(all(&rest, "/object/id"), objects[number - 1..]);
        }
    }
}

#[actix_web::test]
async fn whoever_asks_at_once_gets_their_own() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let first = published(&world, &officer, json!({})).await;
    published(&world, &officer, json!({"symbol": "99-KH/ĐU"})).await;
    let officer = world.officer(world.cell, Role::PropagandaOfficer, world.other_ward).await;
    let path = format!("/v1/units/{}/documents", world.other_ward);
    let elsewhere = officer.post(&path, &draft()).await.expect(201).id();
    publish(&officer, &elsewhere, &[world.other_cell]).await.expect(200);
    let mut people = Vec::new();
    for number in 0..9 {
        let of_other_cell = number % 4 == 0;
        let cell = if of_other_cell { world.other_cell } else { world.cell };
        let actor = world.member_of(cell, &format!("Lê Văn Bảy {number}")).await;
        tell(&world, actor.id, number).await;
        earn(&world, actor.id, number).await;
        let one = One { actor, number, of_other_cell };
        if one.has_read_one() {
            has_read(&world, one.actor.id, &first).await;
        }
        people.push(one);
    }
    let (gone, administrator) = (world.member().await, world.administrator().await);
    gone.delete("/v1/auth/sessions/current").await.expect(204);
    let others = async {
        for path in ["/v1/me", "/v1/me/points/entries", "/v1/me/notifications", "/v1/documents"] {
            assert_eq!(gone.get(path).await.status, 401, "{path}");
            let for_members = path.contains("entries") || path.contains("documents");
            let expected = if for_members { 403 } else { 200 };
            assert_eq!(administrator.get(path).await.status, expected, "{path}");
        }
    };
    tokio::join!(join_all(people.iter().map(One::asks_for_everything)), others);
}

/// Makes reading a text last as long as a session holds the lock 1.
const SLOW_TEXTS: &str = "ALTER TABLE document_search RENAME TO stored_search;
    CREATE FUNCTION looked_into(words tsvector) RETURNS tsvector STABLE LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN words; END $$;
    CREATE VIEW document_search AS SELECT document_id, published_at, reach, symbol, head, looked_into(words) AS words
        FROM stored_search;
    GRANT SELECT ON document_search TO sotay_app;
    SELECT pg_advisory_lock(1)";

#[actix_web::test]
async fn nobodys_list_waits_for_a_search() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    published(&world, &officer, json!({})).await;
    let mut owner = Conn::establish(&database_url_as(&world.app, "sotay_owner")).await.unwrap();
    owner.batch_execute(SLOW_TEXTS).await.unwrap();
    let searches = join_all((0..8).map(|_| member.get("/v1/documents?q=chuyen%20de")));
    let list = async {
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        let list = tokio::time::timeout(std::time::Duration::from_secs(4), member.get("/v1/documents")).await;
        owner.batch_execute("SELECT pg_advisory_unlock(1)").await.unwrap();
        list.expect("the list waits for searches")
    };
    let (found, list) = tokio::join!(searches, list);
    let list = list.expect(200).body;
    assert_eq!(all(&list, "/symbol"), ["98-KH/ĐU"]);
    for search in found {
        assert_eq!(all(&search.expect(200).body, "/symbol"), ["98-KH/ĐU"]);
    }
}
