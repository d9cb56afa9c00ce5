//! Reading: what the log says, as JSON.

use crate::app::trace::{self, Facts};
use crate::ledger::canonical::Object;
use crate::ledger::chain::leaf_hash;
use crate::web::problem::Problem;
use crate::web::site::{Shared, Site};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Entries of one page, at most.
const PAGE_MAX: u32 = 1_000;

type Answer = Result<Json<Value>, Problem>;

#[derive(serde::Deserialize)]
pub(super) struct Cursor {
    #[serde(default)]
    from: u64,
    limit: Option<u32>,
}

fn plain(object: &Object<'_>) -> Value {
    let bytes = object.to_bytes().unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

pub(super) async fn ledger(State(site): State<Shared>) -> Answer {
    let head = site.head().await?;
    let mut found = plain(&site.organisation.to_object());
    found["origin"] = head.origin.clone().into();
    found["size"] = head.size.into();
    found["root"] = crate::app::folder::frontier(&head)?.root().to_hex().into();
    Ok(Json(found))
}

/// Totals of every line at a tree size, which anybody can compare with a replay.
pub(super) async fn totals(State(site): State<Shared>) -> Answer {
    let (size, lines) = site.totals().await?;
    let lines: Vec<Value> = lines
        .iter()
        .map(|line| {
            let totals = line.totals;
            json!({
                "line": line.name.to_string(), "end": totals.end(), "free": totals.free, "held": totals.held,
                "spent": totals.spent, "moved_on": line.moved_on, "void": totals.void,
            })
        })
        .collect();
    Ok(Json(json!({"tree_size": size, "lines": lines})))
}

/// A page of entries as they stand in the log; `next` is where the following page begins.
pub(super) async fn entries(State(site): State<Shared>, Query(cursor): Query<Cursor>) -> Answer {
    let limit = cursor.limit.unwrap_or(100).clamp(1, PAGE_MAX);
    let rows = site.opened.store.entries(site.opened.row.ledger_id, cursor.from, limit).await?;
    let next = cursor.from.saturating_add(u64::from(limit));
    let next = (u32::try_from(rows.len()) == Ok(limit)).then_some(next);
    let entries: Vec<Value> = rows.iter().filter_map(|row| serde_json::from_slice(&row.bytes).ok()).collect();
    Ok(Json(json!({"entries": entries, "next": next})))
}

/// The canonical bytes of an entry, with its leaf hash beside them. They never change.
pub(super) async fn entry(State(site): State<Shared>, Path(seq): Path<u64>) -> Result<Response, Problem> {
    let bytes = site.opened.store.entry(site.opened.row.ledger_id, seq).await?.ok_or_else(Problem::missing)?;
    let leaf = leaf_hash(&bytes).to_hex();
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()),
        (header::ETAG, format!("\"{leaf}\"")),
    ];
    Ok((StatusCode::OK, headers, bytes).into_response())
}

/// The newest signed checkpoint, as a note.
pub(super) async fn checkpoint(State(site): State<Shared>) -> Result<Response, Problem> {
    let found = site.opened.store.latest_checkpoint(site.opened.row.ledger_id).await?;
    let (_, note) = found.ok_or_else(Problem::missing)?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], note).into_response())
}

/// All things of an area as they are stored, those with a number in its order.
async fn listed(site: &Site, area: &str, name: &str) -> Answer {
    let head = site.head().await?;
    let mut found = site.opened.states(area, |object| Ok(plain(object))).await?;
    found.sort_by_key(|thing| thing["request"].as_u64().or(thing["seq"].as_u64()));
    Ok(Json(json!({name: found, "tree_size": head.size})))
}

pub(super) async fn accounts(State(site): State<Shared>) -> Answer {
    listed(&site, "account", "accounts").await
}

pub(super) async fn funds(State(site): State<Shared>) -> Answer {
    listed(&site, "fund", "funds").await
}

pub(super) async fn campaigns(State(site): State<Shared>) -> Answer {
    listed(&site, "campaign", "campaigns").await
}

pub(super) async fn cases(State(site): State<Shared>) -> Answer {
    listed(&site, "case", "cases").await
}

pub(super) async fn disbursements(State(site): State<Shared>) -> Answer {
    listed(&site, "disbursement", "disbursements").await
}

pub(super) async fn reports(State(site): State<Shared>) -> Answer {
    listed(&site, "report", "reports").await
}

fn facts(mut object: Value, facts: &Facts) -> Value {
    object["kind"] = facts.kind.clone().into();
    for (member, text) in facts.members() {
        object[member] = text.into();
    }
    object
}

/// Every use of a gift, at the head.
pub(super) async fn gift_trace(State(site): State<Shared>, Path(seq): Path<u64>) -> Answer {
    let head = site.head().await?;
    let traced = trace::gift(&site.opened, seq, Some(head.size)).await?.ok_or_else(Problem::missing)?;
    let uses: Vec<Value> = traced
        .uses
        .iter()
        .map(|used| {
            let object = json!({
                "seq": used.seq, "state": used.state, "amount": used.amount.minor(), "line": used.line.to_string(),
            });
            facts(object, &used.facts)
        })
        .collect();
    let unspent: Vec<Value> = traced
        .unspent
        .iter()
        .map(|(line, amount)| json!({"line": line.to_string(), "amount": amount.minor()}))
        .collect();
    Ok(Json(json!({
        "donation": traced.gift.seq, "amount": traced.gift.gross.minor(), "unit": traced.gift.gross.unit().as_str(),
        "on": traced.gift.on.to_string(), "fund": traced.gift.fund.as_str(), "uses": uses, "unspent": unspent,
        "tree_size": head.size,
    })))
}
