//! Kinds of documents that Party organisations issue.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::http::problem::{Text, text};

macro_rules! kinds {
    ($($variant:ident = $code:literal, $short:literal, $vi:literal, $en:literal;)*) => {
        /// What kind of document it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        #[schema(as = DocumentKindCode)]
        pub enum DocumentKind { $(#[doc = $en] $variant),* }

        impl DocumentKind {
            pub const ALL: &'static [DocumentKind] = &[$(DocumentKind::$variant),*];

            /// The name used in the API and in the database.
            pub fn as_str(self) -> &'static str { match self { $(DocumentKind::$variant => $code),* } }
            /// The letters used in symbols; two kinds share `QĐ`.
            pub fn abbreviation(self) -> &'static str { match self { $(DocumentKind::$variant => $short),* } }
            /// The name people use.
            pub fn name(self) -> Text { match self { $(DocumentKind::$variant => text($vi, $en)),* } }
        }
    };
}

kinds! {
    NghiQuyet = "nghi_quyet", "NQ", "Nghị quyết", "Resolution";
    QuyetDinh = "quyet_dinh", "QĐ", "Quyết định", "Decision";
    QuyDinh = "quy_dinh", "QĐ", "Quy định", "Regulation";
    ChiThi = "chi_thi", "CT", "Chỉ thị", "Directive";
    KetLuan = "ket_luan", "KL", "Kết luận", "Conclusion";
    QuyChe = "quy_che", "QC", "Quy chế", "Statute";
    ThongTri = "thong_tri", "TT", "Thông tri", "Circular";
    HuongDan = "huong_dan", "HD", "Hướng dẫn", "Guideline";
    ThongBao = "thong_bao", "TB", "Thông báo", "Announcement";
    BaoCao = "bao_cao", "BC", "Báo cáo", "Report";
    KeHoach = "ke_hoach", "KH", "Kế hoạch", "Plan";
    ChuongTrinh = "chuong_trinh", "CTr", "Chương trình", "Programme";
    DeAn = "de_an", "ĐA", "Đề án", "Scheme";
    PhuongAn = "phuong_an", "PA", "Phương án", "Option paper";
    ToTrinh = "to_trinh", "TTr", "Tờ trình", "Submission";
    CongVan = "cong_van", "CV", "Công văn", "Official letter";
    BienBan = "bien_ban", "BB", "Biên bản", "Minutes";
    GiayMoi = "giay_moi", "GM", "Giấy mời", "Invitation";
    TaiLieu = "tai_lieu", "TL", "Tài liệu học tập", "Study material";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_api() {
        for kind in DocumentKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
