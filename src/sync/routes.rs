//! The synchronisation over HTTP.

use actix_web::get;
use actix_web::web::Data;
use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::documents::{self, LibraryItem};
use crate::identity::{Me, Mirror};
use crate::kernel::batching::loader::BatchLoader;
use crate::kernel::extract::{Myself, Query, ReadRequest};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::{self, Reply};
use crate::kernel::security::crypto::to_text;
use crate::notifications::NotificationOut;
use crate::points::{MonthBrief, Queues};
use crate::quizzes::Quiz;

use super::changes::{SyncPass, next_page};
use super::cursor::{Cursor, too_old};

/// Since when changes are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SyncQuery {
    /// `next_cursor` of the answer before; leave it out to get everything.
    #[param(max_length = 1024, pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    cursor: Option<String>,
}

/// Something that the phone has to forget.
#[derive(Debug, Serialize, ToSchema)]
pub struct RemovedItem {
    /// What it is: `document` or `quiz`.
    #[schema(max_length = 20, pattern = "^[a-z_]+$", example = "document")]
    kind: &'static str,
    /// Which one.
    id: Uuid,
}

/// What changed for a member.
#[derive(Serialize, ToSchema)]
pub struct SyncOut {
    /// Documents that are new or changed, with the member's own state of them.
    #[schema(max_items = 200)]
    documents: Vec<LibraryItem>,
    /// Quizzes that are new or changed, or of which the member's own state has changed.
    #[schema(max_items = 200)]
    quizzes: Vec<Quiz>,
    /// What the phone has to forget: recalled, withdrawn, or not distributed to the member any more.
    #[schema(max_items = 200)]
    removed: Vec<RemovedItem>,
    /// Notifications that are new or were read.
    #[schema(max_items = 200)]
    notifications: Vec<NotificationOut>,
    /// The member, as `GET /v1/me` shows them; null when it is as it was last time.
    profile: Option<Me>,
    /// The member's present month.
    month: MonthBrief,
    /// Where to go on, now or later.
    #[schema(max_length = 1024, pattern = "^[A-Za-z0-9_-]+$")]
    next_cursor: String,
    /// Whether there is more to fetch at once.
    more: bool,
}

/// Synchronise a phone
///
/// What changed for the caller since the cursor of the answer before; without one, everything. Repeat while `more` is true, and keep
/// `next_cursor` for the next time. A change may come twice, and none is left out. 410 when the cursor is older than 90 days or the
/// member has moved: begin without one and forget what the phone has.
#[utoipa::path(tag = "Me", params(SyncQuery),
    responses((status = 403, description = "The caller is no member."),
        (status = 410, description = "The cursor is too old (`sync_expired`).")))]
#[get("/sync")]
pub async fn synchronise(
    request: ReadRequest<Myself>,
    query: Query<SyncQuery>,
    queues: Data<Queues>,
    people: Data<BatchLoader<Mirror>>,
) -> Result<Reply<SyncOut>, Problem> {
    let ReadRequest { mut conn, scope, request } = request;
    let (me, now) = (scope.caller.account_id, scope.now);
    let keys = documents::audiences(&mut conn, &scope.caller, now).await?;
    let audiences = short_digest(keys.join(" ").as_bytes());
    let before = match &query.0.cursor {
        Some(cursor) => Some(Cursor::read(cursor, me, &audiences, now)?),
        None => None,
    };
    // Asked before anything is read, so that it is never later than what is seen.
    let (horizon, known) = documents::horizon(&mut conn, before.as_ref().map(|before| before.next)).await?;
    if !known {
        return Err(too_old());
    }
    let pass = SyncPass::of(before.as_ref(), horizon);
    let changes = next_page(&mut conn, &scope, &keys, &pass).await?;
    drop(conn);
    let claims = scope.context.claims.clone().ok_or_else(|| Problem::new(Code::Unauthenticated))?;
    let month = queues.month_in_brief(claims.clone(), scope.context.language, now).await?;
    let profile = people.ask(claims, (), now).await?;
    let seen = short_digest(&serde_json::to_vec(&profile).map_err(Problem::internal)?);
    let is_new = before.and_then(|before| before.profile).is_none_or(|had| had != seen);
    let (since, next, position) = (pass.since, pass.next, changes.position);
    let cursor = Cursor { account: me, audiences, since, next, position, at: now.timestamp(), profile: Some(seen) };
    let out = SyncOut {
        documents: changes.documents,
        quizzes: changes.quizzes,
        removed: changes.gone.into_iter().map(|gone| RemovedItem { kind: gone.kind, id: gone.id }).collect(),
        notifications: changes.notifications,
        profile: is_new.then_some(profile),
        month,
        next_cursor: cursor.to_text()?,
        more: changes.position.is_some(),
    };
    reply::json(&request, &out)
}

/// A digest that is compared and never shown to stand for its input.
fn short_digest(bytes: &[u8]) -> String {
    to_text(&digest(&SHA256, bytes).as_ref()[..12])
}
