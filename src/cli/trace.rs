//! `trace`: where a gift went, or whose gifts a payment used.

use super::account::text;
use super::fund::amount;
use super::out::Out;
use super::session::{Failure, Session};
use crate::app::folder::Opened;
use crate::app::trace::{self, Facts, GiftTrace, PaymentTrace};
use crate::app::writer::order_text;
use crate::values::amount::format_minor;
use crate::values::{Amount, Unit};
use crate::vault::Keyed;
use std::collections::BTreeMap;

/// Where a gift went, or whose gifts a payment used
#[derive(Debug, clap::Args)]
pub(super) struct Trace {
    /// The entry of a gift, or of a payment (its request or the payment itself)
    #[arg(required_unless_present_any = ["code", "order_no"])]
    seq: Option<u64>,
    /// The donor's receipt code
    #[arg(long)]
    code: Option<String>,
    /// The donor's order number, with the exact amount
    #[arg(long, requires = "amount")]
    order_no: Option<String>,
    /// The exact amount of the gift
    #[arg(long)]
    amount: Option<String>,
    /// Its currency
    #[arg(long, default_value = "CNY")]
    unit: Unit,
    /// As of this tree size instead of now
    #[arg(long, value_name = "SIZE")]
    at: Option<u64>,
}

impl Trace {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let opened = session.open().await?;
        let size = opened.row.size;
        if let Some(at) = self.at.filter(|at| *at == 0 || *at > size) {
            return Err(Failure::input(
                format!("--at：账本有 {size} 条记录，不能按 {at} 条追溯。请写 1 到 {size}。"),
                format!("--at: the ledger has {size} entries and cannot be asked as of {at}; give 1 to {size}"),
            ));
        }
        for seq in self.targets(session, &opened).await? {
            show(session, &opened, seq, self.at).await?;
        }
        opened.store.close().await;
        Ok(())
    }

    async fn targets(&self, session: &Session, opened: &Opened) -> Result<Vec<u64>, Failure> {
        let ledger_id = opened.row.ledger_id;
        let nothing = || {
            Failure::input(
                "没有找到这笔捐赠。请核对查询码，或订单号和准确金额。",
                "no such gift: check the code, or the order number and the exact amount",
            )
        };
        if let Some(seq) = self.seq {
            return Ok(vec![seq]);
        }
        if let Some(code) = &self.code {
            let subject = opened.store.code(ledger_id, "receipt", opened.keys.vault.code_hash(code)).await?;
            return Ok(vec![subject.and_then(|subject| subject.parse().ok()).ok_or_else(nothing)?]);
        }
        let (Some(order_no), Some(given)) = (&self.order_no, &self.amount) else {
            return Err(nothing());
        };
        let amount = amount(given, self.unit, "--amount")?;
        let hash = opened.keys.vault.keyed(Keyed::Order, &order_text(order_no, amount));
        let found = opened.store.entries_by_order(ledger_id, hash).await?;
        if found.is_empty() { Err(nothing()) } else { Ok(if session.out.json { found[..1].to_vec() } else { found }) }
    }
}

/// Shows the trace of a gift or of a payment.
pub(super) async fn show(session: &Session, opened: &Opened, seq: u64, size: Option<u64>) -> Result<(), Failure> {
    if let Some(traced) = trace::gift(opened, seq, size).await? {
        tell_gift(session, &traced, size.unwrap_or(opened.row.size));
        return Ok(());
    }
    let known = disbursement(opened, seq).await?;
    let request = seq;
    let paid = known.as_ref().and_then(|known| known["paid"].as_u64().or(known["hold"].as_u64()));
    let seq = paid.unwrap_or(seq);
    match trace::payment(opened, seq, size).await? {
        Some(traced) if traced.facts.kind == "fund.transferred" => Err(Failure::input(
            format!("记录 {seq} 是基金之间的转账，不是支付。请追溯其中的一笔捐赠，或用这笔钱的一笔支付。"),
            format!(
                "entry {seq} moves money between funds and is no payment: trace a gift in it, or a payment that used it"
            ),
        )),
        Some(traced) if !traced.amounts.is_empty() => {
            tell_payment(session, &traced, size.unwrap_or(opened.row.size));
            Ok(())
        }
        _ if known.is_some() => {
            let status = known.map(|known| text(&known, "status")).unwrap_or_default();
            let state = session.out.state("disbursement", &status);
            Err(Failure::input(
                format!("拨付 {request} 的状态是“{state}”，现在没有占用任何捐赠。"),
                format!("payment {request} is {state}: it holds or spends no gift's money now"),
            ))
        }
        _ => Err(Failure::input(
            format!("记录 {seq} 既不是捐赠，也没有占用或支出款项，没有可追溯的内容。"),
            format!("entry {seq} is neither a gift nor does it hold or spend money: there is nothing to trace"),
        )),
    }
}

