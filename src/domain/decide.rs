//! `decide`: a command against the working set gives entries, or a refusal that names the field. `project`: what an entry leaves
//! behind. Both pure: no clock, no random source, no I/O. The same code runs at posting, at replay, in tests and in audits.

use super::body::{BadBody, Body};
use super::campaign::Campaign;
use super::command::{Command, Order};
use super::correction::Reversal;
use super::disbursement::Disbursement;
use super::disclosure::{Corrected, Published};
use super::field_rule::FieldRule;
use super::fund::{Account, Fund};
use super::organisation::Organisation;
use super::receipt::{Certificate, Series};
use super::refusal::{Refusal, Whereabouts};
use super::vocabulary::{Role, TransferReason};
use super::working_set::{Area, Need, WorkingSet};
use super::{campaign, case, correction, disbursement, disclosure, donation, fund, organisation, receipt};
use crate::ledger::canonical::Object;
use crate::ledger::entry::{Entry, RawCash, RawPost};
use crate::ledger::line::{Line, State};
use crate::ledger::posting::POSTS_MAX;
use crate::ledger::rotation;
use crate::values::{AccountId, Amount, Day, LineName, Span, StaffId, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// Why a command was not decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// It is refused.
    Refused(Refusal),
    /// A row must be fetched first; then ask again.
    Needs(Need),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Need> for Stop {
    fn from(need: Need) -> Self {
        Self::Needs(need)
    }
}

/// No fact of these books is older: an earlier year is a slip of the pen.
const YEAR_MIN: i16 = 1980;

/// Vouchers of a payment, givers behind a gift: more is a slip of the pen.
pub(super) const COUNT_MAX: u64 = 10_000_000;

/// What surrounds a command.
#[derive(Clone, Copy, Debug)]
pub struct Context<'c> {
    /// Who asks.
    pub by: &'c StaffId,
    /// What that person may do.
    pub roles: &'c BTreeSet<Role>,
    /// Today in the ledger's time zone.
    pub today: Day,
}

impl Context<'_> {
    pub(super) fn day_is_possible(&self, on: Day) -> Result<(), Refusal> {
        if on.year() < YEAR_MIN {
            return Err(Refusal::Field { field: "on", rule: FieldRule::DayTooOld(on) });
        }
        if on <= self.today { Ok(()) } else { Err(Refusal::FutureDay { on, today: self.today }) }
    }

    /// A step is not older than the one that it builds on.
    pub(super) fn day_follows(&self, on: Day, step: &'static str, since: Day) -> Result<(), Refusal> {
        self.day_is_possible(on)?;
        if on >= since { Ok(()) } else { Err(Refusal::DayBefore { on, step, since }) }
    }

    pub(super) fn require_role(&self, role: Role) -> Result<(), Refusal> {
        if self.roles.contains(&role) {
            return Ok(());
        }
        Err(Refusal::RoleMissing { user: self.by.to_string(), role: role.as_str() })
    }
}

/// An entry to be: everything but its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Draft {
    /// Its kind.
    pub kind: &'static str,
    /// Its facts.
    pub body: Object<'static>,
    /// What happens to fund money.
    pub post: Vec<PostDraft>,
    /// What happens at accounts.
    pub cash: Vec<CashDraft>,
}

/// A post to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostDraft {
    /// `in`, `hold`, `out`, `free` or `void`.
    pub op: &'static str,
    /// The line.
    pub line: LineName,
    /// The positions.
    pub span: Span,
    /// The entry that it refers to.
    pub of: Option<u64>,
}

/// A row of cash to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CashDraft {
    /// The account.
    pub account: AccountId,
    /// The unit.
    pub unit: Unit,
    /// Signed minor units.
    pub minor: i64,
}

impl Draft {
    /// An entry that moves no money.
    pub const fn fact(kind: &'static str, body: Object<'static>) -> Self {
        Self { kind, body, post: Vec::new(), cash: Vec::new() }
    }

