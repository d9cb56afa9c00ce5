//! Errors over HTTP: RFC 9457, with a stable type and the path of the field.

use crate::app::writer::WriteError;
use crate::domain::refusal::Refusal;
use crate::store::StoreError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::any::Any;
use std::sync::Arc;

/// What went wrong, for a program and for a person.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The status.
    pub status: StatusCode,
    /// Stable word for the kind.
    pub code: &'static str,
    /// One sentence in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
    /// The fields it is about: JSON pointer, and what is wrong there, in Chinese and English.
    pub fields: Vec<(String, String, String)>,
    /// Seconds after which to try again.
    pub retry_after: Option<u64>,
    /// What failed inside; for the log and for the one at the terminal, never sent.
    pub cause: Option<Arc<WriteError>>,
}

impl Problem {
    /// A problem with its status, its code and its two sentences.
    pub fn new(status: StatusCode, code: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { status, code, zh: zh.into(), en: en.into(), fields: Vec::new(), retry_after: None, cause: None }
    }

    /// About some fields.
    #[must_use]
    pub fn with(self, fields: Vec<(String, String, String)>) -> Self {
        Self { fields, ..self }
    }

    /// About one field, of which the sentence speaks.
    #[must_use]
    fn at(self, path: String) -> Self {
        let fields = if path.is_empty() { Vec::new() } else { vec![(path, self.zh.clone(), self.en.clone())] };
        self.with(fields)
    }

    /// Nothing is there.
    pub fn missing() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "这里没有内容，请核对地址。",
            "There is nothing here; check the address",
        )
    }

    /// Too many tries.
    pub fn too_often(wait: std::time::Duration) -> Self {
        let seconds = wait.as_secs() + 1;
        let problem = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_often",
            format!("查询太频繁，请 {seconds} 秒后再试。"),
            format!("Too many tries; wait {seconds} seconds"),
        );
        Self { retry_after: Some(seconds), ..problem }
    }

    /// The same without the fields that a body does not have: they are of the rule, and the client cannot mend what it never sent.
    #[must_use]
    pub fn of_body(mut self, body: &[u8]) -> Self {
        if !self.fields.is_empty() {
            let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
            self.fields.retain(|(path, ..)| body.pointer(path).is_some());
        }
        self
    }

    /// The body: `application/problem+json`. The title is that of the type, always; what happened this time is the detail.
    pub fn to_json(&self) -> serde_json::Value {
        let mut body = serde_json::json!({
            "type": format!("urn:mingzhang:problem:{}", self.code), "title": self.code.replace('_', " "),
            "status": self.status.as_u16(), "detail": self.en, "detail_zh": self.zh,
        });
        if !self.fields.is_empty() {
            let field = |(path, zh, en): &(String, String, String)| serde_json::json!({"path": path, "detail": en, "detail_zh": zh});
            body["errors"] = self.fields.iter().map(field).collect();
        }
        body
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.code() {
            "role_missing" | "checker_is_maker" | "payer_is_checker" => StatusCode::FORBIDDEN,
            "key_reused" | "reference_repeated" | "reference_reversed" | "reference_differs" => StatusCode::CONFLICT,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        // A reference is made of the account and the order number.
        let path = match refusal.path() {
            path if path == "/reference" => "/order_no".into(),
            path => path,
        };
        Self::new(status, refusal.code(), refusal.zh(), refusal.to_string()).at(path)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        WriteError::from(error).into()
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        // A client learns that it may try again, and nothing of our files.
        let told = if matches!(error, WriteError::Unsure(_)) { unsure() } else { unavailable() };
        Self { cause: Some(Arc::new(error)), ..told }
    }
}

/// Perhaps.
fn unsure() -> Problem {
    let problem = Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "unsure",
        "数据库中断，不知道有没有入账。请用同一个幂等键或订单号再发一次：入过账的不会重复。",
        "The database broke off: it is not known whether this was posted. Send it again with the same key or order number; \
         nothing is posted twice",
    );
    Problem { retry_after: Some(1), ..problem }
}

/// Not now.
pub(super) fn unavailable() -> Problem {
    let problem = Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "暂时不能办理，没有入账，请稍后再试。",
        "Not possible just now; nothing was posted. Try again later",
    );
    Problem { retry_after: Some(1), ..problem }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.to_json().to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 9110 §11.6.1: what would be accepted. Signed messages have no scheme of their own; the name of their header says it.
            let scheme = if self.code == "token_wanted" { "Bearer" } else { "webhook-signature" };
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
        }
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(cause);
        }
        response
    }
}

/// A fault of this program: logged, and told without its insides.
pub fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "fault",
        "程序出了差错，没有办完。",
        "A fault of this program; the request was not finished",
    )
    .into_response()
}

/// What the framework refuses by itself (a number in a path that is none, a method, a length, a body that does not come), told as
/// everything else is; `page` makes a page of it where a person asked.
pub(super) fn in_our_form(response: Response, page: Option<impl FnOnce(Problem) -> Response>) -> Response {
    let status = response.status();
    let is_plain = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_none_or(|value| value.starts_with("text/plain"));
    let gave_up = status == StatusCode::SERVICE_UNAVAILABLE && page.is_none();
    if !(is_plain && (status.is_client_error() || gave_up)) {
        return response;
    }
    if gave_up {
        return unavailable().into_response();
    }
    let (code, zh, en) = match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            ("method", "这个地址不接受这种请求。", "This address does not take such a request")
        }
        StatusCode::RANGE_NOT_SATISFIABLE => ("range", "没有这一段。", "There is no such part"),
        StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "请求体太大。", "The body is too large"),
        _ => (
            "bad_request",
            "请求的写法不对，请核对地址和参数。",
            "The request is malformed; check the address and its parameters",
        ),
    };
    let problem = Problem::new(status, code, zh, en);
    let mut told = match page {
        Some(page) => page(problem),
        None => problem.into_response(),
    };
    for name in [header::CONTENT_RANGE, header::ALLOW] {
        if let Some(value) = response.headers().get(&name) {
            told.headers_mut().insert(name, value.clone());
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::Problem;
    use crate::app::writer::WriteError;
    use axum::response::IntoResponse as _;

    #[test]
    fn a_full_queue_says_when_to_come_again() {
        let response = Problem::from(WriteError::Full).into_response();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["retry-after"]),
            (503, &"1".parse().expect("ASCII"))
        );
    }
}
