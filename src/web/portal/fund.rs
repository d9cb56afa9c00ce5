//! A fund: what it is for, what came, what is left.

use super::home::{FundRow, fund_rows};
use super::page::{Page, or_told, shown};
use crate::domain::fund::Fund;
use crate::report::labels::Language;
use crate::web::problem::Problem;
use crate::web::site::Shared;
use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{Html, Response};

#[derive(Template)]
#[template(path = "fund.html")]
struct FundPage {
    page: Page,
    name: String,
    id: String,
    kind: String,
    limits: String,
    case: Option<String>,
    rows: Vec<FundRow>,
}

pub(super) async fn show(
    State(site): State<Shared>,
    Extension(language): Extension<Language>,
    Path(id): Path<String>,
) -> Response {
    or_told(language, page(&site, language, &id).await)
}

async fn page(site: &Shared, language: Language, id: &str) -> Result<Html<String>, Problem> {
    let fund = site.opened.state("fund", id, Fund::from_object).await?.ok_or_else(Problem::missing)?;
    let (size, lines) = site.totals().await?;
    let page = Page::at_head(site, language, format!("/fund/{}", fund.fund)).await?.with_size(size);
    let purposes = fund.purpose.iter().map(|category| page.word("case.class", category.as_str()));
    let uses = fund.uses.iter().map(|purpose| page.word("use", purpose.as_str()));
    let found = FundPage {
        name: page.say(&fund.name_zh, &fund.name_en).to_owned(),
        id: fund.fund.to_string(),
        kind: page.word("fund.type", fund.fund_type.as_str()),
        limits: purposes.chain(uses).collect::<Vec<_>>().join(page.say("、", ", ")),
        case: fund.case.as_ref().map(ToString::to_string),
        rows: fund_rows(&page, &fund, &lines),
        page,
    };
    Ok(shown(&found))
}
