//! Everything else that staff does, one order a request.

use super::donation::{key_of, only_account, posted};
use super::fields::Fields;
use crate::app::writer::Submission;
use crate::domain::command::{MoveCash, OpenCase, OpenFund, Order, RequestDisbursement, Transfer};
use crate::domain::disbursement::Disbursement;
use crate::domain::refusal::Refusal;
use crate::domain::vocabulary::{FeeOnRefund, ReasonClass, TransferReason};
use crate::ledger::commitment;
use crate::values::text::nfc;
use crate::values::{AccountId, CaseId, FundId, StaffId};
use crate::web::login::Caller;
use crate::web::problem::Problem;
use crate::web::site::{Shared, Site};
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts as _, Path, Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A command of staff: who asks, with its body.
pub(super) struct Asked {
    by: StaffId,
    headers: HeaderMap,
    body: Bytes,
    /// The path below `/api/v1`, which is part of what a key stands for.
    path: String,
}

impl FromRequest<Shared> for Asked {
    type Rejection = Response;

    async fn from_request(request: Request, site: &Shared) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, site).await.map_err(IntoResponse::into_response)?;
        let path = parts.uri.path().trim_start_matches('/').to_owned();
        let headers = parts.headers.clone();
        let body = Bytes::from_request(Request::from_parts(parts, body), site).await;
        let body = body.map_err(IntoResponse::into_response)?;
        Ok(Self { by: caller.for_all().map_err(IntoResponse::into_response)?, headers, body, path })
    }
}

impl Asked {
    /// Fields of the body; an empty body has none.
    fn fields(&self) -> Result<Fields, Problem> {
        Fields::of(if self.body.trim_ascii().is_empty() { b"{}" } else { &self.body })
    }

    async fn post(self, site: &Site, order: Order, more: Value) -> Result<Response, Problem> {
        self.post_with(site, order, more, |submission| submission).await
    }

    async fn post_with(
        self,
        site: &Site,
        order: Order,
        more: Value,
        beside: impl FnOnce(Submission) -> Submission,
    ) -> Result<Response, Problem> {
        let asked = [self.path.as_bytes(), b"\0", &self.body].concat();
        let key = key_of(&self.headers, &asked)?;
        let submission = beside(Submission { key, ..Submission::bare(&self.by, order) });
        let results = site.handle.post_now(vec![submission]).await?;
        let accepted = results.into_iter().next().expect("one answer for one command")?;
        Ok(posted(accepted, more))
    }
}

pub(super) async fn open_account(State(site): State<Shared>, asked: Asked) -> Result<Response, Problem> {
    let fields = asked.fields()?;
    let read = fields.parsed::<AccountId>("account").zip(fields.list::<FundId>("funds"));
    let (account, funds) = fields.end(read)?;
    let more = json!({"account": account.as_str()});
    asked.post(&site, Order::OpenAccount { account, funds }, more).await
}

pub(super) async fn move_cash(State(site): State<Shared>, asked: Asked) -> Result<Response, Problem> {
    let fields = asked.fields()?;
    let unit = fields.unit();
    let on = fields.day(site.today());
    let read =
        fields.parsed::<AccountId>("from").zip(fields.parsed::<AccountId>("to")).zip(fields.amount("amount", unit));
    let ((from, to), amount) = fields.end(read)?;
    asked.post(&site, Order::MoveCash(MoveCash { from, to, amount, on }), json!({})).await
}

pub(super) async fn open_fund(State(site): State<Shared>, asked: Asked) -> Result<Response, Problem> {
    let fields = asked.fields()?;
    let fund: FundId = fields.maybe("fund").unwrap_or_else(|| site.id("f_"));
    let (purpose, uses) = (fields.maybe_list("purpose"), fields.maybe_list("uses"));
    let read = fields.parsed("type").zip(fields.text("name_zh", 100)).zip(fields.text("name_en", 100));
    let ((fund_type, name_zh), name_en) = fields.end(read)?;
    let more = json!({"fund": fund.as_str()});
    let order = OpenFund { fund, fund_type, name_zh: nfc(&name_zh), name_en: nfc(&name_en), purpose, uses };
    asked.post(&site, Order::OpenFund(order), more).await
}

pub(super) async fn transfer(State(site): State<Shared>, asked: Asked) -> Result<Response, Problem> {
    let fields = asked.fields()?;
    let unit = fields.unit();
    let amount = fields.maybe_amount("amount", unit);
    let reason = fields.maybe("reason").unwrap_or(TransferReason::Allocation);
    let (basis, on) = (fields.maybe("basis"), fields.day(site.today()));
    let read = fields.parsed::<FundId>("from").zip(fields.parsed::<FundId>("to"));
    let (from, to) = fields.end(read)?;
    asked.post(&site, Order::Transfer(Transfer { from, to, amount, unit, reason, basis, on }), json!({})).await
}

/// Opens a case. The family's code is in the answer, once.
pub(super) async fn open_case(State(site): State<Shared>, asked: Asked) -> Result<Response, Problem> {
    let fields = asked.fields()?;
    let case: CaseId = fields.maybe("case").unwrap_or_else(|| site.id("c_"));
    let fund: FundId = fields.maybe("fund").unwrap_or_else(|| site.id("f_"));
    let region_en = fields.maybe_text("region_en", 100);
    let on = fields.day(site.today());
    let read = fields.list("categories").zip(fields.text("region_zh", 100));
    let (categories, region_zh) = fields.end(read)?;
    let region_en = region_en.unwrap_or_else(|| region_zh.clone());
    let code = site.draw(|entropy| entropy.code());
    let hash = site.opened.keys.vault.code_hash(&code);
    let more = json!({"case": case.as_str(), "fund": fund.as_str(), "family_code": code});
    let subject = case.to_string();
    let order = OpenCase { case, fund, categories, region_zh: nfc(&region_zh), region_en: nfc(&region_en), on };
    asked
        .post_with(&site, Order::OpenCase(order), more, |mut submission| {
            submission.codes.push(("family", hash, subject));
            submission
        })
        .await
}

