//! The log itself: newest entries, and each one with its bytes and its hash.

use super::page::{Page, or_told, shown};
use crate::app::overview::moved_by;
use crate::app::trace::parse;
use crate::app::witnessed::{self, Seen};
use crate::domain::organisation::Predecessor;
use crate::ledger::canonical::{Object, Value};
use crate::ledger::chain::leaf_hash;
use crate::report::labels::Language;
use crate::values::amount::format_minor;
use crate::values::{LineName, Timestamp};
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
    /// The ledger that this one goes on from, and its root.
    continues: Option<(String, String)>,
    /// Since when each witness has seen one history, and whether it says no now.
    witnesses: Vec<(String, bool)>,
    rows: Vec<EntryRow>,
    older: Option<u64>,
}

/// What an entry says: the member, what it is called, and its value for a person.
struct Said {
    member: String,
    name: String,
    value: String,
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
    slug: String,
    seq: u64,
    kind: String,
    code: String,
    at: String,
    by: String,
    members: Vec<Said>,
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
    let continues =
        site.organisation.continues.as_ref().map(|earlier| (goes_on_from(&page, earlier), earlier.root.to_hex()));
    let seen = witnessed::seen(&site.opened.store, site.opened.row.ledger_id).await?;
    let day =
        |seconds: u64| Timestamp::from_seconds(seconds).map(|at| at.day(&site.zone).to_string()).unwrap_or_default();
    let told = |Seen { witness, first, last }: &Seen| match language {
        Language::Zh => format!(
            "见证方 {witness} 自 {}（第 {} 条）起看到的一直是同一本账，最近一次是 {}（第 {} 条）。",
            day(first.1),
            first.0,
            day(last.1),
            last.0
        ),
        Language::En => format!(
            "The witness {witness} has seen one history since {} (entry {}), last on {} (entry {}).",
            day(first.1),
            first.0,
            day(last.1),
            last.0
        ),
    };
    let told = |seen: &Seen| match site.refused_by(&seen.witness) {
        None => (told(seen), false),
        Some(what) => {
            let refused = page.say("它拒绝为现在的检查点共签", "It refuses to cosign what is signed now");
            (format!("{} {refused}: {what}", told(seen)), true)
        }
    };
    let witnesses = seen.iter().map(told).collect();
    Ok(shown(&Entries { page, continues, witnesses, rows, older: (from > 0).then_some(from) }))
}

fn kind(page: &Page, kind: &str) -> String {
    let code = kind.replace('.', "_");
    let word = page.word("kind", &code);
    if word == code { kind.to_owned() } else { word }
}

/// Members of entries whose texts are words of a vocabulary.
const VOCABULARIES: [(&str, &str); 9] = [
    ("basis", "basis"),
    ("categories", "case.class"),
    ("payee_class", "payee"),
    ("purpose", "case.class"),
    ("reason", "reason"),
    ("source", "source"),
    ("type", "fund.type"),
    ("use", "use"),
    ("uses", "use"),
];

fn goes_on_from(page: &Page, Predecessor { origin, size, .. }: &Predecessor) -> String {
    match page.language {
        Language::Zh => format!("本账本接续 {origin}：那本账签名到第 {size} 条记录，当时的根是"),
        Language::En => {
            format!("This ledger goes on from {origin}, which was signed up to {size} entries, when its root was")
        }
    }
}

/// Members that are amounts in the unit of their entry. A reversal's target is an entry.
const AMOUNTS: [&str; 5] = ["amount", "fee", "limit", "need", "target"];

/// A member of an entry in words; below the words stand the bytes.
fn said(page: &Page, body: &Object<'_>, member: &str, value: &Value<'_>) -> Said {
    let bytes = || value.to_bytes().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let vocabulary = VOCABULARIES.iter().find(|(known, _)| *known == member).map(|(_, vocabulary)| *vocabulary);
    let word = |text: &str| vocabulary.map_or_else(|| text.to_owned(), |vocabulary| page.word(vocabulary, text));
    let unit = body.get("unit").and_then(Value::as_text).and_then(|unit| unit.parse().ok());
    let value = match (value, unit) {
        (Value::Text(text), _) if member == "target_kind" => kind(page, text),
        (Value::Text(text), _) => word(text),
        (Value::Array(items), _) if items.iter().all(|item| item.as_text().is_some()) => {
            let words = items.iter().filter_map(Value::as_text).map(word);
            words.collect::<Vec<_>>().join(page.say("、", ", "))
        }
        (Value::Integer(minor), Some(unit)) if AMOUNTS.contains(&member) => page.money(*minor, unit),
        _ => bytes(),
    };
    let name = page.word("member", member);
    Said { name: if name == member { String::new() } else { name }, member: member.to_owned(), value }
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
    let found = EntryPage {
        slug: site.opened.row.slug.clone(),
        seq,
        kind: kind(&page, &entry.kind),
        code: entry.kind.to_string(),
        at: entry.at.minute_text(&site.zone),
        by: entry.by.to_string(),
        members: entry.body.iter().map(|(member, value)| said(&page, &entry.body, member, value)).collect(),
        posts: entry.post.iter().map(post).collect(),
        leaf: leaf_hash(&bytes).to_hex(),
        prev: entry.prev.to_hex(),
        bytes: String::from_utf8_lossy(&bytes).into_owned(),
        page,
    };
    Ok(shown(&found))
}
