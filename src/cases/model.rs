//! Kinds of cases and their outcomes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::http::problem::{Text, text};

/// The pattern that opened a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseKind {
    /// Awards at the same second of the day, all month.
    Regularity,
    /// Many accounts signed in on one device, one after the other.
    SharedDevice,
    /// Many activation slips of one officer redeemed, one after the other.
    SlipsInARow,
    /// A document published again under another id, for which points are given again.
    RepeatedDocument,
    /// Many numbers of members elsewhere in an officer's lists of one day.
    NumbersLookedUp,
    /// An activation slip by an officer who had looked at the member's full numbers.
    SlipAfterReveal,
}

impl CaseKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regularity => "regularity",
            Self::SharedDevice => "shared_device",
            Self::SlipsInARow => "slips_in_a_row",
            Self::RepeatedDocument => "repeated_document",
            Self::NumbersLookedUp => "numbers_looked_up",
            Self::SlipAfterReveal => "slip_after_reveal",
        }
    }
}

/// The pattern in neutral words. The database holds no unknown kinds.
pub fn title(kind: &str) -> Text {
    match kind {
        "regularity" => text(
            "Các lần học tập diễn ra đúng cùng một giây mỗi ngày",
            "Study took place at the same second of the day, day after day",
        ),
        "shared_device" => text(
            "Nhiều tài khoản lần lượt đăng nhập trên cùng một thiết bị",
            "Many accounts signed in on one device, one after the other",
        ),
        "repeated_document" => {
            text("Một tài liệu được ban hành lại dưới mã khác", "A document was published again under another id")
        }
        "numbers_looked_up" => text(
            "Danh sách của một người trong ngày có nhiều số CCCD hoặc số thẻ của đảng viên nơi khác",
            "An officer's lists of one day held many numbers of members elsewhere",
        ),
        "slip_after_reveal" => text(
            "Người cấp hoặc duyệt phiếu kích hoạt đã xem đầy đủ số định danh của đảng viên",
            "The officer who issued or released an activation slip had looked at the member's full numbers",
        ),
        _ => text(
            "Nhiều phiếu kích hoạt của một người cấp được sử dụng liên tiếp",
            "Many activation slips of one officer were redeemed, one after the other",
        ),
    }
}

/// Whether a case is open or decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// Waits for an inspector.
    Open,
    /// Decided, with a reason.
    Decided,
}

impl CaseState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Decided => "decided",
        }
    }
}

/// The outcome of a case. No outcome changes points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseOutcome {
    /// There is an innocent explanation.
    NoAction,
    /// Handed to the competent body outside this system.
    Referred,
    /// The fault was corrected, for example by an adjustment that two officers decided.
    Corrected,
}

impl CaseOutcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoAction => "no_action",
            Self::Referred => "referred",
            Self::Corrected => "corrected",
        }
    }
}
