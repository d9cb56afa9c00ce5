//! Where a command is carried out: on the data folder, by the same interface that a server offers, or by a server.

use super::session::{Failure, Session};
use super::verify::policy;
use crate::app::client;
use crate::app::writer::{ClockTrust, WriteError};
use crate::clock::Clock;
use crate::config::KEYS;
use crate::values::StaffId;
use crate::web::api;
use crate::web::login::Caller;
use crate::web::site::{Shared, Site};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt as _;

/// Bytes of an answer, at most.
const ANSWER_MAX: u64 = 1 << 30;

/// Who carries commands out.
pub(super) enum Service {
    /// This program, on the data folder.
    Here { site: Shared, router: Router, by: StaffId },
    /// A server.
    There { agent: ureq::Agent, base: String, token: String },
}

/// What is asked for.
#[derive(Clone, Debug)]
pub(super) struct Call {
    method: Method,
    path: String,
    key: Option<String>,
    body: Vec<u8>,
}

struct Answer {
    status: StatusCode,
    body: Vec<u8>,
    cause: Option<Arc<WriteError>>,
}

impl Service {
    /// On an opened ledger.
    pub(super) async fn here(session: &Session, clock: Clock, trust: ClockTrust) -> Result<Self, Failure> {
        let opened = session.open().await?;
        let by = session.user(&opened).await?;
        let mut site = Site::open(opened, clock, trust).await?;
        if let Some(file) = KEYS
            .iter()
            .find(|key| key.name == "witnesses")
            .and_then(|key| key.of_environment().or_else(|| session.settings.get(*key).map(str::to_owned)))
        {
            site.witnesses = policy(Path::new(&file))?.witnesses;
        }
        let site = Arc::new(site);
        let router = api::routes(&site).with_state(Arc::clone(&site));
        Ok(Self::Here { site, router, by })
    }

    /// By a server, at its address.
    pub(super) fn there(address: &str, token: String) -> Self {
        let agent = client::agent(Duration::from_secs(1_800));
        let base = address.trim_end_matches('/');
        let base = if base.contains("://") { base.to_owned() } else { format!("http://{base}") };
        Self::There { agent, base: format!("{base}/api/v1"), token }
    }

    async fn ask(&self, call: Call) -> Result<Answer, Failure> {
        match self {
            Self::Here { site, router, by } => {
                let mut request = Request::builder().method(call.method).uri(call.path);
                if let Some(key) = &call.key {
                    request = request.header("idempotency-key", key.as_bytes());
                }
                let request = request.extension(Caller::of_folder(by.clone())).body(Body::from(call.body));
                let request = request.map_err(|error| Failure::input(error.to_string(), error.to_string()))?;
                let mut response = match router.clone().oneshot(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                };
                // Whoever reads of it finds it on the disk, and signed.
                if let Some(writer) = site.running() {
                    writer.finish().await?;
                }
                let (status, cause) = (response.status(), response.extensions_mut().remove());
                let most = usize::try_from(ANSWER_MAX).unwrap_or(usize::MAX);
                let body = to_bytes(response.into_body(), most).await.map_err(|error| unreadable(&error))?;
                Ok(Answer { status, body: body.into(), cause })
            }
            Self::There { agent, base, token } => {
                let (agent, url, token) = (agent.clone(), format!("{base}{}", call.path), format!("Bearer {token}"));
                let called = tokio::task::spawn_blocking(move || send(&agent, &url, &token, call)).await;
                called.map_err(|error| unreadable(&error))?.map_err(|error| Failure::Server(error.to_string()))
            }
        }
    }
}

fn send(agent: &ureq::Agent, url: &str, token: &str, call: Call) -> Result<Answer, ureq::Error> {
    let mut request = Request::builder().method(call.method).uri(url).header("authorization", token);
    if let Some(key) = &call.key {
        request = request.header("idempotency-key", key.as_bytes());
    }
    let mut response = agent.run(request.body(call.body)?)?;
    let status = response.status();
    let body = response.body_mut().with_config().limit(ANSWER_MAX).read_to_vec()?;
    Ok(Answer { status, body, cause: None })
}