    /// The entry, still without its place in the log.
    pub fn into_entry(self, ledger: &str, at: crate::values::Timestamp, by: &StaffId) -> Entry<'static> {
        let integer = |n: u64| i64::try_from(n).expect("positions and sequence numbers stay below 2^53");
        let post = |post: PostDraft| RawPost {
            op: post.op.into(),
            line: post.line.to_string().into(),
            from: integer(post.span.from),
            to: integer(post.span.to),
            of: post.of.map(integer),
        };
        let cash = |cash: CashDraft| RawCash {
            account: cash.account.to_string().into(),
            unit: cash.unit.to_string().into(),
            amount: cash.minor,
        };
        Entry {
            ledger: ledger.to_owned().into(),
            seq: 0,
            prev: crate::values::Hash::ZERO,
            at,
            by: by.to_string().into(),
            kind: self.kind.into(),
            body: self.body,
            post: self.post.into_iter().map(post).collect(),
            cash: self.cash.into_iter().map(cash).collect(),
        }
    }
}

impl PostDraft {
    fn new(op: &'static str, line: &LineName, span: Span, of: Option<u64>) -> Self {
        Self { op, line: line.clone(), span, of }
    }

    pub(super) fn inflow(line: &LineName, span: Span) -> Self {
        Self::new("in", line, span, None)
    }

    pub(super) fn hold(line: &LineName, span: Span) -> Self {
        Self::new("hold", line, span, None)
    }

    pub(super) fn out(line: &LineName, span: Span) -> Self {
        Self::new("out", line, span, None)
    }

    pub(super) fn out_of(line: &LineName, span: Span, hold: u64) -> Self {
        Self::new("out", line, span, Some(hold))
    }

    pub(super) fn free(line: &LineName, span: Span, of: u64) -> Self {
        Self::new("free", line, span, Some(of))
    }

    pub(super) fn void(line: &LineName, span: Span, of: u64) -> Self {
        Self::new("void", line, span, Some(of))
    }
}

impl CashDraft {
    /// One row, or none where nothing changes.
    pub(super) fn rows(account: &AccountId, unit: Unit, minor: i64) -> Vec<Self> {
        if minor == 0 { Vec::new() } else { vec![Self { account: account.clone(), unit, minor }] }
    }
}

/// Judges a command: the entries it becomes, all or none.
pub fn decide(set: &WorkingSet, context: &Context<'_>, command: &Command) -> Result<Vec<Draft>, Stop> {
    authorise(context, &command.order)?;
    match &command.order {
        Order::OpenLedger(order) => organisation::open(set, order),
        Order::RotateKey(vkey) => organisation::rotate(set, vkey),
        Order::OpenAccount { account, funds } => fund::open_account(set, account, funds),
        Order::MoveCash(order) => fund::move_cash(set, context, order),
        Order::OpenFund(order) => fund::open(set, order),
        Order::Transfer(order) => fund::transfer(set, context, order),
        Order::FileCampaign(order) => campaign::file(set, context, order),
        Order::OpenCampaign { campaign, on } => campaign::step(set, context, campaign, *on, "campaign.opened"),
        Order::EndCampaign { campaign, on } => campaign::step(set, context, campaign, *on, "campaign.ended"),
        Order::OpenCase(order) => case::open(set, context, order),
        Order::AssessCase { case, need, on } => case::assess(set, context, case, *need, *on),
        Order::ApproveCase { case, limit, on } => case::approve(set, context, case, *limit, *on),
        Order::DeclineCase { case, reason, on } => case::decline(set, context, case, *reason, *on),
        Order::CloseCase { case, on } => case::close(set, context, case, *on),
        Order::ReceiveDonation(order) => donation::receive(set, context, order),
        Order::RefundDonation { donation, amount, fee, reason, on } => {
            donation::refund(set, context, *donation, *amount, *fee, *reason, *on)
        }
        Order::IssueReceipt { donation } => receipt::issue(set, context, *donation),
        Order::RequestDisbursement(order) => disbursement::request(set, context, order),
        Order::ApproveDisbursement { request, on } => disbursement::approve(set, context, *request, *on),
        Order::RejectDisbursement { request, reason, on } => disbursement::reject(set, context, *request, *reason, *on),
        Order::PayDisbursement { request, account, on } => disbursement::pay(set, context, *request, account, *on),
        Order::ReturnDisbursement { request, amount, account, on } => {
            disbursement::give_back(set, context, *request, *amount, account.as_ref(), *on)
        }
        Order::AcknowledgeDisbursement { request, on } => disbursement::acknowledge(set, context, *request, *on),
        Order::Reverse { target, reason, on } => correction::reverse(set, context, *target, *reason, *on),
        Order::CompleteImport(body) => Ok(vec![Draft::fact("import.completed", body.clone())]),
        Order::PublishReport { body, corrects } => disclosure::publish(set, context, body, corrects.as_ref()),
    }
}

