//! One page of what changed for a member: documents, quizzes, notifications, and what is gone.

use uuid::Uuid;

use crate::documents::{self, LibraryItem};
use crate::kernel::db::Conn;
use crate::kernel::extract::{Myself, Scope};
use crate::kernel::http::problem::Problem;
use crate::notifications::{self, NotificationOut};
use crate::quizzes::{self, Quiz};

use super::cursor::{Cursor, SyncPosition};

/// Documents, quizzes and notifications of one answer, each.
const PAGE: usize = 100;

/// Where a pass through the changes begins, and where this answer goes on.
pub struct SyncPass {
    /// The transaction from which on it looks; none when the phone has nothing.
    pub since: Option<i64>,
    /// The one from which on the next pass will look.
    pub next: i64,
    pub position: SyncPosition,
    /// Whether the phone has something that it could forget.
    has_something: bool,
}

impl SyncPass {
    /// The pass of a cursor goes on, or a new one begins; `horizon` is the oldest transaction that may still commit.
    pub fn of(cursor: Option<&Cursor>, horizon: i64) -> Self {
        match cursor {
            Some(Cursor { since, next, position: Some(position), .. }) => {
                Self { since: *since, next: *next, position: *position, has_something: true }
            }
            Some(Cursor { next, .. }) => {
                Self { since: Some(*next), next: horizon, position: SyncPosition::default(), has_something: true }
            }
            None => Self { since: None, next: horizon, position: SyncPosition::default(), has_something: false },
        }
    }
}

/// Something that the phone has to forget: a document or a quiz.
pub struct Gone {
    pub kind: &'static str,
    pub id: Uuid,
}

/// What one answer brings.
pub struct Changes {
    pub documents: Vec<LibraryItem>,
    pub quizzes: Vec<Quiz>,
    pub notifications: Vec<NotificationOut>,
    pub gone: Vec<Gone>,
    /// Where the next answer goes on; none when the pass is over.
    pub position: Option<SyncPosition>,
}

/// Reads the next page of a pass.
pub async fn next_page(
    conn: &mut Conn,
    scope: &Scope<(), Myself>,
    keys: &[String],
    pass: &SyncPass,
) -> Result<Changes, Problem> {
    let (me, home, at) = (scope.caller.account_id, scope.caller.home.as_slice(), pass.position);
    let fetch = i64::try_from(PAGE).unwrap_or(i64::MAX) + 1;
    let reader = documents::SyncReader { account_id: me, keys, home };
    let mut documents = documents::changed(conn, reader, (pass.since, at.document), fetch).await?;
    let mut quizzes = quizzes::changed(conn, (me, home), (pass.since, at.quiz), fetch).await?;
    let mut told = notifications::changed(conn, me, (pass.since, at.notification), fetch).await?;
    let more = [documents.len(), quizzes.len(), told.len()].into_iter().any(|found| found > PAGE);
    documents.truncate(PAGE);
    quizzes.truncate(PAGE);
    told.truncate(PAGE);
    let position = SyncPosition {
        document: documents.last().map(|change| (change.xid, change.id)).or(at.document),
        quiz: quizzes.last().map(|change| (change.xid, change.id)).or(at.quiz),
        notification: told.last().map(|told| (told.xid, told.id())).or(at.notification),
    };
    let document_ids: Vec<Uuid> = documents.iter().map(|change| change.id).collect();
    let quiz_ids: Vec<Uuid> = quizzes.iter().map(|change| change.id).collect();
    let documents = documents::shown(conn, reader, &document_ids).await?;
    let quizzes = quizzes::shown(conn, (me, home), &quiz_ids, scope.now).await?;
    let mut gone = Vec::new();
    if pass.has_something {
        let there: Vec<Uuid> = documents.iter().map(|item| item.id).chain(quizzes.iter().map(|quiz| quiz.id)).collect();
        let left = |kind, ids: Vec<Uuid>| ids.into_iter().map(move |id| Gone { kind, id });
        gone = left("document", document_ids).chain(left("quiz", quiz_ids)).collect();
        gone.retain(|gone| !there.contains(&gone.id));
    }
    let language = scope.context.language;
    let notifications = told.into_iter().map(|told| told.show(language)).collect();
    Ok(Changes { documents, quizzes, notifications, gone, position: more.then_some(position) })
}
