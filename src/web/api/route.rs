//! The table of the interface. Each route says what it is, who may call it and which fields it reads; the router and the OpenAPI
//! document are made of the same table, so neither can have a route that the other has not.

use super::fields::{Described, Fields};
use super::openapi;
use crate::domain::refusal::Refusal;
use crate::values::{Day, StaffId};
use crate::web::login::Caller;
use crate::web::problem::Problem;
use crate::web::site::{Shared, Site};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts as _, MatchedPath, RawPathParams, Request, State};
use axum::handler::Handler;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter, on, post};
use serde_json::Value;
use std::cell::Cell;
use std::future::Future;
use std::str::FromStr;
use std::sync::Arc;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Anyone: what it tells stands in the public log.
    Anyone,
    /// A token that may record gifts.
    Channel,
    /// A token for everything that its user may do.
    Staff,
    /// A payment channel, by its signature.
    Signed,
}

/// What a route says of itself.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub method: &'static str,
    pub path: &'static str,
    pub about: &'static str,
    pub who: Who,
    pub query: Vec<Described>,
    pub body: Option<Body>,
    /// Whether an idempotency key is heeded.
    pub keyed: bool,
    /// Whether the answer never changes, so that a part of it can be asked for, or whether it is known already.
    pub unchanging: bool,
    pub answer: Answer,
}

/// What a route answers with.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// JSON like this example; see [`openapi::schema_of`].
    Like(Value),
    /// Something of one of these media types.
    Raw(&'static [&'static str]),
}

/// What a route takes.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Json(Vec<Described>),
    Raw(&'static str),
}

/// Routes that are being put together.
pub(super) struct Routes<'s> {
    site: &'s Site,
    router: Router<Shared>,
    listed: Vec<Listed>,
}

/// What stands in the path of a request, beside the site that it asks.
pub(super) struct Place<'s> {
    /// The site.
    pub site: &'s Site,
    path: Vec<(String, String)>,
    lost: Cell<bool>,
}

impl Place<'_> {
    /// A part of the path, read. Where it cannot be read, nothing is there.
    pub(super) fn part<T: FromStr>(&self, name: &str) -> Option<T> {
        let found = self.path.iter().find(|(known, _)| known == name).and_then(|(_, text)| text.parse().ok());
        self.lost.set(self.lost.get() || found.is_none());
        found
    }
}

/// Somebody who asks for something to be done.
pub(super) struct Acting {
    pub site: Shared,
    pub by: StaffId,
    /// The idempotency key, with the hash of what was asked.
    pub key: Option<(String, String)>,
}

/// A command as it arrives.
struct Arrived {
    caller: Caller,
    headers: HeaderMap,
    /// The path below `/api/v1`, which is part of what a key stands for.
    path: String,
    body: Bytes,
}

impl FromRequest<Shared> for Arrived {
    type Rejection = Response;

    async fn from_request(request: Request, site: &Shared) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, site).await.map_err(Problem::into_response)?;
        let path = parts.uri.path().trim_start_matches("/api/v1").to_owned();
        let headers = parts.headers.clone();
        let body = Bytes::from_request(Request::from_parts(parts, body), site).await;
        Ok(Self { caller, headers, path, body: body.map_err(axum::response::IntoResponse::into_response)? })
    }
}

/// The idempotency key of a request, with what was asked.
fn key_of(headers: &HeaderMap, asked: &[&[u8]]) -> Result<Option<(String, String)>, Problem> {
    let mut all = headers.get_all("idempotency-key").iter();
    let Some(said) = all.next() else { return Ok(None) };
    let key = std::str::from_utf8(said.as_bytes())
        .ok()
        .filter(|_| all.next().is_none())
        .filter(|key| (1..=200).contains(&key.chars().count()));
    let key = key.ok_or_else(|| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "bad_key",
            "请只给一个幂等键，1 到 200 个字符。",
            "Give one idempotency key, of 1 to 200 characters",
        )
    })?;
    Ok(Some((key.to_owned(), crate::values::Hash::of(asked).to_hex())))
}

