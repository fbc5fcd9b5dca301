//! Classes of characters: what is never seen, and what is spelled in several ways.

/// Whether a character is invisible: a format character, one that fonts ignore by default, or no character at all.
/// White space is not: it becomes a single space.
pub(super) fn is_ignorable(c: char) -> bool {
    matches!(u32::from(c),
        0xad | 0x34f | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x890..=0x891 | 0x8e2 | 0x115f..=0x1160
        | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0x3164
        | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0xfffe..=0xffff | 0x110bd | 0x110cd
        | 0x13430..=0x1343f | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff)
}

/// The one spelling of a character: Đ for its look-alikes, `'` for apostrophes, `-` for hyphens, ASCII for the wide forms of
/// East Asian keyboards.
pub(super) fn spelled(c: char) -> char {
    match c {
        // Eth, African d and d with a short stroke, which fonts and converters put in place of Đ.
        '\u{d0}' | '\u{189}' | '\u{a7c7}' => 'Đ',
        '\u{f0}' | '\u{256}' | '\u{a7c8}' => 'đ',
        '\u{60}' | '\u{b4}' | '\u{2b9}' | '\u{2bb}' | '\u{2bc}' | '\u{2bd}' | '\u{2c8}' | '\u{2018}' | '\u{2019}'
        | '\u{201b}' | '\u{2032}' | '\u{a78c}' => '\'',
        '\u{2010}' | '\u{2011}' | '\u{fe63}' => '-',
        // Their distance to ASCII is the same for all.
        '\u{ff01}'..='\u{ff5e}' => {
            let narrow = char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c);
            if narrow == '`' { '\'' } else { narrow }
        }
        c => c,
    }
}
