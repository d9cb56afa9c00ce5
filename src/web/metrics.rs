//! Figures of operation for Prometheus, on an address of their own.

use super::site::{Shared, Site};
use crate::app::writer::Handle;
use axum::Router;
use axum::extract::State;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// Method, pattern of the path, status.
type Answered = [(&'static str, String); 3];

/// How long answers took.
#[derive(Clone, Debug)]
pub struct Requests(Family<Answered, Histogram>);

impl Default for Requests {
    fn default() -> Self {
        Self(Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.000_5, 2.0, 16))))
    }
}

impl Requests {
    /// Counts an answer. What a client makes up is counted as one: methods that nobody has, paths without a pattern.
    pub fn answered(&self, method: &Method, pattern: Option<&str>, status: u16, took: Duration) {
        let is_known = [Method::GET, Method::HEAD, Method::POST].contains(method);
        let labels = [
            ("method", if is_known { method.to_string() } else { "-".into() }),
            ("route", pattern.unwrap_or("-").to_owned()),
            ("status", status.to_string()),
        ];
        self.0.get_or_create(&labels).observe(took.as_secs_f64());
    }
}

/// The one page of this address.
pub fn router(site: Shared) -> Router {
    Router::new().route("/metrics", get(told)).with_state(site)
}

async fn told(State(site): State<Shared>) -> Response {
    let mut text = String::new();
    let registry = registry(&site).await;
    encode(&mut text, &registry).expect("a text takes everything");
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}

/// What is counted, and what is so just now.
async fn registry(site: &Site) -> Registry {
    let mut registry = Registry::with_prefix("mingzhang");
    registry.register_with_unit("request", "Time until a request was answered", Unit::Seconds, site.requests.0.clone());
    let mut gauge = |name: &str, help: &str, value: i64| {
        let gauge: Gauge = Gauge::default();
        gauge.set(value);
        registry.register(name, help, gauge);
    };
    let small = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let head = site.opened.head().await;
    gauge("database_up", "Whether the database answers", i64::from(head.is_ok()));
    if let Some(answers) = site.opened.store.replica_answers() {
        gauge("replica_up", "Whether the replica answers; if not, the database itself is read", i64::from(answers));
    }
    gauge("writer_up", "Whether the writer takes commands", i64::from(site.running().is_some_and(Handle::is_open)));
    gauge("ledger_entries", "Entries that are durable", small(head.map_or(site.size(), |head| head.size)));
    let nodes = site.nodes();
    gauge("nodes", "Nodes that serve the ledger", nodes.count);
    let help = "Nodes with another version, other rules or other keys than this one";
    gauge("nodes_differing", help, nodes.differing);
    let help = "Seconds by which this machine's clock runs ahead of the database server's";
    gauge("clock_ahead_seconds", help, nodes.ahead_seconds);
    let help = "Entries whose tiles are not kept yet; full tiles have 256";
    gauge("tiles_lag_entries", help, small(site.size().saturating_sub(site.tiled())));
    if let Some(writer) = site.running() {
        gauge("queue_depth", "Jobs that wait for the writer", small(writer.waiting()));
        gauge("queue_max", "Jobs that may wait", small(writer.waiting_max()));
        gauge("unsigned_entries", "Durable entries beyond the last signed checkpoint", small(writer.unsigned()));
        writer.stats().register(&mut registry);
    }
    registry
}
