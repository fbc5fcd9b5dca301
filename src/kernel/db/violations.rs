//! Violated constraints as answers: the rule that the database kept is told in words, never as an error of the system.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind as Kind};

use crate::kernel::http::problem::{Code, Problem};

/// Constraints that requests reach when two of them meet, and what each says: name, Vietnamese, English.
const TOLD: [(&str, &str, &str); 16] = [
    ("units_code_key", "Mã tổ chức đã được dùng.", "The unit code is in use."),
    ("unit_links_", "Tổ chức đã có cấp trên trong thời gian này.", "The unit has a place in that time already."),
    ("unit_tree_pkey", "Tổ chức đã có vị trí từ ngày này.", "The unit has a place from that day on already."),
    (
        "memberships_",
        "Đảng viên đã sinh hoạt ở một chi bộ trong thời gian này.",
        "The member belongs to a cell in that time already.",
    ),
    (
        "exemptions_",
        "Đảng viên đã được miễn hoặc tạm miễn trong thời gian này.",
        "The member is exempt or excused in that time already.",
    ),
    ("grants_open", "Chức vụ này đã được giao.", "The role is given already."),
    ("transfers_open", "Đảng viên đang có một đề nghị chuyển sinh hoạt.", "A transfer of the member is open already."),
    ("sign_in_handles_", "Số này đã có trong hệ thống.", "The number is in the system already."),
    ("point_parameters_", "Đã có giá trị khác trong thời gian này.", "There is another value in that time already."),
    ("point_rules_", "Đã có quy tắc khác trong thời gian này.", "There is another rule in that time already."),
    (
        "point_rule_changes_",
        "Đã có thay đổi khác trong thời gian này.",
        "There is another change in that time already.",
    ),
    ("point_adjustments_reverses", "Đã có đề nghị hủy điểm này.", "A reversal of the entry is proposed already."),
    ("point_appeals_entry", "Đã có phản ánh về điểm này.", "An appeal about the entry is open already."),
    ("closings_", "Tháng này vừa được chốt.", "The month was closed a moment ago."),
    ("point_reminders_pkey", "Hôm nay đã nhắc đảng viên này.", "The member was reminded today already."),
    ("cases_open", "Đã có một vụ việc đang mở.", "A case is open already."),
];

/// The answer to a violated constraint; none for errors of another kind.
pub fn problem_of(kind: &Kind, info: &dyn DatabaseErrorInformation) -> Option<Problem> {
    let code = match kind {
        Kind::UniqueViolation | Kind::ExclusionViolation | Kind::ForeignKeyViolation | Kind::RestrictViolation => {
            Code::Conflict
        }
        Kind::CheckViolation => Code::RuleNotMet,
        _ => return None,
    };
    let constraint = info.constraint_name().unwrap_or_default();
    tracing::warn!(constraint, table = info.table_name(), "a constraint was violated");
    let told = TOLD.iter().find(|(name, ..)| code == Code::Conflict && constraint.starts_with(name));
    let (vi, en) = match told {
        Some((_, vi, en)) => (*vi, *en),
        None if code == Code::RuleNotMet => {
            ("Dữ liệu không đúng quy định của hệ thống.", "The request breaks a rule that the system keeps.")
        }
        None => (
            "Dữ liệu vừa được người khác thay đổi hoặc đã có. Hãy xem lại rồi thử lại.",
            "It was recorded or changed a moment ago. Read it again before you decide.",
        ),
    };
    Some(Problem::with(code, vi, en))
}
