//! What people in Viet Nam choose as passwords, without diacritics, the most usual first.

/// Words and phrases; single syllables are as usual as names.
#[rustfmt::skip]
pub const VIETNAMESE: &[&str] = &[
    "matkhau", "matkhaumoi", "khongbiet", "khongco", "anhyeuem", "emyeuanh", "yeuem", "yeuanh", "anhnhoem",
    "emnhoanh", "yeu", "yeunhieu", "vietnam", "saigon", "hanoi", "danang", "haiphong", "cantho", "hue", "nhatrang",
    "dalat", "vungtau", "quangninh", "nghean", "thanhhoa", "hochiminh", "bacho", "hochiminhcity", "dang", "dangvien",
    "dangcongsan", "dangcongsanvietnam", "chibo", "dangbo", "danguy", "sotay", "sotaydangvien", "chutich", "bithu",
    "doanvien", "thanhnien", "congsan", "cachmang", "chuyendeso", "gia", "giadinh", "bome", "mecha", "cha", "con",
    "conyeu", "conyeucuame", "congai", "contrai", "chong", "chongyeu", "voyeu", "emiu", "iuanh", "iuem", "haha",
    "hihi", "huhu", "toilaai", "toiyeuem", "toiyeuvietnam", "toi", "ban", "banbe", "tinhyeu", "tinhban", "hanhphuc",
    "maimai", "mainho", "maiyeuem", "anh", "beyeu", "bong", "beo", "meo", "cun", "cho", "heo", "trau", "nguyen",
    "tran", "pham", "hoang", "huynh", "phan", "bui", "ngo", "duong", "nguyenvan", "nguyenvana", "nguyenthi",
    "tranvan", "lethi", "phamvan", "nguyenvanan", "minh", "hung", "tuan", "dung", "hoa", "lan", "huong", "linh",
    "trang", "thao", "thu", "hai", "nam", "phong", "quang", "duc", "thang", "long", "thanh", "tung", "son", "hieu",
    "hoanganh", "tuananh", "ngocanh", "quynhanh", "minhanh", "ducanh", "anhtuan", "vananh", "hoangtu", "congchua",
    "hoahong", "hoasen", "hoamai", "hoadao", "matroi", "mattroi", "mattrang", "ngoisao", "xinchao", "camon",
    "taikhoan", "dangnhap", "quantri", "nguoidung", "thunghiem", "kiemtra", "macdinh", "dienthoai", "maytinh",
    "khongquen", "nhoanh", "nhoem", "quehuong", "datnuoc", "tudo", "doclap", "hoabinh", "tuhao", "thanhcong",
    "maymang", "phatdat", "phucloc", "tet", "chucmung", "namsau", "sinhnhat", "mua", "xuan", "thudong", "abcxyz",
    "motconvit", "conga",
];
