//! What can be asked of a ledger. Every field has been read at the edge; behind it nothing is checked twice.

use super::organisation::Predecessor;
use super::vocabulary::{Basis, Category, FeeOnRefund, FundType, PayeeClass, ReasonClass, Source, TransferReason, Use};
use crate::ledger::canonical::Object;
use crate::ledger::note::VerifierKey;
use crate::values::{AccountId, Amount, CampaignId, CaseId, Day, FundId, Hash, StaffId};

/// One thing that somebody wants recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Who asks.
    pub by: StaffId,
    /// What.
    pub order: Order,
}

/// The orders, one per use case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Opens the ledger: entry 0.
    OpenLedger(OpenLedger),
    /// Another key signs the log from now on.
    RotateKey(VerifierKey),
    /// Opens an account, or opens a known one for more funds.
    OpenAccount {
        /// The account.
        account: AccountId,
        /// The funds it may feed.
        funds: Vec<FundId>,
    },
    /// Moves cash between accounts.
    MoveCash(MoveCash),
    /// Opens a fund.
    OpenFund(OpenFund),
    /// Moves free money from one fund to another.
    Transfer(Transfer),
    /// Files the plan of a public appeal.
    FileCampaign(FileCampaign),
    /// The appeal starts.
    OpenCampaign {
        /// Which.
        campaign: CampaignId,
        /// The day.
        on: Day,
    },
    /// The appeal ends.
    EndCampaign {
        /// Which.
        campaign: CampaignId,
        /// The day.
        on: Day,
    },
    /// Opens a case of aid.
    OpenCase(OpenCase),
    /// Records the assessment of the need.
    AssessCase {
        /// Which.
        case: CaseId,
        /// The need that was found.
        need: Amount,
        /// The day.
        on: Day,
    },
    /// Approves aid for the case.
    ApproveCase {
        /// Which.
        case: CaseId,
        /// At most this much.
        limit: Option<Amount>,
        /// The day.
        on: Day,
    },
    /// Declines aid for the case.
    DeclineCase {
        /// Which.
        case: CaseId,
        /// Why.
        reason: ReasonClass,
        /// The day.
        on: Day,
    },
    /// Closes the case.
    CloseCase {
        /// Which.
        case: CaseId,
        /// The day.
        on: Day,
    },
    /// A gift arrived.
    ReceiveDonation(ReceiveDonation),
    /// A gift, or what is left of it, goes back to the donor.
    RefundDonation {
        /// The entry of the gift.
        donation: u64,
        /// How much of it; all of it where absent.
        amount: Option<Amount>,
        /// What becomes of the channel's fee.
        fee: FeeOnRefund,
        /// Why.
        reason: ReasonClass,
        /// The day.
        on: Day,
    },
    /// The certificate of a gift.
    IssueReceipt {
        /// The entry of the gift.
        donation: u64,
    },
    /// Asks for a payment for a case.
    RequestDisbursement(RequestDisbursement),
    /// A second pair of eyes approves it; the money is held.
    ApproveDisbursement {
        /// The entry of the request.
        request: u64,
        /// The day.
        on: Day,
    },
    /// The second pair of eyes refuses it, before or after it was approved.
    RejectDisbursement {
        /// The entry of the request.
        request: u64,
        /// Why.
        reason: ReasonClass,
        /// The day.
        on: Day,
    },
    /// The money leaves the account.
    PayDisbursement {
        /// The entry of the request.
        request: u64,
        /// From where.
        account: AccountId,
        /// The day.
        on: Day,
    },
    /// The payee sends money back.
    ReturnDisbursement {
        /// The entry of the request.
        request: u64,
        /// How much; all of it where absent.
        amount: Option<Amount>,
        /// To where; the account it was paid from where absent.
        account: Option<AccountId>,
        /// The day.
        on: Day,
    },
    /// The family confirms with its code, which the caller has checked.
    AcknowledgeDisbursement {
        /// The entry of the request.
        request: u64,
        /// The day.
        on: Day,
    },
    /// Takes back a whole entry.
    Reverse {
        /// The entry.
        target: u64,
        /// Why.
        reason: ReasonClass,
        /// The day.
        on: Day,
    },
    /// An import went through.
    CompleteImport(Object<'static>),
    /// A report was published.
    PublishReport {
        /// What its entry says.
        body: Object<'static>,
        /// The earlier version that it takes the place of.
        corrects: Option<Correction>,
    },
}

