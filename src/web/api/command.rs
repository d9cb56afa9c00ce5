//! What staff asks for, one order a request. Each order has a reader; all go the same way to the writer.

use super::fields::Fields;
use super::route::{Acting, Place, unknown};
use crate::app::code;
use crate::app::writer::{Accepted, Submission};
use crate::domain::command::{FileCampaign, MoveCash, OpenCase, OpenFund, Order, RequestDisbursement, Transfer};
use crate::domain::disbursement::Disbursement;
use crate::domain::fund::Account;
use crate::domain::refusal::Refusal;
use crate::domain::vocabulary::{Basis, FeeOnRefund, ReasonClass, TransferReason};
use crate::ledger::commitment;
use crate::ledger::entry::Entry;
use crate::values::text::nfc;
use crate::values::{AccountId, CampaignId, CaseId, Day, FundId, Hash, StaffId};
use crate::web::problem::Problem;
use crate::web::site::Site;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

/// What was asked, with what the answer tells beside the entry.
pub(super) struct Made {
    ask: Ask,
    more: Value,
    /// A code that is shown once: what for, its hash, what it opens.
    code: Option<(&'static str, Hash, String)>,
    /// What the number of its entry is also called.
    numbers: Option<&'static str>,
}

/// An order, or what becomes one when the ledger has been asked.
enum Ask {
    Order(Order),
    /// From the account given, or from the only one of the fund.
    Pay {
        request: u64,
        account: Option<AccountId>,
        on: Day,
    },
    /// By the family, with its code.
    Acknowledge {
        request: u64,
        code: String,
        on: Day,
    },
}

pub(super) fn made(order: Order, more: Value) -> Made {
    Made { ask: Ask::Order(order), more, code: None, numbers: None }
}

/// Posts it.
pub(super) async fn post(acting: Acting, made: Made) -> Result<Response, Problem> {
    let Acting { site, by, key } = acting;
    let (order, by) = match made.ask {
        Ask::Order(order) => (order, by),
        Ask::Pay { request, account: Some(account), on } => (Order::PayDisbursement { request, account, on }, by),
        Ask::Pay { request, account: None, on } => {
            let account = only_account(&site, &known(&site, request).await?.fund).await?;
            (Order::PayDisbursement { request, account, on }, by)
        }
        Ask::Acknowledge { request, code, on } => {
            let hash = site.opened.keys.vault.code_hash(&code);
            let case = code::opens(&site.opened, "family", hash).await?;
            if case.as_deref() != Some(known(&site, request).await?.case.as_str()) {
                return Err(Refusal::WrongCode { seq: request }.into());
            }
            // The family posts this, not staff.
            (Order::AcknowledgeDisbursement { request, on }, StaffId::system())
        }
    };
    let submission = Submission { key, codes: made.code.into_iter().collect(), ..Submission::bare(&by, order) };
    let results = site.writer().await?.post_now(vec![submission]).await?;
    let accepted = results.into_iter().next().expect("one answer for one command")?;
    let mut more = if accepted.repeated { said_before(&site, accepted, made.more).await? } else { made.more };
    if let Some(name) = made.numbers {
        more[name] = accepted.seq.into();
    }
    Ok(posted(accepted, &more))
}

/// What was posted: 201, or 200 where the same key had posted it before.
pub(super) fn posted(accepted: Accepted, more: &Value) -> Response {
    let status = if accepted.repeated { StatusCode::OK } else { StatusCode::CREATED };
    (status, axum::Json(told(accepted, more))).into_response()
}

/// The entry that says so, how many, whether it was posted before, and what is its own.
pub(super) fn told(accepted: Accepted, more: &Value) -> Value {
    let last = accepted.seq + accepted.count - 1;
    let mut object = json!({"entry": last, "entries": accepted.count, "repeated": accepted.repeated});
    if let (Some(object), Some(more)) = (object.as_object_mut(), more.as_object()) {
        object.extend(more.clone());
    }
    object
}

/// What the first answer said: ids are those of the entries, a code is shown once.
async fn said_before(site: &Site, accepted: Accepted, mut more: Value) -> Result<Value, Problem> {
    let count = u32::try_from(accepted.count).unwrap_or(u32::MAX);
    for stored in site.opened.store.entries(site.opened.row.ledger_id, accepted.seq, count).await? {
        let Ok(entry) = Entry::parse(&stored.bytes) else { continue };
        for (member, value) in more.as_object_mut().into_iter().flatten() {
            if let Some(text) = entry.body.get(member).and_then(|found| found.as_text()) {
                *value = text.into();
            }
        }
    }
    if let Some(code) = more.get_mut("family_code") {
        *code = Value::Null;
    }
    Ok(more)
}

async fn known(site: &Site, seq: u64) -> Result<Disbursement, Problem> {
    let found = site.opened.state("disbursement", &seq.to_string(), Disbursement::from_object).await?;
    found.ok_or_else(|| unknown("disbursement", seq))
}

/// The only account that may feed a fund.
pub(super) async fn only_account(site: &Site, fund: &FundId) -> Result<AccountId, Problem> {
    let mut feeding = site.opened.states("account", Account::from_object).await?;
    feeding.retain(|account| account.funds.contains(fund));
    let (zh, en) = match feeding.as_slice() {
        [only] => return Ok(only.account.clone()),
        [] => (
            format!("基金 {fund} 还没有账户。先运行：mingzhang account open 账户名 --fund {fund}。"),
            format!("No account feeds fund {fund} yet: run `mingzhang account open NAME --fund {fund}` first"),
        ),
        several => {
            let names = |by: &str| several.iter().map(|known| known.account.as_str()).collect::<Vec<_>>().join(by);
            (
                format!("基金 {fund} 有几个账户（{}），请用 account 指明。", names("、")),
                format!("Fund {fund} has several accounts ({}): say which with account", names(", ")),
            )
        }
    };
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "account_wanted", zh, en))
}

