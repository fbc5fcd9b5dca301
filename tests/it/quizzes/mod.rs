//! Question banks, quizzes, attempts, contests and their results.

mod attempts;
mod banks;
pub mod comprehension;
pub mod contests;
mod crash;
mod fraud;
mod leaks;
mod midway;
mod offers;
mod officers;
pub mod paper;
mod publishing;
mod results;
pub mod voids;

use serde_json::{Value, json};

use crate::support::{Actor, Reply, World};

/// An Aiken file of questions whose right option begins with "đúng".
pub fn aiken(questions: std::ops::Range<usize>) -> String {
    questions.map(|n| format!("Câu hỏi số {n}?\nA. sai {n} a\nB. đúng {n}\nC. sai {n} b\nANSWER: B\n\n")).collect()
}

pub async fn import(officer: &Actor, bank: &str, text: &str, dry_run: bool) -> Reply {
    let path = format!("/v1/question-banks/{bank}/imports?format=aiken&dry_run={dry_run}");
    officer.request("POST", &path).bytes("text/plain", text.to_owned()).send().await
}

/// A bank of the ward with this many questions.
pub async fn bank(world: &World, officer: &Actor, questions: usize) -> String {
    let path = format!("/v1/units/{}/question-banks", world.ward);
    let id = officer.post(&path, &json!({"title": "Điều lệ Đảng"})).await.expect(201).id();
    if questions > 0 {
        import(officer, &id, &aiken(0..questions), false).await.expect(200);
    }
    id
}

/// A quiz of five questions, open from an hour ago until tomorrow's noon, for the ward.
pub fn quiz(world: &World, bank: &str, changes: Value) -> Value {
    let mut body = json!({
        "title": "Tuần 1", "draws": [{"bank_id": bank, "count": 5}], "minutes": 30, "pass_percent": 50, "attempts": 2,
        "opens_at": "2026-11-20T02:00:00Z", "closes_at": "2026-11-21T05:00:00Z",
        "targets": [{"unit_id": world.ward}],
    });
    for (field, value) in changes.as_object().unwrap() {
        body[field] = value.clone();
    }
    body
}

pub async fn write(world: &World, officer: &Actor, body: &Value) -> Reply {
    officer.post(&format!("/v1/units/{}/quizzes", world.ward), body).await
}

pub async fn publish(officer: &Actor, id: &str) -> Reply {
    officer.post(&format!("/v1/quizzes/{id}/publication"), &json!({})).await
}

/// A published quiz over a bank of its own.
pub async fn published(world: &World, changes: Value) -> String {
    let officer = world.propaganda_officer().await;
    let bank = bank(world, &officer, 8).await;
    let id = write(world, &officer, &quiz(world, &bank, changes)).await.expect(201).id();
    publish(&officer, &id).await.expect(200);
    id
}

pub async fn start(member: &Actor, quiz: &str) -> Reply {
    member.post(&format!("/v1/quizzes/{quiz}/attempts"), &json!({})).await
}

pub async fn put(member: &Actor, path: &str, body: &Value) -> Reply {
    member.request("PUT", path).json(body).send().await
}

pub async fn submit(member: &Actor, attempt: &str) -> Reply {
    member.post(&format!("/v1/attempts/{attempt}/submission"), &json!({})).await
}

/// The option of a question whose text begins so.
pub fn option(question: &Value, text: &str) -> Value {
    let options = question["options"].as_array().unwrap();
    options.iter().find(|option| option["text"].as_str().unwrap().starts_with(text)).unwrap()["id"].clone()
}

/// Answers to the questions of an attempt: the first `right` of them as they should be.
pub fn answers(attempt: &Value, right: usize) -> Value {
    let questions = attempt["questions"].as_array().unwrap();
    let answer = |(index, question): (usize, &Value)| {
        let text = if index < right { "đúng" } else { "sai" };
        json!({"question_id": question["id"], "option_ids": [option(question, text)]})
    };
    json!({"answers": questions.iter().enumerate().map(answer).collect::<Vec<_>>()})
}

/// Takes a quiz with this many right answers. Returns the receipt.
pub async fn take(member: &Actor, quiz: &str, right: usize) -> Value {
    let attempt = start(member, quiz).await.expect(201).body;
    let id = attempt["id"].as_str().unwrap();
    put(member, &format!("/v1/attempts/{id}/answers"), &answers(&attempt, right)).await.expect(204);
    submit(member, id).await.expect(200).body
}
