//! A closed month as spreadsheets and as a page; each export leaves a trace.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;
use sotay::kernel::security::access::Role;

use super::{IN_TIME, close, closings};
use crate::support::{World, points_everywhere};

#[actix_web::test]
async fn a_closed_month_leaves_as_files_that_carry_the_signature() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let name = "<img src=x onerror=alert(1)> & Ngọc";
    let hostile = world.member_of(world.cell, name).await;
    world.app.set_time(IN_TIME);
    let closing = close(&secretary, world.cell).await.expect(200).body;
    world.late_award(hostile.id, &["meeting.attended"]).await;
    let path = format!("{}/2026-11/export", closings(world.cell));
    let page = secretary.get(&format!("{path}.html")).await.expect(200);
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    assert!(!page.header("content-security-policy").contains("unsafe"));
    let html = String::from_utf8(page.bytes).unwrap();
    assert!(html.contains("&lt;img src=x onerror=alert(1)&gt; &amp; Ngọc") && !html.contains("<img"), "{html}");
    for field in ["manifest_hash", "signature", "kid"] {
        assert!(html.contains(closing[field].as_str().unwrap()), "{field}");
    }
    assert!(html.contains("size: A4") && !html.contains("http") && !html.contains("src=\""), "nothing from elsewhere");
    let csv = String::from_utf8(secretary.get(&format!("{path}.csv")).await.expect(200).bytes).unwrap();
    assert!(csv.contains("& Ngọc,0,8,30,Chưa đạt"), "{csv}");
    let xlsx = secretary.get(&format!("{path}.xlsx")).await.expect(200);
    let mut book: calamine::Xlsx<_> = calamine::Reader::new(std::io::Cursor::new(xlsx.bytes)).unwrap();
    let range = calamine::Reader::worksheet_range_at(&mut book, 0).unwrap().unwrap();
    assert!(range.cells().any(|(_, _, cell)| cell.to_string().contains(closing["signature"].as_str().unwrap())));
    assert_eq!(world.audit_count("closing.exported").await, 3);
}

/// The canonical form as the published document describes it: the order of the fields stands in each schema's description.
fn canonical(document: &Value, schema: &str, value: &Value) -> String {
    let schema = &document["components"]["schemas"][schema];
    let (_, order) = schema["description"].as_str().unwrap().split_once("Canonical order:").unwrap();
    let fields = order.split('`').skip(1).step_by(2).map(|field| {
        let (of, value) = (&schema["properties"][field], &value[field]);
        let below = [&of["items"]["$ref"], &of["oneOf"][0]["$ref"]].into_iter().find_map(Value::as_str);
        let below = below.and_then(|path| path.rsplit('/').next());
        let text = match (below, value) {
            (Some(below), Value::Array(items)) => {
                let items: Vec<String> = items.iter().map(|item| canonical(document, below, item)).collect();
                format!("[{}]", items.join(","))
            }
            (Some(below), Value::Object(_)) => canonical(document, below, value),
            _ => value.to_string(),
        };
        format!("\"{field}\":{text}")
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

#[actix_web::test]
async fn hashes_follow_from_the_published_document_alone() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let member = world.member_of(world.cell, "Trần \"Ba\" \\ Ngọc").await;
    world.credit(member.id).await;
    world.app.set_time(IN_TIME);
    close(&secretary, world.cell).await.expect(200);
    let reopening = format!("{}/2026-11/reopening", closings(world.cell));
    let above = world.committee_officer().await;
    above.post(&reopening, &serde_json::json!({"reason": "Thiếu danh sách"})).await.expect(201);
    let closing = close(&secretary, world.cell).await.expect(200).body;
    let report = secretary.get(&format!("{}/2026-11/export.json", closings(world.cell))).await.expect(200).body;
    let document: Value = serde_json::from_str(include_str!("../../../openapi/sotay.json")).unwrap();
    let hash = |schema, value: &Value| {
        let hash = digest(&SHA256, canonical(&document, schema, value).as_bytes());
        Value::from(hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    };
    assert!(report["manifest"]["former"].is_object());
    assert_eq!(hash("ClosingManifest", &report["manifest"]), closing["manifest_hash"]);
    let hashes: Vec<Value> = report["rows"].as_array().unwrap().iter().map(|row| hash("ClosedRow", row)).collect();
    assert_eq!(Value::from(hashes), report["manifest"]["row_hashes"]);
}

#[actix_web::test]
async fn the_report_of_another_cell_does_not_exist() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    let sibling = world.officer(world.sibling, Role::CellSecretary, world.sibling).await;
    world.credit(member.id).await;
    world.app.set_time(IN_TIME);
    close(&secretary, world.cell).await.expect(200);
    let inspector = world.inspector().await;
    for file in ["", "/rows", "/export.json", "/export.xlsx", "/export.csv", "/export.html"] {
        let path = format!("{}/2026-11{file}", closings(world.cell));
        sibling.get(&path).await.expect(404);
        member.get(&path).await.expect(403);
        inspector.get(&path).await.expect(200);
        inspector.get(&path.replace("2026-11", "2026-09")).await.expect(404);
    }
    assert_eq!(world.audit_count("closing.exported").await, 4, "those of the inspector only");
    for (actor, points) in [(&member, 8), (&sibling, 0)] {
        assert_eq!(points_everywhere(&world, actor).await, points);
    }
}