pub(super) fn open_account(fields: &Fields, _: &Place<'_>) -> Option<Made> {
    let read = fields.parsed::<AccountId>("account").zip(fields.list::<FundId>("funds"));
    let (account, funds) = read?;
    let more = json!({"account": account.as_str()});
    Some(made(Order::OpenAccount { account, funds }, more))
}

pub(super) fn move_cash(fields: &Fields, place: &Place<'_>) -> Option<Made> {
    let (unit, on) = (fields.unit(), fields.day(place.site.today()));
    let (from, to) = (fields.parsed::<AccountId>("from"), fields.parsed::<AccountId>("to"));
    let amount = fields.amount("amount", unit);
    let ((from, to), amount) = from.zip(to).zip(amount)?;
    let more = json!({"from": from.as_str(), "to": to.as_str()});
    Some(made(Order::MoveCash(MoveCash { from, to, amount, on }), more))
}

pub(super) fn open_fund(fields: &Fields, place: &Place<'_>) -> Option<Made> {
    let fund: Option<FundId> = fields.maybe("fund");
    let (purpose, uses) = (fields.maybe_list("purpose"), fields.maybe_list("uses"));
    let read = fields.parsed("type").zip(fields.text("name_zh", 100)).zip(fields.text("name_en", 100));
    let ((fund_type, name_zh), name_en) = read?;
    let fund = fund.unwrap_or_else(|| place.site.id("f_"));
    let more = json!({"fund": fund.as_str()});
    let order = OpenFund { fund, fund_type, name_zh: nfc(&name_zh), name_en: nfc(&name_en), purpose, uses };
    Some(made(Order::OpenFund(order), more))
}

pub(super) fn transfer(fields: &Fields, place: &Place<'_>) -> Option<Made> {
    let unit = fields.unit();
    let amount = fields.maybe_amount("amount", unit);
    let reason = fields.maybe("reason").unwrap_or(TransferReason::Allocation);
    let (basis, on) = (fields.maybe("basis"), fields.day(place.site.today()));
    let (from, to) = fields.parsed::<FundId>("from").zip(fields.parsed::<FundId>("to"))?;
    let more = json!({"from": from.as_str(), "to": to.as_str()});
    Some(made(Order::Transfer(Transfer { from, to, amount, unit, reason, basis, on }), more))
}

