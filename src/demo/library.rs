//! The demo's documents: invented plans and resolutions, three a month, and a short one for today.

use crate::documents::DocumentKind;

/// A document of the demo.
pub struct Text {
    pub symbol: &'static str,
    pub kind: DocumentKind,
    pub title: &'static str,
    pub body: &'static str,
    pub must_read: bool,
}

const PARAGRAPH: &str = "Các chi bộ tổ chức cho đảng viên nghiên cứu, thảo luận và liên hệ với công việc ở nơi mình sinh hoạt; \
mỗi đảng viên nêu ít nhất một việc sẽ làm trong tháng. Cấp ủy phân công đồng chí theo dõi, giúp đỡ những đồng chí gặp khó khăn \
khi dùng điện thoại, bố trí buổi học chung tại nhà văn hóa. Kết quả được ghi nhận trong sổ tay và báo cáo trong kỳ sinh hoạt sau.";

/// Read within seconds.
pub const SHORT: Text = Text {
    symbol: "19-TB/ĐU",
    kind: DocumentKind::ThongBao,
    title: "Thông báo lịch sinh hoạt chi bộ tháng tới",
    body: "Chi bộ sinh hoạt thường kỳ vào tối ngày 5 hằng tháng tại nhà văn hóa. Đề nghị các đồng chí đến đúng giờ.",
    must_read: false,
};

/// Published one after the other through the months.
pub const SERIES: [Text; 6] = [
    Text {
        symbol: "12-KH/ĐU",
        kind: DocumentKind::KeHoach,
        title: "Kế hoạch học tập chuyên đề quý",
        body: PARAGRAPH,
        must_read: true,
    },
    Text {
        symbol: "07-NQ/ĐU",
        kind: DocumentKind::NghiQuyet,
        title: "Nghị quyết về chuyển đổi số ở cơ sở",
        body: PARAGRAPH,
        must_read: true,
    },
    Text {
        symbol: "31-HD/ĐU",
        kind: DocumentKind::HuongDan,
        title: "Hướng dẫn sử dụng sổ tay trên điện thoại",
        body: PARAGRAPH,
        must_read: false,
    },
    Text {
        symbol: "44-CV/ĐU",
        kind: DocumentKind::CongVan,
        title: "Công văn về chăm lo đảng viên cao tuổi",
        body: PARAGRAPH,
        must_read: false,
    },
    Text {
        symbol: "15-BC/ĐU",
        kind: DocumentKind::BaoCao,
        title: "Báo cáo kết quả học tập tháng trước",
        body: PARAGRAPH,
        must_read: false,
    },
    Text {
        symbol: "05-CTr/ĐU",
        kind: DocumentKind::ChuongTrinh,
        title: "Chương trình kiểm tra, giám sát",
        body: PARAGRAPH,
        must_read: true,
    },
];
