//! Cover notes as readers see them, and which day a unit may ask for.

use chrono::NaiveDate;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::Jsonb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::http::problem::{Problem, text};

/// What a unit of the reader says about a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = DocumentUnitNote)]
pub struct UnitCoverNote {
    /// The unit.
    pub unit_id: Uuid,
    /// Its name.
    #[schema(max_length = 200, example = "Chi bộ Tổ dân phố số 5")]
    pub unit_name: String,
    /// The last day on which its members should read the document; null when the unit asks for none of its own.
    pub must_read_by: Option<NaiveDate>,
    /// What it says; may be empty.
    #[schema(max_length = 2000, example = "Đọc kỹ Điều 2 trước kỳ sinh hoạt ngày 5.")]
    pub text: String,
}

/// The notes of all units of a reader, as lists select them.
#[derive(Debug, Clone, FromSqlRow)]
pub struct UnitCoverNotes(pub Vec<UnitCoverNote>);

impl FromSql<Jsonb, Pg> for UnitCoverNotes {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        let notes = <serde_json::Value as FromSql<Jsonb, Pg>>::from_sql(bytes)?;
        Ok(Self(serde_json::from_value(notes)?))
    }
}

/// Insists that a unit asks for a day that can still be kept, and not for a later one than the document does.
///
/// # Errors
/// 400 that points at the day.
pub fn check_day(day: NaiveDate, of_document: Option<NaiveDate>, today: NaiveDate) -> Result<(), Problem> {
    if day >= today && of_document.is_none_or(|latest| day <= latest) {
        return Ok(());
    }
    let detail = text(
        "Hạn đọc của đơn vị không được ở quá khứ và không được muộn hơn hạn của tài liệu.",
        "The day lies neither in the past nor after the day of the document itself.",
    );
    Err(Problem::fault("/must_read_by", "out_of_range", detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_asks_for_an_earlier_day_that_can_be_kept() {
        let day = |s: &str| s.parse::<NaiveDate>().unwrap();
        let today = day("2026-11-20");
        for (asked, of_document, allowed) in [
            ("2026-11-20", None, true),
            ("2026-11-25", Some("2026-11-25"), true),
            ("2026-11-26", Some("2026-11-25"), false),
            ("2026-11-19", None, false),
        ] {
            assert_eq!(check_day(day(asked), of_document.map(day), today).is_ok(), allowed, "{asked} {of_document:?}");
        }
    }
}
