//! Statements of others → records. The caller hands in bytes; every row of data comes back as exactly one [`Record`].
//!
//! ```text
//! bytes ─ source ─ rows of text ─ heading found: a layout ─ row by row: gift, refund, other or rejected ─ controls
//!         (gzip, encodings, csv, xlsx)  (wechat, alipay, vietnam, redcross, mapped)
//! ```
//!
//! What is absent on purpose: no row is guessed at, mended or dropped. What cannot be read is handed back with its line and its reason;
//! titles, blank rows, totals and footers are not rows, but what they state is compared in [`Statement::controls`].

mod alipay;
mod cell;
mod control;
mod decode;
mod error;
mod format;
mod layout;
mod mapped;
mod mapping;
mod mapping_zh;
mod records;
mod redcross;
mod reject;
mod source;
mod statement;
mod vietnam;
mod wechat;
mod workbook;

#[cfg(test)]
mod samples;

pub use cell::TimeOfDay;
pub use control::{Control, ControlKind, Notice};
pub use error::{FileKind, ImportError};
pub use format::FormatName;
pub use mapping::{Mapping, MappingError};
pub use reject::{RejectReason, Rejected};
pub use statement::Statement;

use crate::values::{Amount, Day};
use std::borrow::Cow;

/// What the caller knows about a file before it is read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The format, where it is not to be recognised by its heading.
    pub format: Option<FormatName>,
    /// How to read a file of no known format; stands above `format`.
    pub mapping: Option<Mapping>,
    /// The day of gifts in a list that states none.
    pub default_day: Option<Day>,
    /// The name of the file: some lists state their day nowhere else.
    pub file_name: String,
}

/// One row of data, understood or handed back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Money given.
    Gift(Gift),
    /// Money that goes or went back.
    Refund(Refund),
    /// A row that is neither: a fee, an expense, a closed order.
    Other(Other),
    /// A row that could not be read.
    Rejected(Rejected),
}

impl Record {
    /// The row as it was read.
    pub fn row(&self) -> &Row {
        match self {
            Self::Gift(gift) => &gift.row,
            Self::Refund(refund) => &refund.row,
            Self::Other(other) => &other.row,
            Self::Rejected(rejected) => &rejected.row,
        }
    }
}

/// A row as it was read, for handing back.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Row {
    /// Number of the data row, from 1; titles, blank rows and totals are not counted.
    pub number: u64,
    /// Line of the file on which the row begins, or row of the sheet; from 1.
    pub line: u64,
    /// The cells, untouched.
    pub cells: Vec<String>,
}

/// Money given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gift {
    /// The row as it was read.
    pub row: Row,
    /// The day of the gift, in the statement's time zone.
    pub on: Day,
    /// The time of the day, where the file states it.
    pub time: Option<TimeOfDay>,
    /// What the donor gave, before any fee; never 0.
    pub amount: Amount,
    /// What the channel kept of it, where the row says so.
    pub fee: Option<Amount>,
    /// How the same gift is known again.
    pub reference: Reference,
    /// What only this donor has: the channel's order number; else day, time, memo or number, whatever the format has.
    pub order_no: String,
    /// The donor as written; stars that hide a name are kept.
    pub name: Option<String>,
    /// What the donor or the bank wrote beside it.
    pub memo: Option<String>,
    /// Through which channel: `wechat`, `alipay`, `unionpay`, `bank`, `platform`.
    pub source: Cow<'static, str>,
}

/// How the same gift is known again, in this file or in another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// The channel's own id: the same id is the same gift, in any file.
    Unique(String),
    /// Day, minor units, document number and memo, joined by `|`, then `#n` for the n-th equal one inside this file.
    Composite(String),
    /// The format has none: the digest of the file and the row's number are all there is.
    None,
}

/// Money that goes or went back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// The row as it was read.
    pub row: Row,
    /// The day it went back.
    pub on: Day,
    /// How much; never 0.
    pub amount: Amount,
    /// How the same refund is known again.
    pub reference: Reference,
    /// Order number of the gift that it takes back, where the row says so.
    pub original: Option<String>,
    /// Why, as written.
    pub reason: Option<String>,
}

/// A row that is no gift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// The row as it was read.
    pub row: Row,
    /// What it is instead.
    pub why: OtherKind,
    /// Signed minor units where the row has an amount: money in is positive.
    pub minor: Option<i64>,
}

/// Why a row is no gift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OtherKind {
    /// Money spent.
    Expense,
    /// A fee of the bank or the channel.
    BankFee,
    /// Moved between the owner's own pockets; the channel itself does not count it.
    NotCounted,
    /// The order was closed; no money moved.
    Closed,
    /// Not final yet: it comes again in a later file.
    Pending,
}

impl OtherKind {
    /// A stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Expense => "expense",
            Self::BankFee => "bank_fee",
            Self::NotCounted => "not_counted",
            Self::Closed => "closed",
            Self::Pending => "pending",
        }
    }

    /// In English.
    pub const fn en(self) -> &'static str {
        match self {
            Self::Expense => "money spent",
            Self::BankFee => "a fee of the bank or channel",
            Self::NotCounted => "moved between own pockets",
            Self::Closed => "an order that was closed, no money moved",
            Self::Pending => "not final yet",
        }
    }

    /// In Chinese.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Expense => "支出",
            Self::BankFee => "手续费",
            Self::NotCounted => "不计收支",
            Self::Closed => "交易关闭",
            Self::Pending => "尚未完成",
        }
    }
}
