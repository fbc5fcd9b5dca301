//! Files of the shapes that people have, and of those that attackers make.

use std::io::Write;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

const LETTER: &[u8] = include_bytes!("../../../tests/fixtures/12-KH-DU.pdf");

/// An Office file of these parts.
fn office(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn docx(body: &str) -> Vec<u8> {
    office(&[("word/document.xml", &format!("<w:document><w:body>{body}</w:body></w:document>"))])
}

/// A PDF of one page with this content stream and these resources.
fn pdf(resources: &str, objects: &[&str], content: &str) -> Vec<u8> {
    let mut all = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << {resources} >> >>"),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
    ];
    all.extend(objects.iter().map(|object| (*object).to_owned()));
    let mut out = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (number, object) in (1..).zip(&all) {
        places.push(out.len());
        out.push_str(&format!("{number} 0 obj\n{object}\nendobj\n"));
    }
    let table = out.len();
    out.push_str(&format!("xref\n0 {}\n0000000000 65535 f \n", all.len() + 1));
    places.iter().for_each(|place| out.push_str(&format!("{place:010} 00000 n \n")));
    out.push_str(&format!("trailer << /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n", all.len() + 1));
    out.into_bytes()
}

/// A page in a font whose codes are two bytes, as Vietnamese texts need.
fn cid_pdf() -> Vec<u8> {
    let map = "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n/CMapName /X def /CMapType 2 def\n\
        1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n3 beginbfchar\n<0001> <0110>\n<0002> <1EA3>\n<0003> <006E0067>\n\
        endbfchar\nendcmap end end";
    pdf(
        "/Font << /F1 5 0 R >>",
        &[
            "<< /Type /Font /Subtype /Type0 /BaseFont /Times /Encoding /Identity-H /DescendantFonts [6 0 R] /ToUnicode 8 0 R >>",
            "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Times /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) \
             /Supplement 0 >> /FontDescriptor 7 0 R /DW 500 >>",
            "<< /Type /FontDescriptor /FontName /Times /Flags 4 /FontBBox [0 0 1000 1000] /ItalicAngle 0 /Ascent 800 \
             /Descent -200 /CapHeight 700 /StemV 80 >>",
            &format!("<< /Length {} >>\nstream\n{map}\nendstream", map.len()),
        ],
        "BT /F1 12 Tf 72 700 Td <000100020003> Tj ET",
    )
}

#[test]
fn a_letter_gives_its_text_and_its_pages() {
    let read = read(Media::Pdf, LETTER);
    assert_eq!((read.reason, read.pages, read.marked), (None, Some(2), false));
    assert!(read.text.contains("KẾ HOẠCH"), "{}", read.text);
    assert!(read.words > 100);
}

#[test]
fn what_stands_before_a_pdf_harms_nothing() {
    let read = read(Media::Pdf, &[b"\xef\xbb\xbf", LETTER].concat());
    assert!(read.text.contains("KẾ HOẠCH"));
}

#[test]
fn fonts_with_two_bytes_a_letter_are_read() {
    assert_eq!(read(Media::Pdf, &cid_pdf()).text, "Đảng");
}

#[test]
fn a_scan_has_no_text() {
    let scan = pdf("", &[], "q 595 0 0 842 0 0 cm Q");
    let read = read(Media::Pdf, &scan);
    assert_eq!((read.reason, read.pages), (Some(NoTextReason::NoText), Some(1)));
}

#[test]
fn a_broken_table_of_a_pdf_is_no_loss_or_a_clear_reason() {
    let cut = &LETTER[..LETTER.len() / 2];
    assert!(matches!(read(Media::Pdf, cut).reason, Some(NoTextReason::Damaged) | None));
    assert_eq!(read(Media::Pdf, b"%PDF-1.7 and nothing else").reason, Some(NoTextReason::Damaged));
    assert_eq!(read(Media::Pdf, b"").reason, Some(NoTextReason::Damaged));
}

