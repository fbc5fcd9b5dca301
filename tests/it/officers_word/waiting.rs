//! Notifications of waiting matters go to the nearest officers who may decide, and no one else.

use serde_json::{Value, json};
use sotay::kernel::security::access::Role;
use uuid::Uuid;

use super::Office;
use crate::support::Actor;

const MEETING: &str = "meeting_attended";

impl Office {
    /// The accounts that were notified, in the order of what happened; several at a time by id.
    pub async fn called(&self, kind: &str) -> Vec<Uuid> {
        let query = format!(
            "SELECT payload ->> 'account_id' AS id FROM outbox WHERE topic = 'notify.{kind}'
             ORDER BY created_at, payload ->> 'account_id'"
        );
        let rows = self.rows(&query).await;
        rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().parse().unwrap()).collect()
    }

    /// Delivers all notifications so far; the program's own loop may do so too.
    async fn settle(&self) {
        while self.rows("SELECT 1 FROM outbox WHERE done_at IS NULL").await != json!([]) {
            sotay::jobs::deliver(&self.world.app.state).await.unwrap();
        }
    }

    /// Titles, in Vietnamese, and units of an actor's notifications of a kind.
    async fn read(&self, actor: &Actor, kind: &str) -> Vec<(Value, Value)> {
        self.told(actor, kind).await;
        let list = actor.get("/v1/me/notifications").await.expect(200).body;
        let items = list["items"].as_array().unwrap().iter().filter(|item| item["kind"] == kind);
        items.map(|item| (item["title"].clone(), item["unit_id"].clone())).collect()
    }
}

#[actix_web::test]
async fn a_list_calls_the_nearest_who_may_confirm_it() {
    let office = Office::new().await;
    let (secretary, deputy, member) = (&office.secretary, &office.deputy, &office.member);
    let world = &office.world;
    // An officer of another cell, one who only records, an office that has ended, and an account that is switched off.
    world.officer(world.sibling, Role::CellSecretary, world.sibling).await;
    world.officer(world.cell, Role::MinuteTaker, world.cell).await;
    let former = world.officer(world.cell, Role::CellCommitteeMember, world.cell).await;
    let ended = format!("UPDATE grants SET valid_to = '2026-11-20' WHERE account_id = '{}'", former.id);
    office.execute(&ended).await;
    let gone = world.officer(world.cell, Role::CellCommitteeMember, world.cell).await;
    office.execute(&format!("UPDATE accounts SET disabled_at = now() WHERE id = '{}'", gone.id)).await;
    // Two roles on one cell are one call.
    world.grant(deputy.id, Role::CellCommitteeMember, Some(world.cell)).await;
    office.record(secretary, MEETING, "2026-11-05", &[member.id]).await;
    assert_eq!(office.called("decision_waiting").await, [deputy.id]);
    let title = json!("Có việc chờ đồng chí quyết định");
    assert_eq!(office.read(deputy, "decision_waiting").await, [(title, json!(world.cell))]);
    world.app.advance(1);
    office.record(deputy, MEETING, "2026-11-05", &[member.id]).await;
    assert_eq!(office.called("decision_waiting").await, [deputy.id, secretary.id]);
    // With both of them on the list or its author, it is for the officer above.
    world.app.advance(1);
    office.record(secretary, MEETING, "2026-11-05", &[member.id, deputy.id]).await;
    assert_eq!(office.called("decision_waiting").await, [deputy.id, secretary.id, office.above.id]);
    world.app.advance(1);
    office.execute(&format!("UPDATE grants SET revoked_at = now() WHERE account_id = '{}'", deputy.id)).await;
    office.record(secretary, MEETING, "2026-11-05", &[member.id]).await;
    assert_eq!(office.called("decision_waiting").await[3..], [office.above.id]);
}

#[actix_web::test]
async fn a_proposal_and_an_appeal_call_whoever_may_decide() {
    let office = Office::new().await;
    let (secretary, deputy, member) = (&office.secretary, &office.deputy, &office.member);
    office.propose(secretary, member, json!({"period": "2026-11", "points": 3})).await;
    assert_eq!(office.called("decision_waiting").await, [deputy.id]);
    office.world.app.advance(1);
    office.propose(secretary, deputy, json!({"period": "2026-11", "points": 3})).await;
    assert_eq!(office.called("decision_waiting").await, [deputy.id, office.above.id]);
    office.appeal(member).await;
    let mut both = [secretary.id, deputy.id];
    both.sort();
    assert_eq!(office.called("appeal_waiting").await, both);
    office.world.app.advance(1);
    office.appeal(secretary).await;
    assert_eq!(office.called("appeal_waiting").await[2..], [deputy.id]);
    // Refused requests notified no one.
    member.post("/v1/me/appeals", &json!({"kind": "wrong", "period": "2026-11", "text": "Sai."})).await.expect(422);
    assert_eq!(office.called("appeal_waiting").await.len(), 3);
}

#[actix_web::test]
async fn whoever_has_not_read_that_something_waits_is_not_told_again() {
    let office = Office::new().await;
    let (secretary, deputy, member) = (&office.secretary, &office.deputy, &office.member);
    for _ in 0..3 {
        let list = office.record(secretary, MEETING, "2026-11-05", &[member.id]).await;
        secretary.post(&format!("/v1/attestations/{list}/withdrawal"), &json!({})).await.expect(200);
        office.settle().await;
        assert_eq!(office.read(deputy, "decision_waiting").await.len(), 1);
    }
    assert_eq!(office.called("decision_waiting").await, [deputy.id; 3]);
    // Whatever else waits in the cell is in the same list; after this was read, another one is news.
    office.propose(secretary, member, json!({"period": "2026-11", "points": 3})).await;
    office.settle().await;
    assert_eq!(office.read(deputy, "decision_waiting").await.len(), 1);
    let list = deputy.get("/v1/me/notifications").await.expect(200).body;
    for item in list["items"].as_array().unwrap() {
        let read = format!("/v1/me/notifications/{}/read", item["id"].as_str().unwrap());
        deputy.post(&read, &json!({})).await.expect(200);
    }
    office.record(secretary, MEETING, "2026-11-05", &[member.id]).await;
    office.settle().await;
    assert_eq!(office.read(deputy, "decision_waiting").await.len(), 2);
}

#[actix_web::test]
async fn where_nobody_has_ever_signed_in_the_next_one_above_is_called_too() {
    let office = Office::new().await;
    let (secretary, deputy, member) = (&office.secretary, &office.deputy, &office.member);
    let province = office.world.officer(office.world.other_cell, Role::CommitteeOfficer, office.world.province).await;
    office.execute(&format!("DELETE FROM sessions WHERE account_id = '{}'", deputy.id)).await;
    office.record(secretary, MEETING, "2026-11-05", &[member.id]).await;
    let mut both = [deputy.id, office.above.id];
    both.sort();
    assert_eq!(office.called("decision_waiting").await, both);
    // No officer with a session: all of them, for the first to come.
    office.world.app.advance(1);
    office.execute(&format!("DELETE FROM sessions WHERE account_id <> '{}'", secretary.id)).await;
    office.record(secretary, MEETING, "2026-11-05", &[member.id]).await;
    let mut all = [deputy.id, office.above.id, province.id];
    all.sort();
    assert_eq!(office.called("decision_waiting").await[2..], all);
}