/// A route that takes one JSON object: its fields are read, then it is done.
pub(super) fn acting<T, F, Done>(who: Who, read: fn(&Fields, &Place<'_>) -> Option<T>, then: F) -> MethodRouter<Shared>
where
    T: Send + 'static,
    F: Fn(Acting, T) -> Done + Clone + Send + Sync + 'static,
    Done: Future<Output = Result<Response, Problem>> + Send,
{
    let handle = move |State(site): State<Shared>, params: RawPathParams, arrived: Arrived| {
        let then = then.clone();
        async move {
            let by = match who {
                Who::Channel => arrived.caller.for_donations(),
                Who::Anyone | Who::Staff | Who::Signed => arrived.caller.for_all()?,
            };
            let key = key_of(&arrived.headers, &[arrived.path.as_bytes(), b"\0", &arrived.body])?;
            let read = {
                let path = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                let place = Place { site: &site, path, lost: Cell::new(false) };
                // An empty body has no fields.
                let body: &[u8] = if arrived.body.trim_ascii().is_empty() { b"{}" } else { &arrived.body };
                let fields = Fields::of(body)?;
                let read = read(&fields, &place);
                if place.lost.get() {
                    return Err(Problem::missing());
                }
                fields.end(read)?
            };
            then(Acting { site, by, key }, read).await.map_err(|problem| problem.of_body(&arrived.body))
        }
    };
    post(handle)
}

impl<'s> Routes<'s> {
    /// No routes yet.
    pub(super) fn new(site: &'s Site) -> Self {
        Self { site, router: Router::new(), listed: Vec::new() }
    }

    /// Today where the ledger is.
    pub(super) fn today(&self) -> Day {
        self.site.today()
    }

    /// The router, with the document of all its routes at `/openapi.json`.
    pub(super) fn finish(self) -> (Router<Shared>, Value) {
        let document = openapi::document(&self.listed);
        let listed: Arc<[Listed]> = self.listed.into();
        let heeds = move |request: Request, next: Next| {
            let said = unheeded(&listed, &request);
            async move {
                match said {
                    Some(problem) => problem.into_response(),
                    None => next.run(request).await,
                }
            }
        };
        (self.router.route_layer(from_fn(heeds)), document)
    }

    /// Puts what surrounds all routes so far.
    pub(super) fn surrounded(mut self, with: impl FnOnce(Router<Shared>) -> Router<Shared>) -> Self {
        self.router = with(self.router);
        self
    }

    /// Takes all routes of another table.
    pub(super) fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.listed.extend(other.listed);
        self
    }

    fn list(mut self, method: &'static str, path: &'static str, about: &'static str, who: Who) -> Self {
        let (query, body, keyed, answer) = (Vec::new(), None, false, Answer::Like(Value::Null));
        self.listed.push(Listed { method, path, about, who, query, body, keyed, unchanging: false, answer });
        self
    }

    fn last(&mut self) -> &mut Listed {
        self.listed.last_mut().expect("it is said of a route")
    }

    /// Something to read.
    pub(super) fn get<H: Handler<T, Shared>, T: 'static>(
        mut self,
        path: &'static str,
        about: &'static str,
        handler: H,
    ) -> Self {
        self.router = self.router.route(path, on(MethodFilter::GET, handler));
        self.list("get", path, about, Who::Anyone)
    }

    /// Something that takes a body which is not one JSON object.
    pub(super) fn take<H: Handler<T, Shared>, T: 'static>(
        mut self,
        path: &'static str,
        about: &'static str,
        kind: &'static str,
        handler: H,
    ) -> Self {
        self.router = self.router.route(path, post(handler));
        self = self.list("post", path, about, Who::Staff);
        self.last().body = Some(Body::Raw(kind));
        self
    }

    /// Something to be done with one JSON object.
    pub(super) fn act<T, F, Done>(
        mut self,
        path: &'static str,
        about: &'static str,
        who: Who,
        read: fn(&Fields, &Place<'_>) -> Option<T>,
        then: F,
    ) -> Self
    where
        T: Send + 'static,
        F: Fn(Acting, T) -> Done + Clone + Send + Sync + 'static,
        Done: Future<Output = Result<Response, Problem>> + Send,
    {
        self.router = self.router.route(path, acting(who, read, then));
        let place = Place { site: self.site, path: Vec::new(), lost: Cell::new(false) };
        let fields = Fields::asked_by(|fields| drop(read(fields, &place)));
        self = self.list("post", path, about, who);
        self.last().body = Some(Body::Json(fields));
        self.last().keyed = true;
        self
    }

    /// The route stands outside the log: there is no key by which it would know that it was asked before.
    pub(super) fn keyless(mut self) -> Self {
        self.last().keyed = false;
        self
    }

    /// Something that anybody may ask with one JSON object.
    pub(super) fn ask<H: Handler<T, Shared>, T: 'static, R>(
        mut self,
        path: &'static str,
        about: &'static str,
        read: impl FnOnce(&Fields) -> Option<R>,
        handler: H,
    ) -> Self {
        self.router = self.router.route(path, post(handler));
        self = self.list("post", path, about, Who::Anyone);
        self.last().body = Some(Body::Json(Fields::asked_by(|fields| drop(read(fields)))));
        self
    }

    /// The route reads a query.
    pub(super) fn query<T>(mut self, read: impl FnOnce(&Fields) -> Option<T>) -> Self {
        self.last().query = Fields::asked_by(|fields| drop(read(fields)));
        self
    }

    /// The route is for some only.
    pub(super) fn only(mut self, who: Who) -> Self {
        self.last().who = who;
        self
    }

    /// The route answers with something else than JSON.
    pub(super) fn answers(mut self, kinds: &'static [&'static str]) -> Self {
        self.last().answer = Answer::Raw(kinds);
        self
    }

    /// The route answers with bytes that never change; see [`super::download::unchanging`].
    pub(super) fn unchanging(mut self) -> Self {
        self.last().unchanging = true;
        self
    }

    /// What the JSON of the answer looks like.
    pub(super) fn like(mut self, example: Value) -> Self {
        self.last().answer = Answer::Like(example);
        self
    }
}

