//! Pages that work without scripts: the organisation, its funds, appeals, cases, reports and entries, and a donor's own page. Chinese under `/zh`,
//! English under `/en`.

pub(super) mod asset;
mod campaign;
mod case;
mod entry;
mod find;
mod flow;
mod fund;
mod gift;
mod home;
mod list;
mod page;
mod verify;

use super::problem::Problem;
use super::site::Shared;
use crate::report::labels::Language;
use axum::Extension;
use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

/// The pages in both languages.
pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/", get(front))
        .route("/g/{code}", get(short))
        .route("/verify", get(checking))
        .route("/assets/{file}", get(asset::get))
        .nest("/zh", pages(Language::Zh))
        .nest("/en", pages(Language::En))
}

fn pages(language: Language) -> Router<Shared> {
    Router::new()
        .route("/", get(home::show))
        .route("/funds", get(list::funds))
        .route("/cases", get(list::cases))
        .route("/reports", get(list::reports))
        .route("/campaign/{id}", get(campaign::show))
        .route("/fund/{id}", get(fund::show))
        .route("/case/{id}", get(case::show))
        .route("/entries", get(entry::list))
        .route("/entry/{seq}", get(entry::show))
        .route("/verify", get(verify::show))
        .route("/gift", get(find::form).post(find::find))
        .route("/gift/{code}", get(find::by_code))
        .layer(Extension(language))
}

/// The language a browser asks for: English where it puts it before Chinese.
fn preferred(headers: &HeaderMap) -> Language {
    let said = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let first = said.split(',').map(str::trim).find(|tag| tag.starts_with("zh") || tag.starts_with("en"));
    if first.is_some_and(|tag| tag.starts_with("en")) { Language::En } else { Language::Zh }
}

fn prefix(language: Language) -> &'static str {
    language.choose("/zh", "/en")
}

async fn front(headers: HeaderMap) -> Redirect {
    Redirect::to(prefix(preferred(&headers)))
}

/// What the codes on reports and certificates lead to.
async fn checking(headers: HeaderMap, uri: axum::http::Uri) -> Redirect {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    Redirect::to(&format!("{}/verify{query}", prefix(preferred(&headers))))
}

/// What a code on paper leads to.
async fn short(headers: HeaderMap, Path(code): Path<String>) -> Redirect {
    let code = find::letters_of(&code);
    // A code of nothing usable is still a code that is wrong, not the empty form.
    let code = if code.is_empty() { "-" } else { &code };
    Redirect::to(&format!("{}/gift/{code}", prefix(preferred(&headers))))
}

/// Where nothing is: told as a page to people, as a problem to programs.
pub async fn not_found(headers: HeaderMap, uri: axum::http::Uri) -> Response {
    let problem = Problem::missing();
    if uri.path().starts_with("/api/") {
        return problem.into_response();
    }
    // An address typed with a slash too many. Only below a language: `//host` would lead elsewhere.
    let plain = uri.path().trim_end_matches('/');
    if plain != uri.path()
        && [Language::Zh, Language::En]
            .iter()
            .any(|language| uri.path().starts_with(&format!("{}/", prefix(*language))))
    {
        return Redirect::permanent(plain).into_response();
    }
    trouble(language_of(uri.path(), &headers), problem)
}

/// The language of a page's address, or else the one that the reader prefers.
pub(super) fn language_of(path: &str, headers: &HeaderMap) -> Language {
    match path.get(..3) {
        Some("/en") => Language::En,
        Some("/zh") => Language::Zh,
        _ => preferred(headers),
    }
}

/// A page that says what went wrong.
pub(super) fn trouble(language: Language, problem: Problem) -> Response {
    page::Trouble { language, problem }.into_response()
}
