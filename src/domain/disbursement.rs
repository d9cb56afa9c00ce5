//! Payments: requested, approved by somebody else, paid, acknowledged by the family; rejected; returned in part or whole.

use super::body::{BadBody, Body, Optional};
use super::case::CaseStatus;
use super::command::RequestDisbursement;
use super::decide::{COUNT_MAX, CashDraft, Context, Draft, PostDraft, Stop, free_money, require};
use super::field_rule::FieldRule;
use super::refusal::Refusal;
use super::vocabulary::{PayeeClass, ReasonClass, Role, Use};
use super::working_set::WorkingSet;
use crate::ledger::canonical::Object;
use crate::ledger::entry::Entry;
use crate::ledger::line::{Line, State};
use crate::values::{AccountId, Amount, CaseId, Day, FundId, LineName, Span, StaffId};

/// A payment and how far it has come. It is known by the entry of its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disbursement {
    /// The entry of the request.
    pub request: u64,
    /// For this case.
    pub case: CaseId,
    /// Out of this fund.
    pub fund: FundId,
    /// How much.
    pub amount: Amount,
    /// For what.
    pub purpose: Use,
    /// To what class of payee.
    pub payee_class: PayeeClass,
    /// Count of vouchers stated with the request.
    pub vouchers: u64,
    /// Who requested it.
    pub maker: StaffId,
    /// Day of its latest step.
    pub step_on: Day,
    /// How far it has come.
    pub status: DisbursementStatus,
}

/// How far a payment has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DisbursementStatus {
    /// Waits for a second pair of eyes.
    Requested,
    /// Its money is held.
    Approved {
        /// Who approved it.
        checker: StaffId,
        /// The entry that holds the money.
        hold: u64,
    },
    /// Its money is spent.
    Paid {
        /// Who approved it.
        checker: StaffId,
        /// The entry that spent the money.
        paid: u64,
        /// From where.
        account: AccountId,
        /// Minor units that came back.
        returned: i64,
        /// The family confirmed it.
        acknowledged: bool,
    },
    /// Refused, or withdrawn.
    Rejected,
    /// All of it came back.
    Returned,
    /// The payment was recorded in error and taken back.
    Reversed,
}

impl DisbursementStatus {
    /// The word for the state.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Approved { .. } => "approved",
            Self::Paid { .. } => "paid",
            Self::Rejected => "rejected",
            Self::Returned => "returned",
            Self::Reversed => "reversed",
        }
    }

    const fn steps(&self) -> &'static [&'static str] {
        match self {
            Self::Requested => &["approve", "reject"],
            Self::Approved { .. } => &["pay", "reject"],
            Self::Paid { returned: 0, acknowledged: false, .. } => &["acknowledge", "return", "reverse"],
            Self::Paid { returned: 0, acknowledged: true, .. } => &["return", "reverse"],
            Self::Paid { acknowledged: false, .. } => &["acknowledge", "return"],
            Self::Paid { acknowledged: true, .. } => &["return"],
            Self::Rejected | Self::Returned | Self::Reversed => &[],
        }
    }
}

