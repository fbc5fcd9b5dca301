//! Comprehension questions over HTTP; answers and submission are those of attempts.

use std::cell::Cell;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, Responder, post};

use crate::documents::{Distributed, require_in_force};
use crate::kernel::extract::{Empty, WriteRequest};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::{Created, OneOf, Reply};
use crate::quizzes::attempts::output::{Attempt, show};

use super::start::start;

/// Answer the questions of a document
///
/// Starts an attempt of five questions from the banks that name the document, to be answered within 15 minutes and submitted like any
/// attempt. Four of five complete the reading, also of a member who has not read for long enough, and earn
/// `comprehension_passed`. After an attempt that does not suffice there is a pause of 30 minutes, other questions come first, and
/// no single question is ever judged; three attempts a day. While an attempt is open it answers 200 with that one. A person who has seen a
/// question with its key earns nothing.
#[utoipa::path(tag = "Quizzes", params(("document_id" = Uuid, Path, description = "The document.")), request_body = Empty,
    responses((status = 409, description = "The questions are answered, the document was replaced, the pause is not over or the day's attempts are used up (`attempt_too_soon`, `attempts_used_up`)."),
        (status = 422, description = "The document does not have enough questions.")))]
#[post("/documents/{document_id}/comprehension")]
pub async fn start_comprehension(
    req: HttpRequest,
    request: WriteRequest<Empty, Distributed>,
) -> Result<OneOf<Created<Attempt>, Reply<Attempt>>, Problem> {
    let fresh = Cell::new(true);
    let reply: Created<Attempt> = request
        .commit(async |conn, scope| {
            let document = &scope.on.row;
            require_in_force(&document.state)?;
            let version = (document.id, document.version);
            let (attempt, new) = start(conn, version, scope.caller.account_id, scope.now).await?;
            fresh.set(new);
            show(conn, attempt, scope.now).await
        })
        .await?;
    if fresh.get() {
        return Ok(OneOf::First(reply));
    }
    let mut response = reply.respond_to(&req);
    *response.status_mut() = StatusCode::OK;
    Ok(OneOf::Second(Reply::of(response)))
}
