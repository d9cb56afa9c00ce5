//! `disbursement`: payments for a case, under four eyes.

use super::account::{shown, text};
use super::fund::{amount, minor};
use super::session::{Failure, Session};
use crate::domain::vocabulary::{PayeeClass, ReasonClass, Use};
use crate::values::amount::format_minor;
use crate::values::{AccountId, CaseId, Day, FundId, Unit};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Payments for a case
#[derive(Debug, clap::Subcommand)]
pub(super) enum Disbursement {
    /// Ask for a payment
    Request {
        /// For this case
        #[arg(long)]
        case: CaseId,
        /// Out of this fund; the case's own where not given
        #[arg(long)]
        fund: Option<FundId>,
        /// How much
        #[arg(long)]
        amount: String,
        /// Currency
        #[arg(long, default_value = "CNY")]
        unit: Unit,
        /// hospital, nutrition, drugs, lodging_travel, rehabilitation, funeral, education, living, housing or other
        #[arg(long = "use")]
        purpose: Use,
        /// hospital, guardian, pharmacy, shop, school, person, organisation or other
        #[arg(long)]
        payee_class: PayeeClass,
        /// Name of the payee; only a salted hash of it stands in the ledger
        #[arg(long)]
        payee: Option<String>,
        /// Count of vouchers
        #[arg(long, default_value_t = 0)]
        vouchers: u64,
        /// Day of the fact
        #[arg(long)]
        on: Option<Day>,
    },
    /// Approve a request (a checker who did not make it); the money is held
    Approve {
        /// The entry of the request
        seq: u64,
        /// Day of the fact
        #[arg(long)]
        on: Option<Day>,
    },
    /// Refuse or withdraw a request that has not been paid
    Reject {
        /// The entry of the request
        seq: u64,
        /// Why
        #[arg(long, default_value = "other")]
        reason: ReasonClass,
        /// Day of the fact
        #[arg(long)]
        on: Option<Day>,
    },
    /// Pay what was approved (its maker or a payer, never the one who approved)
    Pay {
        /// The entry of the request
        seq: u64,
        /// From this account; the only one of the fund where not given
        #[arg(long)]
        account: Option<AccountId>,
        /// Day of the fact
        #[arg(long)]
        on: Option<Day>,
    },
    /// The payee sent money back
    Return {
        /// The entry of the request
        seq: u64,
        /// How much; all of it where not given
        #[arg(long)]
        amount: Option<String>,
        /// Currency
        #[arg(long, default_value = "CNY")]
        unit: Unit,
        /// To this account; the one it was paid from where not given
        #[arg(long)]
        account: Option<AccountId>,
        /// Day of the fact
        #[arg(long)]
        on: Option<Day>,
    },
    /// The family confirms that the help arrived
    Acknowledge {
        /// The entry of the request
        seq: u64,
        /// The family's code
        #[arg(long)]
        code: String,
        /// Day of the fact
        #[arg(long)]
        on: Option<Day>,
    },
    /// All payments
    List,
}

