//! The program killed in the middle of awards: what was acknowledged is there, once.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{Actor, Program, Reply, Request, TestApp, World, sum_of_entries};

const ROUNDS: usize = 20;
const MEMBERS: usize = 12;

/// A visit with a key; none when the program died before it answered.
async fn visit(base_url: String, member: &Actor) -> Option<Reply> {
    Request::new("POST", &format!("{base_url}/v1/me/visits"))
        .token(&member.token)
        .header("Idempotency-Key", "once")
        .json(&json!({}))
        .try_send()
        .await
}

#[actix_web::test]
async fn twenty_kills_lose_nothing_and_count_nothing_twice() {
    let world = World::in_app(TestApp::on_system_clock().await).await;
    let mut acknowledged_in_all = 0;
    // How long the visits take here when nothing interrupts them.
    let mut whole = Duration::from_secs(10);
    for round in 0..ROUNDS {
        let mut members = Vec::new();
        for _ in 0..MEMBERS {
            members.push(world.member().await);
        }
        let program = Program::start(&world.app).await;
        let visits = join_all(members.iter().map(|member| visit(program.base_url.clone(), member)));
        // The first round is measured; in the others the axe falls a little later each time.
        let begun = Instant::now();
        let fraction = if round == 0 { 1.0 } else { round as f64 / ROUNDS as f64 };
        let axe = tokio::time::sleep(whole.mul_f64(fraction));
        tokio::pin!(visits);
        let early = tokio::select! {
            replies = &mut visits => Some(replies),
            () = axe => None,
        };
        program.kill();
        if round == 0 {
            whole = begun.elapsed();
        }
        // Visits under way end by themselves once the program is dead, some with an answer that was already sent.
        let replies = match early {
            Some(replies) => replies,
            None => visits.await,
        };
        let acknowledged: Vec<bool> =
            replies.iter().map(|reply| reply.as_ref().is_some_and(|reply| reply.status == 200)).collect();
        for (member, acknowledged) in members.iter().zip(&acknowledged) {
            let points = sum_of_entries(&world.app, member.id).await;
            assert!(points <= 1, "counted twice");
            assert!(!acknowledged || points == 1, "acknowledged and lost");
        }
        let again = Program::start(&world.app).await;
        for reply in join_all(members.iter().map(|member| visit(again.base_url.clone(), member))).await {
            reply.unwrap().expect(200);
        }
        again.kill();
        for member in &members {
            assert_eq!(sum_of_entries(&world.app, member.id).await, 1, "repeated with the same key");
        }
        acknowledged_in_all += acknowledged.iter().filter(|a| **a).count();
    }
    assert!(acknowledged_in_all > 0, "no kill came after an acknowledgement: the test proves nothing");
    let mut conn = world.app.state.db.conn().await.unwrap();
    assert_eq!(sotay::points::verify(&mut conn, |_, _| {}).await.unwrap(), 0);
}
