//! `donation`: gifts.

use super::fund::amount;
use super::session::{Failure, Session};
use crate::app::folder::Opened;
use crate::app::gift::{Gift, submission};
use crate::app::writer::reference_text;
use crate::domain::command::Order;
use crate::domain::donation::Donation as Recorded;
use crate::domain::refusal::Refusal;
use crate::domain::vocabulary::{FeeOnRefund, ReasonClass, Source};
use crate::ledger::entry::Entry;
use crate::store::StoreError;
use crate::values::{AccountId, Day, FundId, Unit};

/// Gifts
#[derive(Debug, clap::Subcommand)]
pub(super) enum Donation {
    /// Record a gift
    Receive {
        /// Into this fund
        #[arg(long)]
        fund: FundId,
        /// What the donor gave, before any fee
        #[arg(long)]
        amount: String,
        /// Currency
        #[arg(long, default_value = "CNY")]
        unit: Unit,
        /// What the channel kept of it
        #[arg(long)]
        fee: Option<String>,
        /// platform, enterprise, village_cash, members, wechat, alipay, bank, individual or other
        #[arg(long, default_value = "individual")]
        source: Source,
        /// To this account; the only one of the fund where not given
        #[arg(long)]
        account: Option<AccountId>,
        /// What only this donor has: the channel's order number, or the number of the paper slip
        #[arg(long)]
        order_no: String,
        /// Name, kept in the vault only
        #[arg(long)]
        name: Option<String>,
        /// Contact, kept in the vault only
        #[arg(long)]
        contact: Option<String>,
        /// Givers behind it, for a cash box
        #[arg(long)]
        gift_count: Option<u64>,
        /// Day of the fact
        #[arg(long)]
        on: Option<Day>,
    },
    /// Give a gift back to its donor, or part of what is unspent of it
    Refund {
        /// The entry of the gift
        seq: u64,
        /// How much; all of it where not given
        #[arg(long)]
        amount: Option<String>,
        /// Currency
        #[arg(long, default_value = "CNY")]
        unit: Unit,
        /// What becomes of the channel's fee: returned or kept
        #[arg(long, default_value = "returned")]
        fee: FeeOnRefund,
        /// Why
        #[arg(long, default_value = "donor_request")]
        reason: ReasonClass,
        /// Day of the fact
        #[arg(long)]
        on: Option<Day>,
    },
    /// List the newest gifts
    List {
        /// Only of this fund
        #[arg(long)]
        fund: Option<FundId>,
        /// Only of this day
        #[arg(long)]
        on: Option<Day>,
        /// How many
        #[arg(long, default_value_t = 20, value_name = "COUNT")]
        last: usize,
    },
    /// Make the donor's receipt code of a gift; shown once
    Code {
        /// The entry of the gift
        seq: u64,
    },
}

