//! Reading sessions and confirmations over HTTP.

use actix_web::{HttpRequest, post};
use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::documents::targets::Distributed;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Authorize, Empty, WriteRequest, path_id};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::{Created, Reply};
use crate::kernel::security::audit;
use crate::kernel::security::auth::Principal;
use crate::points::Award;

use super::sessions;
use super::store::{self, StoredSession};

/// The caller's own session of the path's `session_id`; 404 for sessions of others.
pub struct MySession(Uuid);

impl Authorize for MySession {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        _: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let id = path_id(req, "session_id")?;
            if store::belongs_to(conn, id, caller.account_id).await? { Ok(Self(id)) } else { Err(Problem::not_found()) }
        })
    }
}

/// A reading session.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadingSession {
    /// Identifier.
    id: Uuid,
    /// What is read.
    document_id: Uuid,
    /// Seconds that must be read before it can be completed.
    #[schema(minimum = 0, maximum = 86_400, example = 120)]
    required_seconds: i32,
    /// Seconds that the server has counted so far.
    #[schema(minimum = 0, maximum = 1_000_000, example = 0)]
    credited_seconds: i64,
    /// When it ends, completed or not.
    expires_at: DateTime<Utc>,
    /// Whether it is completed.
    completed: bool,
}

impl From<StoredSession> for ReadingSession {
    fn from(session: StoredSession) -> Self {
        Self {
            id: session.id,
            document_id: session.document_id,
            required_seconds: session.required_seconds,
            credited_seconds: session.credited_ms / 1000,
            expires_at: session.expires_at,
            completed: session.completed_at.is_some(),
        }
    }
}

/// Start reading
///
/// Opens a session for the document as it is now. The server measures the time between requests: send a heartbeat at
/// least every minute while the document is on the screen. One session of a member runs at a time; the others pause.
/// A member has at most 20 unfinished sessions, the oldest are closed.
#[utoipa::path(tag = "Documents", params(("document_id" = Uuid, Path, description = "The document.")),
    request_body = Empty)]
#[post("/documents/{document_id}/reading-sessions")]
pub async fn start_reading(request: WriteRequest<Empty, Distributed>) -> Result<Created<ReadingSession>, Problem> {
    request
        .commit(async |conn, scope| {
            let (me, document) = (scope.caller.account_id, &scope.on.row);
            let config = &scope.state.config;
            let session = sessions::start(conn, config, me, document, scope.now).await?;
            Ok(ReadingSession::from(session))
        })
        .await
}

/// Send a heartbeat
///
/// Counts the time since the last request of this session, at most as much as one gap may have. After another session
/// was read, the first heartbeat lets this one go on and counts nothing.
#[utoipa::path(tag = "Documents", params(("session_id" = Uuid, Path, description = "The reading session.")),
    request_body = Empty, responses(
    (status = 409, description = "The document was changed meanwhile."),
    (status = 410, description = "The session has expired.")))]
#[post("/reading-sessions/{session_id}/heartbeat")]
pub async fn send_heartbeat(request: WriteRequest<Empty, MySession>) -> Result<Reply<ReadingSession>, Problem> {
    request
        .commit(async |conn, scope| {
            let (config, id) = (&scope.state.config, scope.on.0);
            let session = sessions::beat(conn, config, &scope.caller, id, scope.now).await?;
            Ok(ReadingSession::from(session))
        })
        .await
}

/// Complete reading
///
/// Awards the points of a document that was read for long enough. A document earns once; another reading is answered
/// with the reason. Completing a session again returns the answer of the first completion.
#[utoipa::path(tag = "Documents", params(("session_id" = Uuid, Path, description = "The reading session.")),
    request_body = Empty, responses(
    (status = 409, description = "Not read for long enough, paused by another session, or the document was changed meanwhile."),
    (status = 410, description = "The session has expired.")))]
#[post("/reading-sessions/{session_id}/complete")]
pub async fn complete_reading(request: WriteRequest<Empty, MySession>) -> Result<Reply<Award>, Problem> {
    request
        .commit(async |conn, scope| {
            let (config, id) = (&scope.state.config, scope.on.0);
            sessions::complete(conn, config, &scope.caller, id, scope.now).await
        })
        .await
        .map(Reply::stored)
}

/// Confirm a document
///
/// The member says that they know a document that must be read. Earns once.
#[utoipa::path(tag = "Documents", params(("document_id" = Uuid, Path, description = "The document.")),
    request_body = Empty, responses(
    (status = 422, description = "The document asks for no confirmation.")))]
#[post("/documents/{document_id}/acknowledgement")]
pub async fn acknowledge_document(request: WriteRequest<Empty, Distributed>) -> Result<Reply<Award>, Problem> {
    request
        .commit(async |conn, scope| {
            let (me, document) = (scope.caller.account_id, &scope.on.row);
            let (award, first) = sessions::acknowledge(conn, &scope.caller, document, scope.now).await?;
            if first {
                let event = audit::AuditEvent {
                    unit_id: scope.caller.home.first().copied(),
                    member_id: Some(me),
                    ..scope.audit("document.acknowledged", "document", document.id)
                };
                audit::record(conn, event, scope.now).await?;
            }
            Ok(award)
        })
        .await
}
