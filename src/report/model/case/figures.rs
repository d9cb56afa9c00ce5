//! Rows → typed numbers. Every sum is made here and checked against the ledger.

use super::rows::{CaseRows, Line, LineKind};
use crate::domain::vocabulary::{Source, Use};
use crate::report::ReportError;
use crate::report::ratio::{average_half_even, rate_bp, shares_bp};
use crate::rules::{Deadline, deadline};
use crate::values::{Day, Hash, INTEGER_MAX};

/// A case report: the rows, and all that follows from them.
#[derive(Clone, Debug)]
pub struct CaseReport {
    /// What was handed in.
    pub rows: CaseRows,
    /// First and last day, both included.
    pub period: (Day, Day),
    /// The base quantities.
    pub base: Base,
    /// T1: gifts by source.
    pub by_source: Vec<SourceShare>,
    /// T2: gifts by day with the running sum, beside the rows.
    pub cumulative_by_day: Vec<i64>,
    /// T3: disbursements by use.
    pub by_use: Vec<UseShare>,
    /// Last day to publish what became of the surplus; `None` while the case is open.
    pub surplus_due: Option<Day>,
    /// Duties to publish.
    pub duties: Vec<Duty>,
    pub(super) data: Vec<u8>,
    pub(super) data_hash: Hash,
}

/// The base quantities, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Base {
    /// Balance before the first day.
    pub opening: i64,
    /// Gifts received, gross.
    pub receipts: i64,
    /// Number of gifts.
    pub gift_count: u64,
    /// Income that is not a gift.
    pub other_income: i64,
    /// Returned to donors.
    pub refund_out: i64,
    /// Paid, gross.
    pub gross_disbursed: i64,
    /// Reversals of disbursements.
    pub reversed: i64,
    /// Returned by payees.
    pub refund_in: i64,
    /// `gross_disbursed − reversed − refund_in`.
    pub net_disbursed: i64,
    /// Fees.
    pub fees: i64,
    /// Moved in.
    pub transfer_in: i64,
    /// Moved out.
    pub transfer_out: i64,
    /// `opening + receipts + other_income − refund_out − net_disbursed − fees + transfer_in − transfer_out`.
    pub closing: i64,
    /// `floor(net_disbursed × 10000 / receipts)`; `None` without receipts.
    pub use_rate_bp: Option<i64>,
    /// `receipts / gift_count`, half to even.
    pub average_gift: Option<i64>,
}

/// A row of T1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceShare {
    /// The source.
    pub source: Source,
    /// How many gifts.
    pub gifts: u64,
    /// Their sum.
    pub amount: i64,
    /// Basis points of all gifts.
    pub share_bp: Option<i64>,
}

/// A row of T3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UseShare {
    /// The use.
    pub use_: Use,
    /// Paid.
    pub gross: i64,
    /// Reversed.
    pub reversed: i64,
    /// Returned by payees.
    pub returned: i64,
    /// What remains.
    pub net: i64,
    /// Basis points of all net disbursements.
    pub share_bp: Option<i64>,
}

/// A duty to publish.
#[derive(Clone, Copy, Debug)]
pub struct Duty {
    /// The rule.
    pub rule: &'static Deadline,
    /// The day that sets it off and the day by which it is done, once that has happened.
    pub due: Option<DueDay>,
}

/// When a duty is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueDay {
    /// The day that sets it off.
    pub trigger: Day,
    /// The last day in time.
    pub on: Day,
    /// Days from the day of the cut to the due day; negative once it is past.
    pub days_left: i64,
}

