//! Gifts: received with their fee, and given back.

use super::body::{BadBody, Body, Optional};
use super::command::ReceiveDonation;
use super::decide::{COUNT_MAX, CashDraft, Context, Draft, PostDraft, Stop, free_money, require, whereabouts};
use super::field_rule::FieldRule;
use super::refusal::Refusal;
use super::vocabulary::{FeeOnRefund, ReasonClass, Source};
use super::working_set::WorkingSet;
use crate::ledger::canonical::Object;
use crate::ledger::entry::Entry;
use crate::ledger::line::State;
use crate::values::{AccountId, Amount, Day, FundId, Hash, LineName, Span};

/// A gift as its entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Donation {
    /// The entry.
    pub seq: u64,
    /// Into this fund.
    pub fund: FundId,
    /// What the donor gave.
    pub gross: Amount,
    /// Where it came from.
    pub source: Source,
    /// The day.
    pub on: Day,
    /// Givers behind it.
    pub gift_count: u64,
    /// Commitment to the donor's record.
    pub donor: Hash,
    /// The account it came to; absent where a fee took all of it.
    pub account: Option<AccountId>,
    /// Its positions, one span per line; the fund's own line first.
    pub spans: Vec<(LineName, Span)>,
}

impl Donation {
    /// Reads the entry of a gift; `None` where it is of another kind.
    pub fn from_entry(entry: &Entry<'_>) -> Result<Option<Self>, BadBody> {
        if entry.kind != "donation.received" {
            return Ok(None);
        }
        let bad = |member: &str| BadBody { member: member.into() };
        let body = Body(&entry.body);
        let mut spans = Vec::new();
        for post in entry.post.iter().filter(|post| post.op == "in") {
            let line = LineName::parse(&post.line).ok_or_else(|| bad("post"))?;
            let (from, to) = (u64::try_from(post.from), u64::try_from(post.to));
            let span = from.ok().zip(to.ok()).and_then(|(from, to)| Span::new(from, to)).ok_or_else(|| bad("post"))?;
            spans.push((line, span));
        }
        Ok(Some(Self {
            seq: entry.seq,
            fund: body.parsed("fund")?,
            gross: body.amount("amount")?,
            source: body.parsed("source")?,
            on: body.day("on")?,
            gift_count: body.optional_count("gift_count")?.unwrap_or(1),
            donor: body.optional_text("donor").and_then(Hash::from_hex).ok_or_else(|| bad("donor"))?,
            account: entry
                .cash
                .first()
                .map(|row| AccountId::parse(&row.account))
                .transpose()
                .map_err(|_| bad("cash"))?,
            spans,
        }))
    }

    fn main_span(&self) -> Option<&(LineName, Span)> {
        self.spans.iter().find(|(line, _)| line.fund == self.fund)
    }

    fn fee_span(&self) -> Option<&(LineName, Span)> {
        self.spans.iter().find(|(line, _)| line.fund != self.fund)
    }
}

