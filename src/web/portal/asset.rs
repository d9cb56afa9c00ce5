//! The style sheet: part of the program, so that a page asks no other host for anything.

use crate::web::problem::Problem;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};

const STYLE: &str = include_str!("../assets/site.css");

pub(super) async fn get(Path(file): Path<String>) -> Response {
    match file.as_str() {
        "site.css" => (
            [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=3600")],
            STYLE,
        )
            .into_response(),
        _ => Problem::missing().into_response(),
    }
}
