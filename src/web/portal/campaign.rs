//! A public appeal: its plan, how far it has come, and what its fund received.

use super::home::{FundRow, fund_rows, minor, when_and_state};
use super::page::{Page, or_told, shown};
use crate::domain::campaign::Campaign;
use crate::domain::fund::Fund;
use crate::domain::vocabulary::Basis;
use crate::report::labels::Language;
use crate::web::problem::Problem;
use crate::web::site::Shared;
use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{Html, Response};

#[derive(Template)]
#[template(path = "campaign.html")]
struct CampaignPage {
    page: Page,
    id: String,
    name: String,
    state: &'static str,
    when: String,
    target: String,
    received: String,
    filing_no: Option<String>,
    filed_on: String,
    planned: String,
    surplus: &'static str,
    fund: String,
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
    let campaign = site.opened.state("campaign", id, Campaign::from_object).await?.ok_or_else(Problem::missing)?;
    let id = campaign.fund.as_str();
    let fund = site.opened.state("fund", id, Fund::from_object).await?.ok_or_else(Problem::missing)?;
    let (size, lines) = site.totals().await?;
    let page = Page::at_head(site, language, format!("/campaign/{}", campaign.campaign)).await?.with_size(size);
    let unit = campaign.target.unit();
    // What came by transfer was not given to this appeal, and is not told apart here: the fund's own page tells it.
    let line = lines.iter().find(|line| line.name.fund == campaign.fund && line.name.unit == unit);
    let (when, state) = when_and_state(&page, &campaign);
    let surplus = match campaign.surplus {
        Basis::Plan => language.choose("按备案方案处理", "as the filed plan says"),
        Basis::Agreement => language.choose("按捐赠协议处理", "as the donation agreement says"),
        Basis::SimilarPurpose => language.choose("用于相同或相近的目的", "to the same or a similar purpose"),
    };
    let found = CampaignPage {
        id: campaign.campaign.to_string(),
        name: page.say(&campaign.name_zh, &campaign.name_en).to_owned(),
        state,
        when,
        target: page.money(campaign.target.minor(), unit),
        received: page.money(line.map_or(0, |line| minor(line.totals.end())), unit),
        filing_no: campaign.filing_no,
        filed_on: campaign.filed_on.to_string(),
        planned: format!("{} – {}", campaign.starts_on, campaign.ends_on),
        surplus,
        fund: campaign.fund.to_string(),
        rows: fund_rows(&page, &fund, &lines),
        page,
    };
    Ok(shown(&found))
}
