//! The page that checks a file: whether it is genuine and current, superseded, or not ours. It holds all that it needs, so that the file
//! stays where it is and the network may be off.

use super::page::{Page, or_told, shown};
use crate::app::publish;
use crate::domain::body::Body;
use crate::domain::disclosure::Published;
use crate::ledger::entry::Entry;
use crate::report::document::{amount_text, share_text};
use crate::report::labels::Language;
use crate::store::StoreError;
use crate::values::Unit;
use crate::web::problem::Problem;
use crate::web::receipt;
use crate::web::site::Shared;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{Html, IntoResponse as _, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Scripts of this server only; the log of this server may be asked.
const CSP: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// What the page is kept as.
const NAME: &str = "verify";
/// Rows of what changed that the page holds for one report.
const CHANGES_MAX: usize = 200;

struct ReportRow {
    seq: u64,
    number: String,
    state: String,
    hashes: Vec<String>,
}

#[derive(Template)]
#[template(path = "verify.html")]
struct VerifyPage {
    page: Page,
    rows: Vec<ReportRow>,
    /// The key that signs now.
    vkey: String,
    /// Those before it, newest first.
    earlier: Vec<String>,
    host: String,
    slug: String,
    known: String,
}

pub(super) async fn show(State(site): State<Shared>, Extension(language): Extension<Language>) -> Response {
    let mut response = or_told(language, page(&site, language).await);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP));
    response
}

async fn page(site: &Shared, language: Language) -> Result<Response, Problem> {
    if let Some(kept) = site.kept_page(NAME, language, site.size()) {
        return Ok(Html(kept.to_string()).into_response());
    }
    let page = Page::at_head(site, language, "/verify").await?;
    let size = page.size;
    let mut reports = site.opened.states("report", Published::from_object).await?;
    reports.sort_by_key(|report| std::cmp::Reverse(report.seq));
    let mut newest: BTreeMap<String, u64> = BTreeMap::new();
    for report in &reports {
        let version = newest.entry(report.number.clone()).or_default();
        *version = report.version.max(*version);
    }
    let (mut rows, mut known) = (Vec::new(), Vec::new());
    for report in &reports {
        let hashes = hashes(site, report).await?;
        let is_current = newest.get(&report.number) == Some(&report.version);
        let number = format!("{}-v{}", report.number, report.version);
        let state = match &report.corrected {
            Some(corrected) => format!("{}{}", page.say("已更正：", "corrected: "), corrected.note),
            None if is_current => page.say("现行", "current").to_owned(),
            None => page.say("已有新版", "a newer version is out").to_owned(),
        };
        known.push(json!({
            "seq": report.seq, "number": report.number, "version": report.version, "hashes": hashes, "current": is_current,
            "newest": newest.get(&report.number), "note": report.corrected.as_ref().map(|corrected| &corrected.note),
            "changes": changes(site, &page, &reports, report).await?,
        }));
        rows.push(ReportRow { seq: report.seq, number, state, hashes });
    }
    let organisation = site.opened.organisation().await?;
    // The newest that can be asked for is signed with the last.
    let vkeys: Vec<String> = organisation.keys().rev().map(|(_, vkey)| vkey.to_owned()).collect();
    let keys: Vec<Value> = organisation.keys().rev().map(|(from, vkey)| json!({"vkey": vkey, "from": from})).collect();
    let words = receipt::words(&site.opened, language).await?;
    let host = site.opened.row.origin.split('/').next().unwrap_or_default().to_owned();
    let slug = site.opened.row.slug.clone();
    let known = json!({
        "keys": keys, "slug": slug, "reports": known, "digits": words["digits"], "units": words["units"], "uses": words["uses"],
    }).to_string().replace('<', "\\u003c");
    let (vkey, earlier) = vkeys.split_first().map(|(first, rest)| (first.clone(), rest.to_vec())).unwrap_or_default();
    let Html(made) = shown(&VerifyPage { page, rows, vkey, earlier, host, slug, known });
    site.keep_page(NAME, language, size, &made);
    Ok(Html(made).into_response())
}

/// The hashes of a report's files, as its entry states them.
async fn hashes(site: &Shared, report: &Published) -> Result<Vec<String>, Problem> {
    let bytes = site.opened.store.entry(site.opened.row.ledger_id, report.seq).await?.unwrap_or_default();
    let entry =
        Entry::parse(&bytes).map_err(|error| StoreError::Damaged { table: "entry", what: error.to_string() })?;
    let body = Body(&entry.body);
    let stated = ["pdf_zh", "pdf_en", "data"].into_iter().filter_map(|member| body.optional_text(member));
    Ok(stated.map(str::to_owned).collect())
}

