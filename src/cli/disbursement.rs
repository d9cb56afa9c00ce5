//! `disbursement`: payments for a case, under four eyes.

use super::account::text;
use super::fund::amount;
use super::session::{Failure, Session};
use crate::domain::command::{Order, RequestDisbursement};
use crate::domain::refusal::Refusal;
use crate::domain::vocabulary::{PayeeClass, ReasonClass, Use};
use crate::ledger::commitment;
use crate::values::amount::format_minor;
use crate::values::{AccountId, CaseId, Day, FundId, StaffId, Unit};
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
                let on = session.day(on).await?;
                let payload = format!("{case} {fund:?} {amount} {purpose} {payee_class} {vouchers} {on}");
                let salt: [u8; 32] = session.entropy.borrow_mut().bytes();
                let payee = payee.map(|name| commitment::blob(&salt, crate::values::text::nfc(&name).as_bytes()));
                let order =
                    RequestDisbursement { case: case.clone(), fund, amount, purpose, payee_class, payee, vouchers, on };
                let accepted = session.post(Order::RequestDisbursement(order), &payload).await?;
                session.told(
                    accepted,
                    format!("拨付申请 {} 已提交：个案 {case}，{amount}，待复核", accepted.seq),
                    format!("Payment {} for case {case} is requested: {amount}, waits for a checker", accepted.seq),
                    serde_json::json!({"disbursement": accepted.seq}),
                );
            }
            Self::Approve { seq, on } => {
                let on = session.day(on).await?;
                let accepted = session
                    .post(Order::ApproveDisbursement { request: seq, on }, &format!("approve {seq} {on}"))
                    .await?;
                let (amount, known) = (session.amount_of(accepted.seq).await?, known(session, seq).await?);
                let fund = text(&known, "fund");
                session.told(
                    accepted,
                    format!("拨付 {seq} 已复核同意，基金 {fund} 中的 {amount} 已预留"),
                    format!("Payment {seq} is approved; {amount} of fund {fund} are held"),
                    told(seq),
                );
            }
            Self::Reject { seq, reason, on } => {
                let on = session.day(on).await?;
                let order = Order::RejectDisbursement { request: seq, reason, on };
                let accepted = session.post(order, &format!("reject {seq} {reason} {on}")).await?;
                let why = session.out.word("reason", reason.as_str());
                session.told(
                    accepted,
                    format!("拨付 {seq} 已驳回（{why}）"),
                    format!("Payment {seq} is rejected ({why})"),
                    told(seq),
                );
            }
            Self::Pay { seq, account, on } => {
                let on = session.day(on).await?;
                let known = known(session, seq).await?;
                let account = session.account_for(&text(&known, "fund"), account).await?;
                let order = Order::PayDisbursement { request: seq, account: account.clone(), on };
                let accepted = session.post(order, &format!("pay {seq} {account} {on}")).await?;
                let amount = session.amount_of(accepted.seq).await?;
                session.told(
                    accepted,
                    format!("拨付 {seq} 已从账户 {account} 支付 {amount}"),
                    format!("Payment {seq}: {amount} are paid from account {account}"),
                    told(seq),
                );
                session.warn_overdrawn(&account, unit_of(&known)).await?;
            }
            Self::Return { seq, amount: given, unit, account, on } => {
                let amount = given.as_deref().map(|text| amount(text, unit, "--amount")).transpose()?;
                let on = session.day(on).await?;
                let order = Order::ReturnDisbursement { request: seq, amount, account, on };
                let accepted = session.post(order, &format!("return {seq} {amount:?} {on}")).await?;
                let amount = session.amount_of(accepted.seq).await?;
                session.told(
                    accepted,
                    format!("拨付 {seq} 退回 {amount}，已入账"),
                    format!("{amount} of payment {seq} came back"),
                    told(seq),
                );
            }
            Self::Acknowledge { seq, code, on } => {
                let on = session.day(on).await?;
                let known = known(session, seq).await?;
                let opened = session.open().await?;
                let hash = opened.keys.vault.code_hash(&code);
                let case = opened.store.code(opened.row.ledger_id, "family", hash).await?;
                opened.store.close().await;
                if case.as_deref() != Some(text(&known, "case").as_str()) {
                    return Err(Refusal::WrongCode { seq }.into());
                }
                let order = Order::AcknowledgeDisbursement { request: seq, on };
                let accepted = session
                    .post_with(order, &format!("acknowledge {seq} {on}"), |mut submission| {
                        // The family posts this, not staff.
                        submission.command.by = StaffId::system();
                        submission
                    })
                    .await?;
                session.told(
                    accepted,
                    format!("家属已确认收到拨付 {seq}"),
                    format!("The family has confirmed payment {seq}"),
                    told(seq),
                );
            }
            Self::List => list_disbursements(session).await?,
        }
        Ok(())
    }
}

async fn list_disbursements(session: &Session) -> Result<(), Failure> {
    let out = &session.out;
    let mut disbursements = session.objects("disbursement").await?;
    disbursements.sort_by_key(|known| known["request"].as_u64());
    let opened = session.open().await?;
    let staff: BTreeMap<String, String> = opened.store.staff(opened.row.ledger_id).await?.into_iter().collect();
    opened.store.close().await;
    let mut rows = Vec::new();
    for known in &disbursements {
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
    out.object(&serde_json::json!({"disbursements": disbursements}));
    Ok(())
}

fn unit_of(known: &serde_json::Value) -> Unit {
    text(known, "unit").parse().unwrap_or(Unit::CNY)
}

fn told(seq: u64) -> serde_json::Value {
    serde_json::json!({"disbursement": seq})
}

async fn known(session: &Session, seq: u64) -> Result<serde_json::Value, Failure> {
    let opened = session.open().await?;
    let doc = opened.store.subject(opened.row.ledger_id, "disbursement", &seq.to_string()).await?;
    opened.store.close().await;
    let known = doc.and_then(|doc| serde_json::from_slice(&doc).ok());
    known.ok_or_else(|| Refusal::Unknown { what: "disbursement", name: seq.to_string() }.into())
}
