//! The same service over HTTP: pages for people who follow a code, and an interface for programs. Only this module knows HTTP.

pub mod api;
pub mod bench;
pub mod follow;
pub mod headers;
pub mod limit;
pub mod listen;
pub mod login;
pub mod metrics;
pub mod outbox;
pub mod portal;
pub mod problem;
pub mod receipt;
pub mod site;
mod tiles;
pub mod witness;
mod witnessing;

use crate::app::writer::{Handle, WriteError};
use crate::values::text::shown;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use site::{Shared, Site};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

/// An ordinary request that takes longer is given up; what takes its time has a limit of its own.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// All routes, with what surrounds every answer.
pub fn router(site: Shared) -> Router {
    router_with(site, Router::new())
}

fn router_with(site: Shared, beside: Router<Shared>) -> Router {
    Router::new()
        .merge(beside)
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready))
        .merge(portal::routes())
        .merge(tiles::routes())
        .layer(given_up_after(REQUEST_TIMEOUT))
        .nest("/api/v1", api::routes(&site))
        .fallback(portal::not_found)
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&site), headers::around))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .with_state(site)
}

/// How long the routes under it may take. There is one for each route and none around them: the shorter would win.
fn given_up_after(time: Duration) -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, time)
}

/// The process answers, and its writer has not ended: only a new start would mend that.
async fn healthy(axum::extract::State(site): axum::extract::State<Shared>) -> (StatusCode, &'static str) {
    if site.running().is_none_or(Handle::is_open) {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the writer has ended\n")
    }
}

/// The database answers, and the writer takes commands.
async fn ready(axum::extract::State(site): axum::extract::State<Shared>) -> (StatusCode, &'static str) {
    if site.opened.head().await.is_ok() && site.running().is_some_and(Handle::is_open) {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}

/// Serves until `stop`; then no new connection is taken, what is under way is answered, the queue is drained and the head signed.
pub async fn serve(
    site: Site,
    listener: TcpListener,
    metrics: Option<TcpListener>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), WriteError> {
    let site: Shared = Arc::new(site);
    let mut beside = vec![
        tokio::spawn(outbox::run(Arc::clone(&site))),
        tokio::spawn(follow::run(Arc::clone(&site))),
        tokio::spawn(follow::watch_replica(Arc::clone(&site))),
        tokio::spawn(tiles::fill(Arc::clone(&site))),
        tokio::spawn(witnessing::run(Arc::clone(&site))),
    ];
    if let Some(metrics) = metrics {
        let router = metrics::router(Arc::clone(&site));
        beside.push(tokio::spawn(listen::serve(metrics, router, std::future::pending())));
    }
    listen::serve(listener, router(Arc::clone(&site)), stop).await;
    beside.iter().for_each(tokio::task::JoinHandle::abort);
    site.writer().await?.finish().await
}

/// Longest line of the log, in characters.
const LOG_LINE_MAX: usize = 2_000;

/// A line on the log. A closed error channel must not take the server down.
fn log(text: &str) {
    use std::io::Write as _;
    // One line of bounded length, whatever a stranger has sent.
    let text: String = shown(text).chars().take(LOG_LINE_MAX).map(|c| if c == '\n' { ' ' } else { c }).collect();
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Takes a lock. What it guards is whole after every statement, so a panic elsewhere does not make it unusable.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
