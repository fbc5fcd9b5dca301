//! Query strings, read strictly: what is not UTF-8 is refused instead of guessed at.

use crate::kernel::http::problem::{Problem, text};

/// The parameters of a query (`application/x-www-form-urlencoded`), in their order.
///
/// # Errors
/// 400 for a parameter that is not UTF-8.
pub fn decode(query: &str) -> Result<Vec<(String, String)>, Problem> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (unescape(name), unescape(value));
        match (String::from_utf8(name), String::from_utf8(value)) {
            (Ok(name), Ok(value)) => Ok((name, value)),
            (name, _) => {
                let name = name.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
                let detail = text("Tham số không phải là UTF-8.", "The parameter is not UTF-8.");
                Err(Problem::malformed(name, "utf8", detail))
            }
        }
    });
    pairs.collect()
}

/// A percent sign that begins no escape stands for itself, as browsers read it.
fn unescape(text: &str) -> Vec<u8> {
    let (mut plain, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        plain.push(match (first, hex(after)) {
            (b'+', _) => b' ',
            (b'%', Some(byte)) => {
                rest = &after[2..];
                byte
            }
            _ => first,
        });
    }
    plain
}

fn hex(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_as_forms_write_them() {
        let pairs = decode("q=ngh%E1%BB%8B+quy%e1%ba%bft&%71&a=%&b=%zz&c=1=2&").unwrap();
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("q", "nghị quyết"), ("q", ""), ("a", "%"), ("b", "%zz"), ("c", "1=2")]);
    }

    #[test]
    fn what_is_not_utf8_is_refused() {
        for query in ["q=%ff", "q=%C3", "%ff=1", "q=%ED%A0%80", "limit=1&q=a%80"] {
            assert!(decode(query).is_err(), "{query}");
        }
    }
}
