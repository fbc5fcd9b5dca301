//! Phones that are told, and what their owner wants to be told of.

use serde_json::{Value, json};

use super::Scene;

/// A subscription at an address of its own.
fn subscription(number: u64) -> Value {
    json!({
        "endpoint": format!("https://push.example/send/{number}"),
        "keys": {
            "p256dh": "BLn9b-VR0ca83knDNZ32dCHGyjJp-1riX9ZTN40MqV8K_LpQmLqxC_DoHvqvFXO_nGdAB4W9dogZb_sM-uV4JbY",
            "auth": "_ordMnz7uTCmrpBTeUV4Bw",
        },
    })
}

pub async fn prepare(scene: &mut Scene<'_>) {
    match scene.operation.id.as_str() {
        "createPushSubscription" => scene.json(subscription(scene.cast.number())),
        "setNotificationPreferences" => scene.json(json!({"muted_kinds": ["points_reminder"], "quiet_hours": true})),
        _ => {}
    }
    if scene.names("subscription_id") {
        // An account has ten at most.
        scene.cast.execute("DELETE FROM push_subscriptions").await;
        let body = subscription(scene.cast.number());
        let made = scene.cast.actor("self").post("/v1/me/push-subscriptions", &body).await.expect(201);
        scene.id("subscription_id", made.id());
    }
}
