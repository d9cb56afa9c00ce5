//! Bytes that never change: kept by caches for ever, and given in part where a part is asked for.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use http_range_header::{EndPosition, StartPosition, parse_range_header};

/// An answer of bytes that are named by their hash. `file` is what a browser saves them as.
pub(super) fn unchanging(headers: &HeaderMap, kind: &str, hash: &str, bytes: Vec<u8>, file: Option<&str>) -> Response {
    let tag = format!("\"{hash}\"");
    let said = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let mut answer = vec![
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
    ];
    let names_it = |list: &str| list.split(',').any(|known| known.trim().trim_start_matches("W/") == tag);
    if said(header::IF_NONE_MATCH).is_some_and(|list| list.trim() == "*" || names_it(list)) {
        return (StatusCode::NOT_MODIFIED, pairs(answer)).into_response();
    }
    answer.push((header::CONTENT_TYPE, kind.to_owned()));
    answer.extend(file.map(|name| (header::CONTENT_DISPOSITION, format!("inline; filename=\"{name}\""))));
    // A part of another version is not wanted.
    let range = said(header::RANGE).filter(|_| said(header::IF_RANGE).is_none_or(|known| known == tag));
    let length = u64::try_from(bytes.len()).expect("memory ends before 2^64");
    match range.map_or(Wanted::Whole, |range| wanted(range, length)) {
        Wanted::Whole => (StatusCode::OK, pairs(answer), bytes).into_response(),
        Wanted::Part { from, to } => {
            answer.push((header::CONTENT_RANGE, format!("bytes {from}-{to}/{length}")));
            let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
            let part = bytes.get(place(from)..=place(to)).unwrap_or_default().to_vec();
            (StatusCode::PARTIAL_CONTENT, pairs(answer), part).into_response()
        }
        Wanted::Beyond => {
            answer.push((header::CONTENT_RANGE, format!("bytes */{length}")));
            answer.retain(|(name, _)| *name != header::CONTENT_TYPE && *name != header::CACHE_CONTROL);
            (StatusCode::RANGE_NOT_SATISFIABLE, pairs(answer)).into_response()
        }
    }
}

/// What a `Range` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// All of it.
    Whole,
    /// From one byte to another, both included.
    Part { from: u64, to: u64 },
    /// Nothing that is there.
    Beyond,
}

/// Reads a `Range`. One that is malformed or ends before it begins is ignored, and several parts at once are given whole; a suffix
/// longer than the whole is the whole. RFC 9110 §14.1.2, §14.2.
///
/// | range, of 10 bytes | wanted       |
/// |--------------------|--------------|
/// | `bytes=0-3`        | 0 to 3       |
/// | `bytes=8-99`       | 8 to 9       |
/// | `bytes=-99`        | 0 to 9       |
/// | `bytes=10-`        | beyond       |
/// | `bytes=5-2`        | whole        |
/// | `bytes=0-1,4-5`    | whole        |
fn wanted(range: &str, length: u64) -> Wanted {
    let parsed = parse_range_header(range).map(|parsed| parsed.ranges).unwrap_or_default();
    let [one] = parsed.as_slice() else { return Wanted::Whole };
    let end = match one.end {
        EndPosition::Index(to) => to.saturating_add(1).min(length),
        EndPosition::LastByte => length,
    };
    let from = match (one.start, one.end) {
        (StartPosition::Index(from), EndPosition::Index(to)) if to < from => return Wanted::Whole,
        (StartPosition::Index(from), EndPosition::Index(_) | EndPosition::LastByte) => from,
        (StartPosition::FromLast(count), EndPosition::Index(_) | EndPosition::LastByte) => length.saturating_sub(count),
    };
    if from < end { Wanted::Part { from, to: end - 1 } } else { Wanted::Beyond }
}

fn pairs(list: Vec<(header::HeaderName, String)>) -> HeaderMap {
    list.into_iter().filter_map(|(name, value)| Some((name, value.parse().ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_honoured_where_it_can_be() {
        let part = |from, to| Wanted::Part { from, to };
        for (range, expected) in [
            ("bytes=0-3", part(0, 3)),
            ("bytes=8-99", part(8, 9)),
            ("bytes=9-", part(9, 9)),
            ("bytes=-2", part(8, 9)),
            ("bytes=-99999", part(0, 9)),
            ("bytes=10-", Wanted::Beyond),
            ("bytes=10-12", Wanted::Beyond),
            ("bytes=5-2", Wanted::Whole),
            ("bytes=50-20", Wanted::Whole),
            ("bytes=0-1,4-5", Wanted::Whole),
            ("lines=0-1", Wanted::Whole),
            ("bytes=x", Wanted::Whole),
        ] {
            assert_eq!(wanted(range, 10), expected, "{range}");
        }
        assert_eq!(wanted("bytes=-1", 0), Wanted::Beyond);
    }
}