impl Donation {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Receive {
                fund,
                amount: given,
                unit,
                fee,
                source,
                account,
                order_no,
                name,
                contact,
                gift_count,
                on,
            } => {
                let gross = amount(&given, unit, "--amount")?;
                let fee = fee.as_deref().map(|text| amount(text, unit, "--fee")).transpose()?;
                let on = session.day(on).await?;
                let account = session.account_for(fund.as_str(), account).await?;
                if order_no.trim().is_empty() || order_no.chars().count() > 100 {
                    return Err(Failure::input(
                        "--order-no：请填写支付订单号或纸质收条号，1 到 100 个字。",
                        "--order-no: give the channel's order number or the number of the paper slip, 1 to 100 characters",
                    ));
                }
                if name.iter().chain(&contact).any(|text| text.chars().count() > 100) {
                    return Err(Failure::input(
                        "--name、--contact：最多 100 个字。",
                        "--name, --contact: at most 100 characters",
                    ));
                }
                let payload = format!("{fund} {account} {gross} {fee:?} {source} {order_no} {gift_count:?} {on}");
                let gift = Gift {
                    fund: fund.clone(),
                    account: account.clone(),
                    gross,
                    fee,
                    source,
                    gift_count,
                    on,
                    order_no: order_no.clone(),
                    name,
                    contact,
                    memo: None,
                };
                let posting = session.begin().await?;
                let origin = session.open().await?.row.origin;
                let mut submission = submission(&origin, &posting.by, gift, &mut session.entropy.borrow_mut())
                    .map_err(|error| Failure::input(format!("{error}。"), error.to_string()))?;
                submission.key = session.key.clone().map(|key| (key, payload));
                submission.reference = Some(reference_text(&account, &order_no));
                let results = posting.handle.post(vec![submission]).await?;
                posting.handle.finish().await?;
                let accepted = results.into_iter().next().expect("one answer for one command")?;
                session.told(
                    accepted,
                    format!("捐赠 {gross} 已记入基金 {fund}"),
                    format!("A gift of {gross} is recorded for fund {fund}"),
                    serde_json::json!({"fund": fund.as_str(), "amount": gross.minor(), "unit": unit.as_str()}),
                );
            }
            Self::Refund { seq, amount: given, unit, fee, reason, on } => {
                let amount = given.as_deref().map(|text| amount(text, unit, "--amount")).transpose()?;
                let on = session.day(on).await?;
                let order = Order::RefundDonation { donation: seq, amount, fee, reason, on };
                let accepted = session.post(order, &format!("refund {seq} {amount:?} {fee} {reason} {on}")).await?;
                let amount = session.amount_of(accepted.seq).await?;
                let kept = fee == FeeOnRefund::Kept;
                session.told(
                    accepted,
                    format!(
                        "捐赠 {seq} 已退还捐赠人 {amount}{}",
                        if kept { "；渠道不退的手续费由基金其余可用款承担" } else { "" }
                    ),
                    format!(
                        "{amount} of gift {seq} go back to the donor{}",
                        if kept {
                            "; the fee that the channel keeps is paid out of the fund's other free money"
                        } else {
                            ""
                        }
                    ),
                    serde_json::json!({"donation": seq}),
                );
            }
            Self::List { fund, on, last } => {
                let known = session.objects("fund").await?;
                if let Some(fund) =
                    fund.as_ref().filter(|fund| !known.iter().any(|known| known["fund"] == fund.as_str()))
                {
                    return Err(Refusal::Unknown { what: "fund", name: fund.to_string() }.into());
                }
                let opened = session.open().await?;
                let wanted = |gift: &Recorded| {
                    fund.as_ref().is_none_or(|fund| gift.fund == *fund) && on.is_none_or(|on| gift.on == on)
                };
                let gifts = newest(&opened, last, wanted).await?;
                opened.store.close().await;
                let rows: Vec<Vec<String>> = gifts
                    .iter()
                    .map(|gift| {
                        let (gross, source) = (gift.gross.to_string(), gift.source.to_string());
                        vec![gift.seq.to_string(), gift.on.to_string(), gift.fund.to_string(), source, gross]
                    })
                    .collect();
                let heads = session.out.pick(
                    [("记录", true), ("日期", false), ("基金", false), ("来源", false), ("金额", true)],
                    [("entry", true), ("day", false), ("fund", false), ("source", false), ("amount", true)],
                );
                session.out.table(&heads, &rows);
                let donations: Vec<_> = gifts
                    .iter()
                    .map(|gift| {
                        serde_json::json!({
                            "seq": gift.seq, "on": gift.on.to_string(), "fund": gift.fund.as_str(),
                            "source": gift.source.as_str(), "unit": gift.gross.unit().as_str(), "amount": gift.gross.minor(),
                        })
                    })
                    .collect();
                session.out.object(&serde_json::json!({"donations": donations}));
            }
            Self::Code { seq } => {
                // Codes stand beside the log: making one waits for nobody who posts.
                let opened = session.open().await?;
                if crate::app::trace::gift(&opened, seq, None).await?.is_none() {
                    return Err(Failure::input(
                        format!("记录 {seq} 不是一笔捐赠。"),
                        format!("entry {seq} is not a gift"),
                    ));
                }
                let code = session.receipt_code(&opened, seq).await?;
                session.out.say(
                    format!("捐赠 {seq} 的查询码（只显示这一次）：{code}\n查询：mingzhang trace --code {code}"),
                    format!("Receipt code of gift {seq} (shown this once): {code}\nLook it up: mingzhang trace --code {code}"),
                );
                session.out.object(&serde_json::json!({"donation": seq, "code": code}));
            }
        }
        Ok(())
    }
}

/// The newest gifts that are wanted, newest first.
async fn newest(opened: &Opened, count: usize, wanted: impl Fn(&Recorded) -> bool) -> Result<Vec<Recorded>, Failure> {
    const PAGE: u32 = 1_000;
    let (mut gifts, mut end) = (Vec::new(), opened.row.size);
    while end > 0 && gifts.len() < count {
        let from = end.saturating_sub(u64::from(PAGE));
        let page = opened.store.entries(opened.row.ledger_id, from, u32::try_from(end - from).unwrap_or(PAGE)).await?;
        for stored in page.iter().rev() {
            let damaged = |what: String| StoreError::Damaged { table: "entry", what };
            let entry = Entry::parse(&stored.bytes).map_err(|error| damaged(error.to_string()))?;
            let gift = Recorded::from_entry(&entry).map_err(|error| damaged(error.to_string()))?;
            gifts.extend(gift.filter(&wanted));
        }
        end = from;
    }
    gifts.truncate(count);
    Ok(gifts)
}
