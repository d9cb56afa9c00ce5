//! The first page: what came, where it is, and what it is for.

use super::page::{Page, or_told, shown};
use crate::app::overview::LineTotals;
use crate::domain::campaign::{Campaign, CampaignStatus};
use crate::domain::case::Case;
use crate::domain::disclosure::Published;
use crate::domain::fund::Fund;
use crate::report::labels::Language;
use crate::values::Unit;
use crate::values::amount::format_minor;
use crate::web::problem::Problem;
use crate::web::site::Shared;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::{Html, IntoResponse as _, Response};
use std::collections::{BTreeMap, BTreeSet};

/// Sums over all lines of one unit. A transfer is one fund's outflow and another's inflow, so it counts in neither.
pub(super) struct Sums {
    pub(super) unit: String,
    pub(super) received: String,
    pub(super) spent: String,
    pub(super) given_back: String,
    pub(super) left: String,
}

pub(super) struct FundRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) unit: String,
    pub(super) free: String,
    pub(super) held: String,
    pub(super) spent: String,
    pub(super) moved: String,
    /// What payment channels kept of its gifts.
    pub(super) fees: String,
}

pub(super) struct CaseRow {
    pub(super) id: String,
    pub(super) categories: String,
    pub(super) region: String,
    pub(super) opened: String,
    pub(super) mark: &'static str,
    pub(super) state: String,
}

struct CampaignRow {
    id: String,
    name: String,
    when: String,
    target: String,
    state: &'static str,
}

/// Rows of a list on the first page; the rest stands on a page of its own.
const ROWS_MAX: usize = 12;

pub(super) struct ReportRow {
    pub(super) number: String,
    pub(super) case: String,
    pub(super) seq: u64,
    pub(super) size: u64,
    pub(super) newest: bool,
    /// Where its files are: in Chinese, in English, its data.
    pub(super) zh: String,
    pub(super) en: String,
    pub(super) data: String,
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    page: Page,
    sums: Vec<Sums>,
    funds: Vec<FundRow>,
    cases: Vec<CaseRow>,
    campaigns: Vec<CampaignRow>,
    reports: Vec<ReportRow>,
    more_funds: bool,
    more_cases: bool,
    more_reports: bool,
}

pub(super) async fn show(State(site): State<Shared>, Extension(language): Extension<Language>) -> Response {
    if let Some(page) = site.kept_page("home", language, site.size()) {
        return Html(page.to_string()).into_response();
    }
    let made = page(&site, language).await;
    if let Ok((Html(page), made_at)) = &made {
        site.keep_page("home", language, *made_at, page);
    }
    or_told(language, made.map(|(page, _)| page))
}

/// The page, and the size of the ledger that it speaks of.
async fn page(site: &Shared, language: Language) -> Result<(Html<String>, u64), Problem> {
    let (size, lines) = site.totals().await?;
    let page = Page::at_head(site, language, "").await?.with_size(size);
    let mut funds = site.opened.states("fund", Fund::from_object).await?;
    let mut cases = site.opened.states("case", Case::from_object).await?;
    let mut campaigns = site.opened.states("campaign", Campaign::from_object).await?;
    let mut reports = site.opened.states("report", Published::from_object).await?;
    newest_first(&mut cases);
    campaigns.sort_by_key(|campaign| std::cmp::Reverse(campaign.filed_on));
    campaigns.truncate(ROWS_MAX);
    let more_funds = most(&mut funds, &lines);
    let (more_cases, more_reports) = (cases.len() > ROWS_MAX, reports.len() > ROWS_MAX);
    cases.truncate(ROWS_MAX);
    let mut reports = report_rows(&mut reports);
    reports.truncate(ROWS_MAX);
    let home = Home {
        sums: sums(&page, &lines),
        funds: funds.iter().flat_map(|fund| fund_rows(&page, fund, &lines)).collect(),
        cases: cases.iter().map(|case| case_row(&page, case)).collect(),
        campaigns: campaigns.iter().map(|campaign| campaign_row(&page, campaign)).collect(),
        reports,
        more_funds,
        more_cases,
        more_reports,
        page,
    };
    Ok((shown(&home), size))
}

/// The newest case first.
pub(super) fn newest_first(cases: &mut [Case]) {
    cases.sort_by(|one, other| (other.opened_on, &other.case).cmp(&(one.opened_on, &one.case)));
}

/// Keeps the funds through which most came; whether there are others.
fn most(funds: &mut Vec<Fund>, lines: &[LineTotals]) -> bool {
    let came = |fund: &Fund| -> u64 {
        lines.iter().filter(|line| line.name.fund == fund.fund).map(|line| line.totals.end()).sum()
    };
    funds.sort_by_key(|fund| std::cmp::Reverse(came(fund)));
    let more = funds.len() > ROWS_MAX;
    funds.truncate(ROWS_MAX);
    more
}