pub(super) fn file_campaign(fields: &Fields, place: &Place<'_>) -> Option<Made> {
    let campaign: Option<CampaignId> = fields.maybe("campaign");
    let (unit, on) = (fields.unit(), fields.day(place.site.today()));
    let (fund, filing_no) = (fields.parsed("fund"), fields.maybe_text("filing_no", 100));
    let names = fields.text("name_zh", 100).zip(fields.text("name_en", 100));
    let days = fields.parsed("starts_on").zip(fields.parsed("ends_on"));
    let target = fields.amount("target", unit);
    let surplus = fields.maybe("surplus").unwrap_or(Basis::SimilarPurpose);
    let (((fund, (name_zh, name_en)), (starts_on, ends_on)), target) = fund.zip(names).zip(days).zip(target)?;
    let campaign = campaign.unwrap_or_else(|| place.site.id("k_"));
    let more = json!({"campaign": campaign.as_str()});
    let (name_zh, name_en, filing_no) = (nfc(&name_zh), nfc(&name_en), filing_no.map(|text| nfc(&text)));
    let order = FileCampaign { campaign, name_zh, name_en, fund, filing_no, starts_on, ends_on, target, surplus, on };
    Some(made(Order::FileCampaign(order), more))
}

pub(super) fn open_campaign(fields: &Fields, place: &Place<'_>) -> Option<Made> {
    let on = fields.day(place.site.today());
    let campaign: CampaignId = place.part("campaign")?;
    let more = json!({"campaign": campaign.as_str(), "on": on.to_string()});
    Some(made(Order::OpenCampaign { campaign, on }, more))
}

pub(super) fn end_campaign(fields: &Fields, place: &Place<'_>) -> Option<Made> {
    let on = fields.day(place.site.today());
    let campaign: CampaignId = place.part("campaign")?;
    let more = json!({"campaign": campaign.as_str(), "on": on.to_string()});
    Some(made(Order::EndCampaign { campaign, on }, more))
}

/// The family's code is in the answer, once.
pub(super) fn open_case(fields: &Fields, place: &Place<'_>) -> Option<Made> {
    let (case, fund): (Option<CaseId>, Option<FundId>) = (fields.maybe("case"), fields.maybe("fund"));
    let (region_en, on) = (fields.maybe_text("region_en", 100), fields.day(place.site.today()));
    let (categories, region_zh) = fields.list("categories").zip(fields.text("region_zh", 100))?;
    let site = place.site;
    let (case, fund) = (case.unwrap_or_else(|| site.id("c_")), fund.unwrap_or_else(|| site.id("f_")));
    let region_en = region_en.unwrap_or_else(|| region_zh.clone());
    let code = site.draw(|entropy| entropy.code());
    let hash = site.opened.keys.vault.code_hash(&code);
    let more = json!({"case": case.as_str(), "fund": fund.as_str(), "family_code": code});
    let opens = site.opened.keys.vault.code_row("family", hash, case.as_str());
    let order = OpenCase { case, fund, categories, region_zh: nfc(&region_zh), region_en: nfc(&region_en), on };
    Some(Made { code: Some(("family", hash, opens)), ..made(Order::OpenCase(order), more) })
}

/// The case in the path, the day of the fact, and what the answer tells.
fn of_case(fields: &Fields, place: &Place<'_>) -> (Option<CaseId>, Day, Value) {
    let case: Option<CaseId> = place.part("case");
    let more = json!({"case": case.as_ref().map(CaseId::as_str)});
    (case, fields.day(place.site.today()), more)
}

pub(super) fn assess_case(fields: &Fields, place: &Place<'_>) -> Option<Made> {
    let (case, on, more) = of_case(fields, place);
    let need = fields.amount("need", fields.unit());
    let (case, need) = case.zip(need)?;
    Some(made(Order::AssessCase { case, need, on }, more))
}

pub(super) fn approve_case(fields: &Fields, place: &Place<'_>) -> Option<Made> {
    let (case, on, more) = of_case(fields, place);
    let limit = fields.maybe_amount("limit", fields.unit());
    Some(made(Order::ApproveCase { case: case?, limit, on }, more))
}

