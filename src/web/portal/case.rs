//! A case by its code: how it stands as a whole, and every payment.

use super::home::{CaseRow, FundRow, ReportRow, case_row, fund_rows, report_rows};
use super::list::{After, cut};
use super::page::{Page, or_told, shown};
use crate::domain::case::Case;
use crate::domain::disbursement::{Disbursement, DisbursementStatus};
use crate::domain::disclosure::Published;
use crate::domain::fund::Fund;
use crate::report::labels::Language;
use crate::values::amount::format_minor;
use crate::web::problem::Problem;
use crate::web::site::Shared;
use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::{Html, Response};

/// A payment in words.
struct PaymentRow {
    request: u64,
    on: String,
    purpose: String,
    payee: String,
    amount: String,
    came_back: String,
    unit: String,
    vouchers: u64,
    mark: &'static str,
    state: String,
}

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage {
    page: Page,
    case: CaseRow,
    fund: String,
    rows: Vec<FundRow>,
    payments: Vec<PaymentRow>,
    next: Option<usize>,
    reports: Vec<ReportRow>,
}

pub(super) async fn show(
    State(site): State<Shared>,
    Extension(language): Extension<Language>,
    Path(id): Path<String>,
    Query(After { after }): Query<After>,
) -> Response {
    or_told(language, page(&site, language, &id, after).await)
}

async fn page(site: &Shared, language: Language, id: &str, after: usize) -> Result<Html<String>, Problem> {
    let case = site.opened.state("case", id, Case::from_object).await?.ok_or_else(Problem::missing)?;
    let (size, lines) = site.totals().await?;
    let page = Page::at_head(site, language, format!("/case/{}", case.case)).await?.with_size(size);
    let fund = site.opened.state("fund", case.fund.as_str(), Fund::from_object).await?.ok_or_else(Problem::missing)?;
    let mut payments = site.opened.states("disbursement", Disbursement::from_object).await?;
    payments.retain(|payment| payment.case == case.case && payment.status != DisbursementStatus::Rejected);
    payments.sort_by_key(|payment| payment.request);
    let (payments, next) = cut(payments, after);
    let mut reports = site.opened.states("report", Published::from_object).await?;
    reports.retain(|report| report.case == case.case);
    let found = CasePage {
        case: case_row(&page, &case),
        fund: case.fund.to_string(),
        rows: fund_rows(&page, &fund, &lines),
        payments: payments.iter().map(|payment| payment_row(&page, payment)).collect(),
        next,
        reports: report_rows(&mut reports),
        page,
    };
    Ok(shown(&found))
}

fn payment_row(page: &Page, payment: &Disbursement) -> PaymentRow {
    let unit = payment.amount.unit();
    let (mark, zh, en, came_back) = match &payment.status {
        DisbursementStatus::Requested => ("○", "待复核", "waits for a second pair of eyes", 0),
        DisbursementStatus::Approved { .. } => ("◐", "已批准，待支付", "approved, not paid yet", 0),
        DisbursementStatus::Paid { acknowledged: true, returned, .. } => {
            ("●", "已支付，家属已确认", "paid, confirmed by the family", *returned)
        }
        DisbursementStatus::Paid { returned, .. } => ("●", "已支付", "paid", *returned),
        DisbursementStatus::Rejected => ("✕", "已驳回", "rejected", 0),
        DisbursementStatus::Returned => ("✕", "已全部退回", "all of it came back", payment.amount.minor()),
        DisbursementStatus::Reversed => ("✕", "已冲销", "reversed", payment.amount.minor()),
    };
    PaymentRow {
        request: payment.request,
        on: payment.step_on.to_string(),
        purpose: page.word("use", payment.purpose.as_str()),
        payee: page.word("payee", payment.payee_class.as_str()),
        amount: format_minor(payment.amount.minor(), unit),
        came_back: if came_back == 0 { String::new() } else { format_minor(came_back, unit) },
        unit: page.language.labels().unit(unit),
        vouchers: payment.vouchers,
        mark,
        state: page.say(zh, en).to_owned(),
    }
}