impl Disbursement {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Request { case, fund, amount: given, unit, purpose, payee_class, payee, vouchers, on } => {
                let amount = amount(&given, unit, "--amount")?;
                let body = json!({
                    "case": case.as_str(), "fund": shown(fund), "amount": amount.minor(), "unit": unit.as_str(),
                    "use": purpose.as_str(), "payee_class": payee_class.as_str(), "payee": payee, "vouchers": vouchers,
                    "on": shown(on),
                });
                let answer = session.send("/disbursements", body).await?;
                let seq = &answer["disbursement"];
                session.told(
                    &answer,
                    format!("拨付申请 {seq} 已提交：个案 {case}，{amount}，待复核"),
                    format!("Payment {seq} for case {case} is requested: {amount}, waits for a checker"),
                );
            }
            Self::Approve { seq, on } => {
                let answer = step(session, seq, "approve", json!({"on": shown(on)})).await?;
                let (amount, known) = (session.amount_of(&answer).await?, known(session, seq).await?);
                let fund = text(&known, "fund");
                session.told(
                    &answer,
                    format!("拨付 {seq} 已复核同意，基金 {fund} 中的 {amount} 已预留"),
                    format!("Payment {seq} is approved; {amount} of fund {fund} are held"),
                );
            }
            Self::Reject { seq, reason, on } => {
                let body = json!({"reason": reason.as_str(), "on": shown(on)});
                let answer = step(session, seq, "reject", body).await?;
                let why = session.out.word("reason", reason.as_str());
                session.told(
                    &answer,
                    format!("拨付 {seq} 已驳回（{why}）"),
                    format!("Payment {seq} is rejected ({why})"),
                );
            }
            Self::Pay { seq, account, on } => {
                let answer = step(session, seq, "pay", json!({"account": shown(account), "on": shown(on)})).await?;
                let (amount, known) = (session.amount_of(&answer).await?, known(session, seq).await?);
                let account = text(&known, "account");
                session.told(
                    &answer,
                    format!("拨付 {seq} 已从账户 {account} 支付 {amount}"),
                    format!("Payment {seq}: {amount} are paid from account {account}"),
                );
                session.warn_overdrawn(&account, unit_of(&known)).await?;
            }
            Self::Return { seq, amount: given, unit, account, on } => {
                let body = json!({
                    "amount": minor(given, unit, "--amount")?, "unit": unit.as_str(), "account": shown(account),
                    "on": shown(on),
                });
                let answer = step(session, seq, "return", body).await?;
                let amount = session.amount_of(&answer).await?;
                session.told(
                    &answer,
                    format!("拨付 {seq} 退回 {amount}，已入账"),
                    format!("{amount} of payment {seq} came back"),
                );
            }
            Self::Acknowledge { seq, code, on } => {
                let answer = step(session, seq, "acknowledge", json!({"code": code, "on": shown(on)})).await?;
                session.told(
                    &answer,
                    format!("家属已确认收到拨付 {seq}"),
                    format!("The family has confirmed payment {seq}"),
                );
            }
            Self::List => list_disbursements(session).await?,
        }
        Ok(())
    }
}

async fn list_disbursements(session: &Session) -> Result<(), Failure> {
    let out = &session.out;
    let answer = session.get("/disbursements").await?;
    let users = session.list("users").await?;
    let staff: BTreeMap<String, String> = users.iter().map(|user| (text(user, "user"), text(user, "name"))).collect();
    let mut rows = Vec::new();
    for known in answer["disbursements"].as_array().into_iter().flatten() {
        let unit = unit_of(known);
        let (amount, status) = (known["amount"].as_i64().unwrap_or(0), text(known, "status"));
        let came_back = if status == "returned" { amount } else { known["returned"].as_i64().unwrap_or(0) };
        let mut state = out.state("disbursement", &status);
        if known["acknowledged"] == true {
            state.push_str(out.pick("，家属已确认", ", confirmed"));
        }
        let maker = text(known, "maker");
        rows.push(vec![
            known["request"].to_string(),
            text(known, "case"),
            out.word("use", &text(known, "use")),
            out.word("payee", &text(known, "payee_class")),
            format_minor(amount, unit),
            if came_back == 0 { String::new() } else { format_minor(came_back, unit) },
            unit.to_string(),
            staff.get(&maker).cloned().unwrap_or(maker),
            text(known, "step_on"),
            state,
        ]);
    }
    let heads = out.pick(
        [
            ("拨付", true),
            ("个案", false),
            ("用途", false),
            ("收款方", false),
            ("金额", true),
            ("其中退回", true),
            ("单位", false),
            ("经办", false),
            ("日期", false),
            ("状态", false),
        ],
        [
            ("payment", true),
            ("case", false),
            ("use", false),
            ("payee", false),
            ("amount", true),
            ("came back", true),
            ("unit", false),
            ("maker", false),
            ("day", false),
            ("state", false),
        ],
    );
    out.table(&heads, &rows);
    out.object(&answer);
    Ok(())
}

fn unit_of(known: &serde_json::Value) -> Unit {
    text(known, "unit").parse().unwrap_or(Unit::CNY)
}

async fn step(session: &Session, seq: u64, step: &str, body: Value) -> Result<Value, Failure> {
    session.send(format!("/disbursements/{seq}/{step}"), body).await
}

async fn known(session: &Session, seq: u64) -> Result<Value, Failure> {
    session.get(format!("/disbursements/{seq}")).await
}
