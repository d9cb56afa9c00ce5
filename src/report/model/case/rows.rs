//! What the caller hands in: rows of one case fund below one tree size. Nothing personal is in them: a case is a code, a place is a city,
//! an illness and a payee are classes.

use crate::domain::vocabulary::{Basis, Category, PayeeClass, ReasonClass, Source, Use};
use crate::values::{Day, Hash, Timestamp, Unit, Zone};

/// Everything that a case report is made of. Amounts are minor units of `unit`.
#[derive(Clone, Debug)]
pub struct CaseRows {
    /// Who reports.
    pub organisation: OrganisationRow,
    /// The ledger's zone; days are days in it.
    pub zone: Zone,
    /// The unit of every amount.
    pub unit: Unit,
    /// The case.
    pub case: CaseRow,
    /// The public appeal for it, where there was one.
    pub campaign: Option<CampaignRow>,
    /// The fund that holds its money.
    pub fund: FundRow,
    /// Up to where the ledger was read.
    pub cut: CutRow,
    /// `free + held` before the first day.
    pub opening: i64,
    /// Gifts by source, without those taken back.
    pub receipts_by_source: Vec<SourceRow>,
    /// Gifts by day, without those taken back, in order.
    pub receipts_by_day: Vec<DayRow>,
    /// Income that is not a gift, such as interest.
    pub other_income: i64,
    /// Returned to donors.
    pub refund_out: i64,
    /// Fees, less fees given back.
    pub fees: i64,
    /// Moved in from other funds, less what was taken back.
    pub transfer_in: i64,
    /// Moved out to other funds, less what was taken back.
    pub transfer_out: i64,
    /// Every movement but gifts, by number.
    pub movements: Vec<Line>,
    /// Corrections and returns.
    pub corrections: Vec<CorrectionRow>,
    /// Where the surplus went.
    pub surplus: Vec<SurplusRow>,
    /// Other money known for the same need; empty where nothing is stated.
    pub other_funding: Vec<OtherFundingRow>,
    /// Running balance of the ledger at the cut; the report must close at it.
    pub ledger_balance: i64,
    /// Number and version of the report.
    pub report: ReportRow,
}

/// The organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganisationRow {
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
    /// Unified social credit code 统一社会信用代码.
    pub uscc: Option<String>,
    /// Short code in report numbers.
    pub code: String,
    /// Origin of the ledger, `host/name`; its host serves the verify page.
    pub origin: String,
    /// Number of the public-fundraising certificate 公开募捐资格证书.
    pub fundraising_certificate: Option<String>,
}

/// The case, as far as the public may know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseRow {
    /// Code, as `C-2026-0031`.
    pub code: String,
    /// What need it answers.
    pub categories: Vec<Category>,
    /// City in Chinese.
    pub region_city_zh: String,
    /// City in English.
    pub region_city_en: String,
    /// First day.
    pub opened_on: Day,
    /// Last day.
    pub closed_on: Option<Day>,
    /// What was approved for it.
    pub approved_amount: Option<i64>,
}

impl CaseRow {
    /// True where nothing may be printed that could tell who is helped, such as the name of the fund: masking rules, `beneficiary.name`.
    /// A case without a category is closed as well.
    pub fn is_code_only(&self) -> bool {
        let open = |category: &Category| match category {
            Category::Minor | Category::Health | Category::Disability | Category::Violence => false,
            Category::Death | Category::Disaster | Category::Poverty | Category::PublicWork => true,
        };
        self.categories.is_empty() || !self.categories.iter().all(open)
    }
}

/// The public appeal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CampaignRow {
    /// Code, as `K-2026-0007`.
    pub code: String,
    /// Filing number of the civil-affairs department.
    pub filing_no: Option<String>,
    /// Day of filing.
    pub filed_on: Option<Day>,
    /// First day.
    pub starts_on: Day,
    /// Last day, once it has ended.
    pub ended_on: Option<Day>,
    /// Last day by the filed plan.
    pub planned_end: Day,
}

