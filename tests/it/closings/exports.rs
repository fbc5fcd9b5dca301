//! A closed month as spreadsheets and as a page; each export leaves a trace.

use sotay::kernel::access::Role;

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
