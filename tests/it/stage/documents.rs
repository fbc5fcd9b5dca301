//! Documents of the ward, their files, and the member's reading of them.

use serde_json::{Value, json};

use super::Scene;

pub async fn prepare(scene: &mut Scene<'_>) {
    match scene.operation.id.as_str() {
        "createDocument" => scene.json(draft()),
        "updateDocument" => scene.json(json!({"title": "Kế hoạch sinh hoạt quý IV"})),
        "publishDocument" => {
            let units = [scene.cast.world.cell];
            scene.json(json!({"unit_ids": units, "attests_no_state_secrets": true}));
        }
        "recallDocument" => scene.json(json!({"reason": "Gửi nhầm đơn vị."})),
        "addDocumentFile" => {
            scene.query.push(("filename".to_owned(), "a.pdf".to_owned()));
            scene.file("application/pdf", pdf());
        }
        "sendHeartbeat" | "completeReading" => reading(scene).await,
        "createDocumentVersion" => scene.json(json!({"note": "Sửa lỗi chính tả.", "text": "Một hai ba bốn."})),
        "setDocumentRelations" => {
            let other = published(scene).await;
            scene.json(json!({"relations": [{"kind": "amends", "document_id": other}]}));
        }
        "recordAssistedReading" => {
            let document = published(scene).await;
            let helped = scene.cast.world.member().await.id;
            scene.cast.execute(&format!("UPDATE members SET without_device = true WHERE id = '{helped}'")).await;
            scene.json(json!({"document_id": document, "day": "2026-11-20", "member_ids": [helped]}));
        }
        "setDocumentTerms" => {
            scene
                .json(json!({"terms": [{"name": "Nhiệm kỳ 2025–2030", "valid_from": "2025-06-01", "valid_to": null}]}));
        }
        "setCoverNote" => scene.json(json!({"text": "Đọc trước kỳ sinh hoạt."})),
        "setDocumentNote" => scene.json(json!({"text": "Đọc lại mục 2."})),
        "sendReadingReminders" => {
            let document = published(scene).await;
            scene.json(json!({"document_id": document}));
        }
        _ => {}
    }
    if scene.names("document_id") {
        let document = written(scene).await;
        if scene.names("file_id") {
            let path = format!("/v1/documents/{document}/files?filename=a.pdf");
            let added = scene.cast.actor("prop").request("POST", &path).bytes("application/pdf", pdf());
            scene.id("file_id", added.send().await.expect(201).id());
            // Publishing waits until every file is read.
            while sotay::documents::read_next_file(&scene.cast.world.app.state).await.unwrap() {}
        }
        if scene.operation.id != "addDocumentFile" {
            publish(scene, &document).await;
        }
        if ["getCoverNote", "removeCoverNote"].contains(&scene.operation.id.as_str()) {
            let path = format!("/v1/units/{}/documents/{document}/cover-note", scene.cast.world.cell);
            let note = json!({"text": "Đọc trước kỳ sinh hoạt."});
            scene.cast.actor("prop").request("PUT", &path).json(&note).send().await.expect(200);
        }
        scene.id("document_id", document);
    }
}

fn draft() -> Value {
    json!({"symbol": "1-KH/ĐU", "kind": "ke_hoach", "title": "Kế hoạch", "summary": "", "text": "Một hai ba.",
        "must_read_by": "2026-12-31"})
}

fn pdf() -> Vec<u8> {
    include_bytes!("../../fixtures/12-KH-DU.pdf").to_vec()
}

/// A draft of the ward.
async fn written(scene: &Scene<'_>) -> String {
    let drafts = format!("/v1/units/{}/documents", scene.cast.world.ward);
    scene.cast.actor("prop").post(&drafts, &draft()).await.expect(201).id()
}

async fn publish(scene: &Scene<'_>, document: &str) {
    let publication = json!({"unit_ids": [scene.cast.world.ward], "attests_no_state_secrets": true});
    let path = format!("/v1/documents/{document}/publish");
    let prop = scene.cast.actor("prop");
    // The program's own loop may be reading a file.
    for _ in 0..100 {
        if prop.post(&path, &publication).await.status == 200 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    prop.post(&path, &publication).await.expect(200);
}

/// A document of the ward that all its cells have got.
async fn published(scene: &Scene<'_>) -> String {
    let id = written(scene).await;
    publish(scene, &id).await;
    id
}

/// A session in which the member has read for long enough.
async fn reading(scene: &mut Scene<'_>) {
    let document = published(scene).await;
    let path = format!("/v1/documents/{document}/reading-sessions");
    let session = scene.cast.actor("self").post(&path, &json!({})).await.expect(201).id();
    scene.cast.world.app.advance(60);
    scene.id("session_id", session);
}
