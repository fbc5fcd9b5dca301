//! Writing questions as an Excel table that reads back the same.

use crate::kernel::sheet::{Column, ColumnKind, Sheet, Value, to_xlsx};

use super::super::check::letter;
use super::super::fault::{FormatFault, Place};
use super::super::{ImportedQuestion, Kind};
use super::answers::{Right, written};

/// Writes a workbook.
pub(in super::super) fn write(questions: &[ImportedQuestion]) -> Result<Vec<u8>, Vec<FormatFault>> {
    let most = questions.iter().map(|question| question.options.len()).max().unwrap_or(0).max(4);
    let (mut rows, mut faults) = (Vec::with_capacity(questions.len()), Vec::new());
    for (number, question) in (1..).zip(questions) {
        match row(number, question, most) {
            Ok(row) => rows.push(row),
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let sheet = Sheet {
        title_lines: vec!["NGÂN HÀNG CÂU HỎI TRẮC NGHIỆM".to_owned()],
        headers: headers(most),
        rows,
        landscape: true,
        ..Sheet::default()
    };
    to_xlsx(&sheet)
        .map_err(|error| vec![FormatFault::new(&Place::default(), "not_written", error.to_string(), error.to_string())])
}

fn headers(most: usize) -> Vec<Column> {
    let column = |title: &str, width: f64| Column { title: title.to_owned(), width, kind: ColumnKind::Text };
    let mut headers = vec![column("STT", 6.0), column("Nội dung câu hỏi", 50.0)];
    headers.extend((0..most).map(|position| column(&letter(position).to_string(), 20.0)));
    headers.extend([
        column("Đáp án đúng", 14.0),
        column("Giải thích", 40.0),
        column("Chủ đề", 20.0),
        column("Mức độ", 8.0),
        column("Loại câu hỏi", 16.0),
    ]);
    headers
}

fn row(number: i64, question: &ImportedQuestion, most: usize) -> Result<Vec<Value>, FormatFault> {
    let options: Vec<String> = question.options.iter().map(|option| option.text.clone()).collect();
    let right: Right = (0..options.len()).filter(|at| question.options[*at].correct).collect();
    let Some(answer) = written(&right, &options) else {
        let (vi, en) = ("đáp án không viết được rõ ràng trong Excel", "the answer cannot be written clearly in Excel");
        return Err(FormatFault::new(&question.place, "format_lacks_text", vi, en));
    };
    let text = |text: Option<&str>| text.map_or(Value::Empty, |text| Value::Text(text.to_owned()));
    let mut row = vec![Value::Integer(number), text(Some(&question.text))];
    row.extend((0..most).map(|at| text(options.get(at).map(String::as_str))));
    row.push(Value::Text(answer));
    row.push(text(question.explanation.as_deref()));
    row.push(text(question.topic.as_deref()));
    row.push(question.difficulty.map_or(Value::Empty, |level| Value::Integer(i64::from(level))));
    let kind = match question.kind {
        Kind::SingleChoice => "Một đáp án",
        Kind::MultipleChoice => "Nhiều đáp án",
        Kind::TrueFalse => "Đúng/Sai",
    };
    row.push(Value::Text(kind.to_owned()));
    Ok(row)
}
