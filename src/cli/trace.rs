//! `trace`: where a gift went, or whose gifts a payment used.

use super::account::{list, text};
use super::fund::minor;
use super::out::Out;
use super::session::{Failure, Session};
use crate::values::Unit;
use crate::values::amount::format_minor;
use serde_json::{Value, json};

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
        let targets = self.targets(session).await?;
        if let [seq] = targets.as_slice() {
            return show(session, *seq, self.at).await;
        }
        let seqs = targets.iter().map(u64::to_string).collect::<Vec<_>>();
        session.out.say(
            format!("这个订单号和金额有 {} 笔捐赠：记录 {}。", seqs.len(), seqs.join("、")),
            format!("{} gifts have this order number and amount: entries {}", seqs.len(), seqs.join(", ")),
        );
        let mut traces = Vec::new();
        for seq in targets {
            traces.push(traced(session, seq, self.at).await?);
        }
        traces.iter().for_each(|traced| tell(&session.out, traced));
        session.out.object(&json!({"traces": traces}));
        Ok(())
    }

    async fn targets(&self, session: &Session) -> Result<Vec<u64>, Failure> {
        if let Some(seq) = self.seq {
            return Ok(vec![seq]);
        }
        let minor = minor(self.amount.clone(), self.unit, "--amount")?;
        let body = json!({"code": self.code, "order_no": self.order_no, "amount": minor, "unit": self.unit.as_str()});
        let answer = session.send("/lookups", body).await?;
        Ok(answer["donations"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect())
    }
}

/// Shows the trace of a gift or of a payment.
pub(super) async fn show(session: &Session, seq: u64, size: Option<u64>) -> Result<(), Failure> {
    let traced = traced(session, seq, size).await?;
    tell(&session.out, &traced);
    session.out.object(&traced);
    Ok(())
}

async fn traced(session: &Session, seq: u64, size: Option<u64>) -> Result<Value, Failure> {
    let at = size.map(|size| format!("?at={size}")).unwrap_or_default();
    session.get(format!("/entries/{seq}/trace{at}")).await
}

/// The trace in words.
fn tell(out: &Out, traced: &Value) {
    if traced["payment"].is_object() { tell_payment(out, traced) } else { tell_gift(out, traced) }
}

fn unit_of(object: &Value) -> Unit {
    text(object, "unit").parse().unwrap_or(Unit::CNY)
}

fn minor_of(object: &Value) -> i64 {
    object["amount"].as_i64().unwrap_or(0)
}

/// The figure alone.
fn figure(object: &Value) -> String {
    format_minor(minor_of(object), unit_of(object))
}

/// The figure with its unit.
fn amount_of(object: &Value) -> String {
    format!("{} {}", figure(object), unit_of(object))
}

fn items<'v>(object: &'v Value, member: &str) -> impl Iterator<Item = &'v Value> {
    object[member].as_array().into_iter().flatten()
}

fn tell_gift(out: &Out, traced: &Value) {
    let (gift, size) = (&traced["donation"], &traced["tree_size"]);
    let (seq, amount, on, fund) = (&gift["seq"], amount_of(gift), text(gift, "on"), text(gift, "fund"));
    out.say(
        format!("捐赠（记录 {seq}）：{amount}，{on}，记入基金 {fund}"),
        format!("Gift (entry {seq}): {amount}, {on}, into fund {fund}"),
    );
    let mut rows = Vec::new();
    for found in items(traced, "moves") {
        rows.push(vec![
            text(found, "on"),
            format!("{} {}", out.pick("转入基金", "moved to fund"), list(found, "to_funds")),
            format!("({})", figure(found)),
            text(found, "case"),
            found["seq"].to_string(),
        ]);
    }
    for found in items(traced, "uses") {
        let cells =
            [text(found, "on"), words(out, found), figure(found), text(found, "case"), found["seq"].to_string()];
        rows.push(cells.into());
    }
    for found in items(traced, "left") {
        let place = format!("{} {}", out.pick("还没有用，在基金", "not used yet, in fund"), text(found, "fund"));
        rows.push(vec![String::new(), place, figure(found), String::new(), String::new()]);
    }
    let heads = out.pick(
        [("日期", false), ("去向", false), ("金额", true), ("个案", false), ("记录", true)],
        [("day", false), ("what became of it", false), ("amount", true), ("case", false), ("entry", true)],
    );
    out.table(&heads, &rows);
    let sum = format_minor(items(traced, "uses").chain(items(traced, "left")).map(minor_of).sum(), unit_of(gift));
    out.say(
        format!("合计 {sum}；账本共 {size} 条记录时。括号内是经过的划转，不重复计入。"),
        format!(
            "Total {sum}; as of {size} entries. Figures in brackets are transfers on the way and are not counted twice"
        ),
    );
}

fn tell_payment(out: &Out, traced: &Value) {
    let payment = &traced["payment"];
    let join = |member: &str| items(payment, member).map(amount_of).collect::<Vec<_>>().join(out.pick("，", ", "));
    let (posted, left) = (join("posted"), join("amounts"));
    let held = payment["kind"] == "disbursement.approved";
    let purpose = payment["use"].as_str().map(|code| out.word("use", code));
    let case = payment["case"].as_str().map(|case| format!("{} {case}", out.pick("个案", "case")));
    let about = [payment["on"].as_str().map(str::to_owned), purpose, case];
    let about = about.into_iter().flatten().collect::<Vec<_>>().join(out.pick("，", ", "));
    let seq = &payment["seq"];
    out.say(
        format!("{}（记录 {seq}）：{posted}；{about}", if held { "待付" } else { "支付" }),
        format!("{} (entry {seq}): {posted}; {about}", if held { "Approved, not paid yet" } else { "Payment" }),
    );
    if posted != left {
        out.say(format!("其中一部分已退回，净额 {left}"), format!("Part of it came back; {left} remain"));
    }
    let rows: Vec<Vec<String>> =
        items(traced, "payers").map(|payer| vec![payer["seq"].to_string(), text(payer, "on"), figure(payer)]).collect();
    out.say(format!("由 {} 笔捐赠承担：", rows.len()), format!("Out of {} gifts:", rows.len()));
    out.table(
        &out.pick(
            [("捐赠", true), ("日期", false), ("其中用于此", true)],
            [("gift", true), ("day", false), ("used here", true)],
        ),
        &rows,
    );
}

/// What an entry did with the money, in words.
fn words(out: &Out, found: &Value) -> String {
    let (kind, state) = (text(found, "kind"), text(found, "state"));
    let said = match (kind.as_str(), state.as_str()) {
        ("donation.received", _) => out.pick("渠道手续费", "channel fee"),
        ("donation.refunded", "void") => out.pick("退还捐赠人", "given back to the donor"),
        ("donation.refunded", _) => out.pick("渠道未退的手续费", "fee that the channel kept"),
        ("entry.reversed", _) => out.pick("冲销", "reversed"),
        (_, "held") => out.pick("已批准，待支付", "approved, not paid yet"),
        _ => return out.word("use", found["use"].as_str().unwrap_or(&kind)),
    };
    said.to_owned()
}
