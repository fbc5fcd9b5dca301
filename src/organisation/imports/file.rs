//! Reading an uploaded roster: in a process of its own, within bounds.

use std::time::Duration;

use bytes::Bytes;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::kernel::config::Config;
use crate::kernel::foreign::{self, Bounds, Task};
use crate::kernel::http::problem::{Code, Problem};
use crate::organisation::roster::{Roster, RosterError, RosterLimits, parse_within};

use super::faults;

/// How long a list may be.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileSize {
    /// Of one cell, uploaded.
    Cell,
    /// Of one cell, however many rows it has, from an operator.
    Long,
}

/// What the reader must know besides the file.
#[derive(Debug, Serialize, Deserialize)]
struct Settings {
    /// The last day any date may have.
    today: NaiveDate,
    size: FileSize,
}

impl FileSize {
    fn limits(self) -> RosterLimits {
        match self {
            Self::Cell => RosterLimits::cell(),
            Self::Long => RosterLimits { secretaries: 1, ..RosterLimits::province() },
        }
    }

    fn bounds(self) -> Bounds {
        match self {
            Self::Cell => {
                Bounds { memory: 768 << 20, cpu_seconds: 60, wall: Duration::from_secs(120), output: 256 << 20 }
            }
            Self::Long => {
                Bounds { memory: 4 << 30, cpu_seconds: 600, wall: Duration::from_secs(1200), output: 1 << 30 }
            }
        }
    }
}

/// Reads a roster. `today` is the last day any date may have.
///
/// # Errors
/// 413 for a file beyond the limits, 422 for one that is no roster or has faults.
pub async fn read(config: &Config, bytes: Bytes, today: NaiveDate, size: FileSize) -> Result<Roster, Problem> {
    let settings = serde_json::to_string(&Settings { today, size }).map_err(Problem::internal)?;
    let task = Task { kind: "roster", settings: &settings, bounds: size.bounds() };
    let read: Result<Roster, RosterError> = foreign::parse(config, task, &bytes).await?;
    read.map_err(|error| problem(&error))
}

/// What the reader's process answers about a file.
///
/// # Errors
/// When the settings are not those that [`read`] writes.
pub fn answer(settings: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let Settings { today, size } = serde_json::from_str(settings).map_err(|e| e.to_string())?;
    serde_json::to_vec(&parse_within(bytes, today, &size.limits())).map_err(|e| e.to_string())
}

fn problem(error: &RosterError) -> Problem {
    match error {
        RosterError::NotAWorkbook => unreadable("Tệp không phải là bảng tính XLSX nguyên vẹn.", error.to_string()),
        RosterError::TooLarge { what, limit } => Problem::with(
            Code::TooLarge,
            format!("Bảng tính quá lớn: nhiều nhất {limit} {}.", what.vi()),
            format!("{error}."),
        ),
        RosterError::NoHeader { missing, legacy } => {
            let hint = if *legacy {
                " Chữ trong tệp có vẻ gõ bằng bảng mã cũ (TCVN3 hoặc VNI); hãy chuyển sang Unicode rồi gửi lại."
            } else {
                ""
            };
            let missing = missing.join(", ");
            unreadable(format!("Không tìm thấy dòng tiêu đề; thiếu cột: {missing}.{hint}"), error.to_string())
        }
        RosterError::SeveralCells { sheets } => unreadable(
            format!(
                "Tệp có danh sách của nhiều chi bộ ở các trang: {}. Hãy tách mỗi chi bộ thành một tệp.",
                sheets.join(", ")
            ),
            error.to_string(),
        ),
        RosterError::NoRows => unreadable("Danh sách không có đảng viên nào.", error.to_string()),
        RosterError::Faults { list, more } => faults::of_sheet(list, *more),
    }
}

fn unreadable(vi: impl Into<std::borrow::Cow<'static, str>>, en: String) -> Problem {
    Problem::with(Code::FileUnreadable, vi, format!("{en}."))
}
