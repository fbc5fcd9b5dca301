//! Searching documents: words, phrases, symbols, filters, ranking, passages.

use serde_json::{Value, json};

use super::{published, recall};
use crate::support::{Actor, World};

async fn find(member: &Actor, query: &str) -> Vec<Value> {
    let query = query.replace(' ', "%20").replace('"', "%22");
    let page = member.get(&format!("/v1/documents?{query}")).await.expect(200);
    page.body["items"].as_array().unwrap().clone()
}

async fn symbols(member: &Actor, query: &str) -> Vec<String> {
    find(member, query).await.iter().map(|item| item["symbol"].as_str().unwrap().to_owned()).collect()
}

async fn library() -> (World, Actor) {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    for (symbol, kind, title, text, topics) in [
        ("12-KH/ĐU", "ke_hoach", "Kế hoạch sinh hoạt chi bộ", "Mỗi tháng một lần vào ngày mồng ba.", json!([])),
        (
            "03-NQ/TU",
            "nghi_quyet",
            "Nghị quyết về chuyển đổi số",
            "Hoàn thành kế hoạch, hòa nhập.",
            json!(["Chuyển đổi số"]),
        ),
        ("112-TB/ĐU", "thong_bao", "Thông báo kết luận", "Sinh hoạt hè, bộ phận chi tiết.", json!([])),
    ] {
        let body =
            json!({"symbol": symbol, "kind": kind, "title": title, "summary": "", "text": text, "topics": topics});
        published(&world, &officer, body).await;
        world.app.advance(86_400);
    }
    let member = world.member().await;
    (world, member)
}

#[actix_web::test]
async fn a_symbol_is_found_in_any_spelling() {
    let (_world, member) = library().await;
    for q in ["12-KH/ĐU", "12 kh du", "12khdu", "12KH-đu", "12-kh"] {
        assert_eq!(symbols(&member, &format!("q={}", q.replace('/', "%2F"))).await, ["12-KH/ĐU"], "{q}");
    }
    assert_eq!(symbols(&member, "q=112").await, ["112-TB/ĐU"]);
}

#[actix_web::test]
async fn words_and_phrases_are_found_with_and_without_diacritics() {
    let (_world, member) = library().await;
    assert_eq!(symbols(&member, "q=ke hoach sinh hoat chi bo").await, ["12-KH/ĐU"]);
    assert_eq!(symbols(&member, "q=\"chi bộ\"").await, ["12-KH/ĐU"]);
    assert_eq!(symbols(&member, "q=hoà nhập").await, symbols(&member, "q=hoa nhap").await);
    assert_eq!(symbols(&member, "q=sinh ho").await, ["12-KH/ĐU", "112-TB/ĐU"], "a title comes before a text");
    assert_eq!(symbols(&member, "q=ke hoach").await, ["12-KH/ĐU", "03-NQ/TU"]);
}

#[actix_web::test]
async fn filters_narrow_down() {
    let (_world, member) = library().await;
    assert_eq!(symbols(&member, "issuer=du").await, ["112-TB/ĐU", "12-KH/ĐU"]);
    assert_eq!(symbols(&member, "issuer=ĐU&kind=ke_hoach").await, ["12-KH/ĐU"]);
    assert_eq!(symbols(&member, "topic=chuyen doi so").await, ["03-NQ/TU"]);
    assert_eq!(symbols(&member, "state=superseded").await, Vec::<String>::new());
    let all = find(&member, "state=published").await;
    let day = |at: usize| {
        let at: chrono::DateTime<chrono::Utc> = all[at]["published_at"].as_str().unwrap().parse().unwrap();
        sotay::kernel::clock::day_of(at)
    };
    assert_eq!(symbols(&member, &format!("from={}", day(0))).await, ["112-TB/ĐU"]);
    assert_eq!(symbols(&member, &format!("to={}", day(2))).await, ["12-KH/ĐU"]);
    assert_eq!(symbols(&member, &format!("from={0}&to={0}", day(1))).await, ["03-NQ/TU"]);
    for wrong in ["state=draft", "kind=tho", "from=x", "issuer=", "topic=%20"] {
        assert_eq!(member.get(&format!("/v1/documents?{wrong}")).await.status, 400, "{wrong}");
    }
}

#[actix_web::test]
async fn a_passage_marks_the_words_in_code_points() {
    let (_world, member) = library().await;
    let item = find(&member, "q=mong ba").await.remove(0);
    let passage: Vec<char> = item["snippet"].as_str().unwrap().chars().collect();
    let marked: Vec<String> = item["highlights"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mark| {
            let (start, length) = (mark["start"].as_u64().unwrap() as usize, mark["length"].as_u64().unwrap() as usize);
            passage[start..start + length].iter().collect()
        })
        .collect();
    assert_eq!(marked, ["mồng", "ba"]);
    let plain = member.get("/v1/documents").await.expect(200).body;
    assert_eq!((&plain["items"][0]["snippet"], &plain["items"][0]["highlights"]), (&json!(null), &json!([])));
}

#[actix_web::test]
async fn pages_of_a_search_follow_each_other() {
    let (_world, member) = library().await;
    let mut seen = Vec::new();
    let mut path = "/v1/documents?q=h&limit=1".to_owned();
    loop {
        let page = member.get(&path).await.expect(200).body;
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["symbol"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/documents?q=h&limit=1&cursor={cursor}");
    }
    assert_eq!(seen, symbols(&member, "q=h").await);
    assert_eq!(seen.len(), 3);
}

#[actix_web::test]
async fn a_search_finds_only_what_reaches_the_reader() {
    let (world, member) = library().await;
    let officer = world.propaganda_officer().await;
    let outsider = world.outsider().await;
    assert_eq!(symbols(&outsider, "q=ke hoach").await, Vec::<String>::new());
    assert_eq!(symbols(&outsider, "issuer=du").await, Vec::<String>::new());
    let id = find(&member, "q=12khdu").await[0]["id"].as_str().unwrap().to_owned();
    recall(&officer, &id).await.expect(200);
    assert_eq!(symbols(&member, "q=12khdu").await, Vec::<String>::new());
    assert_eq!(symbols(&member, "kind=ke_hoach").await, Vec::<String>::new());
}

#[actix_web::test]
async fn a_misspelt_word_finds_what_was_meant() {
    let (_world, member) = library().await;
    assert_eq!(symbols(&member, "q=xyzzy").await, Vec::<String>::new(), "too far from any word");
    assert_eq!(symbols(&member, "q=nghii quyet").await, ["03-NQ/TU"]);
    let found = find(&member, "q=\"chuyenn doi\"").await;
    assert_eq!(found[0]["symbol"], "03-NQ/TU");
    assert!(!found[0]["highlights"].as_array().unwrap().is_empty());
    // What is spelt as in a document is looked for as it is, also when it finds nothing.
    assert_eq!(symbols(&member, "q=mong quyet").await, Vec::<String>::new());
}
