//! Closed months: by hand and automatic, late corrections, exemptions, reopening, verification.

mod automatic;
mod closing;
mod exemptions;
mod exports;
mod reopening;
mod rollup;
mod tampering;

use serde_json::{Value, json};
use sotay::points::{Deed, award};
use uuid::Uuid;

use crate::support::{Actor, Reply, World};

/// In the first five days of December.
pub const IN_TIME: &str = "2026-12-03T09:00:00+07:00";
/// The first instant of the sixth.
pub const TOO_LATE: &str = "2026-12-06T00:00:00+07:00";

impl World {
    /// Eight points, today.
    pub async fn credit(&self, member: Uuid) {
        let now = self.app.state.clock.now();
        let deed = Deed {
            event: "meeting.attended",
            object_kind: "meeting",
            object_id: Uuid::now_v7().to_string(),
            ..Deed::default()
        };
        self.app.state.db.transaction(async |conn| award(conn, member, &deed, now).await).await.unwrap();
    }

    /// Deeds of 20 November that officers vouch for after the month was closed.
    pub async fn late_award(&self, member: Uuid, events: &[&'static str]) {
        let now = self.app.state.clock.now();
        for event in events {
            let deed = Deed {
                event,
                object_kind: "meeting",
                object_id: Uuid::now_v7().to_string(),
                on: Some("2026-11-20".parse().unwrap()),
                ..Deed::default()
            };
            self.app.state.db.transaction(async |conn| award(conn, member, &deed, now).await).await.unwrap();
        }
    }

    /// Closes all that is due by the present time. Returns how many.
    pub async fn close_due(&self) -> usize {
        let state = &self.app.state;
        sotay::points::close_due(&state.db, &state.crypto, state.clock.now()).await.unwrap()
    }
}

pub fn closings(unit: Uuid) -> String {
    format!("/v1/units/{unit}/closings")
}

pub async fn close(actor: &Actor, unit: Uuid) -> Reply {
    actor.post(&closings(unit), &json!({"period": "2026-11"})).await
}

pub async fn rows(actor: &Actor, unit: Uuid) -> Vec<Value> {
    let reply = actor.get(&format!("{}/2026-11/rows", closings(unit))).await.expect(200);
    reply.body["items"].as_array().unwrap().clone()
}
