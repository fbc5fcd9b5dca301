//! The cells of a member: a value may be spread over columns, a column tell two values.

use std::borrow::Cow;

use chrono::NaiveDate;

use super::Sex;
use super::fault::FaultKind;
use super::header::{Field, Layout};
use super::text::{fold, tidy};
use super::value;
use super::workbook::{CellValue, SheetCell, SheetRow};

/// The columns that make up a name.
pub(super) const NAMES: [Field; 3] = [Field::FullName, Field::FamilyName, Field::GivenName];

/// The cell of a field; of cells below one merged heading the filled ones together.
pub(super) fn cell<'a>(layout: &Layout, row: &'a SheetRow, field: Field) -> Option<Cow<'a, SheetCell>> {
    let (first, last) = layout.span(field)?;
    if first == last {
        return row.cell(first).map(Cow::Borrowed);
    }
    let filled: Vec<&SheetCell> = row.cells.iter().filter(|cell| (first..=last).contains(&cell.position)).collect();
    match filled[..] {
        [] => None,
        [one] => Some(Cow::Borrowed(one)),
        _ => Some(Cow::Owned(joined(&filled, field))),
    }
}

/// Several cells as one: parts of a name, or day, month and year.
fn joined(cells: &[&SheetCell], field: Field) -> SheetCell {
    let parts: Option<Vec<String>> = cells
        .iter()
        .map(|cell| match &cell.value {
            CellValue::Text(text) => Some(tidy(text)),
            CellValue::Number(number) if number.fract() == 0.0 && (1.0..10_000.0).contains(number) => {
                Some(format!("{number:.0}"))
            }
            _ => None,
        })
        .collect();
    let is_date = matches!(field, Field::BirthDate | Field::AdmittedOn | Field::OfficialOn);
    let value = match parts {
        Some(parts) if NAMES.contains(&field) => CellValue::Text(parts.join(" ")),
        Some(parts) if is_date && parts.len() == 3 => CellValue::Text(parts.join("/")),
        _ => CellValue::Several,
    };
    let position = cells.first().map_or(0, |cell| cell.position);
    SheetCell { position, value, formula: cells.iter().any(|cell| cell.formula) }
}

/// The full name.
pub(super) fn full_name(layout: &Layout, row: &SheetRow) -> Result<String, FaultKind> {
    let [full, family, given] = NAMES.map(|field| cell(layout, row, field));
    if family.is_none() && given.is_none() {
        return value::name(full.as_deref());
    }
    let apart = layout.span(Field::FullName).is_none();
    if apart && (family.is_none() || given.is_none()) {
        return value::name(None);
    }
    let formula = [&full, &family, &given].into_iter().flatten().any(|cell| cell.formula);
    let text = |cell: &Option<Cow<'_, SheetCell>>| match cell.as_deref().map(|cell| &cell.value) {
        None => Some(String::new()),
        // As it came: an old encoding is recognised by characters that would be dropped.
        Some(CellValue::Text(text)) => Some(text.clone()),
        Some(_) => None,
    };
    let value = match (text(&full), text(&family), text(&given)) {
        (Some(full), Some(family), Some(given)) => CellValue::Text(put_together(&full, &family, &given)),
        _ => CellValue::Several,
    };
    value::name(Some(&SheetCell { position: 0, value, formula }))
}

/// Family and given name are added where the full name does not hold them already.
fn put_together(full: &str, family: &str, given: &str) -> String {
    let known = format!(" {} ", fold(full));
    let begins = known.starts_with(&format!(" {} ", fold(family)));
    let ends = known.ends_with(&format!(" {} ", fold(given)));
    let family = if begins && !full.is_empty() { "" } else { family };
    let given = if ends && !full.is_empty() { "" } else { given };
    [family, full, given].join(" ").trim().to_owned()
}

/// The birth date, which may stand below "Nam" or "Nữ".
pub(super) fn birth_date(layout: &Layout, row: &SheetRow, today: NaiveDate) -> Result<NaiveDate, FaultKind> {
    if layout.span(Field::BirthDate).is_some() {
        return value::birth_date(cell(layout, row, Field::BirthDate).as_deref(), today);
    }
    let male = cell(layout, row, Field::BirthMale);
    let female = cell(layout, row, Field::BirthFemale);
    match (male, female) {
        (Some(_), Some(_)) => Err(value::SEX_INVALID),
        (one, other) => value::birth_date(one.or(other).as_deref(), today),
    }
}

/// The sex, which may be told by the column that has something in it.
pub(super) fn sex(layout: &Layout, row: &SheetRow) -> Result<Sex, FaultKind> {
    if layout.span(Field::Sex).is_some() {
        return value::sex(cell(layout, row, Field::Sex).as_deref());
    }
    let marked = |fields: [Field; 2]| fields.into_iter().any(|field| cell(layout, row, field).is_some());
    let male = marked([Field::SexMale, Field::BirthMale]);
    let female = marked([Field::SexFemale, Field::BirthFemale]);
    match (male, female) {
        (true, false) => Ok(Sex::Male),
        (false, true) => Ok(Sex::Female),
        (false, false) => value::sex(None),
        (true, true) => Err(value::SEX_INVALID),
    }
}
