//! Webhooks against a receiver that listens on this machine.

mod addresses;
mod apps;
mod endpoints;
mod events;
mod failures;
mod replays;

use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{Bool, Timestamptz};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use sotay::{jobs, webhooks};

use crate::documents::draft_with;
use crate::support::{Actor, Received, Receiver, World};

/// An endpoint of the ward for published documents.
pub struct Hook {
    pub id: String,
    pub secret: String,
    pub receiver: Receiver,
}

impl Hook {
    pub fn path(&self, rest: &str) -> String {
        format!("/v1/webhook-endpoints/{}{rest}", self.id)
    }

    /// What the log says of the newest delivery.
    pub async fn last(&self, officer: &Actor) -> Value {
        officer.get(&self.path("/deliveries")).await.expect(200).body["items"][0].clone()
    }
}

pub async fn hook(officer: &Actor) -> Hook {
    let receiver = Receiver::start().await;
    let body = json!({"url": receiver.url, "events": ["document.published", "document.recalled"]});
    let made = officer.post("/v1/webhook-endpoints", &body).await.expect(201);
    Hook { id: made.id(), secret: made.body["secret"].as_str().unwrap().to_owned(), receiver }
}

#[derive(QueryableByName)]
struct Busy {
    #[diesel(sql_type = Bool)]
    busy: bool,
}

/// Something is due for an endpoint that may be called, or that is being called: the program's own job sends, too.
const BUSY: &str = "SELECT EXISTS (SELECT FROM webhook_deliveries d JOIN webhook_endpoints e ON e.id = d.endpoint_id
    WHERE e.paused_at IS NULL AND d.next_at <= $1 AND (e.next_at <= $1 OR e.next_at = $1 + interval '60 seconds')) AS busy";

/// Turns the outbox into deliveries, sends what is due, and waits until what came of it is recorded.
pub async fn send(world: &World) {
    let state = &world.app.state;
    while jobs::deliver(state).await.unwrap() > 0 {}
    loop {
        webhooks::deliver_due(state).await.unwrap();
        let query = diesel::sql_query(BUSY).bind::<Timestamptz, _>(state.clock.now());
        let busy: Busy = query.get_result(&mut *state.db.conn().await.unwrap()).await.unwrap();
        if !busy.busy {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Publishes a document of the ward to the cell.
pub async fn publish(world: &World, officer: &Actor) -> String {
    let path = format!("/v1/units/{}/documents", world.ward);
    let id = officer.post(&path, &draft_with(json!({}))).await.expect(201).id();
    let body = json!({"unit_ids": [world.cell], "attests_no_state_secrets": true});
    officer.post(&format!("/v1/documents/{id}/publish"), &body).await.expect(200);
    id
}

/// Whether a signature of a request is that of the secret, by the receivers' own library.
pub fn is_signed_by(request: &Received, secret: &str) -> bool {
    let (id, at) = (request.header("webhook-id"), request.header("webhook-timestamp").parse().unwrap());
    let expected = standardwebhooks::Webhook::new(secret).unwrap().sign(id, at, &request.body).unwrap();
    request.header("webhook-signature").split(' ').any(|signature| signature == expected)
}
