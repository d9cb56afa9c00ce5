//! Expected refusals: one variant per rule, with the facts that a person needs. Each has a stable code and the field it is about.

use super::aim::Aim;
use super::field_rule::FieldRule;
use crate::ledger::entry::EntryWriteError;
use crate::ledger::posting::Broken;
use crate::values::{Amount, Day};

/// Money that is bound or gone, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whereabouts {
    /// `held` or `spent` or `void`.
    pub state: &'static str,
    /// The entry that made it so.
    pub by: u64,
    /// How much.
    pub amount: Amount,
}

/// A command is refused; nothing was posted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The ledger has been opened already.
    #[error("this ledger is open already")]
    LedgerIsOpen,
    /// A name is taken.
    #[error("{what} {name} exists already")]
    Exists {
        /// What it is.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A name or number is not known.
    #[error("there is no {what} {name}{}", look_up_text(what))]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// The name as given.
        name: String,
    },
    /// A report of this number says something else already.
    #[error(
        "report {number} is published already (entry {seq}) and the case has changed since: publish its next version with --corrects {seq} --note “what changed”"
    )]
    ReportIsPublished {
        /// Its number with its version.
        number: String,
        /// The entry that published it.
        seq: u64,
    },
    /// An entry that moved no money has nothing to take back.
    #[error("entry {seq} ({kind}) moved no money: there is nothing to take back")]
    MovedNothing {
        /// The entry.
        seq: u64,
        /// Its kind.
        kind: String,
    },
    /// Without an admin nobody could give roles any more.
    #[error("{user} is the last admin: make somebody else admin first")]
    LastAdmin {
        /// The user.
        user: String,
    },
    /// An entry does not exist or is of another kind.
    #[error("entry {seq} is not {}; {found}", one(wanted))]
    NotThatKind {
        /// The entry.
        seq: u64,
        /// What it should be.
        wanted: &'static str,
        /// What is known of it.
        found: String,
    },
    /// A field has a value that cannot be.
    #[error("{field}: {rule}")]
    Field {
        /// The field.
        field: &'static str,
        /// What must hold.
        rule: FieldRule,
    },
    /// The day of the fact lies after the day of posting.
    #[error("{on} lies in the future: today is {today} here")]
    FutureDay {
        /// The day given.
        on: Day,
        /// Today in the ledger's time zone.
        today: Day,
    },
    /// The day of a step lies before the step that it builds on.
    #[error("{on} lies before {since}, the day it was {step}: a step cannot be older than what it builds on")]
    DayBefore {
        /// The day given.
        on: Day,
        /// The earlier step.
        step: &'static str,
        /// Its day.
        since: Day,
    },
    /// The account may not feed this fund.
    #[error(
        "account {account} is not opened for fund {fund}; open it with `mingzhang account open {account} --fund {fund}`"
    )]
    AccountNotOfFund {
        /// The account.
        account: String,
        /// The fund.
        fund: String,
    },
    /// A step that is not possible in this state.
    #[error("{what} {name} is {state}: {}", possible_text(possible))]
    StepNotPossible {
        /// What it is about.
        what: &'static str,
        /// Which one.
        name: String,
        /// The state it is in.
        state: &'static str,
        /// The steps that are possible from here.
        possible: &'static [&'static str],
    },
    /// The one who requested may not approve.
    #[error("{checker} requested this and cannot approve it: somebody else must (four eyes)")]
    CheckerIsMaker {
        /// The one who tried.
        checker: String,
    },
    /// The one who approved may not pay.
    #[error("{payer} approved this and cannot pay it: the one who requested it, or a payer, must (four eyes)")]
    PayerIsChecker {
        /// The one who tried.
        payer: String,
    },
    /// The user lacks the role.
    #[error("{user} is not {}; an admin can say so with `mingzhang user role {user} {role}`", one(role))]
    RoleMissing {
        /// The user.
        user: String,
        /// The role that is needed.
        role: &'static str,
    },
    /// The fund has a purpose that this is not.
    #[error("fund {fund} is for {purpose} only; this is for {wanted}")]
    FundPurposeDiffers {
        /// The fund.
        fund: String,
        /// What it is for.
        purpose: Aim,
        /// What was asked.
        wanted: Aim,
    },
    /// Not enough free money.
    #[error("fund {fund}{} has {available} free, {asked} are asked: {missing} are missing{}", gift_text(*gift), whereabouts_text(gone))]
    NotEnough {
        /// The fund.
        fund: String,
        /// The gift, where only its money counts.
        gift: Option<u64>,
        /// Free now.
        available: Amount,
        /// Asked for.
        asked: Amount,
        /// What must come first.
        missing: Amount,
        /// Where the rest of the fund's money is, largest first.
        gone: Vec<Whereabouts>,
    },
    /// Money is left where none may be.
    #[error(
        "fund {fund} still has {left}: move the surplus first, with `mingzhang fund transfer {fund} OTHER --reason surplus --basis plan`"
    )]
    MoneyLeft {
        /// The fund.
        fund: String,
        /// What is left in it.
        left: Amount,
    },
    /// Something is still waiting.
    #[error("{waiting} payment(s) of case {case} are not finished: pay or reject them first")]
    StillWaiting {
        /// The case.
        case: String,
        /// How many.
        waiting: u64,
    },
    /// More than was approved for the case.
    #[error(
        "case {case} was approved for {limit}; {committed} are requested or paid already, {asked} more are too much"
    )]
    OverLimit {
        /// The case.
        case: String,
        /// The limit.
        limit: Amount,
        /// Requested or paid so far.
        committed: Amount,
        /// Asked now.
        asked: Amount,
    },
    /// Later entries built on what should be taken back.
    #[error(
        "entry {seq} cannot be taken back: later entries built on it ({}); take those back first",
        seqs_text(later)
    )]
    BuiltUpon {
        /// The entry to take back.
        seq: u64,
        /// The entries that use its money.
        later: Vec<u64>,
    },
    /// It was taken back already.
    #[error("entry {seq} was taken back already, by entry {by}")]
    ReversedAlready {
        /// The entry.
        seq: u64,
        /// The entry that took it back.
        by: u64,
    },
    /// Part of a payment came back, so that the payment did happen.
    #[error(
        "part of payment {request} came back already, so it did happen; record the rest with `mingzhang disbursement return {request}`"
    )]
    ReturnedInPart {
        /// The request of the payment.
        request: u64,
    },
    /// The entry that should be taken back is another one.
    #[error("entry {seq} moved no money; the payment's own entry is {instead}: `mingzhang reverse {instead}`")]
    ReverseInstead {
        /// The entry of the request.
        seq: u64,
        /// The entry that moved the money.
        instead: u64,
    },
    /// Void and free are not reversible.
    #[error("entry {seq} gave money back or set it free; that is not reversed: record the fact again")]
    NotReversible {
        /// The entry.
        seq: u64,
    },
    /// Text that would be public holds what must not be.
    #[error("{field} holds {what}; it would be public for ever. Leave it out")]
    Private {
        /// The field.
        field: &'static str,
        /// What was found, without repeating it.
        what: &'static str,
    },
    /// The code does not belong to this case.
    #[error("this code does not belong to the case of disbursement {seq}")]
    WrongCode {
        /// The disbursement.
        seq: u64,
    },
    /// The same key was used for something else.
    #[error("the idempotency key was used for another command (entry {seq}); use a new key")]
    KeyReused {
        /// The entry that the key stands for.
        seq: u64,
    },
    /// The same external reference stands at another gift.
    #[error("the reference is recorded already, in entry {seq}")]
    ReferenceRepeated {
        /// The entry that has it.
        seq: u64,
    },
    /// The same external reference stands at a gift that was taken back.
    #[error(
        "the reference is recorded already, in entry {seq}, which entry {by} took back; to record the gift anew, say so with --anew"
    )]
    ReferenceReversed {
        /// The entry that has it.
        seq: u64,
        /// The entry that took it back.
        by: u64,
    },
    /// The same external reference stands at a gift of another amount.
    #[error("the reference is recorded already, in entry {seq}, but with {earlier}: check which of the two is right")]
    ReferenceDiffers {
        /// The entry that has it.
        seq: u64,
        /// The amount there.
        earlier: Amount,
    },
    /// The entry would break a rule of the algebra.
    #[error("the entry would break a rule of posting at {0}")]
    Posting(#[from] Broken),
    /// The entry cannot be written.
    #[error("the entry cannot be written: {0}")]
    Writing(#[from] EntryWriteError),
    /// The command needs more posts than one entry can have.
    #[error("this needs {posts} pieces of money, an entry holds 500; use a smaller amount, several times")]
    TooManyPieces {
        /// Pieces needed.
        posts: usize,
    },
}

impl Refusal {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::LedgerIsOpen => "ledger_is_open",
            Self::Exists { .. } => "exists",
            Self::Unknown { .. } => "unknown",
            Self::NotThatKind { .. } => "not_that_kind",
            Self::MovedNothing { .. } => "moved_nothing",
            Self::ReportIsPublished { .. } => "report_is_published",
            Self::LastAdmin { .. } => "last_admin",
            Self::Field { .. } => "field",
            Self::FutureDay { .. } => "future_day",
            Self::DayBefore { .. } => "day_before",
            Self::AccountNotOfFund { .. } => "account_not_of_fund",
            Self::StepNotPossible { .. } => "step_not_possible",
            Self::CheckerIsMaker { .. } => "checker_is_maker",
            Self::PayerIsChecker { .. } => "payer_is_checker",
            Self::RoleMissing { .. } => "role_missing",
            Self::FundPurposeDiffers { .. } => "fund_purpose_differs",
            Self::NotEnough { .. } => "not_enough",
            Self::MoneyLeft { .. } => "money_left",
            Self::StillWaiting { .. } => "still_waiting",
            Self::OverLimit { .. } => "over_limit",
            Self::BuiltUpon { .. } => "built_upon",
            Self::ReversedAlready { .. } => "reversed_already",
            Self::ReturnedInPart { .. } => "returned_in_part",
            Self::ReverseInstead { .. } => "reverse_instead",
            Self::NotReversible { .. } => "not_reversible",
            Self::Private { .. } => "private",
            Self::WrongCode { .. } => "wrong_code",
            Self::KeyReused { .. } => "key_reused",
            Self::ReferenceRepeated { .. } => "reference_repeated",
            Self::ReferenceReversed { .. } => "reference_reversed",
            Self::ReferenceDiffers { .. } => "reference_differs",
            Self::Posting(_) => "posting",
            Self::Writing(_) => "writing",
            Self::TooManyPieces { .. } => "too_many_pieces",
        }
    }

    /// The field it is about, as a path.
    pub fn path(&self) -> String {
        match self {
            Self::Field { field, .. } | Self::Private { field, .. } => format!("/{field}"),
            Self::FutureDay { .. } | Self::DayBefore { .. } => "/on".into(),
            Self::AccountNotOfFund { .. } => "/account".into(),
            Self::Unknown { what, .. } | Self::Exists { what, .. } => format!("/{what}"),
            Self::NotEnough { .. } | Self::TooManyPieces { .. } | Self::OverLimit { .. } => "/amount".into(),
            Self::FundPurposeDiffers { .. } | Self::MoneyLeft { .. } => "/fund".into(),
            Self::StillWaiting { .. } => "/case".into(),
            Self::LastAdmin { .. } => "/user".into(),
            Self::ReportIsPublished { .. } => "/corrects".into(),
            Self::NotThatKind { .. }
            | Self::MovedNothing { .. }
            | Self::BuiltUpon { .. }
            | Self::ReversedAlready { .. }
            | Self::ReturnedInPart { .. }
            | Self::ReverseInstead { .. }
            | Self::NotReversible { .. } => "/seq".into(),
            Self::WrongCode { .. } => "/code".into(),
            Self::KeyReused { .. } => "/key".into(),
            Self::ReferenceRepeated { .. } | Self::ReferenceReversed { .. } | Self::ReferenceDiffers { .. } => {
                "/reference".into()
            }
            Self::CheckerIsMaker { .. } | Self::PayerIsChecker { .. } | Self::RoleMissing { .. } => "/by".into(),
            Self::Posting(broken) => broken.path.clone(),
            Self::LedgerIsOpen | Self::StepNotPossible { .. } | Self::Writing(_) => String::new(),
        }
    }
}

fn look_up_text(what: &str) -> String {
    if what == "entry" { ": check the number".into() } else { format!("; look it up with `mingzhang {what} list`") }
}

fn possible_text(possible: &[&str]) -> String {
    if possible.is_empty() {
        "nothing more can be done with it".into()
    } else {
        format!("possible now: {}", possible.join(", "))
    }
}

fn seqs_text(seqs: &[u64]) -> String {
    seqs.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

fn gift_text(gift: Option<u64>) -> String {
    gift.map(|seq| format!(" (of gift {seq})")).unwrap_or_default()
}

/// The noun with its article: “an admin”. A word that begins with u is spoken with a consonant here: a user.
fn one(noun: &str) -> String {
    format!("{} {noun}", if noun.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" })
}

fn whereabouts_text(gone: &[Whereabouts]) -> String {
    if gone.is_empty() {
        return String::new();
    }
    let parts: Vec<String> =
        gone.iter().map(|part| format!("{} {} by entry {}", part.amount, part.state, part.by)).collect();
    format!(" (of its money {})", parts.join(", "))
}