pub(super) fn receive(set: &WorkingSet, context: &Context<'_>, order: &ReceiveDonation) -> Result<Vec<Draft>, Stop> {
    context.day_is_possible(order.on)?;
    let fund = require(set.fund(order.fund.as_str())?, "fund", &order.fund)?;
    let account = require(set.account(order.account.as_str())?, "account", &order.account)?;
    account.may_feed(&fund.fund)?;
    if order.gross.is_zero() {
        return Err(Refusal::Field { field: "amount", rule: FieldRule::GiftOfNothing }.into());
    }
    if order.gift_count == Some(0) {
        return Err(Refusal::Field { field: "gift_count", rule: FieldRule::GiftOfNobody }.into());
    }
    if order.gift_count.is_some_and(|count| count > COUNT_MAX) {
        return Err(Refusal::Field { field: "gift_count", rule: FieldRule::TooLarge }.into());
    }
    let unit = order.gross.unit();
    if !unit.is_in_use() {
        return Err(Refusal::Field { field: "unit", rule: FieldRule::NoCurrency(unit) }.into());
    }
    let fee = order.fee.map_or(0, Amount::length);
    if order.fee.is_some_and(|fee| fee.unit() != unit) || fee > order.gross.length() {
        return Err(Refusal::Field { field: "fee", rule: FieldRule::FeeBeyondGift }.into());
    }
    let net = order.gross.length() - fee;
    let mut post = Vec::with_capacity(3);
    for (line, length) in [(fund.line(unit), net), (LineName { fund: fund.fund.fee(), unit }, fee)] {
        if length == 0 {
            continue;
        }
        let end = set.line(&line)?.map_or(0, |line| line.end());
        let span = Span { from: end, to: end + length };
        post.push(PostDraft::inflow(&line, span));
        if line.fund != fund.fund {
            post.push(PostDraft::out(&line, span));
        }
    }
    let mut body = Object::new();
    body.set("amount", crate::ledger::canonical::Value::Integer(order.gross.minor()));
    let body = body
        .text("donor", order.donor.to_hex())
        .text("fund", fund.fund.to_string())
        .text("on", order.on.to_string())
        .text("source", order.source.as_str())
        .text("unit", unit.to_string())
        .count_if("fee", (fee > 0).then_some(fee))
        .count_if("gift_count", order.gift_count.filter(|count| *count > 1));
    let cash = CashDraft::rows(&account.account, unit, i64::try_from(net).expect("within an amount"));
    Ok(vec![Draft { kind: "donation.received", body, post, cash }])
}

/// Gives a gift, or part of what is unspent of it, back to its donor. A whole refund takes the fee back too, unless the channel
/// keeps it: then other free money of the fund pays it.
pub(super) fn refund(
    set: &WorkingSet,
    context: &Context<'_>,
    seq: u64,
    amount: Option<Amount>,
    fee: FeeOnRefund,
    reason: ReasonClass,
    on: Day,
) -> Result<Vec<Draft>, Stop> {
    let bytes = require(set.entry(seq)?, "donation", seq)?;
    let entry =
        Entry::parse(bytes).map_err(|error| Refusal::NotThatKind { seq, wanted: "gift", found: error.to_string() })?;
    let found = Donation::from_entry(&entry).ok().flatten();
    let gift =
        found.ok_or_else(|| Refusal::NotThatKind { seq, wanted: "gift", found: format!("it is {}", entry.kind) })?;
    context.day_follows(on, "received", gift.on)?;
    let unit = gift.gross.unit();
    let rest = rest_of(set, &gift)?;
    if rest.is_zero() {
        let (what, state) = ("gift", "given back in full already");
        return Err(Refusal::StepNotPossible { what, name: seq.to_string(), state, possible: &[] }.into());
    }
    if amount.is_some_and(|amount| amount.unit() != unit || amount.is_zero() || amount.minor() > rest.minor()) {
        let rule = FieldRule::WithinGift(rest);
        return Err(Refusal::Field { field: "amount", rule }.into());
    }
    let whole = amount.is_none_or(|amount| amount == rest);
    let mut post = Vec::new();
    let mut wanted = amount.unwrap_or(rest).length();
    if let Some((line, span)) = gift.fee_span().filter(|_| whole) {
        post.push(PostDraft::free(line, *span, seq));
        post.push(PostDraft::void(line, *span, seq));
        wanted -= span.length();
    }
    if let Some((name, span)) = gift.main_span() {
        let line = set.line(name)?.ok_or_else(|| Refusal::Unknown { what: "fund", name: name.to_string() })?;
        let mut left = wanted;
        for (piece, state) in line.runs_in(*span).collect::<Vec<_>>().into_iter().rev() {
            if state == State::Free && left > 0 {
                let taken = piece.length().min(left);
                post.push(PostDraft::void(name, Span { from: piece.to - taken, to: piece.to }, seq));
                left -= taken;
            }
        }
        if left > 0 {
            let minor =
                |n: u64| Amount::new(i64::try_from(n).expect("within an amount"), unit).expect("within an amount");
            return Err(Refusal::NotEnough {
                fund: gift.fund.to_string(),
                gift: Some(seq),
                available: minor(wanted - left),
                asked: minor(wanted),
                missing: minor(left),
                gone: whereabouts(line, *span),
            }
            .into());
        }
    }
    let mut cash_minor = -i64::try_from(wanted).expect("within an amount");
    let fee_length = gift.fee_span().filter(|_| whole && fee == FeeOnRefund::Kept).map_or(0, |(_, span)| span.length());
    if let Some((name, _)) = gift.main_span().filter(|_| fee_length > 0) {
        let kept = Amount::new(i64::try_from(fee_length).expect("within an amount"), unit).expect("within an amount");
        let voided: Vec<Span> = post.iter().filter(|draft| draft.line == *name).map(|draft| draft.span).collect();
        post.extend(free_money_besides(set, name, kept, &voided)?.into_iter().map(|span| PostDraft::out(name, span)));
        cash_minor -= kept.minor();
    }
    let body = Object::new()
        .count("donation", seq)
        .integer(
            "amount",
            i64::try_from(wanted).expect("within an amount")
                + if whole {
                    gift.fee_span().map_or(0, |(_, span)| i64::try_from(span.length()).expect("within an amount"))
                } else {
                    0
                },
        )
        .text("unit", unit.to_string())
        .text("fund", gift.fund.to_string())
        .text_if("fee", (fee_length > 0).then_some(fee))
        .text("reason", reason.as_str())
        .text("on", on.to_string());
    let cash = gift.account.as_ref().map(|account| CashDraft::rows(account, unit, cash_minor)).unwrap_or_default();
    Ok(vec![Draft { kind: "donation.refunded", body, post, cash }])
}

