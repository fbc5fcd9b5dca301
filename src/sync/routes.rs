//! The synchronisation over HTTP.

use actix_web::get;
use actix_web::web::Data;
use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::documents::{self, LibraryItem};
use crate::kernel::extract::{Myself, Query, ReadRequest};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::{self, Reply};
use crate::kernel::security::crypto::to_text;
use crate::notifications::{self, NotificationOut};
use crate::points::{MonthBrief, Queues};

use super::cursor::{Cursor, SyncPosition, too_old};

/// Documents and notifications of one answer, each.
const PAGE: usize = 100;

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
    /// What it is: `document`.
    #[schema(max_length = 20, pattern = "^[a-z_]+$", example = "document")]
    kind: &'static str,
    /// Which one.
    id: Uuid,
}

/// What changed for a member.
#[derive(Debug, Serialize, ToSchema)]
pub struct SyncOut {
    /// Documents that are new or changed, with the member's own state of them.
    #[schema(max_items = 200)]
    documents: Vec<LibraryItem>,
    /// What the phone has to forget: recalled, or not distributed to the member any more.
    #[schema(max_items = 200)]
    removed: Vec<RemovedItem>,
    /// Notifications that are new or were read.
    #[schema(max_items = 200)]
    notifications: Vec<NotificationOut>,
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
) -> Result<Reply<SyncOut>, Problem> {
    let ReadRequest { mut conn, scope, request } = request;
    let (me, now, language) = (scope.caller.account_id, scope.now, scope.context.language);
    let keys = documents::audiences(&mut conn, &scope.caller, now).await?;
    let audiences = to_text(&digest(&SHA256, keys.join(" ").as_bytes()).as_ref()[..12]);
    let pass = match &query.0.cursor {
        Some(cursor) => Some(Cursor::read(cursor, me, &audiences, now)?),
        None => None,
    };
    // Asked before anything is read, so that it is never later than what is seen.
    let since = pass.as_ref().map(|pass| pass.next);
    let (horizon, known) = documents::horizon(&mut conn, since).await?;
    if !known {
        return Err(too_old());
    }
    let going_on = pass.as_ref().is_some_and(|pass| pass.position.is_some());
    let (since, next, position) = match pass {
        // The same pass goes on.
        Some(Cursor { since, next, position: Some(position), .. }) => (since, next, position),
        Some(Cursor { next, .. }) => (Some(next), horizon, SyncPosition { document: None, notification: None }),
        None => (None, horizon, SyncPosition { document: None, notification: None }),
    };
    let fetch = i64::try_from(PAGE).unwrap_or(i64::MAX) + 1;
    let mut changed = documents::changed(&mut conn, (me, &keys), (since, position.document), fetch).await?;
    let mut told = notifications::changed(&mut conn, me, (since, position.notification), fetch).await?;
    let more = changed.len() > PAGE || told.len() > PAGE;
    changed.truncate(PAGE);
    told.truncate(PAGE);
    let ids: Vec<Uuid> = changed.iter().map(|change| change.id).collect();
    let shown = documents::shown(&mut conn, me, &keys, &ids).await?;
    // A phone that has nothing has nothing to forget.
    let gone = if since.is_some() || going_on { documents::gone(&ids, &shown) } else { Vec::new() };
    drop(conn);
    let at = SyncPosition {
        document: changed.last().map(|change| (change.xid, change.id)).or(position.document),
        notification: told.last().map(|told| (told.xid, told.id())).or(position.notification),
    };
    let cursor = Cursor { account: me, audiences, since, next, position: more.then_some(at), at: now.timestamp() };
    let claims = scope.context.claims.clone().ok_or_else(|| Problem::new(Code::Unauthenticated))?;
    let out = SyncOut {
        documents: shown,
        removed: gone.into_iter().map(|id| RemovedItem { kind: "document", id }).collect(),
        notifications: told.into_iter().map(|told| told.show(language)).collect(),
        month: queues.month_in_brief(claims, language, now).await?,
        next_cursor: cursor.to_text()?,
        more,
    };
    reply::json(&request, &out)
}
