//! Statements of three Vietnamese banks, as read out of their published PDFs. Amounts are whole dong.
//!
//! ```text
//! PageId,TNXDate,DocNo,Debit,Credit,Balance,TransactionDetails
//! 1,01/09/2024,5213.45946,,50.000,,ung ho dong bao                  (Vietcombank: dots separate thousands)
//! ```
//! ```text
//! PageId,Date,Time,DocumentNumber,ReferenceNumber,TransactionDetails,DebitAmount,CreditAmount,Balance,OffsetAccount
//! 1,10/09/2024,,,94283538,ung ho,,"200,000","5,559,378,215",        (Agribank: a balance on every row)
//! 1,10/09/2024,12:01:29,,,ung ho,,"300,000",,NGUYEN VAN A – A/C     (Vietinbank: a time, no reference, no balance)
//! ```

use super::cell::{TimeOfDay, day_day_first, is_blank, one_line, said, shown};
use super::control::{Control, ControlKind};
use super::layout::{Composites, Headings, InColumn, Layout, Profile, Raw, Refused, RunningBalance, Tally};
use super::reject::RejectReason;
use super::{FormatName, Gift, ImportError, Other, OtherKind, Record, Reference};
use crate::values::amount::DecimalForm;
use crate::values::{Amount, Day, Unit};
use std::borrow::Cow;

/// Headings by which Vietcombank is recognised.
pub(super) const VIETCOMBANK: &[&str] = &["tnxdate", "docno", "debit", "credit", "balance", "transactiondetails"];
/// Headings by which Agribank and Vietinbank are recognised.
pub(super) const AGRIBANK: &[&str] = &[
    "date",
    "time",
    "documentnumber",
    "referencenumber",
    "transactiondetails",
    "debitamount",
    "creditamount",
    "balance",
];

fn profile(format: FormatName, account: &'static str) -> Profile {
    Profile {
        format,
        unit: Unit::VND,
        account: Cow::Borrowed(account),
        source: Cow::Borrowed("bank"),
        time_zone: Cow::Borrowed("Asia/Ho_Chi_Minh"),
    }
}

/// Agribank or Vietinbank, by the first row: only one of them fills the balance, only the other the time.
pub(super) fn told_apart(headings: &Headings, first: Option<Raw>) -> Result<FormatName, ImportError> {
    let Some(first) = first else { return Ok(FormatName::Agribank) };
    let time = headings.need("time", FormatName::Vietinbank)?;
    let balance = headings.need("balance", FormatName::Agribank)?;
    match (is_blank(first.cell(time)), is_blank(first.cell(balance))) {
        (_, false) => Ok(FormatName::Agribank),
        (false, true) => Ok(FormatName::Vietinbank),
        (true, true) => Err(ImportError::Ambiguous { line: headings.line }),
    }
}

/// Columns for money in and out.
#[derive(Clone, Copy)]
struct Sides {
    debit: usize,
    credit: usize,
    form: DecimalForm,
}

impl Sides {
    /// The signed change of a row; `Ok(None)` where both columns are empty.
    fn change(self, raw: &Raw) -> Result<Option<i64>, Refused> {
        let side = |column: usize| -> Result<Option<i64>, Refused> {
            if raw.cell(column).is_empty() { Ok(None) } else { raw.signed(column, Unit::VND, self.form).map(Some) }
        };
        let not_positive =
            |column: usize| Err((column, RejectReason::AmountNotPositive { text: shown(raw.cell(column)) }));
        // Some exports write 0 on the side that did not move.
        match (side(self.debit)?, side(self.credit)?) {
            (None, None) => Ok(None),
            (None | Some(0), Some(credit)) if credit > 0 => Ok(Some(credit)),
            (Some(debit), None | Some(0)) if debit > 0 => Ok(Some(-debit)),
            (Some(1..), Some(1..)) => Err((self.credit, RejectReason::AmountOnBothSides)),
            (_, Some(_)) => not_positive(self.credit),
            (Some(_), None) => not_positive(self.debit),
        }
    }
}

fn day(raw: &Raw, column: usize) -> Result<Day, Refused> {
    let text = raw.cell(column);
    if text.is_empty() {
        return Err((column, RejectReason::DayMissing));
    }
    day_day_first(text).ok_or((column, RejectReason::DayImpossible { text: shown(text) }))
}

/// Money out is a fee of the bank where its text says so (phí: fee), else an expense.
fn money_out(raw: &mut Raw, details: usize, change: i64) -> Record {
    let text = raw.cell(details).to_uppercase();
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    let why = if words.any(|word| matches!(word, "PHI" | "PHÍ" | "FEE" | "SMS")) {
        OtherKind::BankFee
    } else {
        OtherKind::Expense
    };
    Record::Other(Other { why, minor: Some(change), row: raw.take() })
}

