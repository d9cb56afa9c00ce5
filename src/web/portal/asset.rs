//! The style sheet, and the scripts of the page that checks files: part of the program, so that a page asks no other host for anything.

use crate::web::problem::Problem;
use crate::web::receipt;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};

const STYLE: &str = include_str!("../assets/site.css");
const VERIFY: &str = include_str!("../assets/verify.js");

pub(super) async fn get(Path(file): Path<String>) -> Response {
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    let (kind, text): (&str, &'static str) = match file.as_str() {
        "site.css" => ("text/css; charset=utf-8", STYLE),
        "proof.js" => (SCRIPT, receipt::PROOF),
        "noble-ed25519.js" => (SCRIPT, &receipt::SCRIPTS[0]),
        "verify.js" => (SCRIPT, VERIFY),
        _ => return Problem::missing().into_response(),
    };
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=3600")], text).into_response()
}
