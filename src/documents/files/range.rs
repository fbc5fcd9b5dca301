//! Which part of a file a request asks for (RFC 9110 §14): one range of bytes, or all of it.

use std::ops::Range;

use actix_web::HttpRequest;
use actix_web::http::header;

/// The part of the file to send.
#[derive(Debug, PartialEq, Eq)]
pub enum RangeRequest {
    Everything,
    Part(Range<u64>),
    /// The range lies outside the file.
    Nothing,
}

/// Reads `Range`, unless `If-Range` names another content.
pub fn wanted(req: &HttpRequest, tag: &str, bytes: i64) -> RangeRequest {
    let text = |name| req.headers().get(name).and_then(|value| value.to_str().ok());
    if text(header::IF_RANGE).is_some_and(|known| known.trim() != tag) {
        return RangeRequest::Everything;
    }
    text(header::RANGE).map_or(RangeRequest::Everything, |range| parse(range, u64::try_from(bytes).unwrap_or(0)))
}

/// A header that cannot be read, or that has several ranges, is ignored, as the RFC allows.
fn parse(header: &str, size: u64) -> RangeRequest {
    let spec = header.trim().strip_prefix("bytes=");
    let Some((first, last)) = spec.and_then(|spec| spec.split_once('-')) else {
        return RangeRequest::Everything;
    };
    let range = match (first.trim(), last.trim()) {
        ("", last) => match last.parse::<u64>() {
            Ok(count) => size.saturating_sub(count)..size,
            Err(_) => return RangeRequest::Everything,
        },
        (first, last) => {
            let last = if last.is_empty() { Ok(u64::MAX) } else { last.parse() };
            match (first.parse::<u64>(), last) {
                (Ok(first), Ok(last)) if first <= last => first..size.min(last.saturating_add(1)),
                _ => return RangeRequest::Everything,
            }
        }
    };
    if range.start < range.end { RangeRequest::Part(range) } else { RangeRequest::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_read() {
        assert_eq!(parse("bytes=0-3", 10), RangeRequest::Part(0..4));
        assert_eq!(parse("bytes=8-", 10), RangeRequest::Part(8..10));
        assert_eq!(parse("bytes=-3", 10), RangeRequest::Part(7..10));
        assert_eq!(parse("bytes=-30", 10), RangeRequest::Part(0..10));
        assert_eq!(parse("bytes=5-500", 10), RangeRequest::Part(5..10));
    }

    #[test]
    fn what_lies_outside_is_nothing() {
        assert_eq!(parse("bytes=10-", 10), RangeRequest::Nothing);
        assert_eq!(parse("bytes=-0", 10), RangeRequest::Nothing);
        assert_eq!(parse("bytes=99-100", 10), RangeRequest::Nothing);
    }

    #[test]
    fn what_cannot_be_read_is_ignored() {
        for header in ["bytes=3-1", "bytes=0-1,4-5", "lines=1-2", "bytes=", "bytes=a-b", "bytes=-"] {
            assert_eq!(parse(header, 10), RangeRequest::Everything, "{header}");
        }
    }
}
