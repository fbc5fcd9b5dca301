//! A table as a page that prints well on A4: large type, nothing loaded from elsewhere.

use actix_web::HttpResponse;
use maud::{Markup, html};

use crate::kernel::http::problem::Language;
use crate::kernel::pages::HtmlPage;
use crate::kernel::sheet::{ColumnKind, Sheet, Value};

const STYLE: &str = "
@page { size: A4 portrait; margin: 18mm 15mm; }
* { box-sizing: border-box; }
body { font: 13pt/1.35 'Times New Roman', 'Liberation Serif', serif; color: #000; background: #fff; max-width: 190mm; margin: 1rem auto; padding: 0 .5rem; }
h1 { font-size: 17pt; text-align: center; margin: 0; }
h2 { font-size: 15pt; text-align: center; margin: .3rem 0 .8rem; }
p { margin: .2rem 0; }
table { width: 100%; border-collapse: collapse; margin: .8rem 0; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
th, td { border: 1px solid #000; padding: .25rem .4rem; vertical-align: top; }
th { background: #eee; }
.number { text-align: right; }
.centred { text-align: center; }
.sign { display: flex; justify-content: space-around; text-align: center; margin: 1.2rem 0 4rem; break-inside: avoid; }
footer { border-top: 1px solid #000; padding-top: .4rem; font-size: 10pt; break-inside: avoid; }
footer p { overflow-wrap: anywhere; }
@media print { body { margin: 0; max-width: none; padding: 0 1px; } }
";

/// The page.
pub fn respond(sheet: &Sheet) -> HttpResponse {
    let lines = &sheet.title_lines;
    let title = lines.get(1).or(lines.first()).map(String::as_str).unwrap_or_default();
    let body = html! {
        @for (index, line) in lines.iter().enumerate() { (heading(index, line)) }
        table {
            thead { tr { @for column in &sheet.headers { th scope="col" { (column.title) } } } }
            tbody {
                @for row in &sheet.rows {
                    tr {
                        @for (column, value) in sheet.headers.iter().zip(row) {
                            td class=[class(column.kind)] { (shown(value)) }
                        }
                    }
                }
            }
        }
        div.sign {
            p { "NGƯỜI LẬP" br; "(ký, ghi rõ họ tên)" }
            p { "BÍ THƯ" br; "(ký, ghi rõ họ tên)" }
        }
        footer { @for line in &sheet.footer { p { (line) } } }
    };
    HtmlPage::new(Language::Vietnamese, title).own_style(STYLE).respond(&body)
}

fn heading(index: usize, line: &str) -> Markup {
    html! {
        @match index {
            0 => h1 { (line) },
            1 => h2 { (line) },
            _ => p { (line) },
        }
    }
}

fn class(kind: ColumnKind) -> Option<&'static str> {
    match kind {
        ColumnKind::Text => None,
        ColumnKind::Number => Some("number"),
        ColumnKind::Centred => Some("centred"),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Ratio(ratio) => super::percent(ratio.is_finite().then_some(*ratio)),
        Value::Date(date) => date.format("%d/%m/%Y").to_string(),
        Value::Empty => String::new(),
    }
}
