//! The style sheet, and the scripts of the page that checks files: part of the program, so that a page asks no other host for anything.

use crate::values::Hash;
use crate::web::problem::Problem;
use crate::web::receipt;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::sync::LazyLock;

const STYLE: &str = include_str!("../assets/site.css");
const VERIFY: &str = include_str!("../assets/verify.js");

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// All of them: name, kind, text.
static ASSETS: LazyLock<[(&str, &str, &str); 4]> = LazyLock::new(|| {
    [
        ("site.css", "text/css; charset=utf-8", STYLE),
        ("proof.js", SCRIPT, receipt::PROOF),
        ("noble-ed25519.js", SCRIPT, &receipt::SCRIPTS[0]),
        ("verify.js", SCRIPT, VERIFY),
    ]
});

/// Stands behind the name of each: a browser that has kept one of an older program asks for the new one, and never mixes them.
static VERSION: LazyLock<String> = LazyLock::new(|| Hash::of(&ASSETS.map(|(.., text)| text.as_bytes())).short());

/// The version of what a page asks for.
pub(in crate::web) fn version() -> &'static str {
    &VERSION
}

pub(super) async fn get(Path(file): Path<String>) -> Response {
    let Some((_, kind, text)) = ASSETS.iter().find(|(name, ..)| *name == file) else {
        return Problem::missing().into_response();
    };
    ([(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, "public, max-age=3600")], *text).into_response()
}
