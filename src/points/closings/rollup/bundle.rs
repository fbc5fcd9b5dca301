//! All reports below a unit in one file, JSON lines, streamed: a province has thousands of them.

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use bytes::Bytes;
use futures_util::stream;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::transaction;
use crate::kernel::extract::ReadRequest;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::{JsonLines, Reply};
use crate::kernel::security::access::needs::ExportBoard;
use crate::kernel::security::crypto::to_text;
use crate::kernel::state::State;
use crate::organisation::units;

use super::super::export::{attachment, record};
use super::super::keys::{self, Signer};
use super::super::model::{
    BUNDLE_FORMAT, BundleManifest, BundledReport, ClosingReport, OpenCell, canonical, hex, normal,
};
use super::super::store as closings;
use super::super::target::OnMonth;
use super::store;

/// Most cells of one file; a country exports its provinces one by one.
const MOST: i64 = 20_000;
/// Reports read at a time.
const SLICE: usize = 50;

/// Export all closed months below a unit as one file that can be verified
///
/// JSON lines: a report of each closed cell as `exportClosingReport` makes it, by name, and a last line that lists them and is
/// signed too, so that none can be taken out unnoticed; it names the cells that were not closed. `sotay verify-report` reads
/// it. Recorded in the audit log.
///
/// Each line is in the canonical form that `exportClosingReport` describes and ends with a line feed. All but the last are a
/// `ClosingReport`. The last is `{"bundle":…,"signature":…,"key":…}` with a `ReportKey`; the signature is over the canonical
/// form of `bundle`. Its fields in order: `format` (always `sotay/closing-bundle/1`), `unit_id`, `unit_name`, `period`,
/// `exported_at`, `reports`, `open`, `kid`; those of each of `reports`, in the order of the lines: `unit_id`, `unit_name`,
/// `closing_id`, `manifest_hash`; those of each of `open`: `unit_id`, `unit_name`.
#[utoipa::path(tag = "Closings", params(("unit_id" = Uuid, Path, description = "The unit."),
    ("period" = Period, Path, description = "The month.")),
    responses((status = 422, description = "The unit has too many cells for one file.")))]
#[get("/units/{unit_id}/closing-summaries/{period}/reports.jsonl")]
pub async fn export_closing_reports(
    mut request: ReadRequest<OnMonth<ExportBoard>>,
) -> Result<Reply<JsonLines>, Problem> {
    let (unit_id, period, now) = (request.scope.on.unit_id, request.scope.on.period, request.scope.now);
    let cells = store::cells(&mut request.conn, unit_id, period, MOST + 1).await?;
    if cells.len() > usize::try_from(MOST).unwrap_or(usize::MAX) {
        return Err(Problem::with(
            Code::RuleNotMet,
            format!("Mỗi tệp chứa tối đa {MOST} chi bộ; hãy xuất theo từng đơn vị trực thuộc."),
            format!("A file holds at most {MOST} cells; export the units below one by one."),
        ));
    }
    let state = request.scope.state.clone();
    let signer = transaction(&mut request.conn, async |conn| keys::signer(conn, &state.crypto, now).await).await?;
    let (closed, open): (Vec<_>, Vec<_>) = cells.into_iter().partition(|cell| cell.closing_id.is_some());
    let manifest = BundleManifest {
        format: BUNDLE_FORMAT.to_owned(),
        unit_id,
        unit_name: normal(&units::name(&mut request.conn, unit_id).await?),
        period,
        exported_at: now,
        reports: Vec::with_capacity(closed.len()),
        open: open.into_iter().map(|cell| OpenCell { unit_id: cell.unit_id, unit_name: normal(&cell.name) }).collect(),
        kid: signer.kid.clone(),
    };
    record(&mut request, "closings.exported", unit_id, "jsonl").await?;
    let waiting = closed.into_iter().filter_map(|cell| cell.closing_id).collect();
    let progress = BundleProgress { state, waiting, manifest, signer };
    let response = HttpResponse::Ok()
        .content_type("application/jsonl")
        .insert_header((header::CONTENT_DISPOSITION, attachment(&format!("bao-cao-chot-{period}"), "jsonl")))
        .streaming(stream::try_unfold(Some(progress), next));
    Ok(Reply::of(response))
}

/// How far the file has come.
struct BundleProgress {
    state: web::Data<State>,
    /// Closings to come, in order.
    waiting: Vec<Uuid>,
    /// Grows with each report; signed at the end.
    manifest: BundleManifest,
    signer: Signer,
}

/// The next lines. On an error the file ends before its last line, and so fails every verification.
async fn next(progress: Option<BundleProgress>) -> Result<Option<(Bytes, Option<BundleProgress>)>, Problem> {
    let Some(mut progress) = progress else {
        return Ok(None);
    };
    if progress.waiting.is_empty() {
        return Ok(Some((last_line(&progress)?, None)));
    }
    let rest = progress.waiting.split_off(SLICE.min(progress.waiting.len()));
    let slice = std::mem::replace(&mut progress.waiting, rest);
    let lines = lines(&mut progress, &slice).await?;
    Ok(Some((Bytes::from(lines), Some(progress))))
}

async fn lines(progress: &mut BundleProgress, slice: &[Uuid]) -> Result<String, Problem> {
    let mut conn = progress.state.db.conn().await?;
    let mut rows = closings::rows_of(&mut conn, slice).await?;
    let mut lines = String::new();
    for closing in closings::of_ids(&mut conn, slice).await? {
        let key = keys::public(&mut conn, &closing.kid).await?;
        let report = ClosingReport {
            manifest: serde_json::from_str(&closing.manifest).map_err(Problem::internal)?,
            rows: rows.remove(&closing.id).unwrap_or_default(),
            signature: to_text(&closing.signature),
            key,
        };
        lines.push_str(&canonical(&report)?);
        lines.push('\n');
        progress.manifest.reports.push(BundledReport {
            unit_id: closing.unit_id,
            unit_name: report.manifest.unit_name,
            closing_id: closing.id,
            manifest_hash: hex(&closing.manifest_hash),
        });
    }
    Ok(lines)
}

fn last_line(progress: &BundleProgress) -> Result<Bytes, Problem> {
    let manifest = canonical(&progress.manifest)?;
    let signature = json!(to_text(&progress.signer.sign(&manifest)));
    let key = canonical(&progress.signer.public())?;
    Ok(Bytes::from(format!("{{\"bundle\":{manifest},\"signature\":{signature},\"key\":{key}}}\n")))
}
