//! Closed months: by the secretary and by themselves, late corrections, reopening, roll-ups, verification offline.

mod automatic;
mod closing;
mod exports;
mod reopening;
mod rollup;
mod tampering;

use diesel_async::RunQueryDsl;
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
            attested_by: None,
            percent: None,
        };
        self.app.state.db.transaction(async |conn| award(conn, member, &deed, now).await).await.unwrap();
    }

    /// An entry for November that comes after the month was closed.
    pub async fn late_entry(&self, member: Uuid, points: i32) {
        let mut conn = self.app.state.db.conn().await.unwrap();
        for statement in [
            format!(
                "INSERT INTO point_entries (member_id, id, kind, rule_code, rule_version, object_kind, object_id, points,
                     period, day, occurred_at, unit_id, late)
                 VALUES ('{member}', '{}', 'adjustment', 'correction', 1, 'decision', '{}', {points}, '2026-11-01',
                     '2026-11-20', '2026-12-10', '{}', true)",
                Uuid::now_v7(),
                Uuid::now_v7(),
                self.cell
            ),
            format!(
                "UPDATE member_months SET points = points + {points} WHERE member_id = '{member}' AND period = '2026-11-01'"
            ),
        ] {
            diesel::sql_query(statement).execute(&mut *conn).await.unwrap();
        }
    }

    /// Closes whatever is due by the present time. Returns how many.
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
