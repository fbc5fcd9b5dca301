//! Results: figures for officers, members for those who may list them, questions for makers.

use serde_json::{Value, json};

use super::{published, take};
use crate::support::World;

#[actix_web::test]
async fn the_secretary_sees_members_and_the_propaganda_officer_figures() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;
    let member = world.member().await;
    for _ in 0..5 {
        world.member().await;
    }
    take(&member, &id, 4).await;
    let (secretary, officer) = (world.secretary().await, world.propaganda_officer().await);
    let path = format!("/v1/quizzes/{id}/results?unit_id={}", world.cell);

    let rows = secretary.get(&path).await.expect(200).body;
    let figures = officer.get(&path).await.expect(200).body;

    let taken = rows["items"].as_array().unwrap().iter().find(|item| item["percent"] == 80).unwrap();
    assert_eq!((&taken["member"]["id"], &taken["points"]), (&json!(member.id), &json!(5)));
    assert_eq!((&rows["summary"]["taken"], &rows["summary"]["passed"]), (&json!(1), &json!(1)));
    assert_eq!(rows["summary"]["average_percent"], Value::Null);
    assert_eq!((&figures["items"], &figures["summary"]["taken"]), (&json!([]), &json!(1)));
    assert_eq!(world.audit_count("quiz.results_read").await, 1);
}

#[actix_web::test]
async fn figures_of_fewer_than_five_members_are_null() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;
    take(&world.outsider().await, &id, 5).await;
    let officer = world.propaganda_officer().await;

    let small = officer.get(&format!("/v1/quizzes/{id}/results?unit_id={}", world.sibling)).await.expect(200).body;

    let nothing = json!({"members": null, "taken": null, "passed": null, "average_percent": null});
    assert_eq!(small["summary"], nothing);
}

#[actix_web::test]
async fn results_stay_within_the_units_of_the_officer() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;
    let (member, secretary) = (world.member().await, world.secretary().await);
    let of = |unit| format!("/v1/quizzes/{id}/results?unit_id={unit}");

    member.get(&of(world.cell)).await.expect(403);
    secretary.get(&of(world.sibling)).await.expect(404);
    secretary.get(&of(world.ward)).await.expect(403);
    secretary.get(&format!("/v1/quizzes/{id}/analysis")).await.expect(403);
    world.propaganda_officer().await.get(&format!("/v1/quizzes/{id}/results.csv")).await.expect(403);
    let csv = secretary.get(&format!("/v1/quizzes/{id}/results.csv?unit_id={}", world.cell)).await.expect(200);
    let xlsx = secretary.get(&format!("/v1/quizzes/{id}/results.xlsx?unit_id={}", world.cell)).await.expect(200);

    assert!(String::from_utf8(csv.bytes).unwrap().contains("Họ và tên"));
    assert!(xlsx.bytes.starts_with(b"PK"));
    assert_eq!(world.audit_count("quiz.results_exported").await, 2);
}

#[actix_web::test]
async fn each_question_has_its_figures_from_five_answers_on() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let bank = super::bank(&world, &officer, 5).await;
    let id = super::write(&world, &officer, &super::quiz(&world, &bank, json!({}))).await.expect(201).id();
    super::publish(&officer, &id).await.expect(200);
    let path = format!("/v1/quizzes/{id}/analysis");
    for right in [5, 4, 0, 1] {
        take(&world.member().await, &id, right).await;
    }
    let few = officer.get(&path).await.expect(200).body;

    take(&world.member().await, &id, 0).await;
    let enough = officer.get(&path).await.expect(200).body;

    assert_eq!((&few["items"][0]["asked"], &few["items"][0]["facility"]), (&Value::Null, &Value::Null));
    let questions = enough["items"].as_array().unwrap();
    let sum: f64 = questions.iter().map(|question| question["facility"].as_f64().unwrap()).sum();
    assert!((sum - 2.0).abs() < 1e-9, "ten right answers of five attempts: {sum}");
    assert!(questions.iter().all(|question| question["asked"] == 5));
    assert!(questions.iter().all(|question| question["most_chosen_wrong"].as_str().unwrap().starts_with("sai")));
}
