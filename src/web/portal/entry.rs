//! The log itself: newest entries, and each one with its bytes and its hash.

use super::page::{Page, or_told, shown};
use crate::app::overview::moved_by;
use crate::app::trace::parse;
use crate::ledger::chain::leaf_hash;
use crate::report::labels::Language;
use crate::values::LineName;
use crate::values::amount::format_minor;
use crate::web::problem::Problem;
use crate::web::site::Shared;
use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::{Html, Response};

/// Entries on one page.
const PAGE: u64 = 50;

#[derive(serde::Deserialize)]
pub(super) struct Before {
    before: Option<u64>,
}

struct EntryRow {
    seq: u64,
    on: String,
    kind: String,
    amount: String,
}

#[derive(Template)]
#[template(path = "entries.html")]
struct Entries {
    page: Page,
    rows: Vec<EntryRow>,
    older: Option<u64>,
}

struct PostRow {
    op: String,
    line: String,
    from: i64,
    to: i64,
    amount: String,
}

#[derive(Template)]
#[template(path = "entry.html")]
struct EntryPage {
    page: Page,
    seq: u64,
    kind: String,
    code: String,
    at: String,
    by: String,
    members: Vec<(String, String)>,
    posts: Vec<PostRow>,
    leaf: String,
    prev: String,
    bytes: String,
}

pub(super) async fn list(
    State(site): State<Shared>,
    Extension(language): Extension<Language>,
    Query(before): Query<Before>,
) -> Response {
    or_told(language, entries(&site, language, before.before).await)
}

async fn entries(site: &Shared, language: Language, before: Option<u64>) -> Result<Html<String>, Problem> {
    let page = Page::at_head(site, language, "/entries").await?;
    let end = before.unwrap_or(page.size).min(page.size);
    let from = end.saturating_sub(PAGE);
    let limit = u32::try_from(end - from).unwrap_or(0);
    let mut rows = Vec::new();
    for stored in site.opened.store.entries(site.opened.row.ledger_id, from, limit).await? {
        let entry = parse(&stored.bytes)?;
        rows.push(EntryRow {
            seq: entry.seq,
            on: entry.at.day(&site.zone).to_string(),
            kind: kind(&page, &entry.kind),
            amount: moved_by(&entry).map(|amount| amount.to_string()).unwrap_or_default(),
        });
    }
    rows.reverse();
    Ok(shown(&Entries { page, rows, older: (from > 0).then_some(from) }))
}

fn kind(page: &Page, kind: &str) -> String {
    let code = kind.replace('.', "_");
    let word = page.word("kind", &code);
    if word == code { kind.to_owned() } else { word }
}

pub(super) async fn show(
    State(site): State<Shared>,
    Extension(language): Extension<Language>,
    Path(seq): Path<u64>,
) -> Response {
    or_told(language, page(&site, language, seq).await)
}

async fn page(site: &Shared, language: Language, seq: u64) -> Result<Html<String>, Problem> {
    let page = Page::at_head(site, language, format!("/entry/{seq}")).await?;
    let bytes = site.opened.store.entry(site.opened.row.ledger_id, seq).await?.ok_or_else(Problem::missing)?;
    let entry = parse(&bytes)?;
    let post = |post: &crate::ledger::entry::RawPost<'_>| PostRow {
        op: page.word("op", &post.op),
        line: post.line.to_string(),
        from: post.from,
        to: post.to,
        amount: LineName::parse(&post.line)
            .map(|name| format!("{} {}", format_minor(post.to - post.from, name.unit), name.unit))
            .unwrap_or_default(),
    };
    let text = |value: &crate::ledger::canonical::Value<'_>| match value.as_text() {
        Some(text) => text.to_owned(),
        None => value.to_bytes().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default(),
    };
    let found = EntryPage {
        seq,
        kind: kind(&page, &entry.kind),
        code: entry.kind.to_string(),
        at: entry.at.to_string(),
        by: entry.by.to_string(),
        members: entry.body.iter().map(|(member, value)| (member.to_string(), text(value))).collect(),
        posts: entry.post.iter().map(post).collect(),
        leaf: leaf_hash(&bytes).to_hex(),
        prev: entry.prev.to_hex(),
        bytes: String::from_utf8_lossy(&bytes).into_owned(),
        page,
    };
    Ok(shown(&found))
}