/// What has not been given back of a gift yet.
pub(super) fn rest_of(set: &WorkingSet, gift: &Donation) -> Result<Amount, Stop> {
    let mut rest = gift.gross.length();
    for (name, span) in &gift.spans {
        let line = set.line(name)?.ok_or_else(|| Refusal::Unknown { what: "fund", name: name.to_string() })?;
        let void = line.runs_in(*span).filter(|(_, state)| matches!(state, State::Void { .. }));
        rest -= void.map(|(piece, _)| piece.length()).sum::<u64>();
    }
    let minor = i64::try_from(rest).expect("within an amount");
    Ok(Amount::new(minor, gift.gross.unit()).expect("within an amount"))
}

/// Free money of a line that is not among `besides`, lowest first.
fn free_money_besides(set: &WorkingSet, name: &LineName, amount: Amount, besides: &[Span]) -> Result<Vec<Span>, Stop> {
    let taken: u64 = besides.iter().map(|span| span.length()).sum();
    let more = Amount::new(amount.minor() + i64::try_from(taken).expect("within an amount"), amount.unit());
    let mut left = amount.length();
    let mut spans = Vec::new();
    for span in free_money(set, name, more.map_err(|_| Refusal::Field { field: "amount", rule: FieldRule::TooLarge })?)?
    {
        let mut pieces = vec![span];
        for hole in besides {
            pieces = pieces.into_iter().flat_map(|piece| minus(piece, *hole)).collect();
        }
        for piece in pieces {
            let length = piece.length().min(left);
            spans.extend(Span::new(piece.from, piece.from + length));
            left -= length;
        }
    }
    Ok(spans)
}

fn minus(piece: Span, hole: Span) -> Vec<Span> {
    match piece.overlap(hole) {
        None => vec![piece],
        Some(common) => {
            [Span::new(piece.from, common.from), Span::new(common.to, piece.to)].into_iter().flatten().collect()
        }
    }
}
