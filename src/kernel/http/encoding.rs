//! Content codings: answers are gzip or plain, request bodies are plain.

use actix_web::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue};

use super::problem::{Code, Problem};

/// Refuses an encoded body before anything of it is read: a few kilobytes of gzip can hold gigabytes.
///
/// # Errors
/// 415 for every coding but `identity`.
pub fn require_plain(headers: &HeaderMap) -> Result<(), Problem> {
    let plain = |value: &HeaderValue| {
        let coding = value.as_bytes().trim_ascii();
        coding.is_empty() || coding.eq_ignore_ascii_case(b"identity")
    };
    if headers.get_all(CONTENT_ENCODING).all(plain) {
        return Ok(());
    }
    let problem = Problem::with(
        Code::UnsupportedMediaType,
        "Máy chủ không nhận nội dung đã nén: hãy gửi nguyên bản, không có Content-Encoding.",
        "Compressed bodies are not accepted: send the content itself, without Content-Encoding.",
    );
    Err(problem.header(ACCEPT_ENCODING, "identity".to_owned()))
}

/// Replaces `Accept-Encoding` by what it comes to here, so that no spelling of it is refused: gzip, or no header at all.
pub fn settle(headers: &mut HeaderMap) {
    if !headers.contains_key(ACCEPT_ENCODING) {
        return;
    }
    if wants_gzip(headers) {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    } else {
        headers.remove(ACCEPT_ENCODING);
    }
}

/// Whether gzip is acceptable, and no less welcome than the plain answer (RFC 9110 §12.5.3).
fn wants_gzip(headers: &HeaderMap) -> bool {
    let (mut gzip, mut plain, mut any) = (None, None, None);
    for element in elements(headers, ACCEPT_ENCODING) {
        let mut parts = element.split(';').map(str::trim);
        let coding = parts.next().unwrap_or_default().to_ascii_lowercase();
        let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        // What cannot be read is asked for at most as much as anything else.
        let quality = quality.map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
        match coding.as_str() {
            "gzip" | "x-gzip" => gzip = Some(quality),
            "identity" => plain = Some(quality),
            "*" => any = Some(quality),
            _ => {}
        }
    }
    let gzip = gzip.or(any).unwrap_or(0.0);
    gzip > 0.0 && gzip >= plain.unwrap_or(0.0)
}

fn elements(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers.get_all(name).filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: HeaderName, values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn gzip_is_sent_to_those_who_accept_it() {
        for (values, gzip) in [
            (&["gzip"][..], true),
            (&["gzip, deflate, br, zstd"], true),
            (&["br;q=1.0", "gzip;q=0.8"], true),
            (&["*"], true),
            (&["identity;q=0, *;q=0.5"], true),
            (&["gzip;q=0, *"], false),
            (&["*;q=0"], false),
            (&["identity;q=0"], false),
            (&["identity, gzip;q=0.5"], false),
            (&["gzip;q=abc"], false),
            (&["br"], false),
            (&[""], false),
        ] {
            let mut headers = with(ACCEPT_ENCODING, values);
            settle(&mut headers);
            assert_eq!(headers.contains_key(ACCEPT_ENCODING), gzip, "{values:?}");
        }
    }

    #[test]
    fn only_plain_bodies_are_read() {
        for plain in [&["identity"][..], &[" Identity "], &[""], &[]] {
            assert!(require_plain(&with(CONTENT_ENCODING, plain)).is_ok(), "{plain:?}");
        }
        for encoded in [&["gzip"][..], &["gzip, gzip"], &["br"], &["deflate"], &["identity", "gzip"], &["x"]] {
            assert!(require_plain(&with(CONTENT_ENCODING, encoded)).is_err(), "{encoded:?}");
        }
    }
}