fn amount(change: i64, text: &str, column: usize) -> Result<Amount, Refused> {
    Amount::new(change, Unit::VND).map_err(|_| RejectReason::AmountTooLarge { text: shown(text) }).in_column(column)
}

/// A statement with a balance at the end of each day.
pub(super) struct Vietcombank {
    profile: Profile,
    day: usize,
    document: usize,
    sides: Sides,
    balance: usize,
    details: usize,
    composites: Composites,
    opening: Option<(u64, i64)>,
    last: Option<i64>,
    moved: i64,
    controls: Vec<Control>,
}

impl Vietcombank {
    pub(super) fn new(headings: &Headings) -> Result<Self, ImportError> {
        let format = FormatName::Vietcombank;
        let need = |name| headings.need(name, format);
        Ok(Self {
            profile: profile(format, "bank/vietcombank"),
            day: need("tnxdate")?,
            document: need("docno")?,
            sides: Sides { debit: need("debit")?, credit: need("credit")?, form: DecimalForm::COMMA },
            balance: need("balance")?,
            details: need("transactiondetails")?,
            composites: Composites::default(),
            opening: None,
            last: None,
            moved: 0,
            controls: Vec::new(),
        })
    }

    /// A balance closes the rows since the one before. The first one gives the opening balance.
    fn close(&mut self, line: u64, on: Day, balance: i64) {
        match self.last {
            None => self.opening = Some((line, balance.saturating_sub(self.moved))),
            Some(last) => {
                let found = last.saturating_add(self.moved);
                self.controls.push(Control::amount(ControlKind::DayBalance(on), line, balance, found, Unit::VND));
            }
        }
        self.last = Some(balance);
        self.moved = 0;
    }
}

impl Layout for Vietcombank {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn aside(&mut self, _: &Raw) -> bool {
        false
    }

    fn read(&mut self, raw: &mut Raw) -> Result<Record, Refused> {
        let on = day(raw, self.day)?;
        let change = self.sides.change(raw)?.ok_or((self.sides.credit, RejectReason::AmountMissing { gap: None }))?;
        let amount = amount(change.saturating_abs(), raw.cell(self.sides.credit), self.sides.credit)?;
        let balance = match raw.cell(self.balance) {
            "" => None,
            _ => Some(raw.signed(self.balance, Unit::VND, self.sides.form)?),
        };
        self.moved = self.moved.saturating_add(change);
        if let Some(balance) = balance {
            self.close(raw.row.line, on, balance);
        }
        if change < 0 {
            return Ok(money_out(raw, self.details, change));
        }
        let memo = one_line(raw.cell(self.details));
        let order_no = raw.cell(self.document).to_owned();
        let reference = self.composites.reference(on, change, &order_no, memo.as_deref().unwrap_or(""));
        let reference = Reference::Composite(reference);
        let source = self.profile.source.clone();
        let row = raw.take();
        Ok(Record::Gift(Gift { on, time: None, amount, fee: None, reference, order_no, name: None, memo, source, row }))
    }

    fn controls(&self, _: &Tally) -> Vec<Control> {
        let opening =
            self.opening.map(|(line, minor)| Control::derived(ControlKind::OpeningBalance, line, minor, Unit::VND));
        opening.into_iter().chain(self.controls.iter().cloned()).collect()
    }
}

/// A statement with a balance on every row.
pub(super) struct Agribank {
    profile: Profile,
    day: usize,
    time: usize,
    reference: usize,
    details: usize,
    sides: Sides,
    balance: usize,
    composites: Composites,
    running: RunningBalance,
}

impl Agribank {
    pub(super) fn new(headings: &Headings) -> Result<Self, ImportError> {
        let format = FormatName::Agribank;
        let need = |name| headings.need(name, format);
        Ok(Self {
            profile: profile(format, "bank/agribank"),
            day: need("date")?,
            time: need("time")?,
            reference: need("referencenumber")?,
            details: need("transactiondetails")?,
            sides: Sides { debit: need("debitamount")?, credit: need("creditamount")?, form: DecimalForm::POINT },
            balance: need("balance")?,
            composites: Composites::default(),
            running: RunningBalance::default(),
        })
    }
}

impl Layout for Agribank {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn aside(&mut self, _: &Raw) -> bool {
        false
    }

