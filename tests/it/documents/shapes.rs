//! Files as generators of documents make them: their text, or a reason why there is none.

use serde_json::{Value, json};

const PDF: &str = "application/pdf";
const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// What the reader's process answers.
fn read(media: &str, bytes: &[u8]) -> Value {
    let answer = sotay::documents::read_file(&json!(media).to_string(), bytes).unwrap();
    serde_json::from_slice(&answer).unwrap()
}

#[test]
fn generators_write_vietnamese_that_can_be_read() {
    for (media, bytes, text) in [
        // Fonts with two-byte codes, subset by fpdf2.
        (PDF, include_bytes!("../../fixtures/shapes/fpdf2.pdf").as_slice(), "Kế hoạch sinh hoạt chi bộ quý IV"),
        // The same with its objects in compressed streams.
        (PDF, include_bytes!("../../fixtures/shapes/object-streams.pdf"), "Kế hoạch sinh hoạt chi bộ quý IV"),
        (PDF, include_bytes!("../../fixtures/shapes/libreoffice.pdf"), "Đảng bộ phường"),
        (DOCX, include_bytes!("../../fixtures/shapes/libreoffice.docx"), "Điều 1. Thời gian."),
        (XLSX, include_bytes!("../../fixtures/shapes/openpyxl.xlsx"), "Kế hoạch sinh hoạt chi bộ quý IV"),
    ] {
        let found = read(media, bytes);
        assert_eq!(found["reason"], Value::Null, "{found}");
        assert!(found["text"].as_str().unwrap().contains(text), "{found}");
    }
}

#[test]
fn what_has_no_text_says_why() {
    let whole = include_bytes!("../../fixtures/shapes/fpdf2.pdf");
    let word = include_bytes!("../../fixtures/shapes/libreoffice.docx");
    for (media, bytes, reason) in [
        (PDF, include_bytes!("../../fixtures/shapes/scan.pdf").as_slice(), "no_text"),
        (PDF, include_bytes!("../../fixtures/shapes/password.pdf"), "encrypted"),
        (PDF, &whole[..whole.len() / 2], "damaged"),
        (DOCX, &word[..word.len() / 2], "damaged"),
        (XLSX, word, "damaged"),
        (PDF, b"%PDF-1.4\n2 0 obj\n<< /Type /Pages /Kids [2 0 R] /Count 1 >>\nendobj\n%%EOF", "damaged"),
    ] {
        let found = read(media, bytes);
        assert_eq!((&found["reason"], &found["text"]), (&json!(reason), &json!("")), "{media}");
    }
}
