//! What surrounds every answer: its id, its security headers, one line in the log. The log holds no personal data: of a path it
//! keeps the pattern, never what a person filled in.

use super::site::Shared;
use super::{log, portal, problem};
use crate::app::writer::{WriteError, chain};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const CSP: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Gives a request its id, and its answer the headers that every answer has.
pub async fn around(State(site): State<Shared>, mut request: Request, next: Next) -> Response {
    let said = if site.behind_proxy { forwarded(request.headers()) } else { None };
    let peer = said.or_else(|| request.extensions().get().map(|ConnectInfo::<SocketAddr>(peer)| peer.ip()));
    if let Some(peer) = peer {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(network(peer), 0)));
    }
    let id = site.draw(|entropy| entropy.id("r_", 10));
    let started = site.clock.elapsed();
    let method = request.method().clone();
    let pattern = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let is_page = !request.uri().path().starts_with("/api/");
    let language = is_page.then(|| portal::language_of(request.uri().path(), request.headers()));
    let mut response = next.run(request).await;
    response =
        problem::in_our_form(response, language.map(|language| move |problem| portal::trouble(language, problem)));
    if let Some(cause) = response.extensions_mut().remove::<Arc<WriteError>>() {
        log(&format!("{} {id} failed: {}", site.clock.now(), chain(&*cause)));
    }
    let headers = response.headers_mut();
    let set = [
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in set {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID.clone(), value);
    }
    let took = site.clock.elapsed().saturating_sub(started);
    site.requests.answered(&method, pattern.as_deref(), response.status().as_u16(), took);
    log(&format!(
        "{} {id} {method} {} {} {} ms",
        site.clock.now(),
        pattern.as_deref().unwrap_or("-"),
        response.status().as_u16(),
        took.as_millis()
    ));
    response
}

/// The address that the nearest proxy saw: the last one, as any before it may be made up by the client.
fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let said = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    let last = said.rsplit(',').next()?.trim();
    let with_port = || last.parse::<SocketAddr>().ok().map(|peer| peer.ip());
    last.parse().ok().or_else(with_port)
}

/// Whom limits count: an address, and of IPv6 the /64 that one customer is given.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address @ IpAddr::V4(_) => address,
    }
}