    fn read(&mut self, raw: &mut Raw) -> Result<Record, Refused> {
        let line = raw.row.line;
        let balance = match raw.cell(self.balance) {
            "" => None,
            _ => Some(raw.signed(self.balance, Unit::VND, self.sides.form)?),
        };
        let read = self.sides.change(raw).and_then(|change| {
            let change = change.ok_or((self.sides.credit, RejectReason::AmountMissing { gap: None }))?;
            let amount = amount(change.saturating_abs(), raw.cell(self.sides.credit), self.sides.credit)?;
            Ok((day(raw, self.day)?, time(raw, self.time)?, change, amount))
        });
        let (on, time, change, amount) = match (read, balance) {
            (Ok(read), balance) => {
                if let Some(balance) = balance {
                    self.running.step(line, read.2, balance);
                }
                read
            }
            // Whatever keeps a row from being read, its balance goes on to the next one and tells what it was.
            (Err((column, RejectReason::AmountMissing { .. })), Some(balance)) => {
                let gap = self.running.gap(line, balance).map(|gap| (gap, Unit::VND));
                return Err((column, RejectReason::AmountMissing { gap }));
            }
            (Err(refused), balance) => {
                balance.and_then(|balance| self.running.gap(line, balance));
                return Err(refused);
            }
        };
        if change < 0 {
            return Ok(money_out(raw, self.details, change));
        }
        let memo = one_line(raw.cell(self.details));
        let source = self.profile.source.clone();
        let (reference, order_no) = match said(raw.cell(self.reference)) {
            Some(number) => {
                let composite = self.composites.reference(on, change, number, memo.as_deref().unwrap_or(""));
                (Reference::Composite(composite), number.to_owned())
            }
            // Without a number, two equal rows of two files could be two gifts: only the file can tell.
            None => (Reference::None, format!("{on} {}", memo.as_deref().unwrap_or(""))),
        };
        let row = raw.take();
        Ok(Record::Gift(Gift { on, time, amount, fee: None, reference, order_no, name: None, memo, source, row }))
    }

    fn controls(&self, _: &Tally) -> Vec<Control> {
        let mut controls = Vec::new();
        self.running.controls(Unit::VND, &mut controls);
        controls
    }
}

/// A time, where the cell holds one.
fn time(raw: &Raw, column: usize) -> Result<Option<TimeOfDay>, Refused> {
    match raw.cell(column) {
        "" => Ok(None),
        text => {
            let time = TimeOfDay::parse(text);
            time.map(Some).ok_or((column, RejectReason::TimeImpossible { text: shown(text) }))
        }
    }
}

/// A statement without any reference.
pub(super) struct Vietinbank {
    profile: Profile,
    day: usize,
    time: usize,
    details: usize,
    sides: Sides,
    name: Option<usize>,
}

impl Vietinbank {
    pub(super) fn new(headings: &Headings) -> Result<Self, ImportError> {
        let format = FormatName::Vietinbank;
        let need = |name| headings.need(name, format);
        Ok(Self {
            profile: profile(format, "bank/vietinbank"),
            day: need("date")?,
            time: need("time")?,
            details: need("transactiondetails")?,
            sides: Sides { debit: need("debitamount")?, credit: need("creditamount")?, form: DecimalForm::POINT },
            name: headings.maybe("offsetaccount")?,
        })
    }
}

impl Layout for Vietinbank {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn aside(&mut self, _: &Raw) -> bool {
        false
    }

    fn read(&mut self, raw: &mut Raw) -> Result<Record, Refused> {
        let on = day(raw, self.day)?;
        let time = time(raw, self.time)?;
        let change = self.sides.change(raw)?.ok_or((self.sides.credit, RejectReason::AmountMissing { gap: None }))?;
        let amount = amount(change.saturating_abs(), raw.cell(self.sides.credit), self.sides.credit)?;
        if change < 0 {
            return Ok(money_out(raw, self.details, change));
        }
        let memo = one_line(raw.cell(self.details));
        let mut order_no = on.to_string();
        if let Some(time) = time {
            order_no.push_str(&format!(" {time}"));
        }
        if let Some(memo) = &memo {
            order_no.push(' ');
            order_no.push_str(memo);
        }
        let name = one_line(raw.maybe(self.name)).map(|name| {
            let name = name.strip_suffix("A/C").unwrap_or(&name).trim_end_matches([' ', '–', '-']);
            name.to_owned()
        });
        let name = name.filter(|name| !name.is_empty());
        let source = self.profile.source.clone();
        let (reference, row) = (Reference::None, raw.take());
        Ok(Record::Gift(Gift { on, time, amount, fee: None, reference, order_no, name, memo, source, row }))
    }

    fn controls(&self, _: &Tally) -> Vec<Control> {
        Vec::new()
    }
}
