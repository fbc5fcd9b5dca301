//! Single cells: text, dates, numbers that identify, and what is wrong with them.

use chrono::{Datelike, NaiveDate};

use super::fault::FaultKind;
use super::text::{fold, looks_like_formula, tidy, title_case};
use super::workbook::{CellValue, SheetCell};
use super::{Position, Sex};
use crate::kernel::text::{self, LegacyEncoding, is_name_character, legacy_encoding};

/// Names longer than this many characters are refused.
pub(super) const NAME_CHARACTERS: usize = 100;

/// Age in years from which one can be admitted.
const ADMISSION_AGE: i32 = 18;

const fn kind(code: &'static str, vi: &'static str, en: &'static str) -> FaultKind {
    FaultKind { code, vi, en }
}

pub(super) const FORMULA: FaultKind =
    kind("formula", "ô chứa công thức; chỉ nhập giá trị", "the cell holds a formula; enter the value itself");
const CELL_ERROR: FaultKind = kind(
    "cell_error",
    "ô báo lỗi của Excel hoặc chứa ngày không có thật",
    "the cell holds an Excel error or a date that does not exist",
);
const NAME_MISSING: FaultKind = kind("name_missing", "thiếu họ và tên", "the full name is missing");
const NAME_TOO_LONG: FaultKind =
    kind("name_too_long", "họ và tên dài quá 100 ký tự", "the full name is longer than 100 characters");
const NAME_INVALID: FaultKind = kind(
    "name_invalid",
    "họ và tên chỉ gồm chữ cái, dấu cách, dấu nháy, gạch nối, dấu chấm và ngoặc; ô này có ký tự khác hoặc không có chữ cái",
    "the full name has letters, spaces, apostrophes, hyphens, full stops and brackets only; this one has something else, or no letters",
);
const NAME_TCVN3: FaultKind = kind(
    "name_legacy_encoding",
    "họ và tên có vẻ gõ bằng bảng mã cũ TCVN3 (phông .Vn…); hãy chuyển sang Unicode rồi nhập lại",
    "the full name seems to be in the old encoding TCVN3 (fonts .Vn…); convert it to Unicode",
);
const NAME_VNI: FaultKind = kind(
    "name_legacy_encoding",
    "họ và tên có vẻ gõ bằng bảng mã cũ VNI (phông VNI-…); hãy chuyển sang Unicode rồi nhập lại",
    "the full name seems to be in the old encoding VNI (fonts VNI-…); convert it to Unicode",
);
const DATE_IS_YEAR: FaultKind = kind(
    "date_is_year",
    "ô ngày chỉ được gõ năm nên Excel hiểu thành một ngày của năm 1905; hãy ghi đủ dd/mm/yyyy",
    "a year alone was typed into the date cell, which Excel takes for a day of 1905; write dd/mm/yyyy",
);
const BIRTH_DATE_IMPLAUSIBLE: FaultKind = kind(
    "birth_date_implausible",
    "theo ngày sinh này đảng viên đã hơn 110 tuổi; hãy kiểm tra lại",
    "by this birth date the member is over 110 years old; check it",
);
const DATE_BEFORE_PARTY: FaultKind = kind(
    "date_before_party",
    "ngày trước ngày thành lập Đảng (03/02/1930); hãy kiểm tra lại",
    "the date is before the foundation of the Party (3 February 1930); check it",
);
const DATE_MISSING: FaultKind = kind("date_missing", "thiếu ngày", "the date is missing");
const DATE_INVALID: FaultKind = kind(
    "date_invalid",
    "ngày không có thật hoặc sai dạng; cần dd/mm/yyyy",
    "the date does not exist or is not written dd/mm/yyyy",
);
const DATE_TOO_EARLY: FaultKind = kind("date_too_early", "ngày trước năm 1900", "the date is before the year 1900");
const DATE_IN_FUTURE: FaultKind = kind("date_in_future", "ngày ở trong tương lai", "the date lies in the future");
pub(super) const OFFICIAL_BEFORE_ADMISSION: FaultKind = kind(
    "official_before_admission",
    "ngày chính thức trước ngày vào Đảng (dự bị)",
    "the official date is before the admission (probationary) date",
);
pub(super) const ADMITTED_UNDER_AGE: FaultKind =
    kind("admitted_under_18", "ngày vào Đảng trước khi đủ 18 tuổi", "admitted before the age of 18");