fn unreadable(error: &dyn std::fmt::Display) -> Failure {
    Failure::Server(error.to_string())
}

impl Session {
    /// Who carries commands out.
    async fn service(&self) -> Result<Arc<Service>, Failure> {
        let mut service = self.service.lock().await;
        if let Some(service) = service.as_ref() {
            return Ok(Arc::clone(service));
        }
        let begun = match &self.server {
            Some((address, token)) => Service::there(address, token.clone()),
            None => Service::here(self, self.clock, self.trust).await?,
        };
        Ok(Arc::clone(service.insert(Arc::new(begun))))
    }

    /// Lets go of the ledger, so that something else may write it.
    pub(super) async fn end(&self) {
        let service = self.service.lock().await.take();
        if let Some(Service::Here { site, .. }) = service.as_deref() {
            site.opened.store.close().await;
        }
    }

    async fn call(&self, method: Method, path: String, body: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let key = (method == Method::POST).then(|| self.key.clone()).flatten();
        let answer = self.service().await?.ask(Call { method, path, key, body }).await?;
        if answer.status.is_success() {
            return Ok(answer.body);
        }
        if let Some(cause) = answer.cause.and_then(Arc::into_inner) {
            return Err(cause.into());
        }
        Err(told(answer.status, &answer.body))
    }

    /// Reads something.
    pub(super) async fn get(&self, path: impl Into<String>) -> Result<Value, Failure> {
        let body = self.call(Method::GET, path.into(), Vec::new()).await?;
        serde_json::from_slice(&body).map_err(|error| unreadable(&error))
    }

    /// Reads bytes.
    pub(super) async fn download(&self, path: &str) -> Result<Vec<u8>, Failure> {
        self.call(Method::GET, path.to_owned(), Vec::new()).await
    }

    /// Has something done. Members that are null are left out.
    pub(super) async fn send(&self, path: impl Into<String>, mut body: Value) -> Result<Value, Failure> {
        if let Some(object) = body.as_object_mut() {
            object.retain(|_, value| !value.is_null());
        }
        let answer = self.call(Method::POST, path.into(), body.to_string().into_bytes()).await?;
        serde_json::from_slice(&answer).map_err(|error| unreadable(&error))
    }

    /// Sends a file.
    pub(super) async fn upload(&self, path: String, bytes: Vec<u8>) -> Result<Value, Failure> {
        let answer = self.call(Method::POST, path, bytes).await?;
        serde_json::from_slice(&answer).map_err(|error| unreadable(&error))
    }

    /// The members of a list that is read, as `/funds` and `funds`.
    pub(super) async fn list(&self, name: &str) -> Result<Vec<Value>, Failure> {
        let mut answer = self.get(format!("/{name}")).await?;
        Ok(answer[name].as_array_mut().map(std::mem::take).unwrap_or_default())
    }
}

/// What a problem says.
fn told(status: StatusCode, body: &[u8]) -> Failure {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |value: &Value, member: &str| value[member].as_str().unwrap_or_default().to_owned();
    let Some(code) = problem["type"].as_str().and_then(|kind| kind.strip_prefix("urn:mingzhang:problem:")) else {
        return Failure::Server(format!("HTTP {status}"));
    };
    let errors = problem["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let path = errors.first().map(|error| text(error, "path")).unwrap_or_default();
    let (mut zh, mut en) = (text(&problem, "detail_zh"), text(&problem, "detail"));
    // Where fields are wrong, each has its own sentence.
    for error in errors.iter().filter(|error| error["detail"] != problem["detail"]) {
        zh.push_str(&format!("\n  {}：{}", text(error, "path"), text(error, "detail_zh")));
        en.push_str(&format!("\n  {}: {}", text(error, "path"), text(error, "detail")));
    }
    let exit = match (status, code) {
        (_, "not_ok") => 1,
        (StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE, _)
        | (_, "not_found" | "fields" | "input" | "no_gift" | "no_trace" | "account_wanted" | "writing") => 5,
        (
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY,
            _,
        ) => 3,
        _ => 4,
    };
    Failure::Told { exit, code: code.to_owned(), path, zh, en }
}
