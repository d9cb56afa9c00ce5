//! Reversals: a new entry that posts the opposite of an old one.

use super::body::{BadBody, Body, Optional};
use super::decide::{CashDraft, Context, Draft, PostDraft, Stop, require};
use super::disbursement::{Disbursement, DisbursementStatus};
use super::refusal::Refusal;
use super::vocabulary::ReasonClass;
use super::working_set::WorkingSet;
use crate::ledger::canonical::Object;
use crate::ledger::entry::Entry;
use crate::ledger::line::State;
use crate::values::{AccountId, Day, LineName, Span, Unit};

/// An entry that was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reversal {
    /// The entry.
    pub target: u64,
    /// The entry that took it back.
    pub by: u64,
}

impl Reversal {
    /// The stored state.
    pub fn to_object(self) -> Object<'static> {
        Object::new().count("target", self.target).count("by", self.by)
    }

    /// From the stored state.
    pub fn from_object(object: &Object<'_>) -> Result<Self, BadBody> {
        let body = Body(object);
        Ok(Self { target: body.count("target")?, by: body.count("by")? })
    }
}

/// Of `in` → `void`; of `hold` and `out` → `free`; of a transfer → both. `void` and `free` are not reversible.
pub(super) fn reverse(
    set: &WorkingSet,
    context: &Context<'_>,
    target: u64,
    reason: ReasonClass,
    on: Day,
) -> Result<Vec<Draft>, Stop> {
    if let Some(reversal) = set.reversal(&target.to_string())? {
        return Err(Refusal::ReversedAlready { seq: target, by: reversal.by }.into());
    }
    let bytes = require(set.entry(target)?, "entry", target)?;
    let broken = |found: String| Refusal::NotThatKind { seq: target, wanted: "entry that moved money", found };
    let entry = Entry::parse(bytes).map_err(|error| broken(error.to_string()))?;
    let body = Body(&entry.body);
    let request = body.optional_count("request").ok().flatten();
    let payment = payment_of(set, &entry, request)?;
    if let Some(since) = body.optional::<Day>("on").ok().flatten() {
        context.day_follows(on, "recorded", since)?;
    } else {
        context.day_is_possible(on)?;
    }
    if entry.post.is_empty() {
        if let Some(instead) = payment.as_ref().and_then(moved_by) {
            return Err(Refusal::ReverseInstead { seq: target, instead }.into());
        }
        return Err(Refusal::MovedNothing { seq: target, kind: entry.kind.to_string() }.into());
    }
    if let Some(payment) = payment.filter(|_| request.is_some()) {
        payment.reverse(&entry.kind)?;
    }
    let mut post = Vec::new();
    let mut later = Vec::new();
    for raw in entry.post.iter().rev() {
        let name = LineName::parse(&raw.line).ok_or_else(|| broken("it cannot be read".into()))?;
        let (from, to) = (u64::try_from(raw.from), u64::try_from(raw.to));
        let span = from
            .ok()
            .zip(to.ok())
            .and_then(|(from, to)| Span::new(from, to))
            .ok_or_else(|| broken("it cannot be read".into()))?;
        let line = set.line(&name)?.ok_or_else(|| broken("its line is gone".into()))?;
        let (draft, wanted) = match raw.op.as_ref() {
            "hold" => (PostDraft::free(&name, span, target), State::Held { by: target }),
            "out" => (PostDraft::free(&name, span, target), State::Spent { by: target }),
            "in" => {
                let own_fee = entry.post.iter().any(|other| other.op == "out" && other.line == raw.line);
                (PostDraft::void(&name, span, target), if own_fee { State::Spent { by: target } } else { State::Free })
            }
            _ => return Err(Refusal::NotReversible { seq: target }.into()),
        };
        for (_, state) in line.runs_in(span).filter(|(_, state)| *state != wanted) {
            match state {
                State::Held { by } | State::Spent { by } | State::Void { by } if by != target => later.push(by),
                State::Free | State::Held { .. } | State::Spent { .. } | State::Void { .. } => {
                    return Err(Refusal::StepNotPossible {
                        what: "entry",
                        name: target.to_string(),
                        state: "taken back already, in part or whole",
                        possible: &[],
                    }
                    .into());
                }
            }
        }
        post.push(draft);
    }
    if !later.is_empty() {
        later.sort_unstable();
        later.dedup();
        later.truncate(10);
        return Err(Refusal::BuiltUpon { seq: target, later }.into());
    }
    let mut cash = Vec::new();
    for row in &entry.cash {
        let account = AccountId::parse(&row.account).map_err(|error| broken(error.to_string()))?;
        let unit = Unit::parse(&row.unit).map_err(|error| broken(error.to_string()))?;
        cash.extend(CashDraft::rows(&account, unit, -row.amount));
    }
    let text_of = |member: &str| body.optional_text(member).map(str::to_owned);
    let body = Object::new()
        .count("target", target)
        .text("target_kind", entry.kind.to_string())
        .text("reason", reason.as_str())
        .text("on", on.to_string())
        .count_if("request", request)
        .text_if("case", text_of("case"))
        .text_if("use", text_of("use"))
        .text_if("payee_class", text_of("payee_class"));
    Ok(vec![Draft { kind: "entry.reversed", body, post, cash }])
}

/// The payment that an entry is about: it names the request, or is the request.
fn payment_of(set: &WorkingSet, entry: &Entry<'_>, request: Option<u64>) -> Result<Option<Disbursement>, Stop> {
    let request = if entry.kind == "disbursement.requested" { Some(entry.seq) } else { request };
    let Some(request) = request else { return Ok(None) };
    Ok(Some(require(set.disbursement(&request.to_string())?, "disbursement", request)?.clone()))
}

/// The entry that holds or spent the money of a payment.
fn moved_by(payment: &Disbursement) -> Option<u64> {
    match payment.status {
        DisbursementStatus::Approved { hold, .. } => Some(hold),
        DisbursementStatus::Paid { paid, .. } => Some(paid),
        DisbursementStatus::Requested
        | DisbursementStatus::Rejected
        | DisbursementStatus::Returned
        | DisbursementStatus::Reversed => None,
    }
}