const SEX_MISSING: FaultKind = kind("sex_missing", "thiếu giới tính", "the sex is missing");
pub(super) const SEX_INVALID: FaultKind =
    kind("sex_invalid", "giới tính phải là Nam hoặc Nữ", "the sex must be Nam or Nữ");
const CITIZEN_ID_MISSING: FaultKind = kind("citizen_id_missing", "thiếu số CCCD", "the citizen ID is missing");
const CITIZEN_ID_INVALID: FaultKind =
    kind("citizen_id_invalid", "số CCCD phải có đúng 12 chữ số", "the citizen ID must have exactly 12 digits");
pub(super) const CARD_NUMBER_INVALID: FaultKind = kind(
    "card_number_invalid",
    "số thẻ đảng viên phải có đúng 12 chữ số; định dạng cột là Text để giữ số 0 ở đầu",
    "the card number must have exactly 12 digits; format the column as text to keep leading zeros",
);
pub(super) const PHONE_INVALID: FaultKind = kind(
    "phone_invalid",
    "số điện thoại phải là số di động Việt Nam, 10 chữ số, đầu 03, 05, 07, 08 hoặc 09",
    "the phone must be a Vietnamese mobile number: 10 digits beginning 03, 05, 07, 08 or 09",
);
const EXEMPT_INVALID: FaultKind = kind(
    "exempt_invalid",
    "ghi x nếu được miễn sinh hoạt, nếu không thì để trống",
    "write x if the member is exempt, else leave the cell empty",
);

/// A full name in NFC, without needless spaces or capitals.
pub(super) fn name(cell: Option<&SheetCell>) -> Result<String, FaultKind> {
    let raw = match plain(cell)? {
        None => return Err(NAME_MISSING),
        Some(CellValue::Text(text)) => text,
        Some(_) => return Err(NAME_INVALID),
    };
    match legacy_encoding(raw) {
        Some(LegacyEncoding::Tcvn3) => return Err(NAME_TCVN3),
        Some(LegacyEncoding::Vni) => return Err(NAME_VNI),
        None => {}
    }
    let text = tidy(raw);
    if looks_like_formula(&text) {
        return Err(FORMULA);
    }
    if text.chars().count() > NAME_CHARACTERS {
        return Err(NAME_TOO_LONG);
    }
    let wrong = |c: char| !is_name_character(c);
    if raw.contains(turns) || text.contains(wrong) || !text.contains(char::is_alphabetic) {
        return Err(NAME_INVALID);
    }
    Ok(title_case(&text))
}

/// Characters that no keyboard of names has, and those that turn letters around: without them the name would read otherwise.
fn turns(c: char) -> bool {
    (c.is_control() && !c.is_whitespace()) || matches!(c, '\u{202b}' | '\u{202e}' | '\u{2067}')
}

/// The oldest age that is believed, years.
const OLDEST: i32 = 110;

/// The birth date of a living member.
pub(super) fn birth_date(cell: Option<&SheetCell>, today: NaiveDate) -> Result<NaiveDate, FaultKind> {
    let born = date(cell, today)?;
    let age = (born.year() + OLDEST, born.month(), born.day());
    if age < (today.year(), today.month(), today.day()) { Err(BIRTH_DATE_IMPLAUSIBLE) } else { Ok(born) }
}

/// The day of something that happens in the Party, if there is one.
pub(super) fn optional_party_date(cell: Option<&SheetCell>, today: NaiveDate) -> Result<Option<NaiveDate>, FaultKind> {
    let founded = NaiveDate::from_ymd_opt(1930, 2, 3).unwrap_or_default();
    match optional_date(cell, today)? {
        Some(day) if day < founded => Err(DATE_BEFORE_PARTY),
        day => Ok(day),
    }
}