pub(super) fn minor(count: u64) -> i64 {
    i64::try_from(count).expect("positions end at 2^53")
}

fn sums(page: &Page, lines: &[LineTotals]) -> Vec<Sums> {
    let mut by_unit: BTreeMap<String, (Unit, [u64; 4])> = BTreeMap::new();
    for line in lines {
        let unit = line.name.unit;
        let (_, [received, spent, back, left]) = by_unit.entry(unit.to_string()).or_insert((unit, [0; 4]));
        let totals = line.totals;
        *received += totals.end();
        *spent += totals.spent - line.moved_on;
        *back += totals.void;
        *left += totals.free + totals.held;
        *received -= line.moved_on;
    }
    let row = |(unit, [received, spent, back, left]): (Unit, [u64; 4])| Sums {
        unit: page.language.labels().unit(unit),
        received: format_minor(minor(received), unit),
        spent: format_minor(minor(spent), unit),
        given_back: if back == 0 { String::new() } else { format_minor(minor(back), unit) },
        left: format_minor(minor(left), unit),
    };
    by_unit.into_values().map(row).collect()
}

pub(super) fn fund_rows(page: &Page, fund: &Fund, lines: &[LineTotals]) -> Vec<FundRow> {
    let row = |line: &LineTotals| {
        let figure = |count: u64| format_minor(minor(count), line.name.unit);
        let kept = lines.iter().find(|other| other.name.fund == fund.fund.fee() && other.name.unit == line.name.unit);
        FundRow {
            id: fund.fund.to_string(),
            name: page.say(&fund.name_zh, &fund.name_en).to_owned(),
            kind: page.word("fund.type", fund.fund_type.as_str()),
            unit: page.language.labels().unit(line.name.unit),
            free: figure(line.totals.free),
            held: figure(line.totals.held),
            spent: figure(line.totals.spent - line.moved_on),
            moved: figure(line.moved_on),
            fees: figure(kept.map_or(0, |kept| kept.totals.spent)),
        }
    };
    lines.iter().filter(|line| line.name.fund == fund.fund).map(row).collect()
}

pub(super) fn case_row(page: &Page, case: &Case) -> CaseRow {
    let words = case.categories.iter().map(|category| page.word("case.class", category.as_str()));
    let (mark, zh, en) = match case.status.name() {
        "approved" => ("◐", "救助中", "being helped"),
        "closed" => ("●", "已结案", "closed"),
        "declined" => ("✕", "不予救助", "declined"),
        _ => ("○", "评估中", "being assessed"),
    };
    CaseRow {
        id: case.case.to_string(),
        categories: words.collect::<Vec<_>>().join(page.say("、", ", ")),
        region: page.say(&case.region_zh, &case.region_en).to_owned(),
        opened: case.opened_on.to_string(),
        mark,
        state: page.say(zh, en).to_owned(),
    }
}

/// When an appeal runs, and how far it has come.
pub(super) fn when_and_state(page: &Page, campaign: &Campaign) -> (String, &'static str) {
    match campaign.status {
        CampaignStatus::Filed => {
            (format!("{} – {}", campaign.starts_on, campaign.ends_on), page.language.choose("○ 已备案", "○ filed"))
        }
        CampaignStatus::Opened { on } => (format!("{on} –"), page.language.choose("◐ 募捐中", "◐ running")),
        CampaignStatus::Ended { opened_on, on } => {
            (format!("{opened_on} – {on}"), page.language.choose("● 已结束", "● ended"))
        }
    }
}

fn campaign_row(page: &Page, campaign: &Campaign) -> CampaignRow {
    let (when, state) = when_and_state(page, campaign);
    CampaignRow {
        id: campaign.campaign.to_string(),
        name: page.say(&campaign.name_zh, &campaign.name_en).to_owned(),
        when,
        target: page.money(campaign.target.minor(), campaign.target.unit()),
        state,
    }
}

/// Published reports, the newest first, each knowing whether another has followed it.
pub(super) fn report_rows(reports: &mut [Published]) -> Vec<ReportRow> {
    reports.sort_by_key(|report| std::cmp::Reverse(report.seq));
    let mut seen = BTreeSet::new();
    let row = |report: &Published| {
        let [zh, en, data] = report.file_names().map(|name| format!("/api/v1/reports/{}/{name}", report.seq));
        ReportRow {
            number: format!("{}-v{}", report.number, report.version),
            case: report.case.to_string(),
            seq: report.seq,
            size: report.size,
            newest: seen.insert(report.case.clone()),
            zh,
            en,
            data,
        }
    };
    reports.iter().map(row).collect()
}
