//! The key must not leak before the window has ended: by no field, order or id.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};

use super::{answers, published, put, start, submit};
use crate::support::World;

const FORBIDDEN: [&str; 6] = ["correct", "right", "explanation", "feedback", "solution", "verdict"];

/// Names of fields at any depth.
fn names(value: &Value, found: &mut HashSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                found.insert(name.clone());
                names(inner, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names(item, found)),
        _ => {}
    }
}

#[actix_web::test]
async fn no_answer_of_the_server_has_a_field_that_tells() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;
    let member = world.member().await;
    let attempt = start(&member, &id).await.expect(201).body;
    let path = format!("/v1/attempts/{}", attempt["id"].as_str().unwrap());
    let saved = put(&member, &format!("{path}/answers"), &answers(&attempt, 3)).await.expect(204);
    let mut found = HashSet::new();

    names(&attempt, &mut found);
    names(&member.get(&path).await.expect(200).body, &mut found);
    names(&submit(&member, attempt["id"].as_str().unwrap()).await.expect(200).body, &mut found);
    for read in [path, format!("/v1/quizzes/{id}"), "/v1/quizzes".to_owned(), "/v1/me/quiz-attempts".to_owned()] {
        names(&member.get(&read).await.expect(200).body, &mut found);
    }

    assert!(saved.bytes.is_empty());
    let telling: Vec<&String> = found.iter().filter(|name| FORBIDDEN.iter().any(|word| name.contains(word))).collect();
    assert_eq!(telling, Vec::<&String>::new());
}

#[actix_web::test]
async fn neither_the_place_nor_the_id_of_an_option_tells() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;
    let (mut places, mut by_id) = (BTreeMap::new(), BTreeMap::new());
    let mut seen = HashSet::new();
    for _ in 0..24 {
        let attempt = start(&world.member().await, &id).await.expect(201).body;
        for question in attempt["questions"].as_array().unwrap() {
            let options = question["options"].as_array().unwrap();
            let is_right = |option: &Value| option["text"].as_str().unwrap().starts_with("đúng");
            *places.entry(options.iter().position(is_right).unwrap()).or_insert(0) += 1;
            let mut sorted: Vec<&Value> = options.iter().collect();
            sorted.sort_by_key(|option| option["id"].as_str().unwrap().to_owned());
            *by_id.entry(sorted.iter().position(|option| is_right(option)).unwrap()).or_insert(0) += 1;
            assert!(options.iter().all(|option| seen.insert(option["id"].as_str().unwrap().to_owned())));
        }
    }

    // 120 questions with three options each: every place about 40 times.
    assert!(places.len() == 3 && places.values().all(|times| *times > 20), "{places:?}");
    assert!(by_id.len() == 3 && by_id.values().all(|times| *times > 20), "{by_id:?}");
}

#[actix_web::test]
async fn the_same_attempt_has_the_same_etag_whatever_is_right() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;
    let member = world.member().await;
    let attempt = start(&member, &id).await.expect(201).body;
    let path = format!("/v1/attempts/{}", attempt["id"].as_str().unwrap());

    let (one, two) = (member.get(&path).await.expect(200), member.get(&path).await.expect(200));

    assert_eq!((one.header("etag"), &one.bytes), (two.header("etag"), &two.bytes));
}