pub(super) fn decline_case(fields: &Fields, place: &Place<'_>) -> Option<Made> {
    let (case, on, more) = of_case(fields, place);
    let reason = fields.maybe("reason").unwrap_or(ReasonClass::NotEligible);
    Some(made(Order::DeclineCase { case: case?, reason, on }, more))
}

pub(super) fn close_case(fields: &Fields, place: &Place<'_>) -> Option<Made> {
    let (case, on, more) = of_case(fields, place);
    Some(made(Order::CloseCase { case: case?, on }, more))
}

pub(super) fn request_disbursement(fields: &Fields, place: &Place<'_>) -> Option<Made> {
    let (unit, on) = (fields.unit(), fields.day(place.site.today()));
    let (fund, payee) = (fields.maybe("fund"), fields.maybe_text("payee", 100));
    let vouchers = fields.maybe_count("vouchers").unwrap_or(0);
    let read = fields.parsed("case").zip(fields.amount("amount", unit)).zip(fields.parsed("use"));
    let (((case, amount), purpose), payee_class) = read.zip(fields.parsed("payee_class"))?;
    let salt: [u8; 32] = place.site.draw(|entropy| entropy.bytes());
    let payee = payee.map(|name| commitment::blob(&salt, nfc(&name).as_bytes()));
    let order = RequestDisbursement { case, fund, amount, purpose, payee_class, payee, vouchers, on };
    Some(Made { numbers: Some("disbursement"), ..made(Order::RequestDisbursement(order), json!({})) })
}

/// The entry in the path, the day of the fact, and what the answer tells.
fn of_entry(fields: &Fields, place: &Place<'_>, what: &str) -> (Option<u64>, Day, Value) {
    let seq: Option<u64> = place.part("seq");
    (seq, fields.day(place.site.today()), json!({what: seq}))
}

pub(super) fn approve_disbursement(fields: &Fields, place: &Place<'_>) -> Option<Made> {
    let (request, on, more) = of_entry(fields, place, "disbursement");
    Some(made(Order::ApproveDisbursement { request: request?, on }, more))
}

pub(super) fn reject_disbursement(fields: &Fields, place: &Place<'_>) -> Option<Made> {
    let (request, on, more) = of_entry(fields, place, "disbursement");
    let reason = fields.maybe("reason").unwrap_or(ReasonClass::Other);
    Some(made(Order::RejectDisbursement { request: request?, reason, on }, more))
}

pub(super) fn pay_disbursement(fields: &Fields, place: &Place<'_>) -> Option<Made> {
    let (request, on, more) = of_entry(fields, place, "disbursement");
    let account: Option<AccountId> = fields.maybe("account");
    Some(Made { ask: Ask::Pay { request: request?, account, on }, more, code: None, numbers: None })
}

pub(super) fn return_disbursement(fields: &Fields, place: &Place<'_>) -> Option<Made> {
    let (request, on, more) = of_entry(fields, place, "disbursement");
    let (amount, account) = (fields.maybe_amount("amount", fields.unit()), fields.maybe("account"));
    Some(made(Order::ReturnDisbursement { request: request?, amount, account, on }, more))
}

pub(super) fn acknowledge_disbursement(fields: &Fields, place: &Place<'_>) -> Option<Made> {
    let (request, on, more) = of_entry(fields, place, "disbursement");
    let code = fields.text("code", 60);
    let (request, code) = request.zip(code)?;
    Some(Made { ask: Ask::Acknowledge { request, code, on }, more, code: None, numbers: None })
}

pub(super) fn refund_donation(fields: &Fields, place: &Place<'_>) -> Option<Made> {
    let (donation, on, more) = of_entry(fields, place, "donation");
    let amount = fields.maybe_amount("amount", fields.unit());
    let fee = fields.maybe("fee").unwrap_or(FeeOnRefund::Returned);
    let reason = fields.maybe("reason").unwrap_or(ReasonClass::DonorRequest);
    Some(made(Order::RefundDonation { donation: donation?, amount, fee, reason, on }, more))
}

pub(super) fn reverse(fields: &Fields, place: &Place<'_>) -> Option<Made> {
    let (target, on, more) = of_entry(fields, place, "target");
    let reason = fields.maybe("reason").unwrap_or(ReasonClass::Other);
    Some(made(Order::Reverse { target: target?, reason, on }, more))
}