/// What a request says that its route would pass over: a parameter where there is no query, a key where none is heeded.
fn unheeded(listed: &[Listed], request: &Request) -> Option<Problem> {
    let query = request.uri().query().unwrap_or_default();
    let has_key = request.headers().contains_key("idempotency-key");
    if query.is_empty() && !has_key {
        return None;
    }
    let path = request.extensions().get::<MatchedPath>()?.as_str().trim_start_matches("/api/v1");
    let method = request.method().as_str();
    let route = listed.iter().find(|route| route.path == path && route.method.eq_ignore_ascii_case(method))?;
    let refused = |code, zh: &str, en: &str| Some(Problem::new(StatusCode::BAD_REQUEST, code, zh, en));
    if !query.is_empty() && route.query.is_empty() {
        return refused("bad_query", "这个地址没有参数。", "This address takes no parameters");
    }
    if has_key && matches!(route.who, Who::Channel | Who::Staff) && route.method == "post" && !route.keyed {
        return refused(
            "key_not_heeded",
            "这项操作不认幂等键，请不要带。",
            "No idempotency key is heeded here; leave it out",
        );
    }
    None
}

/// The same with a query that is read.
pub(super) fn query<T>(uri: &axum::http::Uri, read: impl FnOnce(&Fields) -> Option<T>) -> Result<T, Problem> {
    let fields = Fields::of_query(uri)?;
    let found = read(&fields);
    fields.end(found)
}

/// What was asked for is not there.
pub(super) fn unknown(what: &'static str, name: impl ToString) -> Problem {
    let refusal = Refusal::Unknown { what, name: name.to_string() };
    Problem { status: StatusCode::NOT_FOUND, ..refusal.into() }
}
