//! Memberships over HTTP.

use actix_web::{HttpResponse, get};
use serde_json::json;

use crate::kernel::access::needs::ReadMember;
use crate::kernel::call::{Ask, Query};
use crate::kernel::page::{Page, PageQuery};
use crate::kernel::problem::Problem;
use crate::organisation::OnMember;
use crate::organisation::members::record_view;

use super::store::{self, Membership};

/// List a member's memberships
///
/// Lists the member's cells with their periods, latest first. The access is recorded in the audit log.
#[utoipa::path(tag = "Members", params(PageQuery, ("member_id" = Uuid, Path, description = "The member.")),
    responses((status = 200, description = "A page of memberships.", body = Page<Membership>)))]
#[get("/members/{member_id}/memberships")]
pub async fn list_memberships(
    mut ask: Ask<OnMember<ReadMember>>,
    page: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let before = page.0.after()?;
    record_view(&mut ask.conn, &ask.scope, json!({"part": "memberships"})).await?;
    let rows = store::history(&mut ask.conn, ask.scope.on.member_id, before, page.0.fetch()).await?;
    ask.reply(&page.0.page(rows, |row| row.valid_from, |row| row))
}
