//! `sotay import`: imports a roster from the command line, for one cell or a whole province.

use std::path::{Path, PathBuf};

use clap::Args;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::app;
use crate::kernel::clock::{Clock, day_of};
use crate::kernel::config::Config;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::units;
use crate::kernel::http::page::PageQuery;
use crate::kernel::http::problem::Problem;
use crate::kernel::state::State;
use crate::kernel::text::one_line;
use crate::organisation::imports::{ImportMode, ImportReport, Importer, file, import};

use super::runtime;

#[derive(Args)]
pub struct Import {
    /// The Excel file.
    file: PathBuf,
    /// The cell: its id, its code or its name.
    #[arg(long)]
    unit: String,
    /// Write; without it everything is only read and compared.
    #[arg(long)]
    commit: bool,
}

/// Imports the file, or only compares it.
///
/// # Errors
/// When the database cannot be reached, the unit is not found, or the roster has faults.
pub async fn run(mut config: Config, arguments: Import) -> Result<(), String> {
    let database = runtime::open(&mut config, runtime::Private::Join).await?;
    let outcome = match app::state(config, Clock::System, String::new()) {
        Ok(state) => import_file(&state, &arguments.file, &arguments.unit, arguments.commit).await,
        Err(error) => Err(error),
    };
    database.close().await;
    println!("{}", summary(&outcome?));
    Ok(())
}

/// Reads the file and imports it in one transaction; says on standard error how far it is.
///
/// # Errors
/// What went wrong, in Vietnamese; for a faulty roster every fault on a line of its own.
pub async fn import_file(state: &State, path: &Path, unit: &str, commit: bool) -> Result<ImportReport, String> {
    let bytes = std::fs::read(path).map_err(|e| format!("không mở được tệp: {e}"))?;
    let now = state.clock.now();
    eprintln!("Đang đọc {} …", path.display());
    let read = file::read(&state.config, bytes.into(), day_of(now), file::FileSize::Long).await;
    let roster = read.map_err(|problem| explain(&problem))?;
    eprintln!("Đã đọc {} đảng viên. Đang đối chiếu …", roster.rows.len());
    let importer = Importer { officer: None, may_grant: true, request_id: None };
    let page = PageQuery { limit: 1, cursor: None };
    let mode = if commit { ImportMode::Write } else { ImportMode::DryRun(&page) };
    let mut conn = state.work.conn().await.map_err(|problem| explain(&problem))?;
    let cell = find_unit(&mut conn, unit).await?;
    drop(conn);
    state
        .work
        .transaction(async |conn| import(conn, &state.crypto, &roster, cell, importer, now, mode).await)
        .await
        .map_err(|problem| explain(&problem))
}

/// The unit with this id, code or name.
async fn find_unit(conn: &mut Conn, wanted: &str) -> Result<Uuid, String> {
    if let Ok(id) = wanted.parse() {
        return Ok(id);
    }
    let found: Vec<(Uuid, String)> = units::table
        .filter(units::code.eq(wanted).or(units::name.ilike(escape(wanted))))
        .order(units::id)
        .select((units::id, units::name))
        .limit(10)
        .load(conn)
        .await
        .map_err(|e| e.to_string())?;
    match found.as_slice() {
        [] => Err(format!("không có tổ chức nào là “{wanted}”")),
        [(id, _)] => Ok(*id),
        several => {
            let list: Vec<String> = several.iter().map(|(id, n)| format!("  {id}  {n}")).collect();
            Err(format!("nhiều tổ chức cùng tên, hãy dùng id hoặc mã:\n{}", list.join("\n")))
        }
    }
}

/// A pattern that matches the text itself in any case.
fn escape(name: &str) -> String {
    let mut pattern = String::new();
    for c in one_line(name).chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

/// The problem in Vietnamese, with every fault.
fn explain(problem: &Problem) -> String {
    let title = problem.code.title();
    let head = problem.detail.as_ref().unwrap_or(&title);
    let mut lines = vec![head.vi.to_string()];
    lines.extend(problem.faults.iter().map(|f| format!("  {}", f.detail.vi)));
    lines.join("\n")
}

/// What the import came to, in a few lines.
fn summary(report: &ImportReport) -> String {
    let (counts, positions) = (&report.counts, &report.positions);
    let head = if report.dry_run { "CHẠY THỬ, chưa ghi gì; thêm --commit để nhập" } else { "ĐÃ NHẬP" };
    let mut lines = vec![
        format!("{head}: {}, tính từ {}", report.unit.name, report.as_of.format("%d/%m/%Y")),
        format!(
            "  {} đảng viên: {} chính thức, {} dự bị, {} miễn sinh hoạt",
            counts.members, counts.official, counts.probationary, counts.exempt
        ),
        format!(
            "  chức vụ: {} bí thư, {} phó bí thư, {} chi ủy viên",
            positions.secretary, positions.deputy, positions.committee_members
        ),
        format!(
            "  thêm {}, thay đổi {}, giữ nguyên {}, vắng trong danh sách {}",
            report.added, report.changed_total, report.unchanged, report.missing_total
        ),
    ];
    for change in &report.changed {
        lines.push(format!("  dòng {}: đổi {}", change.row, change.fields.join(", ")));
    }
    for row in &report.exempt_unmarked {
        lines.push(format!("  dòng {row}: không còn đánh dấu miễn sinh hoạt; vẫn giữ"));
    }
    for notice in &report.notices {
        lines.push(format!("  {}", notice.detail));
    }
    lines.join("\n")
}
