//! Lists that are too long for the first page: reports, cases, funds.

use super::home::{CaseRow, FundRow, ReportRow, case_row, fund_rows, newest_first, report_rows};
use super::page::{Page, or_told, shown};
use crate::domain::case::Case;
use crate::domain::disclosure::Published;
use crate::domain::fund::Fund;
use crate::report::labels::Language;
use crate::web::problem::Problem;
use crate::web::site::Shared;
use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::{Html, Response};

/// Rows of one page.
const PAGE: usize = 100;

#[derive(serde::Deserialize)]
pub(super) struct After {
    #[serde(default)]
    pub(super) after: usize,
}

enum Rows {
    Reports(Vec<ReportRow>),
    Cases(Vec<CaseRow>),
    Funds(Vec<FundRow>),
}

#[derive(Template)]
#[template(path = "list.html")]
struct List {
    page: Page,
    title: &'static str,
    rows: Rows,
    next: Option<usize>,
}

/// Of all rows those of this page, and where the next begins.
pub(super) fn cut<T>(rows: Vec<T>, after: usize) -> (Vec<T>, Option<usize>) {
    let next = after.saturating_add(PAGE);
    let next = (next < rows.len()).then_some(next);
    (rows.into_iter().skip(after).take(PAGE).collect(), next)
}

pub(super) async fn reports(
    State(site): State<Shared>,
    Extension(language): Extension<Language>,
    Query(After { after }): Query<After>,
) -> Response {
    let page = async {
        let page = Page::at_head(&site, language, "/reports").await?;
        let mut reports = site.opened.states("report", Published::from_object).await?;
        let (rows, next) = cut(report_rows(&mut reports), after);
        let title = language.choose("公布的报告", "Published reports");
        Ok::<Html<String>, Problem>(shown(&List { page, title, rows: Rows::Reports(rows), next }))
    };
    or_told(language, page.await)
}

pub(super) async fn cases(
    State(site): State<Shared>,
    Extension(language): Extension<Language>,
    Query(After { after }): Query<After>,
) -> Response {
    let page = async {
        let page = Page::at_head(&site, language, "/cases").await?;
        let mut cases = site.opened.states("case", Case::from_object).await?;
        newest_first(&mut cases);
        let (rows, next) = cut(cases, after);
        let rows = Rows::Cases(rows.iter().map(|case| case_row(&page, case)).collect());
        let title = language.choose("救助个案", "Cases of aid");
        Ok::<Html<String>, Problem>(shown(&List { page, title, rows, next }))
    };
    or_told(language, page.await)
}

pub(super) async fn funds(
    State(site): State<Shared>,
    Extension(language): Extension<Language>,
    Query(After { after }): Query<After>,
) -> Response {
    let page = async {
        let (size, lines) = site.totals().await?;
        let page = Page::at_head(&site, language, "/funds").await?.with_size(size);
        let funds = site.opened.states("fund", Fund::from_object).await?;
        let (rows, next) = cut(funds, after);
        let rows = Rows::Funds(rows.iter().flat_map(|fund| fund_rows(&page, fund, &lines)).collect());
        let title = language.choose("基金", "Funds");
        Ok::<Html<String>, Problem>(shown(&List { page, title, rows, next }))
    };
    or_told(language, page.await)
}
