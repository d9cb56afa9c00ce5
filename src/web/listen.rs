//! Connections: taken, given so long to say what they want, and at the end answered before they are closed.

use super::log;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::future::Future;
use std::time::Duration;
use tokio::net::TcpListener;
use tower::Service as _;

/// A connection that has not sent the head of a request within this is closed; so is one that asks for nothing.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// What is under way at the end is waited for so long.
const END_TIMEOUT: Duration = Duration::from_secs(30);
/// Where no connection can be taken (too many are open), the next try comes after this.
const BREATH: Duration = Duration::from_millis(50);

/// Serves connections until `stop`; then takes no more, and waits for the answers under way.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    // Each connection is an open file; what the system allows is asked for, and it serves with less where it allows less.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        log(&format!("the limit of open files stays: {error}"));
    }
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        // Small answers leave at once; where that cannot be had, they leave a little later.
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let service = service_fn(move |mut request: axum::http::Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().call(request.map(Body::new))
        });
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
        // A connection that breaks is the business of its client.
        tokio::spawn(async move { drop(connection.await) });
    }
    drop(listener);
    if tokio::time::timeout(END_TIMEOUT, graceful.shutdown()).await.is_err() {
        log("some connections were closed before their answer");
    }
}
