//! A table as a page that prints well on A4: large type, nothing loaded from elsewhere.

use std::fmt::Write;

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
pub fn to_page(sheet: &Sheet) -> String {
    let title = sheet.title_lines.get(1).or(sheet.title_lines.first()).map(|line| escape(line)).unwrap_or_default();
    let mut page = format!(
        "<!doctype html>\n<html lang=\"vi\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n"
    );
    for (index, line) in sheet.title_lines.iter().enumerate() {
        let tag = ["h1", "h2"].get(index).unwrap_or(&"p");
        push(&mut page, format_args!("<{tag}>{}</{tag}>\n", escape(line)));
    }
    page.push_str("<table>\n<thead><tr>");
    for column in &sheet.headers {
        push(&mut page, format_args!("<th scope=\"col\">{}</th>", escape(&column.title)));
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for row in &sheet.rows {
        page.push_str("<tr>");
        for (column, value) in sheet.headers.iter().zip(row) {
            push(&mut page, format_args!("<td{}>{}</td>", class(column.kind), shown(value)));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table>\n<div class=\"sign\"><p>NGƯỜI LẬP<br>(ký, ghi rõ họ tên)</p><p>BÍ THƯ<br>(ký, ghi rõ họ tên)</p></div>\n<footer>\n");
    for line in &sheet.footer {
        push(&mut page, format_args!("<p>{}</p>\n", escape(line)));
    }
    page.push_str("</footer>\n</body>\n</html>\n");
    page
}

fn push(page: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = page.write_fmt(what);
}

fn class(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Text => "",
        ColumnKind::Number => " class=\"number\"",
        ColumnKind::Centred => " class=\"centred\"",
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => escape(text),
        Value::Integer(number) => number.to_string(),
        Value::Ratio(ratio) => super::percent(ratio.is_finite().then_some(*ratio)),
        Value::Date(date) => date.format("%d/%m/%Y").to_string(),
        Value::Empty => String::new(),
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}