/// The same, where there has to be one.
pub(super) fn party_date(cell: Option<&SheetCell>, today: NaiveDate) -> Result<NaiveDate, FaultKind> {
    optional_party_date(cell, today)?.ok_or(DATE_MISSING)
}

/// A date in the past or today that has to be there.
pub(super) fn date(cell: Option<&SheetCell>, today: NaiveDate) -> Result<NaiveDate, FaultKind> {
    optional_date(cell, today)?.ok_or(DATE_MISSING)
}

/// A date in the past or today, if there is one.
pub(super) fn optional_date(cell: Option<&SheetCell>, today: NaiveDate) -> Result<Option<NaiveDate>, FaultKind> {
    let date = match plain(cell)? {
        None => return Ok(None),
        Some(CellValue::Date(date)) => *date,
        Some(CellValue::Year) => return Err(DATE_IS_YEAR),
        Some(CellValue::Text(text)) => written_date(text).ok_or(DATE_INVALID)?,
        // A bare number may be a year, a typed 20111985 or an unformatted
        // date: guessing would import wrong birthdays.
        Some(_) => return Err(DATE_INVALID),
    };
    if date.year() < 1900 {
        Err(DATE_TOO_EARLY)
    } else if date > today {
        Err(DATE_IN_FUTURE)
    } else {
        Ok(Some(date))
    }
}

/// `d/m/yyyy` with `/`, `-` or `.` between, or ISO `yyyy-mm-dd`.
pub(super) fn written_date(text: &str) -> Option<NaiveDate> {
    let text = tidy(text);
    let parts: Vec<&str> = text.split(['/', '-', '.']).map(str::trim).collect();
    let &[first, second, third] = parts.as_slice() else {
        return None;
    };
    if !parts.iter().all(|part| is_digits(part)) || second.len() > 2 {
        return None;
    }
    let (day, year) = match (first.len(), third.len()) {
        (1..=2, 4) => (first, third),
        (4, 1..=2) => (third, first),
        _ => return None,
    };
    NaiveDate::from_ymd_opt(year.parse().ok()?, second.parse().ok()?, day.parse().ok()?)
}

/// Whether a person born on `birth` had come of age on `admitted`.
pub(super) fn of_age(birth: NaiveDate, admitted: NaiveDate) -> bool {
    let born = (birth.year() + ADMISSION_AGE, birth.month(), birth.day());
    (admitted.year(), admitted.month(), admitted.day()) >= born
}

pub(super) fn sex(cell: Option<&SheetCell>) -> Result<Sex, FaultKind> {
    match plain(cell)? {
        None => Err(SEX_MISSING),
        Some(CellValue::Text(text)) => match tidy(text).to_lowercase().as_str() {
            "nam" => Ok(Sex::Male),
            "nữ" => Ok(Sex::Female),
            _ => Err(SEX_INVALID),
        },
        Some(_) => Err(SEX_INVALID),
    }
}

/// Twelve digits. A number that Excel has stripped of one or two leading zeros
/// gets them back; text that is too short was written too short.
pub(super) fn citizen_id(cell: Option<&SheetCell>) -> Result<String, FaultKind> {
    match plain(cell)? {
        None => Err(CITIZEN_ID_MISSING),
        Some(CellValue::Number(number)) => whole(*number)
            .filter(|digits| (10..=12).contains(&digits.len()))
            .map(|digits| format!("{digits:0>12}"))
            .ok_or(CITIZEN_ID_INVALID),
        Some(CellValue::Text(text)) => twelve_digits(text).ok_or(CITIZEN_ID_INVALID),
        Some(_) => Err(CITIZEN_ID_INVALID),
    }
}

/// Twelve digits, if there are any: probationary members hold no card.
pub(super) fn card_number(cell: Option<&SheetCell>) -> Result<Option<String>, FaultKind> {
    let digits = match plain(cell)? {
        None => return Ok(None),
        Some(CellValue::Number(number)) => whole(*number).and_then(|digits| twelve_digits(&digits)),
        Some(CellValue::Text(text)) => twelve_digits(text),
        Some(_) => None,
    };
    digits.map(Some).ok_or(CARD_NUMBER_INVALID)
}