impl Disbursement {
    fn request_body(&self) -> Object<'static> {
        Object::new()
            .text("case", self.case.to_string())
            .text("fund", self.fund.to_string())
            .integer("amount", self.amount.minor())
            .text("unit", self.amount.unit().to_string())
            .text("use", self.purpose.as_str())
            .text("payee_class", self.payee_class.as_str())
            .count("vouchers", self.vouchers)
    }

    /// The stored state.
    pub fn to_object(&self) -> Object<'static> {
        let state = self
            .request_body()
            .count("request", self.request)
            .text("maker", self.maker.to_string())
            .text("step_on", self.step_on.to_string())
            .text("status", self.status.name());
        match &self.status {
            DisbursementStatus::Requested
            | DisbursementStatus::Rejected
            | DisbursementStatus::Returned
            | DisbursementStatus::Reversed => state,
            DisbursementStatus::Approved { checker, hold } => {
                state.text("checker", checker.to_string()).count("hold", *hold)
            }
            DisbursementStatus::Paid { checker, paid, account, returned, acknowledged } => state
                .text("checker", checker.to_string())
                .count("paid", *paid)
                .text("account", account.to_string())
                .integer("returned", *returned)
                .with("acknowledged", crate::ledger::canonical::Value::Bool(*acknowledged)),
        }
    }

    /// From the stored state.
    pub fn from_object(object: &Object<'_>) -> Result<Self, BadBody> {
        let body = Body(object);
        let bad = |member: &str| BadBody { member: member.into() };
        let status = match body.text("status")? {
            "requested" => DisbursementStatus::Requested,
            "approved" => DisbursementStatus::Approved { checker: body.parsed("checker")?, hold: body.count("hold")? },
            "paid" => DisbursementStatus::Paid {
                checker: body.parsed("checker")?,
                paid: body.count("paid")?,
                account: body.parsed("account")?,
                returned: body.amount("returned")?.minor(),
                acknowledged: object
                    .get("acknowledged")
                    .and_then(|value| value.as_bool())
                    .ok_or_else(|| bad("acknowledged"))?,
            },
            "rejected" => DisbursementStatus::Rejected,
            "returned" => DisbursementStatus::Returned,
            "reversed" => DisbursementStatus::Reversed,
            _ => return Err(bad("status")),
        };
        let (request, maker, step_on) = (body.count("request")?, body.parsed("maker")?, body.day("step_on")?);
        Self::parts(body, request, maker, step_on, status)
    }

    /// From the body of `disbursement.requested`.
    pub(super) fn from_request(body: Body<'_, '_>, request: u64, maker: StaffId) -> Result<Self, BadBody> {
        Self::parts(body, request, maker, body.day("on")?, DisbursementStatus::Requested)
    }

    fn parts(
        body: Body<'_, '_>,
        request: u64,
        maker: StaffId,
        step_on: Day,
        status: DisbursementStatus,
    ) -> Result<Self, BadBody> {
        Ok(Self {
            request,
            case: body.parsed("case")?,
            fund: body.parsed("fund")?,
            amount: body.amount("amount")?,
            purpose: body.parsed("use")?,
            payee_class: body.parsed("payee_class")?,
            vouchers: body.count("vouchers")?,
            maker,
            step_on,
            status,
        })
    }

    /// Second pair of eyes. Only a request can be approved, and not by its maker.
    pub fn approve(self, checker: &StaffId, hold: u64) -> Result<Self, Refusal> {
        match self.status {
            DisbursementStatus::Requested if self.maker == *checker => {
                Err(Refusal::CheckerIsMaker { checker: checker.to_string() })
            }
            DisbursementStatus::Requested => {
                Ok(Self { status: DisbursementStatus::Approved { checker: checker.clone(), hold }, ..self })
            }
            DisbursementStatus::Approved { .. }
            | DisbursementStatus::Paid { .. }
            | DisbursementStatus::Rejected
            | DisbursementStatus::Returned
            | DisbursementStatus::Reversed => Err(self.not_possible()),
        }
    }

    /// Before the money has left it can be refused, or withdrawn by its maker.
    pub fn reject(self) -> Result<Self, Refusal> {
        match self.status {
            DisbursementStatus::Requested | DisbursementStatus::Approved { .. } => {
                Ok(Self { status: DisbursementStatus::Rejected, ..self })
            }
            DisbursementStatus::Paid { .. }
            | DisbursementStatus::Rejected
            | DisbursementStatus::Returned
            | DisbursementStatus::Reversed => Err(self.not_possible()),
        }
    }

    /// Only what is approved is paid, and not by the one who approved it.
    pub fn pay(self, payer: &StaffId, account: AccountId, paid: u64) -> Result<Self, Refusal> {
        match &self.status {
            DisbursementStatus::Approved { checker, .. } if checker == payer => {
                Err(Refusal::PayerIsChecker { payer: payer.to_string() })
            }
            DisbursementStatus::Approved { checker, .. } => {
                let checker = checker.clone();
                Ok(Self {
                    status: DisbursementStatus::Paid { checker, paid, account, returned: 0, acknowledged: false },
                    ..self
                })
            }
            DisbursementStatus::Requested
            | DisbursementStatus::Paid { .. }
            | DisbursementStatus::Rejected
            | DisbursementStatus::Returned
            | DisbursementStatus::Reversed => Err(self.not_possible()),
        }
    }

    /// The payee sends `minor` units back; at most what has not come back yet.
    pub fn give_back(self, minor: i64) -> Result<Self, Refusal> {
        let total = self.amount.minor();
        match self.status.clone() {
            DisbursementStatus::Paid { checker, paid, account, returned, acknowledged } if returned + minor < total => {
                let status =
                    DisbursementStatus::Paid { checker, paid, account, returned: returned + minor, acknowledged };
                Ok(Self { status, ..self })
            }
            DisbursementStatus::Paid { returned, .. } if returned + minor == total => {
                Ok(Self { status: DisbursementStatus::Returned, ..self })
            }
            DisbursementStatus::Paid { returned, .. } => {
                let left =
                    Amount::new(total - returned, self.amount.unit()).expect("never more came back than was paid");
                Err(Refusal::Field { field: "amount", rule: FieldRule::CanStillComeBack(left) })
            }
            DisbursementStatus::Requested
            | DisbursementStatus::Approved { .. }
            | DisbursementStatus::Rejected
            | DisbursementStatus::Returned
            | DisbursementStatus::Reversed => Err(self.not_possible()),
        }
    }

    /// The family confirms, once.
    pub fn acknowledge(self) -> Result<Self, Refusal> {
        match self.status.clone() {
            DisbursementStatus::Paid { checker, paid, account, returned, acknowledged: false } => Ok(Self {
                status: DisbursementStatus::Paid { checker, paid, account, returned, acknowledged: true },
                ..self
            }),
            DisbursementStatus::Paid { .. } => Err(Refusal::StepNotPossible {
                what: "disbursement",
                name: self.request.to_string(),
                state: "confirmed by the family already",
                possible: self.status.steps(),
            }),
            DisbursementStatus::Requested
            | DisbursementStatus::Approved { .. }
            | DisbursementStatus::Rejected
            | DisbursementStatus::Returned
            | DisbursementStatus::Reversed => Err(self.not_possible()),
        }
    }

    /// The payment was recorded in error (`disbursement.paid` reversed), or its approval was (`disbursement.approved` reversed).
    pub(super) fn reverse(self, target_kind: &str) -> Result<Self, Refusal> {
        match (&self.status, target_kind) {
            (DisbursementStatus::Approved { .. }, "disbursement.approved") => {
                Ok(Self { status: DisbursementStatus::Requested, ..self })
            }
            (DisbursementStatus::Paid { returned: 0, .. }, "disbursement.paid") => {
                Ok(Self { status: DisbursementStatus::Reversed, ..self })
            }
            (DisbursementStatus::Paid { .. }, "disbursement.paid") => {
                Err(Refusal::ReturnedInPart { request: self.request })
            }
            _ => Err(self.not_possible()),
        }
    }

    fn not_possible(&self) -> Refusal {
        Refusal::StepNotPossible {
            what: "disbursement",
            name: self.request.to_string(),
            state: self.status.name(),
            possible: self.status.steps(),
        }
    }

    fn line(&self) -> LineName {
        LineName { fund: self.fund.clone(), unit: self.amount.unit() }
    }
}