/// The payment that an entry requested.
async fn disbursement(opened: &Opened, seq: u64) -> Result<Option<serde_json::Value>, Failure> {
    let doc = opened.store.subject(opened.row.ledger_id, "disbursement", &seq.to_string()).await?;
    Ok(doc.and_then(|doc| serde_json::from_slice(&doc).ok()))
}

fn facts_into(object: &mut serde_json::Value, facts: &Facts) {
    object["kind"] = facts.kind.clone().into();
    for (member, text) in facts.members() {
        object[member] = text.into();
    }
}

fn tell_gift(session: &Session, traced: &GiftTrace, size: u64) {
    let gift = &traced.gift;
    let out = &session.out;
    let mut unspent: BTreeMap<String, i64> = BTreeMap::from([(gift.gross.unit().to_string(), 0)]);
    for (line, amount) in &traced.unspent {
        *unspent.entry(line.unit.to_string()).or_default() += amount.minor();
    }
    if out.json {
        let spans: Vec<_> = gift
            .spans
            .iter()
            .map(|(line, span)| serde_json::json!({"line": line.to_string(), "from": span.from, "to": span.to}))
            .collect();
        let uses: Vec<_> = traced
            .uses
            .iter()
            .map(|found| {
                let mut object = serde_json::json!({
                    "seq": found.seq, "state": found.state, "unit": found.amount.unit().as_str(),
                    "amount": found.amount.minor(), "line": found.line.to_string(),
                });
                facts_into(&mut object, &found.facts);
                object
            })
            .collect();
        let moves: Vec<_> = traced
            .moves
            .iter()
            .map(|found| {
                let to: Vec<String> = found.to.iter().map(ToString::to_string).collect();
                let mut object = serde_json::json!({
                    "seq": found.seq, "unit": found.amount.unit().as_str(), "amount": found.amount.minor(),
                    "from": found.from.to_string(), "to": to,
                });
                facts_into(&mut object, &found.facts);
                object
            })
            .collect();
        out.object(&serde_json::json!({
            "donation": {"seq": gift.seq, "unit": gift.gross.unit().as_str(), "amount": gift.gross.minor(),
                         "on": gift.on.to_string(), "fund": gift.fund.as_str(), "spans": spans},
            "uses": uses, "moves": moves, "unspent": unspent, "tree_size": size,
        }));
        return;
    }
    out.say(
        format!("捐赠（记录 {}）：{}，{}，记入基金 {}", gift.seq, gift.gross, gift.on, gift.fund),
        format!("Gift (entry {}): {}, {}, into fund {}", gift.seq, gift.gross, gift.on, gift.fund),
    );
    let mut rows = Vec::new();
    for found in &traced.moves {
        let to: Vec<String> = found.to.iter().map(|line| line.fund.to_string()).collect();
        rows.push(vec![
            found.facts.on.clone().unwrap_or_default(),
            format!("{} {}", out.pick("转入基金", "moved to fund"), to.join(", ")),
            format!("({})", format_minor(found.amount.minor(), found.amount.unit())),
            found.facts.case.clone().unwrap_or_default(),
            found.seq.to_string(),
        ]);
    }
    for found in &traced.uses {
        rows.push(vec![
            found.facts.on.clone().unwrap_or_default(),
            words(out, found.state, &found.facts),
            format_minor(found.amount.minor(), found.amount.unit()),
            found.facts.case.clone().unwrap_or_default(),
            found.seq.to_string(),
        ]);
    }
    for (line, amount) in &traced.unspent {
        rows.push(vec![
            String::new(),
            format!("{} {}", out.pick("还没有用，在基金", "not used yet, in fund"), line.fund),
            format_minor(amount.minor(), amount.unit()),
            String::new(),
            String::new(),
        ]);
    }
    let heads = out.pick(
        [("日期", false), ("去向", false), ("金额", true), ("个案", false), ("记录", true)],
        [("day", false), ("what became of it", false), ("amount", true), ("case", false), ("entry", true)],
    );
    out.table(&heads, &rows);
    let sum: i64 = traced
        .uses
        .iter()
        .map(|found| found.amount.minor())
        .chain(traced.unspent.iter().map(|(_, amount)| amount.minor()))
        .sum();
    out.say(
        format!(
            "合计 {}；账本共 {size} 条记录时。括号内是经过的划转，不重复计入。",
            format_minor(sum, gift.gross.unit())
        ),
        format!(
            "Total {}; as of {size} entries. Figures in brackets are transfers on the way and are not counted twice",
            format_minor(sum, gift.gross.unit())
        ),
    );
}