/// Makes the numbers of a case report; refuses rows that contradict each other or the ledger.
pub fn case_report(rows: CaseRows) -> Result<CaseReport, ReportError> {
    check_lines(&rows.movements)?;
    let (by_source, cumulative_by_day, base) = (by_source(&rows)?, cumulative_by_day(&rows)?, base(&rows)?);
    if base.closing != rows.ledger_balance {
        return Err(ReportError::BalanceDiffers { report: base.closing, ledger: rows.ledger_balance });
    }
    let cut_day = rows.cut.at.day(&rows.zone);
    let period = (rows.case.opened_on, rows.case.closed_on.unwrap_or(cut_day));
    let by_use = by_use(&rows.movements)?;
    let surplus_rule = deadline("project.surplus.disclosure")?;
    let surplus_due = rows.case.closed_on.map(|day| surplus_rule.due(day)).transpose()?;
    let duties = duties(&rows, surplus_rule, cut_day)?;
    let mut report = CaseReport {
        rows,
        period,
        base,
        by_source,
        cumulative_by_day,
        by_use,
        surplus_due,
        duties,
        data: Vec::new(),
        data_hash: Hash::ZERO,
    };
    report.data = report.canonical().to_bytes();
    report.data_hash = Hash::of(&[&report.data]);
    Ok(report)
}

impl CaseReport {
    /// The bytes of the report data: canonical JSON (RFC 8785) of integers and strings, the same for every language.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// SHA-256 of the report data.
    pub fn data_hash(&self) -> Hash {
        self.data_hash
    }

    /// Number with its version: `CASE-WLH-C20260031-20260512-v1`.
    pub fn full_number(&self) -> String {
        format!("{}-v{}", self.rows.report.number, self.rows.report.version)
    }
}

fn base(rows: &CaseRows) -> Result<Base, ReportError> {
    let receipts = sum(rows.receipts_by_source.iter().map(|row| row.amount))?;
    let gift_count = rows.receipts_by_source.iter().map(|row| row.gifts).sum();
    let by_day = sum(rows.receipts_by_day.iter().map(|row| row.amount))?;
    let gifts_by_day = rows.receipts_by_day.iter().map(|row| row.gifts).sum();
    if (receipts, gift_count) != (by_day, gifts_by_day) {
        let (by_source, gifts_by_source) = (receipts, gift_count);
        return Err(ReportError::ReceiptsDiffer { by_source, gifts_by_source, by_day, gifts_by_day });
    }
    let disbursed = |kind| {
        let lines = rows.movements.iter().filter(move |line| line.kind == kind && line.use_.is_some());
        sum(lines.map(|line| line.amount))
    };
    let gross_disbursed = -disbursed(LineKind::Paid)?;
    let (reversed, refund_in) = (disbursed(LineKind::Reversal)?, disbursed(LineKind::Returned)?);
    let net_disbursed = sum([gross_disbursed, -reversed, -refund_in])?;
    let CaseRows { opening, other_income, refund_out, fees, transfer_in, transfer_out, .. } = *rows;
    let closing =
        sum([opening, receipts, other_income, -refund_out, -net_disbursed, -fees, transfer_in, -transfer_out])?;
    Ok(Base {
        opening,
        receipts,
        gift_count,
        other_income,
        refund_out,
        gross_disbursed,
        reversed,
        refund_in,
        net_disbursed,
        fees,
        transfer_in,
        transfer_out,
        closing,
        use_rate_bp: rate_bp(net_disbursed, receipts),
        average_gift: average_half_even(receipts, gift_count),
    })
}

fn by_source(rows: &CaseRows) -> Result<Vec<SourceShare>, ReportError> {
    let mut shares = Vec::new();
    for source in Source::ALL {
        let of_source = || rows.receipts_by_source.iter().filter(|row| row.source == *source);
        if of_source().next().is_some() {
            let (gifts, amount) = (of_source().map(|row| row.gifts).sum(), sum(of_source().map(|row| row.amount))?);
            shares.push(SourceShare { source: *source, gifts, amount, share_bp: None });
        }
    }
    let parts: Vec<i64> = shares.iter().map(|row| row.amount).collect();
    for (row, share) in shares.iter_mut().zip(shares_bp(&parts).into_iter().flatten()) {
        row.share_bp = Some(share);
    }
    Ok(shares)
}