/// A value that differs: where it stands, what stood there, what stands there now.
type Change = (String, Option<String>, Option<String>);

/// What changed in the version that took a report's place. A row that came or went is one row here too.
async fn changes(site: &Shared, page: &Page, reports: &[Published], report: &Published) -> Result<Vec<Value>, Problem> {
    let after = report.corrected.as_ref().and_then(|corrected| reports.iter().find(|other| other.seq == corrected.by));
    let Some(after) = after else { return Ok(Vec::new()) };
    let unit = unit_of(site, report).await?;
    // What follows from other figures is not told once more.
    let is_told = |(path, before, after): &Change| match member_of(path) {
        "hash" => false,
        "balance_after" | "cumulative" => before.is_none() || after.is_none(),
        _ => true,
    };
    let mut changes = publish::changes(&site.opened, (report, after)).await?.into_iter().filter(is_told).peekable();
    let mut rows = Vec::new();
    while let Some(first) = changes.next() {
        let row = row_of(&first.0).to_owned();
        let mut group = vec![first];
        while let Some(next) = changes.next_if(|(path, ..)| row_of(path) == row) {
            group.push(next);
        }
        let (came, went) =
            (group.iter().all(|change| change.1.is_none()), group.iter().all(|change| change.2.is_none()));
        if row.matches('/').count() == 2 && (came || went) {
            let of = |text: fn(&Change) -> Option<&String>| {
                // The row is called by its entry or day already.
                let named = |change: &&Change| !matches!(member_of(&change.0), "seq" | "day" | "hash");
                let said = group.iter().filter(named).filter_map(|change| {
                    let name = member_of(&change.0);
                    Some(format!("{} {}", word(page, name), value(page, name, text(change)?, unit)))
                });
                said.collect::<Vec<_>>().join(page.say("，", ", "))
            };
            let (before, now) = (of(|change| change.1.as_ref()), of(|change| change.2.as_ref()));
            rows.push(json!([words(page, &row), (!came).then_some(before), (!went).then_some(now)]));
            continue;
        }
        for (path, before, now) in group {
            let shown = |text: Option<String>| text.map(|text| value(page, member_of(&path), &text, unit));
            rows.push(json!([words(page, &path), shown(before), shown(now)]));
        }
    }
    rows.truncate(CHANGES_MAX);
    Ok(rows)
}

/// The last part of a path.
fn member_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// What comes before it.
fn row_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(row, _)| row)
}

/// The unit of a report's amounts.
async fn unit_of(site: &Shared, report: &Published) -> Result<Unit, Problem> {
    let (data, _) = publish::file(&site.opened, report, 2).await?;
    let data: Value = serde_json::from_slice(&data).unwrap_or_default();
    Ok(data["unit"].as_str().and_then(|unit| unit.parse().ok()).unwrap_or(Unit::CNY))
}

/// Where a value stands, in words: 资金变动 · 记录 1613 · 金额.
fn words(page: &Page, path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let of_entries = matches!(parts.first(), Some(&("lines" | "corrections")));
    let part = |(place, part): (usize, &&str)| match part.parse::<u64>() {
        Ok(seq) if of_entries && place == 1 => format!("{} {seq}", page.say("记录", "entry")),
        _ => word(page, part),
    };
    parts.iter().enumerate().map(part).collect::<Vec<_>>().join(" · ")
}

fn word(page: &Page, part: &str) -> String {
    let vocabulary = ["change", "source", "use"].into_iter().find(|known| page.language.labels().knows(known, part));
    vocabulary.map_or_else(|| part.to_owned(), |vocabulary| page.word(vocabulary, part))
}

/// A value as people read it.
fn value(page: &Page, name: &str, text: &str, unit: Unit) -> String {
    let Ok(number) = text.parse::<i64>() else {
        let vocabulary = match name {
            "use" => "use",
            "payee" => "payee",
            "reason" => "reason",
            "basis" => "basis",
            "source" => "source",
            "kind" => "change.line",
            _ => return text.to_owned(),
        };
        return page.word(vocabulary, text);
    };
    match name {
        "gifts" | "gift_count" | "count" | "seq" | "target_seq" | "vouchers" => text.to_owned(),
        "share_bp" | "use_rate_bp" => share_text(number),
        _ => amount_text(number, unit),
    }
}