/// `assess`, `approve`, `decline` or `close`.
pub(super) async fn case_step(
    State(site): State<Shared>,
    Path((case, step)): Path<(String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let case = CaseId::parse(&case).map_err(|_| Problem::missing())?;
    let fields = asked.fields()?;
    let on = fields.day(site.today());
    let unit = fields.unit();
    let more = json!({"case": case.as_str()});
    let order = match step.as_str() {
        "assess" => {
            let need = fields.amount("need", unit);
            Order::AssessCase { case, need: fields.end(need)?, on }
        }
        "approve" => {
            let limit = fields.maybe_amount("limit", unit);
            fields.end(Some(()))?;
            Order::ApproveCase { case, limit, on }
        }
        "decline" => {
            let reason = fields.maybe("reason").unwrap_or(ReasonClass::NotEligible);
            fields.end(Some(()))?;
            Order::DeclineCase { case, reason, on }
        }
        "close" => {
            fields.end(Some(()))?;
            Order::CloseCase { case, on }
        }
        _ => return Err(Problem::missing()),
    };
    asked.post(&site, order, more).await
}

pub(super) async fn request(State(site): State<Shared>, asked: Asked) -> Result<Response, Problem> {
    let fields = asked.fields()?;
    let unit = fields.unit();
    let (fund, payee) = (fields.maybe("fund"), fields.maybe_text("payee", 100));
    let vouchers = fields.maybe_count("vouchers").unwrap_or(0);
    let on = fields.day(site.today());
    let read = fields.parsed("case").zip(fields.amount("amount", unit)).zip(fields.parsed("use"));
    let read = read.zip(fields.parsed("payee_class"));
    let (((case, amount), purpose), payee_class) = fields.end(read)?;
    let salt: [u8; 32] = site.draw(|entropy| entropy.bytes());
    let payee = payee.map(|name| commitment::blob(&salt, nfc(&name).as_bytes()));
    let order = RequestDisbursement { case, fund, amount, purpose, payee_class, payee, vouchers, on };
    asked.post(&site, Order::RequestDisbursement(order), json!({})).await
}

/// `approve`, `reject`, `pay`, `return` or `acknowledge`; the last with the family's code.
pub(super) async fn disbursement_step(
    State(site): State<Shared>,
    Path((seq, step)): Path<(u64, String)>,
    mut asked: Asked,
) -> Result<Response, Problem> {
    let fields = asked.fields()?;
    let on = fields.day(site.today());
    let order = match step.as_str() {
        "approve" => {
            fields.end(Some(()))?;
            Order::ApproveDisbursement { request: seq, on }
        }
        "reject" => {
            let reason = fields.maybe("reason").unwrap_or(ReasonClass::Other);
            fields.end(Some(()))?;
            Order::RejectDisbursement { request: seq, reason, on }
        }
        "pay" => {
            let account: Option<AccountId> = fields.maybe("account");
            fields.end(Some(()))?;
            let account = match account {
                Some(account) => account,
                None => only_account(&site, &known(&site, seq).await?.fund).await?,
            };
            Order::PayDisbursement { request: seq, account, on }
        }
        "return" => {
            let unit = fields.unit();
            let (amount, account) = (fields.maybe_amount("amount", unit), fields.maybe("account"));
            fields.end(Some(()))?;
            Order::ReturnDisbursement { request: seq, amount, account, on }
        }
        "acknowledge" => {
            let code = fields.text("code", 60);
            let code = fields.end(code)?;
            let hash = site.opened.keys.vault.code_hash(&code);
            let case = site.opened.store.code(site.opened.row.ledger_id, "family", hash).await?;
            if case.as_deref() != Some(known(&site, seq).await?.case.as_str()) {
                return Err(Refusal::WrongCode { seq }.into());
            }
            // The family posts this, not staff.
            asked.by = StaffId::system();
            Order::AcknowledgeDisbursement { request: seq, on }
        }
        _ => return Err(Problem::missing()),
    };
    asked.post(&site, order, json!({"disbursement": seq})).await
}

async fn known(site: &Site, seq: u64) -> Result<Disbursement, Problem> {
    let found = site.opened.state("disbursement", &seq.to_string(), Disbursement::from_object).await?;
    found.ok_or_else(|| Refusal::Unknown { what: "disbursement", name: seq.to_string() }.into())
}

pub(super) async fn refund(
    State(site): State<Shared>,
    Path(donation): Path<u64>,
    asked: Asked,
) -> Result<Response, Problem> {
    let fields = asked.fields()?;
    let unit = fields.unit();
    let amount = fields.maybe_amount("amount", unit);
    let fee = fields.maybe("fee").unwrap_or(FeeOnRefund::Returned);
    let reason = fields.maybe("reason").unwrap_or(ReasonClass::DonorRequest);
    let on = fields.day(site.today());
    fields.end(Some(()))?;
    let order = Order::RefundDonation { donation, amount, fee, reason, on };
    asked.post(&site, order, json!({"donation": donation})).await
}

pub(super) async fn reverse(
    State(site): State<Shared>,
    Path(target): Path<u64>,
    asked: Asked,
) -> Result<Response, Problem> {
    let fields = asked.fields()?;
    let reason = fields.maybe("reason").unwrap_or(ReasonClass::Other);
    let on = fields.day(site.today());
    fields.end(Some(()))?;
    asked.post(&site, Order::Reverse { target, reason, on }, json!({"target": target})).await
}
