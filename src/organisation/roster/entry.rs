//! One person typed in by hand, checked by the same rules as a row of a roster.

use chrono::NaiveDate;

use super::fault::FaultKind;
use super::value;
use super::workbook::{CellValue, SheetCell};

/// What is wrong with one value, in both languages; never the value itself.
#[derive(Debug, Clone, Copy)]
pub struct Mistake {
    pub code: &'static str,
    pub vi: &'static str,
    pub en: &'static str,
}

impl From<FaultKind> for Mistake {
    fn from(kind: FaultKind) -> Self {
        Self { code: kind.code, vi: kind.vi, en: kind.en }
    }
}

fn cell(text: &str) -> SheetCell {
    SheetCell { position: 0, value: CellValue::Text(text.to_owned()), formula: false }
}

/// A full name in NFC, without needless spaces or capitals.
///
/// # Errors
/// When it has digits or control characters, no letters, or looks like a formula.
pub fn full_name(text: &str) -> Result<String, Mistake> {
    Ok(value::name(Some(&cell(text)))?)
}

/// Twelve digits.
///
/// # Errors
/// When it is anything else.
pub fn citizen_id(text: &str) -> Result<String, Mistake> {
    Ok(value::citizen_id(Some(&cell(text)))?)
}

/// Twelve digits.
///
/// # Errors
/// When it is anything else.
pub fn card_number(text: &str) -> Result<String, Mistake> {
    value::card_number(Some(&cell(text)))?.ok_or(value::CARD_NUMBER_INVALID.into())
}

/// A Vietnamese mobile number as `0xxxxxxxxx`.
///
/// # Errors
/// When it is anything else.
pub fn phone(text: &str) -> Result<String, Mistake> {
    value::phone(Some(&cell(text)))?.ok_or(value::PHONE_INVALID.into())
}

/// A birth date of a living person.
///
/// # Errors
/// When it lies in the future, or too far back.
pub fn birth_date(day: NaiveDate, today: NaiveDate) -> Result<NaiveDate, Mistake> {
    let cell = SheetCell { position: 0, value: CellValue::Date(day), formula: false };
    Ok(value::birth_date(Some(&cell), today)?)
}

/// A day since the foundation of the Party.
///
/// # Errors
/// When it lies before, or in the future.
pub fn party_date(day: NaiveDate, today: NaiveDate) -> Result<NaiveDate, Mistake> {
    let cell = SheetCell { position: 0, value: CellValue::Date(day), formula: false };
    Ok(value::party_date(Some(&cell), today)?)
}

/// Checks that the person was of age at admission.
///
/// # Errors
/// When they were under 18.
pub fn of_age(birth: NaiveDate, admitted: NaiveDate) -> Result<(), Mistake> {
    let of_age = value::of_age(birth, admitted);
    of_age.then_some(()).ok_or(value::ADMITTED_UNDER_AGE.into())
}

/// Checks that the member became official no earlier than admitted.
///
/// # Errors
/// When the official date lies before.
pub fn official_after(admitted: NaiveDate, official: NaiveDate) -> Result<(), Mistake> {
    let after = official >= admitted;
    after.then_some(()).ok_or(value::OFFICIAL_BEFORE_ADMISSION.into())
}