#[test]
fn a_docx_gives_its_paragraphs_and_tables() {
    let file = docx(
        "<w:p><w:r><w:t>Điều 1.</w:t></w:r><w:r><w:tab/><w:t xml:space=\"preserve\"> Học &amp; làm</w:t></w:r></w:p>\
         <w:tbl><w:tr><w:tc><w:p><w:r><w:t>Ô</w:t></w:r></w:p></w:tc></w:tr></w:tbl>\
         <w:p><w:del><w:r><w:delText>đã xóa</w:delText></w:r></w:del></w:p>\
         <mc:AlternateContent><mc:Choice><w:p><w:r><w:t>Hộp</w:t></w:r></w:p></mc:Choice>\
         <mc:Fallback><w:p><w:r><w:t>Hộp</w:t></w:r></w:p></mc:Fallback></mc:AlternateContent>",
    );
    let read = read(Media::Docx, &file);
    assert_eq!(read.reason, None);
    assert!(read.text.starts_with("Điều 1.  Học & làm"), "{:?}", read.text);
    assert_eq!(read.text.matches("Hộp").count(), 1);
    assert!(read.text.contains('Ô') && !read.text.contains("đã xóa"));
}

#[test]
fn a_marking_in_a_header_or_in_the_metadata_is_seen() {
    let body = ("word/document.xml", "<w:document><w:p><w:t>Nội dung</w:t></w:p></w:document>");
    for beside in [
        (
            "word/header1.xml",
            "<w:hdr><w:p><w:r><w:t>TỐI</w:t></w:r><w:r><w:t xml:space=\"preserve\"> MẬT</w:t></w:r></w:p></w:hdr>",
        ),
        (
            "docProps/core.xml",
            "<cp:coreProperties><dc:title>Kế hoạch</dc:title><cp:keywords>TUYET MAT</cp:keywords></cp:coreProperties>",
        ),
    ] {
        assert!(read(Media::Docx, &office(&[body, beside])).marked, "{}", beside.0);
    }
    assert!(!read(Media::Docx, &office(&[body])).marked);
}

#[test]
fn an_xlsx_gives_its_cells_row_by_row() {
    let file = office(&[
        ("xl/workbook.xml", "<workbook/>"),
        ("xl/sharedStrings.xml", "<sst><si><t>Họ tên</t></si><si><r><t>Lò </t></r><r><t>Thị Thử</t></r></si></sst>"),
        (
            "xl/worksheets/sheet1.xml",
            "<worksheet><sheetData><row><c t=\"s\"><v>0</v></c><c><v>12</v></c></row>\
             <row><c t=\"s\"><v>1</v></c><c t=\"inlineStr\"><is><t>MẬT</t></is></c></row></sheetData></worksheet>",
        ),
    ]);
    let read = read(Media::Xlsx, &file);
    assert_eq!(read.text, "Họ tên 12\nLò Thị Thử MẬT");
    assert!(read.marked);
}

#[test]
fn foreign_archives_and_encrypted_ones_are_told_apart() {
    assert_eq!(read(Media::Docx, b"PK\x03\x04 nothing").reason, Some(NoTextReason::Damaged));
    assert_eq!(read(Media::Docx, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1").reason, Some(NoTextReason::Encrypted));
    assert_eq!(read(Media::Xlsx, &docx("")).reason, Some(NoTextReason::Damaged));
    assert_eq!(read(Media::Docx, &docx("<w:p/>")).reason, Some(NoTextReason::NoText));
}

#[test]
fn entities_of_a_file_are_never_expanded() {
    let bomb = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]><w:document><w:t>x&b;y</w:t></w:document>";
    assert_eq!(read(Media::Docx, &office(&[("word/document.xml", bomb)])).text, "xy");
}

#[test]
fn a_bomb_is_refused_before_it_fills_the_memory() {
    let long = " ".repeat(210 << 20);
    let file = office(&[("word/document.xml", &long)]);
    assert!(file.len() < 1 << 20);
    assert_eq!(read(Media::Docx, &file).reason, Some(NoTextReason::TooLarge));
}

#[test]
fn long_texts_are_kept_in_part_and_counted_whole() {
    let file = docx(&format!("<w:p><w:t>{}</w:t></w:p>", "chữ ".repeat(100_000)));
    let read = read(Media::Docx, &file);
    assert_eq!(read.words, 100_000);
    assert!(read.text.chars().count() <= MOST_KEPT && read.text.chars().count() > MOST_KEPT - 10);
}
