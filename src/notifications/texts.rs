//! The titles of notifications in the two languages.

use crate::kernel::http::problem::{Text, text};

/// The title of a kind.
pub fn title(kind: &str) -> Text {
    match kind {
        "slip_issued" => {
            text("Đã cấp phiếu kích hoạt cho tài khoản của bạn", "An activation slip was issued for your account")
        }
        "slip_redeemed" => text("Phiếu kích hoạt của bạn đã được sử dụng", "Your activation slip was redeemed"),
        "password_changed" => text("Mật khẩu của bạn đã được thay đổi", "Your password was changed"),
        "new_device" => {
            text("Tài khoản của bạn vừa đăng nhập trên thiết bị mới", "Your account was signed in on a new device")
        }
        "phone_kept" => text(
            "Số điện thoại của bạn cũng vừa được ghi cho người khác; bạn vẫn đăng nhập bằng số này",
            "Your phone number was also entered for another person: you still sign in with it",
        ),
        "phone_taken" => text(
            "Số điện thoại ghi cho bạn đã có người khác dùng để đăng nhập; hãy đăng nhập bằng số căn cước",
            "Another person signs in with the phone number entered for you: sign in with your citizen ID",
        ),
        "sessions_revoked" => text(
            "Một thiết bị đã bị đăng xuất vì mã phiên bị dùng lại",
            "A device was signed out because its token was used twice",
        ),
        "record_changed" => text(
            "Hồ sơ của bạn đã được sửa: nếu không đúng, hãy báo bí thư chi bộ hoặc cấp trên",
            "Your record was changed: if it is wrong, tell the secretary or the unit above",
        ),
        "cell_changed" => text(
            "Do sắp xếp lại tổ chức, bạn chuyển sang sinh hoạt ở chi bộ khác",
            "Your cell was reorganised: you belong to another cell",
        ),
        "roles_ended" => text(
            "Do sắp xếp lại tổ chức, vai trò của bạn ở tổ chức cũ kết thúc",
            "A unit was reorganised: your roles on it end",
        ),
        "reorganisation_failed" => text(
            "Một việc sắp xếp tổ chức đã lên kế hoạch không thực hiện được",
            "A planned reorganisation could not be carried out",
        ),
        "case_decided" => {
            text("Một vụ việc liên quan đến bạn đã được kết luận", "A case that concerns you was decided")
        }
        "points_reminder" => text(
            "Chi bộ thân mời đồng chí sắp xếp thời gian học tập: tháng này đồng chí còn thiếu điểm",
            "Your cell kindly invites you to find some time to study: you are short of points this month",
        ),
        "quiz_extension" => text("Đồng chí được thêm thời gian làm một bài thi", "You were given more time for a quiz"),
        "quiz_reminder" => text(
            "Thân mời đồng chí làm bài thi đang mở của đơn vị",
            "You are kindly invited to take the quiz that is open",
        ),
        "quiz_regraded" => text(
            "Một câu hỏi thi đã được hủy; bài của đồng chí đã được chấm lại",
            "A quiz question was voided: your attempt was graded again",
        ),
        "points_adjusted" => text("Điểm của bạn đã được điều chỉnh", "Your points were adjusted"),
        "points_reversed" => text("Một mục điểm của bạn đã bị thu hồi", "One of your entries was taken back"),
        "appeal_upheld" => text("Khiếu nại của bạn được chấp nhận", "Your appeal was upheld"),
        "appeal_dismissed" => text("Khiếu nại của bạn không được chấp nhận", "Your appeal was dismissed"),
        "membership_ended" => text("Việc sinh hoạt Đảng của bạn đã kết thúc", "Your membership has ended"),
        "member_departed" => {
            text("Một đảng viên của chi bộ đã thôi sinh hoạt", "A membership in a cell of yours has ended")
        }
        "account_suspended" => text("Tài khoản của bạn đã bị tạm khóa", "Your account was suspended"),
        "account_reinstated" => text("Tài khoản của bạn đã được mở lại", "Your account was reinstated"),
        "month_reopened" => text(
            "Cấp trên đã mở lại tháng của chi bộ; hãy chốt lại trong 5 ngày",
            "A superior committee reopened a month of your cell: close it again within 5 days",
        ),
        "document_published" => text("Có tài liệu mới gửi đến bạn", "A new document has come for you"),
        "document_version" => {
            text("Tài liệu bạn đã xem vừa có bản mới", "A document that you had opened has a new version")
        }
        "document_reminder" => text(
            "Bạn có tài liệu đã quá hạn đọc; mời bạn đọc và xác nhận",
            "A document is overdue: please read and confirm it",
        ),
        "webhook_paused" => text(
            "Một địa chỉ nhận sự kiện của đơn vị đã bị tạm dừng vì không nhận được",
            "An endpoint of your unit was paused: it does not take its events",
        ),
        "publication_failed" => {
            text("Một tài liệu hẹn giờ không ban hành được", "A planned publication could not be carried out")
        }
        "decision_confirmed" => text("Đề nghị của bạn đã được xác nhận", "Your proposal was confirmed"),
        "decision_declined" => text("Đề nghị của bạn không được chấp nhận", "Your proposal was declined"),
        "decision_expired" => text("Đề nghị của bạn đã quá hạn", "Your proposal has expired"),
        "app_allowed" => {
            text("Bạn vừa cho phép một ứng dụng xem dữ liệu của mình", "You allowed an app to read your data")
        }
        "app_approved" => text("Ứng dụng bạn đăng ký đã được duyệt", "The app that you registered was approved"),
        "role_given" => text("Bạn được giao một vai trò", "You were given a role"),
        other => waiting(other),
    }
}

/// What waits for an officer.
fn waiting(kind: &str) -> Text {
    match kind {
        "case_opened" => text("Có vụ việc cần đồng chí xem xét", "A case waits for your decision"),
        "decision_waiting" => text("Có việc chờ đồng chí quyết định", "Something waits for your decision"),
        "attestation_waiting" => {
            text("Có danh sách ghi nhận chờ đồng chí xác nhận", "An attestation waits for your confirmation")
        }
        "adjustment_waiting" => text(
            "Có đề nghị điều chỉnh điểm chờ đồng chí quyết định",
            "An adjustment of points waits for your decision",
        ),
        "appeal_waiting" => text("Có khiếu nại về điểm chờ đồng chí trả lời", "An appeal waits for your answer"),
        _ => text("Thông báo", "Notification"),
    }
}