/// The fund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FundRow {
    /// Id in the ledger.
    pub id: String,
    /// Name in Chinese; printed and hashed only where the case is not `is_code_only`.
    pub name_zh: String,
    /// Name in English; likewise.
    pub name_en: String,
    /// Type of the fund, as `agency`.
    pub fund_type: String,
}

/// The cut: up to where the ledger was read, and its proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutRow {
    /// Number of leaves.
    pub tree_size: u64,
    /// When the last entry was recorded.
    pub at: Timestamp,
    /// Hash of the last entry.
    pub head: Hash,
    /// Merkle root over all leaves.
    pub root: Hash,
    /// The log's own signature line of the checkpoint.
    pub checkpoint_signature_line: String,
    /// Id of the key that signed.
    pub key_id: String,
    /// First entry in scope.
    pub first_seq: u64,
    /// Last entry in scope.
    pub last_seq: u64,
    /// Entries in scope.
    pub entry_count: u64,
}

/// Gifts of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceRow {
    /// The source.
    pub source: Source,
    /// How many gifts.
    pub gifts: u64,
    /// Their sum.
    pub amount: i64,
}

/// Gifts of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayRow {
    /// The book day.
    pub day: Day,
    /// How many gifts.
    pub gifts: u64,
    /// Their sum.
    pub amount: i64,
}

/// A movement other than a gift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Number of the entry.
    pub seq: u64,
    /// Book day.
    pub on: Day,
    /// What happened.
    pub kind: LineKind,
    /// What it was spent on; set for `Paid` and `Returned`, and for a `Reversal` of a disbursement.
    pub use_: Option<Use>,
    /// Class of the payee.
    pub payee: Option<PayeeClass>,
    /// Effect on the balance: negative where money left.
    pub amount: i64,
    /// Balance of the fund after it, gifts included.
    pub balance_after: i64,
    /// Vouchers held.
    pub vouchers: u64,
    /// Hash of the entry.
    pub hash: Hash,
}

/// What a line did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineKind {
    /// Money paid for the case.
    Paid,
    /// An earlier entry taken back; with a use where that was a disbursement.
    Reversal,
    /// Given back by a payee.
    Returned,
    /// Moved in from another fund.
    TransferIn,
    /// Moved out to another fund.
    TransferOut,
    /// A fee.
    Fee,
    /// Given back to a donor.
    RefundToDonor,
    /// Income that is not a gift.
    OtherIncome,
}

impl LineKind {
    /// Every kind.
    pub const ALL: &[Self] = &[
        Self::Paid,
        Self::Reversal,
        Self::Returned,
        Self::TransferIn,
        Self::TransferOut,
        Self::Fee,
        Self::RefundToDonor,
        Self::OtherIncome,
    ];

    /// The kind as report data carries it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Reversal => "reversal",
            Self::Returned => "returned",
            Self::TransferIn => "transfer_in",
            Self::TransferOut => "transfer_out",
            Self::Fee => "fee",
            Self::RefundToDonor => "refund_to_donor",
            Self::OtherIncome => "other_income",
        }
    }
}

/// A correction or a return, beside the entry that it concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CorrectionRow {
    /// Number of the entry that was wrong or was paid back.
    pub target_seq: u64,
    /// Number of the entry that puts it right.
    pub seq: u64,
    /// How much.
    pub amount: i64,
    /// Why, by class.
    pub reason: ReasonClass,
    /// Book day.
    pub on: Day,
}

/// Where a part of the surplus went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SurplusRow {
    /// Receiving fund or project, in Chinese.
    pub destination_zh: String,
    /// The same in English.
    pub destination_en: String,
    /// What allows it.
    pub basis: Basis,
    /// How much.
    pub amount: i64,
    /// Book day.
    pub on: Day,
}

/// Other money known for the same need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherFundingRow {
    /// What it is, in Chinese.
    pub kind_zh: String,
    /// The same in English.
    pub kind_en: String,
    /// How much, where there is consent to print it.
    pub amount: Option<i64>,
}

/// Number of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRow {
    /// Number without the version: `CASE-WLH-C20260031-20260512`.
    pub number: String,
    /// Version from 1.
    pub version: u32,
    /// The information item that it belongs to (Order 81 Art. 16).
    pub item_id: String,
}