/// The one place where roles are checked. Who may withdraw or pay depends on the payment, who may have a receipt on who asks: that is
/// judged there as well.
pub fn authorise(context: &Context<'_>, order: &Order) -> Result<(), Refusal> {
    match order {
        Order::OpenAccount { .. }
        | Order::OpenFund(_)
        | Order::FileCampaign(_)
        | Order::OpenCampaign { .. }
        | Order::EndCampaign { .. } => {
            if context.roles.contains(&Role::Admin) {
                Ok(())
            } else {
                context.require_role(Role::Clerk)
            }
        }
        Order::RotateKey(_) => context.require_role(Role::Admin),
        Order::Transfer(transfer) if transfer.reason == TransferReason::WrongFund => {
            if context.roles.contains(&Role::Checker) { Ok(()) } else { context.require_role(Role::Clerk) }
        }
        Order::Transfer(_)
        | Order::MoveCash(_)
        | Order::OpenCase(_)
        | Order::AssessCase { .. }
        | Order::CloseCase { .. }
        | Order::ReceiveDonation(_)
        | Order::RefundDonation { .. }
        | Order::RequestDisbursement(_)
        | Order::ReturnDisbursement { .. }
        | Order::Reverse { .. }
        | Order::CompleteImport(_)
        | Order::PublishReport { .. } => context.require_role(Role::Clerk),
        Order::ApproveCase { .. } | Order::DeclineCase { .. } | Order::ApproveDisbursement { .. } => {
            context.require_role(Role::Checker)
        }
        // The first entry is posted before there is anybody; the family's confirmation is posted by the system.
        Order::OpenLedger(_) | Order::AcknowledgeDisbursement { .. } => Ok(()),
        Order::RejectDisbursement { .. } | Order::PayDisbursement { .. } | Order::IssueReceipt { .. } => Ok(()),
    }
}

/// The thing that must exist.
pub(super) fn require<T>(found: Option<T>, what: &'static str, name: impl ToString) -> Result<T, Stop> {
    found.ok_or_else(|| Refusal::Unknown { what, name: name.to_string() }.into())
}

/// The lowest free positions of a line; refused where there is less, saying what is missing and where the money went.
pub(super) fn free_money(set: &WorkingSet, name: &LineName, amount: Amount) -> Result<Vec<Span>, Stop> {
    let line = set.line(name)?;
    if amount.is_zero() {
        return Err(Refusal::Field { field: "amount", rule: FieldRule::NothingToMove }.into());
    }
    let minor = |n: u64| {
        Amount::new(i64::try_from(n).expect("positions end at 2^53"), name.unit).expect("positions end at 2^53")
    };
    match line.and_then(|line| line.lowest_free(amount.length())) {
        // A few posts are left for the other side of a transfer.
        Some(spans) if spans.len() > POSTS_MAX - 4 => Err(Refusal::TooManyPieces { posts: spans.len() }.into()),
        Some(spans) => Ok(spans),
        None => {
            let free = line.map_or(0, |line| line.totals().free);
            Err(Refusal::NotEnough {
                fund: name.fund.to_string(),
                gift: None,
                available: minor(free),
                asked: amount,
                missing: minor(amount.length() - free),
                gone: line.map(|line| whereabouts(line, Span { from: 0, to: line.end().max(1) })).unwrap_or_default(),
            }
            .into())
        }
    }
}

