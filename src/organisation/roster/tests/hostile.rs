//! Whatever the bytes, the answer is an error and never a panic.

use proptest::prelude::*;

use super::*;
use crate::organisation::roster::scan::Census;
use crate::organisation::roster::{RosterLimits, text, value, workbook};

#[test]
fn other_files_are_no_workbooks() {
    let ods = archive(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", b"<office:document-content/>"),
    ]);
    let xls = [&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1][..], &[0; 4096]].concat();
    let empty_zip = archive(&[]);
    let mut truncated = SAMPLE.to_vec();
    truncated.truncate(SAMPLE.len() / 2);
    let mut prefixed = b"MZ".to_vec();
    prefixed.extend(SAMPLE);
    let files: [&[u8]; 9] = [
        b"",
        b"PK\x03\x04",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n%%EOF",
        "Họ và tên,Ngày sinh\r\n".as_bytes(),
        &ods,
        &xls,
        &empty_zip,
        &truncated,
        &prefixed,
    ];
    for (index, file) in files.iter().enumerate() {
        let result = parse(file, today());
        assert_eq!(result, Err(RosterError::NotAWorkbook), "file {index}");
    }
}

#[test]
fn every_truncation_of_the_sample_is_refused() {
    for length in (0..SAMPLE.len()).step_by(97) {
        assert!(parse(&SAMPLE[..length], today()).is_err(), "{length}");
    }
}

/// The sheet of the sample, for mutations that survive the archive's checksum.
fn sample_sheet() -> Vec<u8> {
    use std::io::Read;
    let mut zip = zip::ZipArchive::new(Cursor::new(SAMPLE)).unwrap();
    let mut sheet = Vec::new();
    let mut part = zip.by_name("xl/worksheets/sheet1.xml").unwrap();
    part.read_to_end(&mut sheet).unwrap();
    // A third of it is enough and three times as fast.
    sheet.truncate(sheet.len() / 3);
    sheet
}

fn wrap(sheet: &[u8]) -> Vec<u8> {
    let rels = b"<Relationships><Relationship Id=\"r1\" Type=\"a/relationships/officeDocument\" \
        Target=\"xl/workbook.xml\"/></Relationships>";
    let book = b"<workbook><sheets><sheet name=\"a\" r:id=\"r2\"/></sheets></workbook>";
    let book_rels = b"<Relationships><Relationship Id=\"r2\" Type=\"a/worksheet\" \
        Target=\"worksheets/sheet1.xml\"/></Relationships>";
    archive(&[
        ("_rels/.rels", rels),
        ("xl/workbook.xml", book),
        ("xl/_rels/workbook.xml.rels", book_rels),
        ("xl/worksheets/sheet1.xml", sheet),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        prop_assert!(parse(&bytes, today()).is_err());
        let archive = [b"PK\x03\x04", &bytes[..]].concat();
        prop_assert!(parse(&archive, today()).is_err());
    }

    #[test]
    fn mutated_copies_of_the_sample(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let mut bytes = SAMPLE.to_vec();
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = parse(&bytes, today());
    }

    #[test]
    fn mutated_sheets(
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), prop::sample::select(b"<>/\"= 0129rctv".to_vec())),
            1..10,
        ),
    ) {
        let mut sheet = sample_sheet();
        for (index, byte) in changes {
            let at = index.index(sheet.len());
            sheet[at] = byte;
        }
        let _ = parse(&wrap(&sheet), today());
    }

    #[test]
    fn arbitrary_markup(xml in "[<>/!?\"' a-c=\\[-]{0,200}") {
        let mut census = Census::default();
        let _ = census.take("xl/styles.xml", &mut xml.into_bytes(), &RosterLimits::cell());
    }

    #[test]
    fn arbitrary_cells(text in any::<String>(), number in any::<f64>()) {
        for held in [workbook::CellValue::Text(text.clone()), workbook::CellValue::Number(number)] {
            let cell = workbook::SheetCell { position: 0, value: held, formula: false };
            let cell = Some(&cell);
            let _ = value::optional_date(cell, today());
            let _ = (value::sex(cell), value::exempt(cell), value::position(cell));
            if let Ok(name) = value::name(cell) {
                prop_assert!(!text::looks_like_formula(&name));
                prop_assert_eq!(&text::tidy(&name), &name);
            }
            if let Ok(id) = value::citizen_id(cell) {
                prop_assert_eq!(id.len(), 12);
            }
            if let Ok(Some(phone)) = value::phone(cell) {
                prop_assert_eq!(phone.len(), 10);
            }
        }
        let _ = text::fold(&text);
    }
}
