//! Final results as a file that can be verified offline.

use actix_web::get;
use actix_web::http::header;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::db::schema::{contest_closing_rows, contest_closings};
use crate::kernel::db::{Conn, transaction};
use crate::kernel::extract::ReadRequest;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::{Reply, Saved};
use crate::kernel::security::audit;
use crate::kernel::security::crypto::to_text;
use crate::points::signing;

use super::model::ContestReport;
use super::target::ContestForOfficers;

async fn report(conn: &mut Conn, contest_id: Uuid) -> Result<ContestReport, Problem> {
    let found: Option<(String, Vec<u8>, String)> = contest_closings::table
        .find(contest_id)
        .select((contest_closings::manifest, contest_closings::signature, contest_closings::kid))
        .first(conn)
        .await
        .optional()?;
    let Some((manifest, signature, kid)) = found else {
        let (vi, en) = ("Kết quả cuộc thi chưa được chốt.", "The results of the contest are not frozen yet.");
        return Err(Problem::with(Code::Conflict, vi, en));
    };
    let contents: Vec<String> = contest_closing_rows::table
        .filter(contest_closing_rows::contest_id.eq(contest_id))
        .order(contest_closing_rows::position)
        .select(contest_closing_rows::content)
        .load(conn)
        .await?;
    let rows = contents.iter().map(|content| serde_json::from_str(content)).collect::<Result<_, _>>();
    Ok(ContestReport {
        manifest: serde_json::from_str(&manifest).map_err(Problem::internal)?,
        rows: rows.map_err(Problem::internal)?,
        signature: to_text(&signature),
        key: signing::public(conn, &kid).await?,
    })
}

/// Export the final results of a contest
///
/// The signed manifest, every row, the signature and the key, in the canonical form of closed months: `sotay verify-report` and the
/// keys published at `/.well-known/report-keys.json` tell offline whether and which row was changed. Results are frozen when
/// the last round has ended and all its attempts are graded. For officers who may list the members of its unit; recorded in the
/// audit log.
#[utoipa::path(tag = "Contests", params(("contest_id" = Uuid, Path, description = "The contest.")),
    responses((status = 409, description = "The results are not frozen yet (`conflict`).")))]
#[get("/contests/{contest_id}/results.json")]
pub async fn export_contest_report(
    mut request: ReadRequest<ContestForOfficers>,
) -> Result<Reply<Saved<ContestReport>>, Problem> {
    let (scope, conn) = (&request.scope, &mut request.conn);
    let contest = &scope.on.0;
    let report = report(conn, contest.id).await?;
    transaction(conn, async |conn| {
        let event = audit::AuditEvent {
            unit_id: Some(contest.unit_id),
            details: json!({"format": "json", "rows": report.rows.len()}),
            ..scope.audit("contest.results_exported", "contest", contest.id)
        };
        audit::record(conn, event, scope.now).await
    })
    .await?;
    let name = "attachment; filename=\"ket-qua-cuoc-thi.json\"";
    Ok(request.reply(&report)?.with((header::CONTENT_DISPOSITION, name)).described_as())
}
