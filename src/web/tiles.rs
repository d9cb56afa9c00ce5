//! The log as C2SP `tlog-tiles` has it, for clients of any make: checkpoints, hashes and entries under `/log/<slug>/`. What a path holds
//! never changes, but for the newest checkpoint.

use super::log;
use super::problem::Problem;
use super::site::Shared;
use crate::app::tree::Tree;
use crate::app::witnessed::{cosigned, telling_sizes};
use crate::app::writer::chain;
use crate::ledger::proof::Proof;
use crate::ledger::tile::{Tile, WIDTH};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use std::time::Duration;

const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";

/// The newest checkpoint is a second old at most; a node signs no more often.
const NEWEST: &str = "public, max-age=1";
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Tiles are filled this often.
const FILL: Duration = Duration::from_secs(1);

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/log/{slug}/checkpoint", get(newest))
        .route("/log/{slug}/checkpoints/{size}", get(earlier))
        .route("/log/{slug}/log.vkey", get(key))
        .route("/log/{slug}/rotations/{place}", get(rotation))
        .route("/log/{slug}/witnessed", get(witnessed))
        .route("/log/{slug}/tile/{*path}", get(tile))
        .route("/log/{slug}/proof/{seq}", get(proof))
}

/// Keeps tiles as far as there are entries, until it is dropped.
pub(super) async fn fill(site: Shared) {
    loop {
        let size = site.size();
        if size / WIDTH > site.tiled() / WIDTH {
            match Tree::of(&site.opened.store, site.opened.row.ledger_id, size).fill().await {
                Ok(filled) => site.filled(filled),
                Err(error) => log(&format!("{} tiles are not kept: {}", site.clock.now(), chain(&error))),
            }
        }
        tokio::time::sleep(FILL).await;
    }
}

async fn newest(State(site): State<Shared>, Path(slug): Path<String>) -> Result<Response, Problem> {
    own(&site, &slug)?;
    let latest = site.opened.store.latest_checkpoint(site.opened.row.ledger_id).await?;
    let (size, note) = latest.ok_or_else(Problem::missing)?;
    let note = cosigned(&site.opened.store, site.opened.row.ledger_id, size, note).await?;
    Ok(answer(note, TEXT, NEWEST))
}

async fn earlier(State(site): State<Shared>, Path((slug, size)): Path<(String, u64)>) -> Result<Response, Problem> {
    own(&site, &slug)?;
    let note = site.opened.store.checkpoint(site.opened.row.ledger_id, size).await?.ok_or_else(Problem::missing)?;
    let note = cosigned(&site.opened.store, site.opened.row.ledger_id, size, note).await?;
    // A witness may still sign it.
    Ok(answer(note, TEXT, NEWEST))
}

async fn key(State(site): State<Shared>, Path(slug): Path<String>) -> Result<Response, Problem> {
    own(&site, &slug)?;
    let latest = site.opened.store.latest_checkpoint(site.opened.row.ledger_id).await?;
    let vkey = site.opened.vkey_at(latest.map_or(0, |(size, _)| size)).await?;
    Ok(answer(format!("{vkey}\n"), TEXT, NEWEST))
}

/// Sizes whose checkpoints show since when witnesses have seen the log, one a line.
async fn witnessed(State(site): State<Shared>, Path(slug): Path<String>) -> Result<Response, Problem> {
    own(&site, &slug)?;
    let sizes = telling_sizes(&site.opened.store, site.opened.row.ledger_id).await?;
    let text: String = sizes.iter().map(|size| format!("{size}\n")).collect();
    Ok(answer(text, TEXT, NEWEST))
}

/// What leads from a key to the one that took its place, by its number from 0.
async fn rotation(State(site): State<Shared>, Path((slug, place)): Path<(String, usize)>) -> Result<Response, Problem> {
    own(&site, &slug)?;
    let proof = site.opened.rotations().await?.into_iter().nth(place);
    // A page on somebody's disk must be able to see that there is none.
    let none = || (StatusCode::NOT_FOUND, answer("", TEXT, NEWEST)).into_response();
    Ok(proof.map_or_else(none, |proof| answer(proof, TEXT, NEWEST)))
}

async fn tile(State(site): State<Shared>, Path((slug, path)): Path<(String, String)>) -> Result<Response, Problem> {
    own(&site, &slug)?;
    let tile = Tile::parse(&path).ok_or_else(Problem::missing)?;
    let tree = Tree::of(&site.opened.store, site.opened.row.ledger_id, site.size());
    let bytes = tree.tile(tile).await?.ok_or_else(Problem::missing)?;
    Ok(answer(bytes, BYTES, FOR_EVER))
}

/// The bytes of an entry are in its bundle; this proves that they are in the log, as it was last signed.
async fn proof(State(site): State<Shared>, Path((slug, seq)): Path<(String, u64)>) -> Result<Response, Problem> {
    own(&site, &slug)?;
    let (store, ledger_id) = (&site.opened.store, site.opened.row.ledger_id);
    let (size, checkpoint) = store.latest_checkpoint(ledger_id).await?.ok_or_else(Problem::missing)?;
    let checkpoint = cosigned(store, ledger_id, size, checkpoint).await?;
    let path = Tree::of(store, ledger_id, size).inclusion(seq).await?.ok_or_else(Problem::missing)?;
    let proof = Proof { extra: None, index: seq, path, checkpoint };
    let mut answer = answer(proof.to_string(), TEXT, NEWEST);
    let name = format!("attachment; filename=\"entry-{seq}.tlog-proof\"");
    answer.headers_mut().extend(HeaderValue::from_str(&name).map(|name| (CONTENT_DISPOSITION, name)));
    Ok(answer)
}

/// One ledger is served here.
fn own(site: &Shared, slug: &str) -> Result<(), Problem> {
    if slug == site.opened.row.slug { Ok(()) } else { Err(Problem::missing()) }
}

/// Anybody may read it, from any page: also from one that lies on somebody's disk.
fn answer(body: impl Into<axum::body::Body>, kind: &'static str, cached: &'static str) -> Response {
    let headers = [(CONTENT_TYPE, kind), (CACHE_CONTROL, cached), (ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    (headers, body.into()).into_response()
}
