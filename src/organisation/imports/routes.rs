//! Rosters over HTTP.

use actix_web::post;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::extract::{MediaType, Query, Upload};
use crate::kernel::http::page::PageQuery;
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::Reply;
use crate::kernel::security::access::needs::ManageMembers;
use crate::organisation::OnUnitOfQuery;
use crate::organisation::decisions;
use crate::organisation::grants::may_grant;
use crate::organisation::lookups;

use super::{ImportMode, ImportReport, Importer, file, import, number_digests};

/// An Excel workbook.
pub struct Workbook;

impl MediaType for Workbook {
    const NAME: &'static str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    const BYTES: usize = 20 << 20;
}

/// The cell of a roster, and whether to write.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// The cell.
    #[param(nullable = false)]
    #[expect(dead_code, reason = "the authorised unit is made from it")]
    unit_id: Uuid,
    /// Compare only and write nothing.
    #[serde(default = "yes")]
    #[param(nullable = false, default = true)]
    dry_run: bool,
}

fn yes() -> bool {
    true
}

/// Import a roster
///
/// Reads the member list of a cell from an Excel file of at most 20 MiB and brings it in: all of it, or nothing when anything
/// is wrong, and then `errors` names every fault with its row and column. Members are recognised by citizen ID, then by card
/// number; importing the same file again changes nothing; nobody is removed. Positions become decisions that
/// wait for a second officer where the caller may give roles; all are listed under `proposals`. Records of the caller, and of
/// members who hold a role that the caller is not above, stay as they are. Without `dry_run=false` nothing is written, and the
/// answer shows the rows as they would be stored, a page at a time. Each import and each dry run is recorded; who meets more
/// than 50 numbers of members elsewhere in a day gets 429.
#[utoipa::path(tag = "Members", params(ImportQuery, PageQuery),
    request_body(description = "The workbook.", content(
        ("application/octet-stream"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
    extensions(("x-body-bytes" = json!(20_971_520))),
    responses(
    (status = 403, description = "The caller may know of the cell but may not manage its members."),
    (status = 404, description = "There is no such unit, or the caller may not know that there is."),
    (status = 422, description = "The roster has faults, or the file cannot be read.")))]
#[post("/imports")]
pub async fn import_roster(
    upload: Upload<Workbook, OnUnitOfQuery<ManageMembers>>,
    query: Query<ImportQuery>,
    page: Query<PageQuery>,
) -> Result<Reply<ImportReport>, Problem> {
    let (bytes, today) = (upload.scope.body.clone(), day_of(upload.scope.now));
    let roster = file::read(&upload.scope.state.config, bytes, today, file::FileSize::Cell).await?;
    let (Query(page), dry_run) = (page, query.0.dry_run);
    let digests = number_digests(&upload.scope.state.crypto, &roster);
    let asker = lookups::Asker::of(&upload.scope, upload.scope.on.unit_id);
    let allowance = lookups::record(&upload.scope.state, &asker, &digests).await?;
    allowance.require(dry_run)?;
    let call = upload.into_call().await?;
    let imported = call.commit_long(async |conn, scope| {
        let importer = Importer {
            officer: Some(&scope.caller),
            // While an officer's decisions are suspended, they can import but give no roles.
            may_grant: may_grant(&scope.caller, &scope.on.path)
                && decisions::require_rested(conn, scope.caller.account_id, scope.now).await.is_ok(),
            request_id: Some(&scope.context.request_id),
        };
        let (crypto, cell) = (&scope.state.crypto, scope.on.unit_id);
        let mode = if dry_run { ImportMode::DryRun(&page) } else { ImportMode::Write };
        import(conn, crypto, &roster, cell, importer, scope.now, mode).await
    });
    imported.await.map_err(|problem| allowance.veil(problem))
}
