//! Tests of the normalisation, and its properties on arbitrary text.

use proptest::prelude::*;

use super::*;

/// The same text in the forms that keyboards and files have it in.
fn forms(text: &str) -> [String; 4] {
    let apart = password_forms(text).pop().unwrap_or_default();
    [text.nfc().collect(), text.nfd().collect(), apart, fold(text)]
}

#[test]
fn a_line_has_one_form() {
    assert_eq!(one_line(" Chi  bộ\u{202e}\u{200b} Tổ\n5\u{a0} "), "Chi bộ Tổ 5");
    assert_eq!(one_line("ÐỖ VĂN Ɖại, H’Hen Niê, ðường D\u{335}à"), "ĐỖ VĂN Đại, H'Hen Niê, đường Đà");
    assert_eq!(one_line("\u{feff}\u{200b}\u{7}"), "");
    assert_eq!(one_line("a\u{200b}\u{301}"), "á");
    assert_eq!(one_line("０９１２"), "0912");
    assert_eq!(symbol("98–KH/ÐU"), "98-KH/ĐU");
}

#[test]
fn lines_stay_apart() {
    assert_eq!(many_lines("\r\nĐiều 1.\u{200b}  \r\n\r\n  a)\tb\u{2028}c\n"), "Điều 1.\n\n  a) b\nc");
}

#[test]
fn numbers_lose_what_nobody_sees() {
    assert_eq!(digits("\u{202d}0912 345 678\u{202c}"), "0912345678");
    assert_eq!(digits("\u{feff}'038180001234\u{200b}"), "038180001234");
    for login_text in [" 0909.594.334 ", "+84 909 594 334", "\u{202a}0909\u{a0}594\u{200b}334\u{202c}"] {
        assert_eq!(login(login_text), "0909594334");
    }
    assert_eq!(login("\u{feff}Admin"), "admin");
}

#[test]
fn passwords_of_all_keyboards_are_one() {
    let composed = "mùa thu năm ấy";
    for form in &forms(composed)[..3] {
        assert_eq!(password(form), composed);
        assert_eq!(password_forms(form)[0], composed);
        assert!(password_forms(composed).contains(form));
    }
    assert_eq!(password_forms("mua thu 1945"), ["mua thu 1945"]);
    assert_eq!(forms("ấ")[2], "â\u{301}");
}

#[test]
fn folding_drops_marks_and_punctuation() {
    assert_eq!(fold("Nghị quyết số 03-NQ/TU"), "nghi quyet so 03 nq tu");
    assert_eq!(fold("ĐẢNG ỦY đường ÐỨC"), "dang uy duong duc");
    assert_eq!(fold("H’Riê̆ng"), fold("h'rieng"));
    assert_eq!(fold("hoà"), fold("hòa"));
    assert_eq!(search_words("  nghi  quyết! "), [" nghi", " quyet"]);
    assert_eq!(search_words("!?%"), Vec::<String>::new());
    assert_eq!(search_words(&"a ".repeat(50)).len(), 10);
}

#[test]
fn marks_end_no_word() {
    assert_eq!(title_case("H'RIÊ̆NG NIÊ"), "H'Riê̆ng Niê");
    assert_eq!(title_case("VÕ KIM LOAN"), "Võ Kim Loan");
    assert_eq!(title_case("Y-BLƠ (ƀƠ̆)"), "Y-BLƠ (ƀƠ̆)");
    assert_eq!(title_case("Y-BLƠ (BƠ̆T)"), "Y-Blơ (Bơ̆t)");
}

#[test]
fn look_alikes_are_one_subject() {
    let key = likeness("Góp ý về hòa giải");
    for other in [
        "Góp ý về hoà giải.",
        "Góp\u{200b} ý  về hòa giải",
        "Góp ý về hòа giải",
        "GÓP Ý VỀ HÒA GIẢI!",
        "Ｇóp ý về hòa giải",
    ] {
        assert_eq!(likeness(other), key, "{other}");
    }
    assert_eq!(likeness("Điều 10"), likeness("Ðiều lO"));
    assert_ne!(likeness("Góp ý về dự thảo"), key);
}

#[test]
fn encodings_of_old_fonts_are_recognised() {
    for name in ["NguyÔn V¨n An", "TrÇn §øc §oµn", "Hµ", "Lª ThÞ Hång", "Ph¹m Quúnh L\u{ad}u", "§ç ThÞ Tuyªn"]
    {
        assert_eq!(legacy_encoding(name), Some(LegacyEncoding::Tcvn3), "{name}");
    }
    for name in ["Nguyeãn Vaên An", "Traàn Ñöùc Ñoaøn", "LEÂ THÒ HOÀNG HAÏNH", "Phaïm Phöông", "Ñoã Quyønh"]
    {
        assert_eq!(legacy_encoding(name), Some(LegacyEncoding::Vni), "{name}");
    }
}

#[test]
fn names_in_unicode_are_no_old_encoding() {
    for name in [
        "Nguyễn Văn An",
        "ĐỖ THỊ BÌNH",
        "H'Riê̆ng Niê",
        "Y Blơ Mlô",
        "Kpă Bé",
        "Giàng A Páo",
        "Ñơ Kră",
        "Siu Êban",
        "Müller",
        "Hồ Thị Hoà",
        "Quách Khuê",
        "Nguyễn Thị Quỳnh Hương",
        "Lò Thị Thử®",
        "André Ménard",
        "Rơ Châm H'Yêo",
        "Bùi Thị Xuyến",
        "Đinh Khoẻ",
        "Thuý Huỳnh",
        "Lường Khuyên Giềng",
    ] {
        assert_eq!(legacy_encoding(name), None, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn twice_is_as_once(text in any::<String>(), marked in "[a-zA-ZĐÐðđD’`\u{335}\u{300}-\u{303}\u{309}\u{31b}\u{323}\u{200b}\u{ad} \n\t０-９]{0,40}") {
        for text in [text, marked] {
            for normal in [one_line, many_lines, digits, login, symbol, password, fold, likeness] {
                let once = normal(&text);
                prop_assert_eq!(normal(&once), once);
            }
        }
    }

    #[test]
    fn nothing_invisible_is_left(text in any::<String>()) {
        let line = one_line(&text);
        prop_assert!(!line.contains(|c: char| c.is_control() || is_ignorable(c)));
        prop_assert!(!line.contains("  ") && line.trim() == line);
    }

    #[test]
    fn search_finds_what_was_stored_however_it_is_typed(
        words in prop::collection::vec("[bcdđghklmnpqrstvxBĐÐK]{1,2}[aàáảãạăằắẳẵặâầấẩẫậeèéẻẽẹêềếểễệiìíỉĩịoòóỏõọôồốổỗộơờớởỡợuùúủũụưừứửữựyỳýỷỹỵ]{1,2}[nmct]{0,1}", 1..5),
    ) {
        let stored = one_line(&words.join(" "));
        let found = format!(" {}", fold(&stored));
        for typed in forms(&words.join("  ")) {
            prop_assert_eq!(fold(&typed), fold(&stored));
            for word in search_words(&typed) {
                prop_assert!(found.contains(&word));
            }
        }
    }
}