fn cumulative_by_day(rows: &CaseRows) -> Result<Vec<i64>, ReportError> {
    let days = &rows.receipts_by_day;
    if let Some((_, late)) = days.iter().zip(days.iter().skip(1)).find(|(row, next)| row.day >= next.day) {
        return Err(ReportError::OutOfOrder(late.day));
    }
    let mut running = 0_i64;
    let add = |row: &super::DayRow| {
        running = running.checked_add(row.amount).ok_or(ReportError::TooLarge)?;
        Ok(running)
    };
    days.iter().map(add).collect()
}

fn by_use(lines: &[Line]) -> Result<Vec<UseShare>, ReportError> {
    let mut shares = Vec::new();
    for use_ in Use::ALL {
        let of_use = || lines.iter().filter(|line| line.use_ == Some(*use_));
        if of_use().next().is_some() {
            let total = |kind| sum(of_use().filter(|line| line.kind == kind).map(|line| line.amount));
            let (gross, reversed) = (-total(LineKind::Paid)?, total(LineKind::Reversal)?);
            let returned = total(LineKind::Returned)?;
            let net = sum([gross, -reversed, -returned])?;
            shares.push(UseShare { use_: *use_, gross, reversed, returned, net, share_bp: None });
        }
    }
    let parts: Vec<i64> = shares.iter().map(|row| row.net).collect();
    for (row, share) in shares.iter_mut().zip(shares_bp(&parts).into_iter().flatten()) {
        row.share_bp = Some(share);
    }
    Ok(shares)
}

fn duties(rows: &CaseRows, surplus_rule: &'static Deadline, cut_day: Day) -> Result<Vec<Duty>, ReportError> {
    let mut triggers = Vec::new();
    if let Some(campaign) = &rows.campaign {
        triggers.push((deadline("campaign.final")?, campaign.ended_on));
    }
    triggers.push((deadline("project.final")?, rows.case.closed_on));
    if !rows.surplus.is_empty() || (rows.case.closed_on.is_some() && rows.ledger_balance != 0) {
        triggers.push((surplus_rule, rows.case.closed_on));
    }
    let mut duties = Vec::new();
    for (rule, trigger) in triggers {
        let due = match trigger {
            Some(trigger) => {
                let on = rule.due(trigger)?;
                Some(DueDay { trigger, on, days_left: on.days_since(cut_day) })
            }
            None => None,
        };
        duties.push(Duty { rule, due });
    }
    Ok(duties)
}

fn check_lines(lines: &[Line]) -> Result<(), ReportError> {
    for line in lines {
        let (sign_fits, use_fits) = match line.kind {
            LineKind::Paid => (line.amount <= 0, line.use_.is_some()),
            LineKind::Returned => (line.amount >= 0, line.use_.is_some()),
            LineKind::Reversal => (line.use_.is_none() || line.amount >= 0, true),
            LineKind::TransferOut | LineKind::RefundToDonor => (line.amount <= 0, line.use_.is_none()),
            LineKind::TransferIn | LineKind::OtherIncome => (line.amount >= 0, line.use_.is_none()),
            LineKind::Fee => (true, line.use_.is_none()),
        };
        if !sign_fits {
            return Err(ReportError::WrongSign { seq: line.seq, kind: line.kind.as_str(), amount: line.amount });
        }
        if !use_fits {
            return Err(ReportError::UseMissing { seq: line.seq, kind: line.kind.as_str() });
        }
    }
    let late = lines.iter().zip(lines.iter().skip(1)).find(|(line, next)| line.seq >= next.seq);
    late.map_or(Ok(()), |(_, next)| Err(ReportError::OutOfOrder(next.on)))
}

/// The sum, within ±(2^53 − 1): more cannot stand in report data.
fn sum(parts: impl IntoIterator<Item = i64>) -> Result<i64, ReportError> {
    let total: i128 = parts.into_iter().map(i128::from).sum();
    let total = i64::try_from(total).map_err(|_| ReportError::TooLarge)?;
    if (-INTEGER_MAX..=INTEGER_MAX).contains(&total) { Ok(total) } else { Err(ReportError::TooLarge) }
}
