//! Files made to cost memory or time are refused, and cheaply.

use std::io::Read;

use zip::ZipArchive;

use super::*;
use crate::organisation::roster::{Bound, RosterLimits, parse_within};

/// A good workbook in which one part is replaced or added.
fn with_part(name: &str, content: &[u8]) -> Vec<u8> {
    let good = texts(&[&HEADINGS, &MEMBER]);
    let mut parts = parts_of(&good);
    parts.retain(|(known, _)| known != name);
    parts.push((name.to_owned(), content.to_vec()));
    let parts: Vec<(&str, &[u8])> = parts.iter().map(|(n, c)| (n.as_str(), &c[..])).collect();
    archive(&parts)
}

fn parts_of(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..zip.len())
        .map(|index| {
            let mut part = zip.by_index(index).unwrap();
            let mut content = Vec::new();
            part.read_to_end(&mut content).unwrap();
            (part.name().unwrap().into_owned(), content)
        })
        .collect()
}

fn part(name: &str) -> String {
    let good = texts(&[&HEADINGS, &MEMBER]);
    let found = parts_of(&good).into_iter().find(|(known, _)| known == name);
    String::from_utf8(found.unwrap().1).unwrap()
}

const SHEET: &str = "xl/worksheets/sheet1.xml";
const STRINGS: &str = "xl/sharedStrings.xml";

/// The good sheet with more rows after its own.
fn with_rows(rows: &str) -> Vec<u8> {
    let sheet = part(SHEET).replace("</sheetData>", &format!("{rows}</sheetData>"));
    with_part(SHEET, sheet.as_bytes())
}

/// What there is too much of.
fn too_much(bytes: &[u8]) -> &'static str {
    match parse(bytes, today()) {
        Err(RosterError::TooLarge { what, .. }) => what.en(),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn the_workbooks_of_this_test_are_good() {
    assert_eq!(read(&with_rows("")).rows.len(), 1);
}

#[test]
fn a_part_that_explodes() {
    let spaces = vec![b' '; 70 << 20];
    assert_eq!(too_much(&with_part(SHEET, &spaces)), "compression ratio");
    // What nobody reads is not even unzipped.
    assert_eq!(read(&with_part("xl/media/a.png", &spaces)).rows.len(), 1);
}

#[test]
fn many_parts_that_explode_together() {
    let part = vec![b' '; 1 << 20];
    let names: Vec<String> = (0..70).map(|n| format!("xl/worksheets/sheet{n}.xml")).collect();
    let parts: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), &part[..])).collect();
    assert_eq!(too_much(&archive(&parts)), "unzipped bytes");
}

#[test]
fn too_many_parts() {
    let names: Vec<String> = (0..=RosterLimits::cell().entries).map(|n| format!("a{n}.xml")).collect();
    let parts: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), &b"<a/>"[..])).collect();
    assert_eq!(too_much(&archive(&parts)), "archive entries");
}

#[test]
fn a_file_too_large_to_look_at() {
    let mut bytes = SAMPLE.to_vec();
    bytes.resize((20 << 20) + 1, 0);
    assert_eq!(too_much(&bytes), "file bytes");
}

#[test]
fn entities_in_any_part() {
    let dtd = "<!DOCTYPE a [<!ENTITY b \"ha\"><!ENTITY c \"&b;&b;&b;\">]>";
    for name in [SHEET, STRINGS, "xl/styles.xml", "xl/workbook.xml", "_rels/.rels"] {
        for bomb in [dtd.to_owned(), dtd.to_lowercase()] {
            let bytes = with_part(name, part(name).replacen("?>", &format!("?>{bomb}"), 1).as_bytes());
            assert_eq!(parse(&bytes, today()), Err(RosterError::NotAWorkbook), "{name}");
        }
    }
}

#[test]
fn entities_hidden_in_another_encoding() {
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><!DOCTYPE a [<!ENTITY b \"c\">]><sst/>";
    let mut wide = vec![0xff, 0xfe];
    wide.extend(xml.encode_utf16().flat_map(u16::to_le_bytes));
    let bytes = with_part(STRINGS, &wide);
    assert_eq!(parse(&bytes, today()), Err(RosterError::NotAWorkbook));
}

#[test]
fn a_million_rows() {
    let rows: String = (3..1_000_003)
        .map(|n: u64| format!("<row r=\"{n}\"><c r=\"C{n}\"><v>{}</v></c></row>", n * n % 999_983))
        .collect();
    assert_eq!(too_much(&with_rows(&rows)), "rows");
}

#[test]
fn cells_far_away() {
    let cell = |at: &str| with_rows(&format!("<row r=\"9\"><c r=\"{at}\"><v>1</v></c></row>"));
    assert_eq!(too_much(&cell("A1048576")), "rows");
    assert_eq!(too_much(&cell("XFD9")), "columns");
    assert_eq!(too_much(&cell("XFD1048576")), "rows");
    // Formatted cells without a value are common and cost nothing.
    let empty = with_rows("<row r=\"1048576\"><c r=\"XFD1048576\" s=\"0\"/></row>");
    assert_eq!(read(&empty).rows.len(), 1);
}

#[test]
fn references_that_overflow_or_run_backwards() {
    for at in ["ZZZZZZZZZZ1", "A99999999999999", "A0", "9", "", "A1", "É3"] {
        let bytes = with_rows(&format!("<row r=\"9\"><c r=\"{at}\"><v>1</v></c></row>"));
        let result = parse(&bytes, today());
        assert!(result.is_err(), "{at}: {result:?}");
    }
    let twice = with_rows("<row r=\"9\"><c r=\"B9\"><v>1</v></c><c r=\"A9\"><v>1</v></c></row>");
    assert_eq!(parse(&twice, today()), Err(RosterError::NotAWorkbook));
}

#[test]
fn a_string_table_that_lies_about_its_size() {
    let strings = part(STRINGS);
    for size in ["99999999999", "18446744073709551615"] {
        let lie = strings.replace("uniqueCount=\"", &format!("uniqueCount=\"{size}\" was=\""));
        assert_ne!(lie, strings);
        assert_eq!(read(&with_part(STRINGS, lie.as_bytes())).rows.len(), 1);
    }
}

#[test]
fn markup_that_multiplies_in_memory() {
    // Pad with what does not compress, to get below the ratio.
    let noise: String = (0..400_000u64).map(|n| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    let strings = format!("<sst><!--{noise}-->{}</sst>", "<si/>".repeat(1_000_001));
    assert_eq!(too_much(&with_part(STRINGS, strings.as_bytes())), "shared strings");
    let styles = format!("<styleSheet><cellXfs>{}</cellXfs></styleSheet>", "<xf/>".repeat(20_000));
    assert_eq!(too_much(&with_part("xl/styles.xml", styles.as_bytes())), "styles");
    let names = format!("<workbook>{}</workbook>", "<x:sheet/>".repeat(100_001));
    assert_eq!(too_much(&with_part("xl/workbook.xml", names.as_bytes())), "elements");
    let tag = format!("<sst a=\"{}\"></sst>", ">".repeat(5_000));
    let narrow = RosterLimits { tag_bytes: 4_096, ..RosterLimits::cell() };
    let refused = parse_within(&with_part(STRINGS, tag.as_bytes()), today(), &narrow);
    assert!(matches!(refused, Err(RosterError::TooLarge { what: Bound::TagBytes, limit: 4_096 })), "{refused:?}");
}
