//! Bytes that never change: kept by caches for ever, and given in part where a part is asked for.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use http_range_header::parse_range_header;

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
    // A part of another version is not wanted; several parts at once are given whole.
    let range = said(header::RANGE).filter(|_| said(header::IF_RANGE).is_none_or(|known| known == tag));
    let length = u64::try_from(bytes.len()).expect("memory ends before 2^64");
    let Some(ranges) = range.and_then(|range| parse_range_header(range).ok()) else {
        return (StatusCode::OK, pairs(answer), bytes).into_response();
    };
    match ranges.validate(length) {
        Err(_) => {
            answer.push((header::CONTENT_RANGE, format!("bytes */{length}")));
            answer.retain(|(name, _)| *name != header::CONTENT_TYPE && *name != header::CACHE_CONTROL);
            (StatusCode::RANGE_NOT_SATISFIABLE, pairs(answer)).into_response()
        }
        Ok(parts) => match parts.as_slice() {
            [part] => {
                let (from, to) = (*part.start(), *part.end());
                answer.push((header::CONTENT_RANGE, format!("bytes {from}-{to}/{length}")));
                let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
                let part = bytes.get(place(from)..=place(to)).unwrap_or_default().to_vec();
                (StatusCode::PARTIAL_CONTENT, pairs(answer), part).into_response()
            }
            _ => (StatusCode::OK, pairs(answer), bytes).into_response(),
        },
    }
}

fn pairs(list: Vec<(header::HeaderName, String)>) -> HeaderMap {
    list.into_iter().filter_map(|(name, value)| Some((name, value.parse().ok()?))).collect()
}
