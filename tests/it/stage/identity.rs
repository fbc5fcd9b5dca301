//! Sign-ins, slips, sessions and notifications of the caller's own.

use serde_json::json;
use uuid::Uuid;

use super::Scene;
use crate::decisions::confirm;
use crate::identity::support::{BIRTH, PASSWORD, active, give_password, person, sign_in, text};
use sotay::kernel::security::access::Role;

const NEW_PASSWORD: &str = "đò xuôi bến cũ";

pub async fn prepare(scene: &mut Scene<'_>) {
    let world = &scene.cast.world;
    match scene.operation.id.as_str() {
        "activate" => activation(scene).await,
        "createSession" => {
            let person = active(world).await;
            scene.json(json!({"login": person.citizen_id, "password": PASSWORD, "device_name": "Máy thử"}));
        }
        "refreshSession" => {
            let person = active(world).await;
            let tokens = sign_in(&world.app, &person.citizen_id, PASSWORD, None).await.expect(201).body;
            scene.json(json!({"refresh_token": text(&tokens, "refresh_token")}));
        }
        "changePassword" => {
            if let Some(caller) = &scene.caller {
                give_password(world, caller.id).await;
            }
            scene.json(json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD}));
        }
        // A session of its own ends; the cast goes on with theirs.
        "deleteCurrentSession" => {
            if let Some(caller) = &scene.caller {
                scene.caller = Some(world.sign_in(caller.id).await);
            }
        }
        "deleteMySession" => other_session(scene).await,
        "deleteMyOtherSessions" => {
            if let Some(caller) = &scene.caller {
                world.sign_in(caller.id).await;
            }
        }
        "updateMe" => scene.json(json!({"named_on_leaderboards": true})),
        "readMyNotification" => notification(scene).await,
        "readSlipCode" => released_slip(scene).await,
        _ => {}
    }
}

/// A slip in the hands of its person.
async fn activation(scene: &mut Scene<'_>) {
    let cast = scene.cast;
    let person = person(&cast.world, cast.world.cell).await;
    let slips = format!("/v1/members/{}/activation-slips", person.id);
    let slip = cast.actor("sec").post(&slips, &json!({})).await.expect(201).body;
    scene.json(json!({"code": text(&slip, "code"), "citizen_id": person.citizen_id, "birth_date": BIRTH,
        "password": PASSWORD, "device_name": "Máy thử"}));
}

/// Another device of the caller's.
async fn other_session(scene: &mut Scene<'_>) {
    let session = match &scene.caller {
        Some(caller) => scene.cast.world.sign_in(caller.id).await.session,
        None => Uuid::nil(),
    };
    scene.id("session_id", session);
}

/// An unread notification of the caller's own.
async fn notification(scene: &mut Scene<'_>) {
    let id = Uuid::now_v7();
    if let Some(caller) = &scene.caller {
        let statement = format!(
            "INSERT INTO notifications (id, account_id, kind, details, created_at)
             VALUES ('{id}', '{}', 'password_changed', '{{}}', '2026-11-19')",
            caller.id
        );
        scene.cast.execute(&statement).await;
    }
    scene.id("notification_id", id);
}

/// A slip for an officer of the cell that the ward's committee officer has released.
async fn released_slip(scene: &mut Scene<'_>) {
    let cast = scene.cast;
    let deputy = cast.world.officer(cast.world.cell, Role::DeputySecretary, cast.world.cell).await;
    let slips = format!("/v1/members/{}/activation-slips", deputy.id);
    let asked = cast.actor("org").post(&slips, &json!({})).await.expect(202).body;
    confirm(cast.actor("ward"), &asked).await.expect(200);
    scene.id("slip_id", text(&asked, "object_id"));
}
