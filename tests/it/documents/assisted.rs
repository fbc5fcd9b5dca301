//! Documents read together with a helper: recorded by one officer, confirmed by another.

use serde_json::{Value, json};
use sotay::kernel::security::access::Role;

use super::{complete, on_board, published, read, recall, start};
use crate::support::{Actor, Reply, World, confirmed};

/// A cell with two officers and a member without a device.
struct Helped {
    world: World,
    publisher: Actor,
    secretary: Actor,
    deputy: Actor,
    member: Actor,
}

impl Helped {
    async fn new() -> Self {
        let world = World::new().await;
        let member = without_device(&world).await;
        Self {
            publisher: world.propaganda_officer().await,
            secretary: world.secretary().await,
            deputy: world.officer(world.cell, Role::DeputySecretary, world.cell).await,
            member,
            world,
        }
    }

    async fn record(&self, document: &str, changes: Value) -> Reply {
        let mut body = json!({"document_id": document, "day": "2026-11-20", "member_ids": [self.member.id]});
        for (field, value) in changes.as_object().unwrap() {
            body[field] = value.clone();
        }
        self.secretary.post(&format!("/v1/units/{}/assisted-readings", self.world.cell), &body).await
    }
}

async fn without_device(world: &World) -> Actor {
    use diesel_async::RunQueryDsl;
    let member = world.member().await;
    let marked = format!("UPDATE members SET without_device = true WHERE id = '{}'", member.id);
    diesel::sql_query(marked).execute(&mut *world.app.state.db.conn().await.unwrap()).await.unwrap();
    member
}

#[actix_web::test]
async fn it_counts_when_a_second_officer_has_confirmed_it() {
    let helped = Helped::new().await;
    let id = published(&helped.world, &helped.publisher, json!({})).await;

    let proposed = helped.record(&id, json!({})).await.expect(202);
    let before = on_board(&helped.world, &helped.member).await;
    let alone = format!("/v1/decisions/{}/confirmation", proposed.body["id"].as_str().unwrap());
    let alone = helped.secretary.post(&alone, &json!({})).await;
    confirmed(&helped.deputy, proposed).await;

    assert_eq!((before, alone.status, alone.code()), (0, 403, "second_officer_required"));
    assert_eq!(on_board(&helped.world, &helped.member).await, 3);
    let seen = helped.member.get("/v1/documents").await.expect(200).body;
    assert_eq!(seen["items"][0]["read"], true);
    let entries = helped.member.get("/v1/me/points/entries").await.expect(200).body;
    assert_eq!(entries["items"][0]["attested_by"], json!(helped.secretary.id));
    let readers = format!("/v1/documents/{id}/readers");
    let readers = helped.publisher.get(&readers).await.expect(200).body;
    assert_eq!(readers["items"][0]["assisted"], true);
    assert_eq!(helped.world.audit_count("document.read_together").await, 1);
}

#[actix_web::test]
async fn a_document_earns_once_whatever_way_it_is_read() {
    let helped = Helped::new().await;
    let id = published(&helped.world, &helped.publisher, json!({})).await;
    let twice = [helped.record(&id, json!({})).await, helped.record(&id, json!({})).await];
    for proposed in twice {
        confirmed(&helped.deputy, proposed).await;
    }
    assert_eq!(on_board(&helped.world, &helped.member).await, 3);

    let session = start(&helped.member, &id).await.expect(201).id();
    helped.world.app.advance(60);
    complete(&helped.member, &session).await.expect(200);

    assert_eq!(on_board(&helped.world, &helped.member).await, 3);
}

#[actix_web::test]
async fn the_cap_of_the_day_holds() {
    let helped = Helped::new().await;
    for number in 1..=3 {
        let changes = json!({"symbol": format!("{number}-KH/ĐU"), "text": format!("{number} ") + &"chữ ".repeat(250)});
        let id = published(&helped.world, &helped.publisher, changes).await;
        confirmed(&helped.deputy, helped.record(&id, json!({})).await).await;
    }
    assert_eq!(on_board(&helped.world, &helped.member).await, 6);
}

#[actix_web::test]
async fn what_was_recalled_meanwhile_is_not_confirmed() {
    let helped = Helped::new().await;
    let id = published(&helped.world, &helped.publisher, json!({})).await;
    let proposed = helped.record(&id, json!({})).await.expect(202).id();
    recall(&helped.publisher, &id).await.expect(200);

    let answer = helped.deputy.post(&format!("/v1/decisions/{proposed}/confirmation"), &json!({})).await;

    assert_eq!((answer.status, answer.code()), (409, "conflict"));
    assert_eq!(on_board(&helped.world, &helped.member).await, 0);
}

#[actix_web::test]
async fn lists_are_judged() {
    let helped = Helped::new().await;
    let world = &helped.world;
    let id = published(world, &helped.publisher, json!({})).await;
    let (with_device, outsider) = (world.member().await, world.outsider().await);
    let draft = super::write(world, &helped.publisher, &super::draft()).await;
    for (changes, status, code) in [
        (json!({"member_ids": [with_device.id]}), 422, "has_device"),
        (json!({"member_ids": [outsider.id]}), 422, "not_in_cell"),
        (json!({"member_ids": [helped.member.id, helped.member.id]}), 400, "repeated"),
        (json!({"day": "2026-11-21"}), 400, "out_of_range"),
        (json!({"day": "2026-09-30"}), 400, "out_of_range"),
        (json!({"day": "2026-11-19"}), 422, "unknown"),
        (json!({"document_id": draft}), 422, "unknown"),
        (json!({"document_id": world.cell}), 422, "unknown"),
    ] {
        let answer = helped.record(&id, changes.clone()).await;
        assert_eq!((answer.status, &answer.body["errors"][0]["code"]), (status, &json!(code)), "{changes}");
    }
    let own = helped.record(&id, json!({"member_ids": [helped.secretary.id]})).await;
    assert_eq!((own.status, own.code()), (403, "own_interest"));
}

#[actix_web::test]
async fn who_is_on_the_list_does_not_confirm_it() {
    let helped = Helped::new().await;
    let id = published(&helped.world, &helped.publisher, json!({})).await;
    helped.world.grant(helped.member.id, Role::DeputySecretary, Some(helped.world.cell)).await;
    let proposed = helped.record(&id, json!({})).await.expect(202).id();
    let answer = helped.member.post(&format!("/v1/decisions/{proposed}/confirmation"), &json!({})).await;
    assert_eq!((answer.status, answer.code()), (403, "own_interest"));
    // Read by the member's own means meanwhile, it is confirmed and earns nothing more.
    read(&helped.world, &helped.member, &id).await;
    helped.deputy.post(&format!("/v1/decisions/{proposed}/confirmation"), &json!({})).await.expect(200);
    assert_eq!(on_board(&helped.world, &helped.member).await, 3);
}