/// Where the money of some positions went: the three largest owners.
pub(super) fn whereabouts(line: &Line, span: Span) -> Vec<Whereabouts> {
    let mut by_owner: BTreeMap<(&'static str, u64), u64> = BTreeMap::new();
    for (piece, state) in line.runs_in(span) {
        let owner = match state {
            State::Free => continue,
            State::Held { by } => ("held", by),
            State::Spent { by } => ("spent", by),
            State::Void { by } => ("given back", by),
        };
        *by_owner.entry(owner).or_default() += piece.length();
    }
    let mut owners: Vec<((&'static str, u64), u64)> = by_owner.into_iter().collect();
    owners.sort_by_key(|(_, length)| std::cmp::Reverse(*length));
    let unit = line.name().unit;
    let whereabouts = |((state, by), length): ((&'static str, u64), u64)| Whereabouts {
        state,
        by,
        amount: Amount::new(i64::try_from(length).expect("positions end at 2^53"), unit)
            .expect("positions end at 2^53"),
    };
    owners.into_iter().take(3).map(whereabouts).collect()
}

/// Applies an entry to the states that it changes, and names them. A kind that is not known changes only the accounts.
pub fn project(set: &mut WorkingSet, entry: &Entry<'_>) -> Result<Vec<(Area, String)>, BadBody> {
    let mut changed = project_kind(set, entry)?;
    for row in &entry.cash {
        let bad = || BadBody { member: "cash".into() };
        let account = set.accounts.get_mut(row.account.as_ref()).and_then(Option::as_mut).ok_or_else(bad)?;
        account.balances.add(Unit::parse(&row.unit).map_err(|_| bad())?, row.amount).ok_or_else(bad)?;
        changed.push((Area::Account, row.account.to_string()));
    }
    for (fund, unit, minor) in moved_on(entry) {
        let bad = || BadBody { member: "post".into() };
        let known = set.funds.get_mut(&fund).and_then(Option::as_mut).ok_or_else(bad)?;
        known.moved.add(unit, minor).ok_or_else(bad)?;
        changed.push((Area::Fund, fund));
    }
    Ok(changed)
}

/// Refuses an entry whose states would hold a sum beyond what can be written.
pub fn has_room(set: &WorkingSet, entry: &Entry<'_>) -> Result<(), Refusal> {
    let body = Body(&entry.body);
    let at_accounts = entry.cash.iter().all(|row| {
        let account = set.accounts.get(row.account.as_ref()).and_then(Option::as_ref);
        account
            .zip(Unit::parse(&row.unit).ok())
            .is_none_or(|(account, unit)| account.balances.has_room(unit, row.amount))
    });
    let between_funds = moved_on(entry).into_iter().all(|(fund, unit, minor)| {
        set.funds.get(&fund).and_then(Option::as_ref).is_none_or(|fund| fund.moved.has_room(unit, minor))
    });
    let case = body.optional_text("case").filter(|_| entry.kind == "disbursement.requested");
    let case = case.and_then(|case| set.cases.get(case)).and_then(Option::as_ref);
    let of_case = case
        .zip(body.amount("amount").ok())
        .is_none_or(|(case, amount)| case.committed.has_room(amount.unit(), amount.minor()));
    if at_accounts && between_funds && of_case {
        Ok(())
    } else {
        Err(Refusal::Field { field: "amount", rule: FieldRule::TooLarge })
    }
}

/// What leaves funds for others by a transfer, or comes back by its reversal: fund, unit, minor units.
fn moved_on(entry: &Entry<'_>) -> Vec<(String, Unit, i64)> {
    let (op, sign) = match entry.kind.as_ref() {
        "fund.transferred" => ("out", 1),
        "entry.reversed" if Body(&entry.body).optional_text("target_kind") == Some("fund.transferred") => ("free", -1),
        _ => return Vec::new(),
    };
    let moved = entry.post.iter().filter(|post| post.op == op);
    moved
        .filter_map(|post| {
            let name = LineName::parse(&post.line)?;
            Some((name.fund.to_string(), name.unit, sign * (post.to - post.from)))
        })
        .collect()
}

fn project_kind(set: &mut WorkingSet, entry: &Entry<'_>) -> Result<Vec<(Area, String)>, BadBody> {
    let body = Body(&entry.body);
    let bad = |member: &str| BadBody { member: member.into() };
    let by = || StaffId::parse(&entry.by).map_err(|_| bad("by"));
    match entry.kind.as_ref() {
        "ledger.opened" => {
            let opened = Organisation { rotations: Vec::new(), ..Organisation::from_object(&entry.body)? };
            set.organisation.insert(String::new(), Some(opened));
            Ok(vec![(Area::Organisation, String::new())])
        }
        rotation::KIND => {
            let known = set.organisation.get("").cloned().flatten().ok_or_else(|| bad("new_vkey"))?;
            set.organisation.insert(String::new(), Some(organisation::rotated(known, body, entry.seq)?));
            Ok(vec![(Area::Organisation, String::new())])
        }
        "account.opened" => {
            let opened = Account::from_object(&entry.body)?;
            let id = opened.account.to_string();
            match set.accounts.get_mut(&id).and_then(Option::as_mut) {
                Some(known) => known.funds.extend(opened.funds),
                None => {
                    set.accounts.insert(id.clone(), Some(opened));
                }
            }
            Ok(vec![(Area::Account, id)])
        }
        "fund.opened" => {
            let fund = Fund::from_object(&entry.body)?;
            let id = fund.fund.to_string();
            set.funds.insert(id.clone(), Some(fund));
            Ok(vec![(Area::Fund, id)])
        }
        "campaign.filed" => {
            let campaign = Campaign::from_object(&entry.body)?;
            let id = campaign.campaign.to_string();
            set.campaigns.insert(id.clone(), Some(campaign));
            Ok(vec![(Area::Campaign, id)])
        }
        kind @ ("campaign.opened" | "campaign.ended") => {
            let id = body.text("campaign")?.to_owned();
            let known = set.campaigns.get(&id).cloned().flatten().ok_or_else(|| bad("campaign"))?;
            set.campaigns.insert(id.clone(), Some(campaign::project(known, kind, body)?));
            Ok(vec![(Area::Campaign, id)])
        }
        "case.opened" => {
            let case = case::from_opening(body, by()?)?;
            let (id, fund) = (case.case.to_string(), case.fund.to_string());
            let own = set.funds.get_mut(&fund).and_then(Option::as_mut).ok_or_else(|| bad("fund"))?;
            own.case = Some(case.case.clone());
            set.cases.insert(id.clone(), Some(case));
            Ok(vec![(Area::Case, id), (Area::Fund, fund)])
        }
        kind @ ("case.assessed" | "case.approved" | "case.declined" | "case.closed") => {
            let id = body.text("case")?.to_owned();
            let known = set.cases.get(&id).cloned().flatten().ok_or_else(|| bad("case"))?;
            set.cases.insert(id.clone(), Some(case::project(known, kind, body, by()?)?));
            Ok(vec![(Area::Case, id)])
        }
        "disbursement.requested" => {
            let requested = Disbursement::from_request(body, entry.seq, by()?)?;
            change_case(set, &requested, requested.amount.minor(), 1, requested.step_on)?;
            let (id, case) = (entry.seq.to_string(), requested.case.to_string());
            set.disbursements.insert(id.clone(), Some(requested));
            Ok(vec![(Area::Disbursement, id), (Area::Case, case)])
        }
        kind @ ("disbursement.approved"
        | "disbursement.rejected"
        | "disbursement.paid"
        | "disbursement.returned"
        | "disbursement.acknowledged"
        | "entry.reversed") => {
            let mut changed = Vec::new();
            if kind == "entry.reversed" {
                let target = body.count("target")?.to_string();
                set.reversals.insert(target.clone(), Some(Reversal { target: body.count("target")?, by: entry.seq }));
                changed.push((Area::Reversal, target));
            }
            let Some(request) = body.optional_count("request")? else {
                return if kind == "entry.reversed" { Ok(changed) } else { Err(bad("request")) };
            };
            let id = request.to_string();
            let known = set.disbursements.get(&id).cloned().flatten().ok_or_else(|| bad("request"))?;
            let account = entry.cash.first().and_then(|row| AccountId::parse(&row.account).ok());
            let (after, committed, waiting) = disbursement::project(known, kind, body, &by()?, entry.seq, account)?;
            change_case(set, &after, committed, waiting, body.day("on")?)?;
            let case = after.case.to_string();
            set.disbursements.insert(id.clone(), Some(after));
            changed.extend([(Area::Disbursement, id), (Area::Case, case)]);
            Ok(changed)
        }
        "report.published" => {
            let id = entry.seq.to_string();
            set.reports.insert(id.clone(), Some(Published::from_body(&entry.body, entry.seq)?));
            Ok(vec![(Area::Report, id)])
        }
        "report.corrected" => {
            let id = body.count("corrects")?.to_string();
            let known = set.reports.get(&id).cloned().flatten().ok_or_else(|| bad("corrects"))?;
            let corrected = Corrected {
                by: entry.seq.checked_sub(1).ok_or_else(|| bad("corrects"))?,
                note: body.text("note")?.into(),
            };
            set.reports.insert(id.clone(), Some(Published { corrected: Some(corrected), ..known }));
            Ok(vec![(Area::Report, id)])
        }
        "receipt.issued" => {
            let issued = Certificate::from_body(&entry.body, entry.seq)?;
            let (year, place) = issued.place().ok_or_else(|| bad("receipt"))?;
            let (year, id) = (year.to_owned(), issued.donation.to_string());
            let last = set.series.get(&year).copied().flatten().map_or(0, |series| series.last);
            let is_second = set.certificates.get(&id).is_some_and(Option::is_some);
            if place != last + 1 || is_second {
                return Err(bad("receipt"));
            }
            set.series.insert(year.clone(), Some(Series { last: place }));
            set.certificates.insert(id.clone(), Some(issued));
            Ok(vec![(Area::Certificate, id), (Area::Series, year)])
        }
        _ => Ok(Vec::new()),
    }
}

fn change_case(
    set: &mut WorkingSet,
    disbursement: &Disbursement,
    committed: i64,
    waiting: i64,
    on: Day,
) -> Result<(), BadBody> {
    let bad = || BadBody { member: "case".into() };
    let case = set.cases.get_mut(disbursement.case.as_str()).and_then(Option::as_mut).ok_or_else(bad)?;
    case.committed.add(disbursement.amount.unit(), committed).ok_or_else(bad)?;
    case.last_on = case.last_on.max(on);
    case.waiting = case.waiting.checked_add_signed(waiting).ok_or_else(bad)?;
    Ok(())
}

/// The states that an entry will change, so that they can be fetched before it is projected.
pub fn touches(entry: &Entry<'_>) -> Vec<(Area, String)> {
    let body = Body(&entry.body);
    let text = |member: &str| body.optional_text(member).unwrap_or_default().to_owned();
    // The account of a gift was fetched to judge it.
    let cash = entry.cash.iter().filter(|_| entry.kind != "donation.received");
    let accounts = cash.map(|row| (Area::Account, row.account.to_string()));
    let subjects = match entry.kind.split_once('.').map(|(area, _)| area) {
        Some("key") => vec![(Area::Organisation, String::new())],
        Some("account") => vec![(Area::Account, text("account"))],
        Some("campaign") => vec![(Area::Campaign, text("campaign"))],
        Some("case") => vec![(Area::Case, text("case")), (Area::Fund, text("fund"))],
        Some("report") => {
            let corrected = body.optional_count("corrects").ok().flatten();
            corrected.map(|seq| (Area::Report, seq.to_string())).into_iter().collect()
        }
        Some("receipt") => {
            let year = text("receipt").split_once('-').map(|(year, _)| year.to_owned()).unwrap_or_default();
            let gift = body.optional_count("donation").ok().flatten().map(|seq| (Area::Certificate, seq.to_string()));
            gift.into_iter().chain([(Area::Series, year)]).collect()
        }
        Some("disbursement") | Some("entry") => {
            let request =
                body.optional_count("request").ok().flatten().map(|seq| (Area::Disbursement, seq.to_string()));
            request.into_iter().chain([(Area::Case, text("case"))]).collect()
        }
        _ => Vec::new(),
    };
    let funds = moved_on(entry).into_iter().map(|(fund, ..)| (Area::Fund, fund));
    subjects.into_iter().chain(accounts).chain(funds).collect()
}
