//! The state that a command is judged against: what the writer fetched, and the book of the lines it touches.
//!
//! A command that needs a row which is not here is not judged; it says what it needs, the writer fetches that and asks again. So
//! `decide` stays pure, and a burst of commands about the same things fetches them once.

use super::campaign::Campaign;
use super::case::Case;
use super::correction::Reversal;
use super::disbursement::Disbursement;
use super::disclosure::Published;
use super::fund::{Account, Fund};
use super::organisation::Organisation;
use super::receipt::{Certificate, Series};
use crate::ledger::line::Line;
use crate::ledger::posting::Book;
use crate::values::LineName;
use std::collections::BTreeMap;

/// Kinds of things whose current state is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// The organisation itself.
    Organisation,
    /// Accounts.
    Account,
    /// Funds.
    Fund,
    /// Campaigns.
    Campaign,
    /// Cases.
    Case,
    /// Disbursements, by the entry of their request.
    Disbursement,
    /// Published reports, by the entry that says so.
    Report,
    /// What was taken back, by the entry that was.
    Reversal,
    /// Certificates, by the entry of the gift.
    Certificate,
    /// How many certificates a year has, by the year.
    Series,
}

impl Area {
    /// The word in the table of states.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Account => "account",
            Self::Fund => "fund",
            Self::Campaign => "campaign",
            Self::Case => "case",
            Self::Disbursement => "disbursement",
            Self::Report => "report",
            Self::Reversal => "reversal",
            Self::Certificate => "certificate",
            Self::Series => "series",
        }
    }
}

/// A row that must be fetched before the command can be judged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// The state of a thing.
    Subject(Area, String),
    /// A line with its runs.
    Line(LineName),
    /// An entry's bytes, with its inflows and its transfer.
    Entry(u64),
}

/// Current state of the things of one area, as far as it was fetched; `None` is known not to exist.
pub type Known<T> = BTreeMap<String, Option<T>>;

/// Everything that was fetched, kept up to date with every entry decided since.
#[derive(Clone, Debug, Default)]
pub struct WorkingSet {
    /// The organisation.
    pub organisation: Known<Organisation>,
    /// Accounts by name.
    pub accounts: Known<Account>,
    /// Funds by id.
    pub funds: Known<Fund>,
    /// Campaigns by id.
    pub campaigns: Known<Campaign>,
    /// Cases by id.
    pub cases: Known<Case>,
    /// Disbursements by the entry of their request.
    pub disbursements: Known<Disbursement>,
    /// Published reports, by the entry that says so.
    pub reports: Known<Published>,
    /// What was taken back, by the entry that was.
    pub reversals: Known<Reversal>,
    /// Certificates, by the entry of the gift.
    pub certificates: Known<Certificate>,
    /// How many certificates a year has, by the year.
    pub series: Known<Series>,
    /// Entries that commands refer to.
    pub entries: BTreeMap<u64, Option<Vec<u8>>>,
    /// Lines that exist, as far as they were fetched; `false` is known not to exist.
    pub lines: BTreeMap<LineName, bool>,
    /// The posting state of those lines.
    pub book: Book,
}

macro_rules! lookup {
    ($(#[$doc:meta])* $name:ident, $field:ident, $area:ident, $type:ty) => {
        $(#[$doc])*
        pub fn $name(&self, id: &str) -> Result<Option<&$type>, Need> {
            self.$field.get(id).map(Option::as_ref).ok_or_else(|| Need::Subject(Area::$area, id.into()))
        }
    };
}

impl WorkingSet {
    lookup!(
        /// An account.
        account, accounts, Account, Account
    );
    lookup!(
        /// A fund.
        fund, funds, Fund, Fund
    );
    lookup!(
        /// A campaign.
        campaign, campaigns, Campaign, Campaign
    );
    lookup!(
        /// A case.
        case, cases, Case, Case
    );
    lookup!(
        /// A disbursement by the entry of its request.
        disbursement, disbursements, Disbursement, Disbursement
    );

    lookup!(
        /// What took an entry back.
        reversal, reversals, Reversal, Reversal
    );

    lookup!(
        /// A published report, by the entry that says so.
        report, reports, Report, Published
    );
    lookup!(
        /// The certificate of a gift.
        certificate, certificates, Certificate, Certificate
    );
    lookup!(
        /// The certificates of a year.
        series, series, Series, Series
    );

    /// The organisation; absent before the ledger is opened.
    pub fn organisation(&self) -> Result<Option<&Organisation>, Need> {
        let known = self.organisation.get("").ok_or_else(|| Need::Subject(Area::Organisation, String::new()))?;
        Ok(known.as_ref())
    }

    /// A line; absent where nothing flowed into it yet.
    pub fn line(&self, name: &LineName) -> Result<Option<&Line>, Need> {
        match self.lines.get(name) {
            None => Err(Need::Line(name.clone())),
            Some(false) => Ok(None),
            Some(true) => Ok(self.book.line(&name.to_string())),
        }
    }

    /// How many rows are held, an entry counted by its bytes.
    pub fn rows(&self) -> usize {
        let states = self.accounts.len()
            + self.funds.len()
            + self.campaigns.len()
            + self.cases.len()
            + self.disbursements.len()
            + self.reports.len()
            + self.reversals.len()
            + self.certificates.len()
            + self.series.len();
        let bytes: usize = self.entries.values().flatten().map(Vec::len).sum();
        self.book.rows() + states * 8 + bytes / 50
    }

    /// An entry's bytes.
    pub fn entry(&self, seq: u64) -> Result<Option<&[u8]>, Need> {
        self.entries.get(&seq).map(Option::as_deref).ok_or(Need::Entry(seq))
    }
}
