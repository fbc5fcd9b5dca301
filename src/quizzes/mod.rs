//! Question banks, quizzes, attempts, contests and their results. The API for other features.

mod attempts;
mod banks;
mod carry_over;
mod changes;
mod comprehension;
mod contests;
mod exposure;
mod formats;
mod paper;
mod publishing;
mod results;
mod verify;
mod voids;

use utoipa_actix_web::service_config::ServiceConfig;

pub use attempts::{AnswerSaver, grade_due, take};
pub use banks::{NewBank, QUESTION_REVIEW, answer as parse_answer, create as create_bank, stock as stock_bank};
pub use carry_over::consume;
pub use changes::{ChangedQuiz, changed, shown};
pub use contests::{NewContest, create as create_contest, freeze_due, is_contest_report, verify_report};
pub use formats::{Format, read as read_questions};
pub use paper::PAPER_ANSWERS;
pub use publishing::model::{QuizDraw, QuizTarget, Reveal, Source};
pub use publishing::output::Quiz;
pub use publishing::routes::publish;
pub use publishing::store::{NewQuiz, draft, get as get_quiz};
pub use verify::{repair, verify};
pub use voids::{QUESTION_VOID, regrade_some};

/// What the ledger calls a quiz.
const OBJECT_KIND: &str = "quiz";
/// The rule by which a quiz pays.
const PASSED_RULE: &str = "quiz_passed";
/// The rule by which a round of a contest pays instead.
const ENTERED_RULE: &str = "contest_entered";

/// The operations of this feature, the most frequent first.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(attempts::routes::save_answer)
        .service(attempts::routes::save_answers)
        .service(attempts::routes::get_attempt)
        .service(attempts::routes::submit_attempt)
        .service(attempts::routes::start_attempt)
        .service(comprehension::routes::start_comprehension)
        .service(attempts::routes::list_my_attempts)
        .service(publishing::routes::list_quizzes)
        .service(publishing::routes::get_quiz)
        .service(publishing::routes::create_quiz)
        .service(publishing::routes::list_unit_quizzes)
        .service(publishing::routes::publish_quiz)
        .service(banks::routes::create_question_bank)
        .service(banks::routes::list_question_banks)
        .service(banks::routes::list_questions)
        .service(banks::revise::update_question)
        .service(banks::import_routes::import_questions)
        .service(banks::import_routes::export_questions)
        .service(publishing::extensions::give_more_time)
        .service(publishing::extensions::list_extensions)
        .service(results::topics::get_my_quiz_results)
        .service(results::reminders::send_quiz_reminders)
        .service(paper::routes::make_paper_sheets)
        .service(paper::routes::list_paper_sheets)
        .service(paper::print::print_paper_sheets)
        .service(paper::routes::enter_paper_answers)
        .service(results::routes::get_results)
        .service(results::routes::export_results_xlsx)
        .service(results::routes::export_results_csv)
        .service(results::routes::get_analysis)
        .service(voids::routes::void_question)
        .service(contests::get_contest_leaderboard)
        .service(contests::routes::list_contests)
        .service(contests::routes::get_contest)
        .service(contests::routes::create_contest)
        .service(contests::routes::list_unit_contests)
        .service(contests::export_contest_report);
}