fn known(set: &WorkingSet, request: u64) -> Result<Disbursement, Stop> {
    Ok(require(set.disbursement(&request.to_string())?, "disbursement", request)?.clone())
}

fn line_of<'s>(set: &'s WorkingSet, disbursement: &Disbursement) -> Result<&'s Line, Stop> {
    let name = disbursement.line();
    set.line(&name)?.ok_or_else(|| Refusal::Unknown { what: "fund", name: name.to_string() }.into())
}

fn step_body(disbursement: &Disbursement, on: Day) -> Object<'static> {
    Object::new()
        .count("request", disbursement.request)
        .text("case", disbursement.case.to_string())
        .text("on", on.to_string())
}

fn with_amount(body: Object<'static>, amount: Amount) -> Object<'static> {
    body.integer("amount", amount.minor()).text("unit", amount.unit().to_string())
}

pub(super) fn request(
    set: &WorkingSet,
    context: &Context<'_>,
    order: &RequestDisbursement,
) -> Result<Vec<Draft>, Stop> {
    let case = require(set.case(order.case.as_str())?, "case", &order.case)?;
    let CaseStatus::Approved { limit } = &case.status else {
        return Err(case.not_possible().into());
    };
    context.day_follows(order.on, "approved", case.step_on)?;
    let fund_id = order.fund.as_ref().unwrap_or(&case.fund);
    let fund = require(set.fund(fund_id.as_str())?, "fund", fund_id)?;
    fund.may_serve(case, order.purpose)?;
    if order.amount.is_zero() {
        return Err(Refusal::Field { field: "amount", rule: FieldRule::PaymentOfNothing }.into());
    }
    if order.vouchers > COUNT_MAX {
        return Err(Refusal::Field { field: "vouchers", rule: FieldRule::TooLarge }.into());
    }
    if let Some(limit) = limit {
        let committed = case.committed.of(limit.unit());
        if order.amount.unit() != limit.unit() || committed + order.amount.minor() > limit.minor() {
            return Err(Refusal::OverLimit {
                case: case.case.to_string(),
                limit: *limit,
                committed: Amount::new(committed, limit.unit()).expect("commitments are sums of amounts"),
                asked: order.amount,
            }
            .into());
        }
    }
    let request = Disbursement {
        request: 0,
        case: order.case.clone(),
        fund: fund.fund.clone(),
        amount: order.amount,
        purpose: order.purpose,
        payee_class: order.payee_class,
        vouchers: order.vouchers,
        maker: context.by.clone(),
        step_on: order.on,
        status: DisbursementStatus::Requested,
    };
    let body = request.request_body().text_if("payee", order.payee).text("on", order.on.to_string());
    Ok(vec![Draft::fact("disbursement.requested", body)])
}

pub(super) fn approve(set: &WorkingSet, context: &Context<'_>, request: u64, on: Day) -> Result<Vec<Draft>, Stop> {
    let disbursement = known(set, request)?.approve(context.by, 0)?;
    context.day_follows(on, "requested", disbursement.step_on)?;
    let name = disbursement.line();
    let post =
        free_money(set, &name, disbursement.amount)?.into_iter().map(|span| PostDraft::hold(&name, span)).collect();
    let body = with_amount(step_body(&disbursement, on), disbursement.amount);
    Ok(vec![Draft { kind: "disbursement.approved", body, post, cash: Vec::new() }])
}

pub(super) fn reject(
    set: &WorkingSet,
    context: &Context<'_>,
    request: u64,
    reason: ReasonClass,
    on: Day,
) -> Result<Vec<Draft>, Stop> {
    let before = known(set, request)?;
    let withdraws = before.maker == *context.by;
    if !withdraws {
        context.require_role(Role::Checker)?;
    }
    let mut post = Vec::new();
    if let DisbursementStatus::Approved { hold, .. } = before.status {
        let line = line_of(set, &before)?;
        let held = spans_of(set, hold, &before.line())?
            .into_iter()
            .flat_map(|span| line.in_state(span, State::Held { by: hold }));
        post = held.map(|span| PostDraft::free(&before.line(), span, hold)).collect();
    }
    let stood = before.status.name();
    let after = before.reject()?;
    context.day_follows(on, stood, after.step_on)?;
    let body = step_body(&after, on).text("reason", reason.as_str());
    Ok(vec![Draft { kind: "disbursement.rejected", body, post, cash: Vec::new() }])
}

pub(super) fn pay(
    set: &WorkingSet,
    context: &Context<'_>,
    request: u64,
    account: &AccountId,
    on: Day,
) -> Result<Vec<Draft>, Stop> {
    let before = known(set, request)?;
    if before.maker != *context.by {
        context.require_role(Role::Payer)?;
    }
    let DisbursementStatus::Approved { hold, .. } = before.status else {
        return Err(before.not_possible().into());
    };
    context.day_follows(on, "approved", before.step_on)?;
    let paying = require(set.account(account.as_str())?, "account", account)?;
    paying.may_feed(&before.fund)?;
    let name = before.line();
    let line = line_of(set, &before)?;
    let held = spans_of(set, hold, &name)?.into_iter().flat_map(|span| line.in_state(span, State::Held { by: hold }));
    let post: Vec<PostDraft> = held.map(|span| PostDraft::out_of(&name, span, hold)).collect();
    let after = before.pay(context.by, account.clone(), 0)?;
    let body = with_amount(step_body(&after, on), after.amount)
        .text("use", after.purpose.as_str())
        .text("payee_class", after.payee_class.as_str())
        .count("vouchers", after.vouchers);
    let cash = CashDraft::rows(account, after.amount.unit(), -after.amount.minor());
    Ok(vec![Draft { kind: "disbursement.paid", body, post, cash }])
}

pub(super) fn give_back(
    set: &WorkingSet,
    context: &Context<'_>,
    request: u64,
    amount: Option<Amount>,
    account: Option<&AccountId>,
    on: Day,
) -> Result<Vec<Draft>, Stop> {
    let before = known(set, request)?;
    let DisbursementStatus::Paid { paid, account: paid_from, returned, .. } = before.status.clone() else {
        return Err(before.not_possible().into());
    };
    context.day_follows(on, "paid", before.step_on)?;
    let left = Amount::new(before.amount.minor() - returned, before.amount.unit())
        .expect("never more came back than was paid");
    let amount = amount.unwrap_or(left);
    if amount.unit() != left.unit() || amount.is_zero() {
        return Err(Refusal::Field { field: "amount", rule: FieldRule::CanStillComeBack(left) }.into());
    }
    let after = before.clone().give_back(amount.minor())?;
    let account = account.cloned().unwrap_or(paid_from);
    let receiving = require(set.account(account.as_str())?, "account", &account)?;
    receiving.may_feed(&before.fund)?;
    let name = before.line();
    // A partial return frees the highest positions of the payment.
    let spans = spans_of(set, paid, &name)?;
    let spans = line_of(set, &before)?.highest_in(&spans, State::Spent { by: paid }, amount.length());
    let spans = spans.ok_or(Refusal::Field { field: "amount", rule: FieldRule::CanStillComeBack(left) })?;
    let post = spans.into_iter().map(|span| PostDraft::free(&name, span, paid)).collect();
    let body = with_amount(step_body(&after, on), amount)
        .text("use", after.purpose.as_str())
        .text("payee_class", after.payee_class.as_str())
        .count("paid", paid);
    let cash = CashDraft::rows(&account, amount.unit(), amount.minor());
    Ok(vec![Draft { kind: "disbursement.returned", body, post, cash }])
}

pub(super) fn acknowledge(set: &WorkingSet, context: &Context<'_>, request: u64, on: Day) -> Result<Vec<Draft>, Stop> {
    let after = known(set, request)?.acknowledge()?;
    context.day_follows(on, "paid", after.step_on)?;
    Ok(vec![Draft::fact("disbursement.acknowledged", step_body(&after, on))])
}

/// The positions that an entry's posts name on a line.
fn spans_of(set: &WorkingSet, seq: u64, name: &LineName) -> Result<Vec<Span>, Stop> {
    let bytes = require(set.entry(seq)?, "entry", seq)?;
    let unreadable = |found: String| Refusal::NotThatKind { seq, wanted: "payment", found };
    let entry = Entry::parse(bytes).map_err(|error| unreadable(error.to_string()))?;
    let line = name.to_string();
    let spans = entry.post.iter().filter(|post| post.line == line).map(|post| {
        let (from, to) = (u64::try_from(post.from).ok()?, u64::try_from(post.to).ok()?);
        Span::new(from, to)
    });
    Ok(spans.collect::<Option<Vec<_>>>().ok_or_else(|| unreadable("its posts cannot be read".into()))?)
}

/// Applies an entry of this area to the payment it names; also what it changes at the case: minor units committed, requests waiting.
pub(super) fn project(
    before: Disbursement,
    kind: &str,
    body: Body<'_, '_>,
    by: &StaffId,
    seq: u64,
    account: Option<AccountId>,
) -> Result<(Disbursement, i64, i64), BadBody> {
    let bad = |_| BadBody { member: "request".into() };
    let amount = before.amount.minor();
    let stepped = |next: Disbursement| Ok::<_, BadBody>(Disbursement { step_on: body.day("on")?, ..next });
    match kind {
        "disbursement.approved" => Ok((stepped(before.approve(by, seq).map_err(bad)?)?, 0, 0)),
        "disbursement.rejected" => Ok((stepped(before.reject().map_err(bad)?)?, -amount, -1)),
        "disbursement.paid" => {
            let account = account.ok_or(BadBody { member: "cash".into() })?;
            Ok((stepped(before.pay(by, account, seq).map_err(bad)?)?, 0, -1))
        }
        "disbursement.returned" => {
            let returned = body.amount("amount")?.minor();
            Ok((before.give_back(returned).map_err(bad)?, -returned, 0))
        }
        "disbursement.acknowledged" => Ok((before.acknowledge().map_err(bad)?, 0, 0)),
        _ => {
            let target_kind = body.text("target_kind")?.to_owned();
            let was_paid = target_kind == "disbursement.paid";
            Ok((stepped(before.reverse(&target_kind).map_err(bad)?)?, if was_paid { -amount } else { 0 }, 0))
        }
    }
}
