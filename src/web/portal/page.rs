//! What every page has: its language, whose it is, and as of which entry it speaks.

use crate::report::labels::Language;
use crate::store::{LedgerRow, StoreError};
use crate::values::amount::format_minor;
use crate::values::{Timestamp, Unit};
use crate::web::problem::Problem;
use crate::web::site::Site;
use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

/// The frame of a page.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) language: Language,
    pub(super) organisation: String,
    /// Path without the language, for the other language.
    pub(super) path: String,
    /// Tree size and root that the page speaks of, and when the last entry was made.
    pub(super) size: u64,
    pub(super) root: String,
    pub(super) at: String,
}

impl Page {
    /// The frame around a page at `path`, as of the head.
    pub(super) async fn at_head(site: &Site, language: Language, path: impl Into<String>) -> Result<Self, StoreError> {
        Ok(Self::of(site, language, path, &site.head().await?))
    }

    pub(super) fn of(site: &Site, language: Language, path: impl Into<String>, head: &LedgerRow) -> Self {
        let root = crate::app::folder::frontier(head).map(|frontier| frontier.root().to_hex()).unwrap_or_default();
        let at = head.at_millis.and_then(Timestamp::from_millis);
        Self {
            language,
            organisation: language.choose(&site.organisation.name_zh, &site.organisation.name_en).to_owned(),
            path: path.into(),
            size: head.size,
            root,
            at: at.map(|at| at.day(&site.zone).to_string()).unwrap_or_default(),
        }
    }

    /// Says that the figures are of an earlier size than the head; the root of that size is not at hand.
    pub(super) fn with_size(self, size: u64) -> Self {
        if size == self.size { self } else { Self { size, root: String::new(), at: String::new(), ..self } }
    }

    /// The one of two texts that is in the page's language.
    pub(super) fn say<'t>(&self, zh: &'t str, en: &'t str) -> &'t str {
        self.language.choose(zh, en)
    }

    /// Beginning of links in the page's language.
    pub(super) fn base(&self) -> &'static str {
        self.language.choose("/zh", "/en")
    }

    /// Beginning of links in the other language.
    pub(super) fn other(&self) -> &'static str {
        self.language.choose("/en", "/zh")
    }

    pub(super) fn word(&self, vocabulary: &str, code: &str) -> String {
        self.language.labels().word(vocabulary, code)
    }

    /// An amount with its unit: 500.00 元.
    pub(super) fn money(&self, minor: i64, unit: Unit) -> String {
        format!("{} {}", format_minor(minor, unit), self.language.labels().unit(unit))
    }
}

/// Where a page cannot be shown.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) language: Language,
    pub(super) problem: Problem,
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct TroublePage<'p> {
    tag: &'p str,
    title: &'p str,
    text: &'p str,
    base: &'p str,
    back: &'p str,
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let pick = |zh, en| self.language.choose(zh, en);
        let page = TroublePage {
            tag: self.language.tag(),
            title: match self.problem.status {
                StatusCode::NOT_FOUND => pick("没有找到", "Nothing found"),
                StatusCode::TOO_MANY_REQUESTS => pick("请稍等", "One moment, please"),
                StatusCode::SERVICE_UNAVAILABLE => pick("暂时打不开", "Not just now"),
                _ => pick("没有办成", "That did not work"),
            },
            text: pick(&self.problem.zh, &self.problem.en),
            base: pick("/zh", "/en"),
            back: pick("回到首页", "Back to the first page"),
        };
        let mut response = (self.problem.status, shown(&page)).into_response();
        if let Some(seconds) = self.problem.retry_after {
            response.headers_mut().insert(axum::http::header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// A rendered template. Rendering into memory cannot fail.
pub(super) fn shown(template: &impl Template) -> Html<String> {
    Html(template.render().expect("writing into a string cannot fail"))
}

/// The same for a handler that may fail in its language.
pub(super) fn or_told<T: IntoResponse>(language: Language, result: Result<T, Problem>) -> Response {
    match result {
        Ok(page) => page.into_response(),
        Err(problem) => Trouble { language, problem }.into_response(),
    }
}
