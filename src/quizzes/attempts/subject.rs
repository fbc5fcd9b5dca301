//! What an attempt is at, a quiz or the questions of a document: its pass mark, and what passing it earns.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::documents::complete_by_answers;
use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Problem};
use crate::points::{self, Award, Deed};
use crate::quizzes::comprehension::model::PASS_PERCENT;
use crate::quizzes::publishing::store::{self as quizzes, QuizRow};
use crate::quizzes::{OBJECT_KIND, exposure};

use super::model::DrawnQuestion;
use super::store::{self, AttemptRow};

/// What rules listen to.
const PASSED: &str = "quiz.passed";
/// The same of a round of a contest.
const ENTERED: &str = "contest.entered";
/// Earns nothing; asks the engine where the member stands.
const TAKEN: &str = "quiz.taken";

/// What an attempt is at.
pub enum AttemptSubject {
    Quiz(Box<QuizRow>),
    /// A version of a document.
    Document(Uuid, i32),
}

impl AttemptSubject {
    pub async fn of(conn: &mut Conn, attempt: &AttemptRow) -> Result<Self, Problem> {
        match (attempt.quiz_id, attempt.document_id, attempt.document_version) {
            (Some(quiz_id), _, _) => Ok(Self::Quiz(Box::new(quizzes::get(conn, quiz_id).await?))),
            (None, Some(document_id), Some(version)) => Ok(Self::Document(document_id, version)),
            _ => Err(Problem::internal("an attempt at nothing")),
        }
    }

    /// The quiz, if it is one.
    pub fn quiz(&self) -> Option<&QuizRow> {
        match self {
            Self::Quiz(quiz) => Some(quiz),
            Self::Document(..) => None,
        }
    }

    pub fn pass_percent(&self) -> i32 {
        self.quiz().map_or(PASS_PERCENT, |quiz| quiz.pass_percent)
    }

    /// Whether the attempt earns nothing: practice, or the member has seen a question with its key.
    pub async fn is_practice(
        &self,
        conn: &mut Conn,
        member_id: Uuid,
        questions: &[DrawnQuestion],
    ) -> Result<bool, Problem> {
        match self {
            Self::Quiz(quiz) => Ok(quiz.practice || exposure::of_quiz(conn, quiz.id, member_id).await?),
            Self::Document(..) => exposure::of_questions(conn, questions, member_id).await,
        }
    }

    /// Awards an attempt that passed for the first time in earnest; for all others it asks where the member stands. Says whether the
    /// attempt is the credited one. No award for a member who belongs to no cell any more.
    pub async fn award(
        &self,
        conn: &mut Conn,
        attempt: &AttemptRow,
        (earnest, percent): (bool, i32),
        at: DateTime<Utc>,
    ) -> Result<(bool, Option<Award>), Problem> {
        let member_id = attempt.member_id;
        let awarded = match self {
            Self::Quiz(quiz) if earnest && !store::has_passed(conn, quiz.id, member_id).await? => {
                let event = if quiz.contest_id.is_some() { ENTERED } else { PASSED };
                let object_id = quiz.id.to_string();
                let deed =
                    Deed { event, object_kind: OBJECT_KIND, object_id, percent: Some(percent), ..Deed::default() };
                Some(points::award(conn, member_id, &deed, at).await)
            }
            Self::Document(id, version) if earnest => {
                complete_by_answers(conn, member_id, (*id, *version), at).await.transpose()
            }
            _ => None,
        };
        let credited = awarded.is_some();
        let award = match awarded {
            Some(award) => award,
            None => {
                let object_id = attempt.id.to_string();
                let deed = Deed { event: TAKEN, object_kind: OBJECT_KIND, object_id, ..Deed::default() };
                points::award(conn, member_id, &deed, at).await
            }
        };
        Ok((credited, of_cell(award)?))
    }

    /// Pays what an attempt earns more after it was graded again, for the day on which it counted: the whole when it passes now, the
    /// difference to what it earned `before` when it is the credited one. None for an attempt beside the credited one.
    pub async fn top_up(
        &self,
        conn: &mut Conn,
        attempt: &AttemptRow,
        (before, percent): (Option<i32>, i32),
        (submitted_at, now): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Option<Award>, Problem> {
        let Self::Quiz(quiz) = self else { return Ok(None) };
        if before.is_none() && store::has_passed(conn, quiz.id, attempt.member_id).await? {
            return Ok(None);
        }
        let object_id = before.map_or(quiz.id.to_string(), |_| format!("{}:{}", quiz.id, quiz.voids));
        let deed = Deed {
            event: if quiz.contest_id.is_some() { ENTERED } else { PASSED },
            object_kind: OBJECT_KIND,
            object_id,
            percent: Some(percent),
            already: before.unwrap_or(0),
            on: Some(day_of(submitted_at)),
            ..Deed::default()
        };
        of_cell(points::award(conn, attempt.member_id, &deed, now).await)
    }
}

/// An award; none for a member who belongs to no cell.
fn of_cell(award: Result<Award, Problem>) -> Result<Option<Award>, Problem> {
    match award {
        Ok(award) => Ok(Some(award)),
        Err(problem) if problem.code == Code::Forbidden => Ok(None),
        Err(problem) => Err(problem),
    }
}
