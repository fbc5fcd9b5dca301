//! Results as a spreadsheet file.

use actix_web::HttpResponse;
use actix_web::http::header;

use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::Reply;
use crate::kernel::sheet::{Column, ColumnKind, Sheet, Value, to_csv, to_xlsx};

use super::store::{Figures, MemberResult};

/// The file's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    Xlsx,
    Csv,
}

impl FileKind {
    pub fn extension(self) -> &'static str {
        match self {
            Self::Xlsx => "xlsx",
            Self::Csv => "csv",
        }
    }
}

/// Writes the file.
pub async fn answer<T>(
    kind: FileKind,
    title: String,
    figures: &Figures,
    rows: &[MemberResult],
) -> Result<Reply<T>, Problem> {
    let sheet = sheet(title, figures, rows);
    let (bytes, media_type) = match kind {
        FileKind::Csv => (to_csv(&sheet), "text/csv; charset=utf-8"),
        FileKind::Xlsx => {
            let written = tokio::task::spawn_blocking(move || to_xlsx(&sheet)).await.map_err(Problem::internal)?;
            let media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
            (written.map_err(Problem::internal)?, media_type)
        }
    };
    let disposition = format!("attachment; filename=\"ket-qua.{}\"", kind.extension());
    let response = HttpResponse::Ok()
        .content_type(media_type)
        .insert_header((header::CONTENT_DISPOSITION, disposition))
        .body(bytes);
    Ok(Reply::of(response))
}

fn sheet(title: String, figures: &Figures, rows: &[MemberResult]) -> Sheet {
    let column = |title: &str, width: f64, kind| Column { title: title.to_owned(), width, kind };
    let row = |(number, row): (i64, &MemberResult)| {
        vec![
            Value::Integer(number),
            Value::Text(row.full_name.clone()),
            Value::Text(row.unit_name.clone()),
            Value::Integer(row.attempts),
            row.percent.map_or(Value::Empty, |percent| Value::Integer(percent.into())),
            Value::Text(if row.passed { "Đạt" } else { "" }.to_owned()),
            Value::Integer(row.points.into()),
        ]
    };
    let counts = format!("Tổng số: {} đảng viên; đã làm: {}; đạt: {}", figures.members, figures.taken, figures.passed);
    Sheet {
        title_lines: vec![title.to_uppercase(), "KẾT QUẢ THI TRẮC NGHIỆM".to_owned(), counts],
        headers: vec![
            column("STT", 6.0, ColumnKind::Number),
            column("Họ và tên", 30.0, ColumnKind::Text),
            column("Chi bộ", 32.0, ColumnKind::Text),
            column("Số lần làm", 10.0, ColumnKind::Number),
            column("Kết quả (%)", 10.0, ColumnKind::Number),
            column("Đạt", 8.0, ColumnKind::Centred),
            column("Điểm", 8.0, ColumnKind::Number),
        ],
        rows: (1..).zip(rows).map(row).collect(),
        landscape: true,
        ..Sheet::default()
    }
}
