//! Members, their accounts, exemptions, transfers and roles, and rosters.

use serde_json::{Value, json};

use super::Scene;
use crate::organisation::imports::sheet;

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

pub async fn prepare(scene: &mut Scene<'_>) {
    match scene.operation.id.as_str() {
        "admitMember" => {
            let body = person(scene.cast.number());
            scene.json(body);
        }
        "updateMember" => about_member(scene, Some(json!({"full_name": "Nguyễn Thị Bưởi"}))).await,
        "createActivationSlip" => about_member(scene, None).await,
        "recordDeparture" => about_member(scene, Some(json!({"reason": "left", "last_day": "2026-11-19"}))).await,
        "createExemption" => {
            let body = json!({"kind": "exempt", "valid_from": "2026-11-01", "reason": "Tuổi cao, sức yếu"});
            about_member(scene, Some(body)).await;
        }
        "suspendAccount" | "reinstateAccount" => account(scene).await,
        "proposeTransfer" => {
            let body = json!({"to_unit_id": scene.cast.world.sibling, "reason": "chuyển nơi ở"});
            about_member(scene, Some(body)).await;
        }
        "acceptTransfer" => scene.json(json!({})),
        "declineTransfer" => scene.json(json!({"note": "Hồ sơ còn thiếu"})),
        "endExemption" => exemption(scene).await,
        "createGrant" => {
            let body = role(scene.subject().await, "minute_taker", scene);
            scene.json(body);
        }
        "revokeGrant" => {
            let body = role(scene.cast.world.member().await.id, "minute_taker", scene);
            let grant = scene.cast.actor("org").post("/v1/grants", &body).await.expect(201).id();
            scene.id("grant_id", grant);
        }
        "importRoster" => roster(scene),
        _ => {}
    }
    if scene.names("transfer_id") {
        transfer(scene).await;
    }
}

/// A request about a member to whom nothing has happened yet.
async fn about_member(scene: &mut Scene<'_>, body: Option<Value>) {
    let member = scene.subject().await;
    scene.id("member_id", member);
    if let Some(body) = body {
        scene.json(body);
    }
}

/// A person who is not in the system.
fn person(number: u64) -> Value {
    json!({"full_name": "Nguyễn Văn Mới", "birth_date": "1990-05-19", "sex": "male", "admitted_on": "2026-11-03",
        "citizen_id": format!("{:012}", 38_090_000_000 + number)})
}

pub fn role(member: uuid::Uuid, role: &str, scene: &Scene<'_>) -> Value {
    json!({"member_id": member, "role": role, "unit_id": scene.cast.world.cell})
}

/// An account that can be suspended, or is.
async fn account(scene: &mut Scene<'_>) {
    let (body, account) = (json!({"reason": "Mất điện thoại"}), scene.subject().await);
    if scene.operation.id == "reinstateAccount" {
        let someone = scene.cast.world.member().await.id;
        let suspension = format!("/v1/accounts/{someone}/suspension");
        scene.cast.actor("sec").post(&suspension, &body).await.expect(200);
        scene.id("account_id", someone);
    } else {
        scene.id("account_id", account);
    }
    scene.json(body);
}

async fn exemption(scene: &mut Scene<'_>) {
    let cast = scene.cast;
    let someone = cast.world.member().await;
    cast.world.exempt(someone.id).await;
    let list = cast.actor("org").get(&format!("/v1/members/{}/exemptions", someone.id)).await.expect(200).body;
    scene.id("exemption_id", list["items"][0]["id"].as_str().unwrap());
    scene.json(json!({"valid_to": "2026-12-01"}));
}

/// A transfer to the sibling cell that the secretary has proposed.
async fn transfer(scene: &mut Scene<'_>) {
    let cast = scene.cast;
    let someone = cast.world.member().await;
    let body = json!({"to_unit_id": cast.world.sibling, "reason": "chuyển nơi ở"});
    let made = cast.actor("sec").post(&format!("/v1/members/{}/transfers", someone.id), &body).await.expect(201);
    scene.id("transfer_id", made.id());
}

/// A list of one person without a role.
fn roster(scene: &mut Scene<'_>) {
    let number = 38_170_000_000 + scene.cast.number();
    let (card, citizen) = (format!("{:012}", number + 900_000_000), format!("{number:012}"));
    let row = ["Đỗ Văn Sách", "01/02/1970", "Nam", &card, &citizen, "", "03/02/1995", "03/02/1996", "", ""];
    scene.query.push(("dry_run".to_owned(), "false".to_owned()));
    scene.file(XLSX, sheet(&[row]));
}