fn tell_payment(session: &Session, traced: &PaymentTrace, size: u64) {
    let out = &session.out;
    if out.json {
        let payers: Vec<_> = traced
            .payers
            .iter()
            .map(|(seq, facts, amount)| serde_json::json!({"seq": seq, "on": facts.on, "unit": amount.unit().as_str(), "amount": amount.minor()}))
            .collect();
        let list = |amounts: &[Amount]| -> Vec<_> {
            let object =
                |amount: &Amount| serde_json::json!({"unit": amount.unit().as_str(), "amount": amount.minor()});
            amounts.iter().map(object).collect()
        };
        let mut payment = serde_json::json!({
            "seq": traced.seq, "posted": list(&traced.posted), "amounts": list(&traced.amounts),
        });
        facts_into(&mut payment, &traced.facts);
        out.object(&serde_json::json!({"payment": payment, "payers": payers, "tree_size": size}));
        return;
    }
    let join =
        |amounts: &[Amount]| amounts.iter().map(ToString::to_string).collect::<Vec<_>>().join(out.pick("，", ", "));
    let facts = &traced.facts;
    let held = facts.kind == "disbursement.approved";
    let purpose = facts.purpose.as_deref().map(|code| out.word("use", code));
    let about =
        [facts.on.clone(), purpose, facts.case.as_ref().map(|case| format!("{} {case}", out.pick("个案", "case")))];
    let about = about.into_iter().flatten().collect::<Vec<_>>().join(out.pick("，", ", "));
    out.say(
        format!("{}（记录 {}）：{}；{about}", if held { "待付" } else { "支付" }, traced.seq, join(&traced.posted)),
        format!(
            "{} (entry {}): {}; {about}",
            if held { "Approved, not paid yet" } else { "Payment" },
            traced.seq,
            join(&traced.posted)
        ),
    );
    if traced.posted != traced.amounts {
        out.say(
            format!("其中一部分已退回，净额 {}", join(&traced.amounts)),
            format!("Part of it came back; {} remain", join(&traced.amounts)),
        );
    }
    out.say(format!("由 {} 笔捐赠承担：", traced.payers.len()), format!("Out of {} gifts:", traced.payers.len()));
    let rows: Vec<Vec<String>> = traced
        .payers
        .iter()
        .map(|(seq, facts, amount)| {
            vec![seq.to_string(), facts.on.clone().unwrap_or_default(), format_minor(amount.minor(), amount.unit())]
        })
        .collect();
    out.table(
        &out.pick(
            [("捐赠", true), ("日期", false), ("其中用于此", true)],
            [("gift", true), ("day", false), ("used here", true)],
        ),
        &rows,
    );
}

/// What an entry did with the money, in words.
fn words(out: &Out, state: &str, facts: &Facts) -> String {
    let text = match (facts.kind.as_str(), state) {
        ("donation.received", _) => out.pick("渠道手续费", "channel fee"),
        ("donation.refunded", "void") => out.pick("退还捐赠人", "given back to the donor"),
        ("donation.refunded", _) => out.pick("渠道未退的手续费", "fee that the channel kept"),
        ("entry.reversed", _) => out.pick("冲销", "reversed"),
        (_, "held") => out.pick("已批准，待支付", "approved, not paid yet"),
        _ => return out.word("use", facts.purpose.as_deref().unwrap_or(facts.kind.as_str())),
    };
    text.to_owned()
}
