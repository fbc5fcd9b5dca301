//! What a sheet's title says of whose list it is, held against the unit it is imported into.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::kernel::db::Conn;
use crate::kernel::db::schema;
use crate::kernel::http::problem::Problem;
use crate::kernel::text::fold;
use crate::organisation::roster::Roster;
use crate::organisation::units::{self, OrgUnit};

use super::report::Notice;

/// Says so when the title names another cell, or another committee, than those of the unit.
///
/// # Errors
/// When the database fails.
pub async fn notices(
    conn: &mut Conn,
    roster: &Roster,
    unit: &OrgUnit,
    today: NaiveDate,
) -> Result<Vec<Notice>, Problem> {
    let mut notices = Vec::new();
    if roster.cell_name.as_deref().is_some_and(|name| !is_same(name, &unit.name)) {
        notices.push(Notice {
            pointer: "title".to_owned(),
            code: "other_cell_named",
            detail: format!(
                "Tiêu đề của danh sách ghi tên một chi bộ khác với {}; hãy kiểm tra xem có chọn đúng tệp không.",
                unit.name
            ),
        });
    }
    if let Some(committee) = &roster.committee_name {
        let path = units::path(conn, unit.id, today).await?;
        let above: Vec<String> =
            schema::units::table.filter(schema::units::id.eq_any(path)).select(schema::units::name).load(conn).await?;
        if !above.iter().any(|name| is_same(committee, name)) {
            notices.push(Notice {
                pointer: "title".to_owned(),
                code: "other_committee_named",
                detail: "Tiêu đề của danh sách ghi tên một đảng bộ không phải cấp trên của chi bộ này; hãy kiểm tra xem có chọn đúng tệp không.".to_owned(),
            });
        }
    }
    Ok(notices)
}

/// Whether two names mean the same unit: one may be longer, kinds and zeros in front of numbers do not matter.
fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (core(one), core(other));
    let holds = |long: &str, short: &str| format!(" {long} ").contains(&format!(" {short} "));
    one.is_empty() || other.is_empty() || holds(&one, &other) || holds(&other, &one)
}

fn core(name: &str) -> String {
    let folded = fold(name).replace("tdp", "to dan pho");
    let kinds = ["chi bo", "dang bo", "dang uy", "ban chap hanh"];
    let bare = kinds.iter().find_map(|kind| folded.strip_prefix(kind)).unwrap_or(&folded);
    let words = bare.split_whitespace().map(|word| {
        let number = word.trim_start_matches('0');
        if number.is_empty() { "0" } else { number }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn names_are_compared_as_people_write_them() {
        for (title, unit) in [
            ("CHI BỘ TỔ DÂN PHỐ SỐ 5", "Chi bộ Tổ dân phố số 5"),
            ("Chi bộ TDP số 05", "Chi bộ Tổ dân phố số 5"),
            ("Chi bộ Thôn Tám, xã Bình Minh", "Chi bộ Thôn Tám"),
            ("ĐẢNG UỶ PHƯỜNG BÌNH MINH", "Đảng bộ phường Bình Minh"),
        ] {
            assert!(is_same(title, unit), "{title}");
        }
        for (title, unit) in [
            ("CHI BỘ THÔN TÁM", "Chi bộ Tổ dân phố số 5"),
            ("Chi bộ Tổ dân phố số 15", "Chi bộ Tổ dân phố số 5"),
            ("Đảng bộ phường Hoàng Hôn", "Đảng bộ phường Bình Minh"),
        ] {
            assert!(!is_same(title, unit), "{title}");
        }
    }
}
