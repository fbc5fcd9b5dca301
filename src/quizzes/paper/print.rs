//! Sheets of paper as a workbook to be printed: a block for each member, without a key.

use actix_web::http::header;
use actix_web::{HttpResponse, get};

use crate::kernel::clock::day_of;
use crate::kernel::extract::{Query, ReadRequest};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::{Reply, Xlsx};
use crate::kernel::security::access::needs::RecordAttestations;
use crate::kernel::sheet::{Column, ColumnKind, Sheet, Value, to_xlsx};
use crate::organisation::OnUnit;
use crate::quizzes::publishing::store::get as get_quiz;

use super::routes::{PaperQuery, PaperSheet, shown};
use super::store;

/// Sheets of one workbook.
const MOST: i64 = 200;

/// Print sheets of paper
///
/// The sheets of a quiz for members of the unit as a workbook: under each code the questions with their options, and a column to tick
/// in. No key is in it. At most 200 sheets.
#[utoipa::path(tag = "Quizzes", params(("unit_id" = Uuid, Path, description = "The unit."), PaperQuery),
    responses((status = 422, description = "No such quiz, or no sheet was made of it for this unit.")))]
#[get("/units/{unit_id}/paper-sheets.xlsx")]
pub async fn print_paper_sheets(
    mut request: ReadRequest<OnUnit<RecordAttestations>>,
    query: Query<PaperQuery>,
) -> Result<Reply<Xlsx>, Problem> {
    let (scope, conn) = (&request.scope, &mut request.conn);
    let of = (query.0.quiz_id, scope.on.unit_id, day_of(scope.now));
    let rows = store::of_unit(conn, of, None, MOST).await?;
    if rows.is_empty() {
        let (vi, en) = ("Chưa lập phiếu nào cho bài thi này.", "No sheet was made of this quiz.");
        return Err(Problem::with(Code::RuleNotMet, vi, en));
    }
    let title = get_quiz(conn, query.0.quiz_id).await?.title;
    let mut sheets = Vec::with_capacity(rows.len());
    for row in rows {
        sheets.push(shown(conn, row).await?);
    }
    let sheet = workbook(title, &sheets);
    let written = tokio::task::spawn_blocking(move || to_xlsx(&sheet)).await.map_err(Problem::internal)?;
    let response = HttpResponse::Ok()
        .content_type("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"phieu-thi.xlsx\""))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(written.map_err(Problem::internal)?);
    Ok(Reply::of(response))
}

fn workbook(title: String, sheets: &[PaperSheet]) -> Sheet {
    let column = |title: &str, width: f64, kind| Column { title: title.to_owned(), width, kind };
    let mut rows = Vec::new();
    for sheet in sheets {
        let head = format!("{}    Mã phiếu: {}", sheet.member.full_name, sheet.code);
        rows.push(vec![Value::Empty, Value::Text(head), Value::Text(sheet.code.clone())]);
        for question in &sheet.questions {
            let number = i64::try_from(question.number).unwrap_or(0);
            let mut text = question.text.clone();
            if question.kind == "multiple_choice" {
                text.push_str(" (chọn tất cả phương án phù hợp)");
            }
            rows.push(vec![Value::Integer(number), Value::Text(text), Value::Empty]);
            for option in &question.options {
                let text = format!("{}. {}", option.letter, option.text);
                rows.push(vec![Value::Empty, Value::Text(text), Value::Text("☐".to_owned())]);
            }
        }
    }
    let advice = "Đánh dấu vào ô của phương án chọn; ký tên ở cuối phiếu.".to_owned();
    Sheet {
        title_lines: vec![title.to_uppercase(), "PHIẾU LÀM BÀI TRÊN GIẤY".to_owned(), advice],
        headers: vec![
            column("Câu", 6.0, ColumnKind::Number),
            column("Nội dung", 90.0, ColumnKind::Text),
            column("Chọn", 12.0, ColumnKind::Centred),
        ],
        rows,
        ..Sheet::default()
    }
}
