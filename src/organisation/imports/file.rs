//! Reading an uploaded file off the request threads, a few at a time.

use bytes::Bytes;
use chrono::NaiveDate;
use tokio::sync::Semaphore;

use crate::kernel::problem::{Code, Problem};
use crate::organisation::roster::{Limits, Roster, RosterError, parse_within};

use super::faults;

/// Files read at the same time: each may take memory and a core for a second.
static SLOTS: Semaphore = Semaphore::const_new(2);

/// Reads a roster. `today` is the last day any date may have.
///
/// # Errors
/// 413 for a file beyond the limits, 422 for one that is no roster or has faults.
pub async fn read(bytes: Bytes, today: NaiveDate, limits: Limits) -> Result<Roster, Problem> {
    let _slot = SLOTS.acquire().await.map_err(Problem::internal)?;
    tokio::task::spawn_blocking(move || parse_within(&bytes, today, &limits))
        .await
        .map_err(Problem::internal)?
        .map_err(|error| problem(&error))
}

fn problem(error: &RosterError) -> Problem {
    match error {
        RosterError::NotAWorkbook => unreadable("Tệp không phải là bảng tính XLSX nguyên vẹn.", error.to_string()),
        RosterError::TooLarge { limit, .. } => Problem::with(
            Code::TooLarge,
            format!("Bảng tính vượt quá giới hạn cho phép ({limit})."),
            format!("{error}."),
        ),
        RosterError::NoHeader { missing } => {
            unreadable(format!("Không tìm thấy dòng tiêu đề; thiếu cột: {}.", missing.join(", ")), error.to_string())
        }
        RosterError::NoRows => unreadable("Danh sách không có đảng viên nào.", error.to_string()),
        RosterError::Faults { list, more } => faults::of_sheet(list, *more),
    }
}

fn unreadable(vi: impl Into<std::borrow::Cow<'static, str>>, en: String) -> Problem {
    Problem::with(Code::FileUnreadable, vi, format!("{en}."))
}
