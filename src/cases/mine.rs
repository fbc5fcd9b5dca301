//! Cases that concern the caller: visible once opened, notified once decided.

use actix_web::get;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::extract::{Myself, Query, ReadRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Language, Problem};
use crate::kernel::http::reply::Reply;

use super::model::{CaseKind, CaseOutcome, CaseState, title};
use super::store::{self, CaseRow};

/// A case that concerns the caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct MyCase {
    /// Identifier.
    id: Uuid,
    /// The pattern that was found.
    #[schema(value_type = CaseKind)]
    kind: String,
    /// The pattern in words, in the language of the request.
    #[schema(max_length = 200, example = "Các lần học tập diễn ra đúng cùng một giây mỗi ngày")]
    title: String,
    /// When it was opened.
    opened_at: DateTime<Utc>,
    /// Open or decided.
    #[schema(value_type = CaseState)]
    state: String,
    /// The outcome; null while the case is open.
    #[schema(value_type = Option<CaseOutcome>)]
    outcome: Option<String>,
    /// The reason for the outcome; null while the case is open.
    #[schema(max_length = 2000, example = "Đồng chí nhờ con cài báo thức.")]
    reason: Option<String>,
    /// When it was decided.
    decided_at: Option<DateTime<Utc>>,
}

fn show(row: CaseRow, language: Language) -> MyCase {
    MyCase {
        id: row.id,
        title: language.pick(&title(&row.kind)).to_owned(),
        kind: row.kind,
        opened_at: row.opened_at,
        state: row.state,
        outcome: row.outcome,
        reason: row.reason,
        decided_at: row.decided_at,
    }
}

/// List the cases that concern oneself
///
/// Lists open and decided cases, latest first. A case takes no points and accuses no one: a person reviews it. The
/// notification is sent when the case is decided, not when a pattern opens it, since most have an innocent explanation.
#[utoipa::path(tag = "Cases", params(PageQuery), responses((status = 403, description = "The caller is no member.")))]
#[get("/me/cases")]
pub async fn list_my_cases(
    mut request: ReadRequest<Myself>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<MyCase>>, Problem> {
    let (before, me, language) = (page.0.after()?, request.scope.caller.account_id, request.scope.context.language);
    let rows = store::of_member(&mut request.conn, me, before, page.0.fetch()).await?;
    request.reply(&page.0.page(rows, |row| row.id, |row| show(row, language)))
}
