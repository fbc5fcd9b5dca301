//! Memberships over HTTP.

use actix_web::get;
use serde_json::json;

use crate::kernel::extract::{Query, ReadRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::Reply;
use crate::kernel::security::access::needs::ReadMember;
use crate::organisation::OnMember;
use crate::organisation::members::record_view;

use super::store::{self, Membership};

/// List a member's memberships
///
/// Lists the member's cells with their periods, latest first. The access is recorded in the audit log.
#[utoipa::path(tag = "Members", params(PageQuery, ("member_id" = Uuid, Path, description = "The member.")))]
#[get("/members/{member_id}/memberships")]
pub async fn list_memberships(
    mut request: ReadRequest<OnMember<ReadMember>>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<Membership>>, Problem> {
    let before = page.0.after()?;
    record_view(&mut request.conn, &request.scope, json!({"part": "memberships"})).await?;
    let rows = store::history(&mut request.conn, request.scope.on.member_id, before, page.0.fetch()).await?;
    request.reply(&page.0.page(rows, |row| row.valid_from, |row| row))
}
