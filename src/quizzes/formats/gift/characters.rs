//! The characters of GIFT: a backslash takes its meaning from a special one.

/// A character and whether it stands for itself.
pub(super) type Char = (char, bool);

const SPECIAL: &str = "~=#{}:\\";

/// Reads backslashes away.
pub(super) fn unescaped(text: &str) -> Vec<Char> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push((c, false));
        } else if let Some(special) = rest.next_if(|next| SPECIAL.contains(*next)) {
            out.push((special, true));
        } else if rest.next_if_eq(&'n').is_some() {
            out.push(('\n', true));
        } else {
            out.push(('\\', true));
        }
    }
    out
}

/// Text in which no character has a special meaning.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            c if SPECIAL.contains(c) => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// The characters as they read.
pub(super) fn shown(chars: &[Char]) -> String {
    chars.iter().map(|(c, _)| *c).collect()
}

/// Where a sign with its special meaning stands.
pub(super) fn find(chars: &[Char], sign: &str) -> Option<usize> {
    let sign: Vec<Char> = sign.chars().map(|c| (c, false)).collect();
    chars.windows(sign.len()).position(|window| window == sign)
}

/// Without white space at both ends.
pub(super) fn trimmed(mut chars: &[Char]) -> &[Char] {
    while let [(c, _), rest @ ..] = chars
        && c.is_whitespace()
    {
        chars = rest;
    }
    while let [rest @ .., (c, _)] = chars
        && c.is_whitespace()
    {
        chars = rest;
    }
    chars
}
