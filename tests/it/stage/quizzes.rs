//! Question banks of the ward, a quiz over one of them, and the member's attempt at it.

use serde_json::{Value, json};

use super::{Body, Scene};
use crate::quizzes;

pub async fn prepare(scene: &mut Scene<'_>) {
    let prop = scene.cast.actor("prop").clone();
    match scene.operation.id.as_str() {
        "createQuestionBank" => scene.json(json!({"title": "Điều lệ Đảng"})),
        "createQuiz" => {
            let bank = quizzes::bank(&scene.cast.world, &prop, 5).await;
            let own = json!({"targets": [{"unit_id": scene.cast.world.cell}]});
            scene.json(quizzes::quiz(&scene.cast.world, &bank, own));
        }
        "exportQuestions" => scene.query.push(("format".to_owned(), "gift".to_owned())),
        "importQuestions" => {
            scene.query.push(("format".to_owned(), "aiken".to_owned()));
            scene.file("text/plain", quizzes::aiken(20..25).into_bytes());
        }
        "getResults" | "exportResultsXlsx" | "exportResultsCsv" => {
            scene.query.push(("unit_id".to_owned(), scene.cast.world.cell.to_string()));
        }
        "sendQuizReminders" => {
            let quiz = quizzes::published(&scene.cast.world, json!({})).await;
            scene.json(json!({"quiz_id": quiz}));
        }
        "updateQuestion" => {
            let bank = quizzes::bank(&scene.cast.world, &prop, 2).await;
            scene.id("question_id", quizzes::voids::question(&prop, &bank, 0).await.as_str().unwrap());
            let options = json!([{"text": "đúng 0", "correct": true}, {"text": "sai 0", "correct": false}]);
            scene.json(json!({"topic": "Sinh hoạt chi bộ", "options": options}));
            return;
        }
        "giveMoreTime" => {
            let member = scene.cast.world.member().await.id;
            scene.json(json!({"member_id": member, "extra_minutes": 30, "reason": "Mắt kém"}));
        }
        "makePaperSheets" => {
            let (quiz, member) = quizzes::paper::without_device(&scene.cast.world).await;
            scene.json(json!({"quiz_id": quiz, "member_ids": [member.id]}));
        }
        "listPaperSheets" | "printPaperSheets" => {
            let sheet = quizzes::paper::sheet(&scene.cast.world, scene.cast.actor("sec")).await;
            let quiz = sheet["quiz_id"].as_str().unwrap().to_owned();
            scene.query.push(("quiz_id".to_owned(), quiz));
        }
        "enterPaperAnswers" => {
            let sheet = quizzes::paper::sheet(&scene.cast.world, scene.cast.actor("sec")).await;
            scene.id("code", sheet["code"].as_str().unwrap());
            scene.json(json!({"answers": [{"question": 1, "options": ["A"]}]}));
        }
        "createContest" => {
            let contest = quizzes::contests::drafts(&scene.cast.world, &prop).await;
            scene.json(contest);
            scene.id("unit_id", scene.cast.world.ward);
        }
        "startComprehension" => {
            let document = scene.ids["document_id"].clone();
            quizzes::comprehension::questions_of(&scene.cast.world, &prop, &document, 6).await;
        }
        "getContestLeaderboard" => scene.query.push(("round".to_owned(), "1".to_owned())),
        _ => {}
    }
    if scene.names("contest_id") {
        contest(scene).await;
    }
    if ["bank_id", "quiz_id", "attempt_id"].iter().any(|name| scene.names(name)) {
        quiz(scene).await;
    }
}

/// A contest of the ward, the member's attempt at its first round, and its final results where they are wanted.
async fn contest(scene: &mut Scene<'_>) {
    let (world, prop) = (&scene.cast.world, scene.cast.actor("prop"));
    let contest = quizzes::contests::contest(world, prop).await;
    quizzes::take(scene.cast.actor("self"), &contest.rounds[0], 4).await;
    if scene.operation.id == "exportContestReport" {
        quizzes::contests::freeze(world).await;
    }
    scene.id("contest_id", contest.id);
}

/// A quiz of the ward, published unless it is about to be.
async fn quiz(scene: &mut Scene<'_>) {
    let (world, prop) = (&scene.cast.world, scene.cast.actor("prop"));
    let bank = quizzes::bank(world, prop, 5).await;
    let quiz = quizzes::write(world, prop, &quizzes::quiz(world, &bank, json!({}))).await.expect(201).id();
    if scene.operation.id != "publishQuiz" {
        quizzes::publish(prop, &quiz).await.expect(200);
    }
    if scene.names("attempt_id") {
        let attempt = quizzes::start(scene.cast.actor("self"), &quiz).await.expect(201).body;
        answer(scene, &attempt);
    }
    if scene.operation.id == "voidQuestion" {
        let question = quizzes::voids::question(scene.cast.actor("prop"), &bank, 0).await;
        scene.json(json!({"question_id": question, "reason": "Đáp án ghi sai"}));
    }
    for (name, id) in [("bank_id", bank), ("quiz_id", quiz)] {
        if scene.names(name) {
            scene.id(name, id);
        }
    }
}

fn answer(scene: &mut Scene<'_>, attempt: &Value) {
    let answers = quizzes::answers(attempt, 5);
    let first = &answers["answers"][0];
    scene.id("attempt_id", attempt["id"].as_str().unwrap());
    if scene.names("question_id") {
        scene.id("question_id", first["question_id"].as_str().unwrap());
    }
    match scene.operation.id.as_str() {
        "saveAnswers" => scene.body = Body::Json(answers),
        "saveAnswer" => scene.body = Body::Json(json!({"option_ids": first["option_ids"]})),
        _ => {}
    }
}