/// A Vietnamese mobile number as `0xxxxxxxxx`.
pub(super) fn phone(cell: Option<&SheetCell>) -> Result<Option<String>, FaultKind> {
    let digits = match plain(cell)? {
        None => return Ok(None),
        Some(CellValue::Number(number)) => match whole(*number) {
            Some(digits) if digits.len() == 9 => format!("0{digits}"),
            Some(digits) => digits,
            None => return Err(PHONE_INVALID),
        },
        Some(CellValue::Text(text)) => {
            text::digits(text).chars().filter(|c| !matches!(c, '.' | '-' | '(' | ')')).collect()
        }
        Some(_) => return Err(PHONE_INVALID),
    };
    mobile(&digits).map(Some).ok_or(PHONE_INVALID)
}

fn mobile(digits: &str) -> Option<String> {
    let abroad = digits.strip_prefix('+').unwrap_or(digits);
    let local = match abroad.strip_prefix("84") {
        Some(rest) if rest.len() == 9 => format!("0{rest}"),
        _ => digits.to_owned(),
    };
    let prefix = matches!(local.get(..2), Some("03" | "05" | "07" | "08" | "09"));
    (prefix && local.len() == 10 && is_digits(&local)).then_some(local)
}

/// What a cell says about the member's position.
pub(super) enum CellContent {
    Nothing,
    Known(Position),
    /// Some office outside the cell's committee.
    Other,
}

pub(super) fn position(cell: Option<&SheetCell>) -> Result<CellContent, FaultKind> {
    let text = match plain(cell)? {
        None => return Ok(CellContent::Nothing),
        Some(CellValue::Text(text)) => fold(text),
        Some(_) => return Ok(CellContent::Other),
    };
    let text = text.trim_end_matches(" chi bo");
    Ok(match text {
        "" | "dang vien" | "khong" => CellContent::Nothing,
        "bi thu" | "bt" => CellContent::Known(Position::Secretary),
        "pho bi thu" | "p bi thu" | "pbt" => CellContent::Known(Position::DeputySecretary),
        "chi uy vien"
        | "uy vien"
        | "cuv"
        | "chi uy"
        | "uy vien ban chi uy"
        | "uy vien chi uy"
        | "chi uy vien ban chi uy" => CellContent::Known(Position::CommitteeMember),
        _ => CellContent::Other,
    })
}

pub(super) fn exempt(cell: Option<&SheetCell>) -> Result<bool, FaultKind> {
    match plain(cell)? {
        None => Ok(false),
        Some(CellValue::Flag(flag)) => Ok(*flag),
        Some(CellValue::Number(number)) if *number == 1.0 => Ok(true),
        Some(CellValue::Number(number)) if *number == 0.0 => Ok(false),
        Some(CellValue::Text(text)) => match tidy(text).to_lowercase().as_str() {
            "x" | "v" | "✓" | "✔" | "có" | "1" | "miễn" | "được miễn" | "miễn sinh hoạt" => Ok(true),
            "không" | "0" | "-" => Ok(false),
            _ => Err(EXEMPT_INVALID),
        },
        Some(_) => Err(EXEMPT_INVALID),
    }
}

/// The value of a cell that holds neither a formula nor an error.
fn plain(cell: Option<&SheetCell>) -> Result<Option<&CellValue>, FaultKind> {
    match cell {
        None => Ok(None),
        Some(cell) if cell.formula => Err(FORMULA),
        Some(cell) if cell.value == CellValue::Error => Err(CELL_ERROR),
        Some(cell) => Ok(Some(&cell.value)),
    }
}

fn twelve_digits(text: &str) -> Option<String> {
    let digits = text::digits(text);
    (digits.len() == 12 && is_digits(&digits)).then_some(digits)
}

/// The digits of a whole number that a spreadsheet holds exactly.
fn whole(number: f64) -> Option<String> {
    let exact = number.fract() == 0.0 && (0.0..1e15).contains(&number);
    exact.then(|| format!("{number:.0}"))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