/// That a published report was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// The entry of the report.
    pub corrects: u64,
    /// Why, for everybody to read.
    pub note: String,
}

/// Entry 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenLedger {
    /// Name of the organisation in Chinese.
    pub name_zh: String,
    /// And in English.
    pub name_en: String,
    /// Unified social credit code, 18 characters.
    pub uscc: Option<String>,
    /// IANA name.
    pub time_zone: String,
    /// The log's public key.
    pub vkey: String,
    /// The ledger that this one goes on from.
    pub continues: Option<Predecessor>,
}

/// Cash that goes from one account to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveCash {
    /// From here.
    pub from: AccountId,
    /// To there.
    pub to: AccountId,
    /// How much.
    pub amount: Amount,
    /// Day of the fact.
    pub on: Day,
}

/// A new fund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenFund {
    /// Its id, random where the user gave none.
    pub fund: FundId,
    /// What limits it.
    pub fund_type: FundType,
    /// Name in Chinese.
    pub name_zh: String,
    /// And in English.
    pub name_en: String,
    /// Categories of cases that a restricted fund is for; empty: not limited by category.
    pub purpose: Vec<Category>,
    /// Uses that a restricted fund is for; empty: not limited by use.
    pub uses: Vec<Use>,
}

/// A transfer of free money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// From this fund.
    pub from: FundId,
    /// Into this one.
    pub to: FundId,
    /// What leaves; all that is free where absent.
    pub amount: Option<Amount>,
    /// The unit, where no amount is given.
    pub unit: crate::values::Unit,
    /// Why.
    pub reason: TransferReason,
    /// On what ground, where it is a surplus.
    pub basis: Option<Basis>,
    /// The day.
    pub on: Day,
}

/// A filed plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileCampaign {
    /// Its id.
    pub campaign: CampaignId,
    /// Name in Chinese.
    pub name_zh: String,
    /// And in English.
    pub name_en: String,
    /// The fund that it raises for.
    pub fund: FundId,
    /// Number given by the registering department.
    pub filing_no: Option<String>,
    /// Planned first day.
    pub starts_on: Day,
    /// Planned last day.
    pub ends_on: Day,
    /// What it aims to raise.
    pub target: Amount,
    /// What happens to a surplus.
    pub surplus: Basis,
    /// The day of filing.
    pub on: Day,
}

/// A new case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCase {
    /// Its id.
    pub case: CaseId,
    /// Its own earmarked or agency fund; one is opened where it does not exist.
    pub fund: FundId,
    /// What kind of need.
    pub categories: Vec<Category>,
    /// Place down to the city, in Chinese.
    pub region_zh: String,
    /// And in English.
    pub region_en: String,
    /// The day.
    pub on: Day,
}

/// A gift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiveDonation {
    /// Into this fund.
    pub fund: FundId,
    /// To this account.
    pub account: AccountId,
    /// What the donor gave.
    pub gross: Amount,
    /// What the channel kept of it.
    pub fee: Option<Amount>,
    /// Where it came from.
    pub source: Source,
    /// How many givers stand behind it, for a cash box.
    pub gift_count: Option<u64>,
    /// The commitment to the donor's record in the vault.
    pub donor: Hash,
    /// The day.
    pub on: Day,
}

/// A request for payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestDisbursement {
    /// For this case.
    pub case: CaseId,
    /// Out of this fund; the case's own where absent.
    pub fund: Option<FundId>,
    /// How much.
    pub amount: Amount,
    /// For what.
    pub purpose: Use,
    /// To what class of payee.
    pub payee_class: PayeeClass,
    /// Salted hash of the payee's name, where one was given.
    pub payee: Option<Hash>,
    /// Count of vouchers.
    pub vouchers: u64,
    /// The day.
    pub on: Day,
}
