//! A file that is read by a mapping.

use super::cell::{folded, one_line, said, shown, without_float_tail};
use super::control::{Control, ControlKind};
use super::error::ImportError;
use super::layout::{Composites, Headings, InColumn, Layout, Profile, Raw, Refused, RunningBalance, Sum, Tally};
use super::mapping::{ColumnName, HeadingAt, Mapping, MappingError, MoneyNames};
use super::reject::RejectReason;
use super::source::Source;
use super::wechat::Direction;
use super::{Gift, Other, OtherKind, Record, Reference, Refund};
use crate::values::amount::parse_minor;
use crate::values::{Amount, Unit};

/// Columns by index, and the mapping's values.
pub(super) struct Mapped {
    mapping: Mapping,
    day: usize,
    time: Option<usize>,
    money: Money,
    fee: Option<usize>,
    status: Option<usize>,
    reference: Option<usize>,
    composite: Vec<usize>,
    order_no: Option<usize>,
    original: Option<usize>,
    name: Option<usize>,
    memo: Option<usize>,
    balance: Option<usize>,
    total: Option<usize>,
    composites: Composites,
    running: RunningBalance,
    income: Sum,
    expense: Sum,
    stated: Vec<(u64, Option<i64>, Option<i64>)>,
}

/// The column or columns of money.
#[derive(Clone, Copy)]
enum Money {
    Signed(usize),
    Directed(usize, usize),
    Sides(usize, usize),
}

/// What the status column says of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Accepted,
    Refund,
    Fee,
    Closed,
    Pending,
}

/// A file opened by a mapping: the layout, the headings, the lines before them, and a row that was read ahead.
pub(super) type Opened = (Mapped, Vec<String>, u64, Option<Raw>);

impl Mapped {
    /// Finds the heading and the columns.
    pub(super) fn open(mapping: Mapping, source: &mut Source) -> Result<Opened, ImportError> {
        let mut raw = Raw::default();
        let mut any = false;
        let mut looked_at = 0;
        loop {
            if !source.next(&mut raw)? {
                if source.next_sheet() {
                    continue;
                }
                let key = match &mapping.heading {
                    HeadingAt::Holds(_) => "heading.holds",
                    HeadingAt::Behind(_) | HeadingAt::Absent(_) => "heading.skip_lines",
                };
                return Err(if any {
                    MappingError::HeadingNotFound { key: key.into() }.into()
                } else {
                    ImportError::Empty
                });
            }
            any = true;
            looked_at += 1;
            let is_heading = match &mapping.heading {
                HeadingAt::Behind(lines) | HeadingAt::Absent(lines) => raw.row.line > *lines,
                HeadingAt::Holds(wanted) => {
                    if looked_at > super::statement::PREAMBLE_MAX {
                        return Err(MappingError::HeadingNotFound { key: "heading.holds".into() }.into());
                    }
                    let headings = Headings::of(&raw);
                    wanted.iter().all(|heading| headings.has(heading))
                }
            };
            if is_heading {
                break;
            }
        }
        let line = raw.row.line;
        match &mapping.heading {
            HeadingAt::Absent(_) => {
                let width = raw.row.cells.len();
                let headings = Headings::numbered(width, line);
                let layout = Self::new(mapping, &headings)?;
                Ok((layout, headings.shown, line - 1, Some(raw)))
            }
            HeadingAt::Behind(_) | HeadingAt::Holds(_) => {
                let headings = Headings::of(&raw);
                let layout = Self::new(mapping, &headings)?;
                Ok((layout, headings.shown, line - 1, None))
            }
        }
    }

    fn new(mapping: Mapping, headings: &Headings) -> Result<Self, MappingError> {
        let line = headings.line;
        let column = |key: &str, name: &ColumnName| -> Result<usize, MappingError> {
            let key = key.to_owned();
            match name {
                ColumnName::Number(number) if *number <= headings.width() => Ok(number - 1),
                ColumnName::Number(number) => {
                    Err(MappingError::ColumnMissing { key, column: number.to_string(), line })
                }
                ColumnName::Heading(heading) => {
                    let wanted = folded(heading);
                    let found = headings.find(|heading| heading == wanted);
                    let found = found.map_err(|_| MappingError::ColumnTwice {
                        key: key.clone(),
                        column: heading.clone(),
                        line,
                    })?;
                    found.ok_or_else(|| MappingError::ColumnMissing { key, column: heading.clone(), line })
                }
            }
        };
        let maybe = |key: &str, name: &Option<ColumnName>| name.as_ref().map(|name| column(key, name)).transpose();
        let names = &mapping.columns;
        let money = match &names.money {
            MoneyNames::Signed(amount) => Money::Signed(column("columns.amount", amount)?),
            MoneyNames::Directed(amount, direction) => {
                Money::Directed(column("columns.amount", amount)?, column("columns.direction", direction)?)
            }
            MoneyNames::Sides(credit, debit) => {
                Money::Sides(column("columns.credit", credit)?, column("columns.debit", debit)?)
            }
        };
        let composite = names.composite.iter().map(|name| column("columns.composite", name));
        Ok(Self {
            day: column("columns.day", &names.day)?,
            time: maybe("columns.time", &names.time)?,
            money,
            fee: maybe("columns.fee", &names.fee)?,
            status: maybe("columns.status", &names.status)?,
            reference: maybe("columns.reference", &names.reference)?,
            composite: composite.collect::<Result<_, _>>()?,
            order_no: maybe("columns.order_no", &names.order_no)?,
            original: maybe("columns.original", &names.original)?,
            name: maybe("columns.name", &names.name)?,
            memo: maybe("columns.memo", &names.memo)?,
            balance: maybe("columns.balance", &names.balance)?,
            total: mapping.total.as_ref().map(|total| column("total.column", &total.column)).transpose()?,
            composites: Composites::default(),
            running: RunningBalance::default(),
            income: Sum::default(),
            expense: Sum::default(),
            stated: Vec::new(),
            mapping,
        })
    }

    fn unit(&self) -> Unit {
        self.mapping.profile.unit
    }

    fn number(&self, raw: &Raw, column: usize) -> Result<i64, Refused> {
        raw.signed(column, self.unit(), self.mapping.number)
    }

    /// Which way, and how much: never 0.
    fn movement(&self, raw: &Raw) -> Result<(Direction, i64, usize), Refused> {
        let not_positive = |column: usize| (column, RejectReason::AmountNotPositive { text: shown(raw.cell(column)) });
        match self.money {
            Money::Signed(column) => {
                let minor = self.number(raw, column)?;
                let minor = if self.mapping.in_is_negative { -minor } else { minor };
                match minor {
                    0 => Err(not_positive(column)),
                    ..0 => Ok((Direction::Out, -minor, column)),
                    _ => Ok((Direction::In, minor, column)),
                }
            }
            Money::Directed(column, direction) => {
                let said = raw.cell(direction);
                let values = self.mapping.direction.as_ref();
                let is = |list: &Vec<String>| list.iter().any(|value| value == said);
                let way = values.and_then(|values| {
                    if is(&values.money_in) {
                        Some(Direction::In)
                    } else if is(&values.money_out) {
                        Some(Direction::Out)
                    } else if is(&values.neutral) {
                        Some(Direction::Neutral)
                    } else {
                        None
                    }
                });
                let way = way.ok_or((direction, RejectReason::DirectionUnknown { text: shown(said) }))?;
                let minor = self.number(raw, column)?;
                // Some exports write money out with a minus as well.
                let minor = if way == Direction::Out { minor.saturating_abs() } else { minor };
                if minor <= 0 { Err(not_positive(column)) } else { Ok((way, minor, column)) }
            }
            Money::Sides(credit, debit) => {
                let side = |column: usize| -> Result<i64, Refused> {
                    if said(raw.cell(column)).is_none() { Ok(0) } else { self.number(raw, column) }
                };
                match (side(credit)?, side(debit)?.saturating_abs()) {
                    (0, 0) if said(raw.cell(credit)).is_none() && said(raw.cell(debit)).is_none() => {
                        Err((credit, RejectReason::AmountMissing { gap: None }))
                    }
                    (..0, _) | (0, 0) => Err(not_positive(credit)),
                    (minor, 0) => Ok((Direction::In, minor, credit)),
                    (0, minor) => Ok((Direction::Out, minor, debit)),
                    (1.., _) => Err((credit, RejectReason::AmountOnBothSides)),
                }
            }
        }
    }

    fn state(&self, raw: &Raw) -> Result<Status, Refused> {
        let (Some(column), Some(values)) = (self.status, self.mapping.status.as_ref()) else {
            return Ok(Status::Accepted);
        };
        let said = raw.cell(column);
        let lists = [
            (Status::Accepted, &values.accepted),
            (Status::Refund, &values.refund),
            (Status::Fee, &values.fee),
            (Status::Closed, &values.closed),
            (Status::Pending, &values.pending),
        ];
        let found = lists.into_iter().find(|(_, list)| list.iter().any(|value| value == said));
        found.map(|(status, _)| status).ok_or((column, RejectReason::StatusUnknown { text: shown(said) }))
    }
}

impl Layout for Mapped {
    fn profile(&self) -> &Profile {
        &self.mapping.profile
    }

    fn aside(&mut self, raw: &Raw) -> bool {
        let (Some(column), Some(total)) = (self.total, self.mapping.total.as_ref()) else { return false };
        if raw.cell(column) != total.text {
            return false;
        }
        let unit = self.unit();
        let read = |column: usize| {
            let text = without_float_tail(raw.cell(column), unit.minor_digits());
            parse_minor(&text, unit, self.mapping.number).ok()
        };
        let (income, expense) = match self.money {
            Money::Signed(amount) | Money::Directed(amount, _) => (read(amount), None),
            Money::Sides(credit, debit) => (read(credit), read(debit)),
        };
        self.stated.push((raw.row.line, income, expense));
        true
    }

    fn read(&mut self, raw: &mut Raw) -> Result<Record, Refused> {
        let unit = self.unit();
        let line = raw.row.line;
        let (way, minor, column) = self.movement(raw)?;
        let status = self.state(raw)?;
        let amount = Amount::new(minor, unit)
            .map_err(|_| RejectReason::AmountTooLarge { text: shown(raw.cell(column)) })
            .in_column(column)?;
        let change = match way {
            Direction::In | Direction::Neutral => minor,
            Direction::Out => -minor,
        };
        let balance = match self.balance {
            Some(column) if said(raw.cell(column)).is_some() => Some(self.number(raw, column)?),
            Some(_) | None => None,
        };
        let why = match (status, way) {
            (Status::Accepted, Direction::In) | (Status::Refund, _) => None,
            (Status::Accepted, Direction::Out) => Some(OtherKind::Expense),
            (Status::Accepted, Direction::Neutral) => Some(OtherKind::NotCounted),
            (Status::Fee, _) => Some(OtherKind::BankFee),
            (Status::Closed, _) => Some(OtherKind::Closed),
            (Status::Pending, _) => Some(OtherKind::Pending),
        };
        let record = match why {
            Some(why) => Record::Other(Other { why, minor: Some(change), row: raw.take() }),
            None => self.given(raw, amount, status)?,
        };
        match way {
            Direction::In => self.income.add(minor),
            Direction::Out => self.expense.add(minor),
            Direction::Neutral => {}
        }
        if let Some(balance) = balance {
            self.running.step(line, change, balance);
        }
        Ok(record)
    }

    fn handed_back(&mut self, raw: &Raw) {
        let column = self.balance.filter(|column| said(raw.cell(*column)).is_some());
        if let Some(balance) = column.and_then(|column| self.number(raw, column).ok()) {
            self.running.gap(raw.row.line, balance);
        }
    }

    fn controls(&self, _: &Tally) -> Vec<Control> {
        let unit = self.unit();
        let mut controls = Vec::new();
        for (line, income, expense) in &self.stated {
            let one_column = !matches!(self.money, Money::Sides(..));
            let sum = if one_column && matches!(self.money, Money::Signed(_)) {
                let net = self.income.minor.saturating_sub(self.expense.minor);
                if self.mapping.in_is_negative { -net } else { net }
            } else {
                self.income.minor
            };
            controls.extend(income.map(|stated| Control::amount(ControlKind::IncomeTotal, *line, stated, sum, unit)));
            let found = self.expense.minor;
            controls
                .extend(expense.map(|stated| Control::amount(ControlKind::ExpenseTotal, *line, stated, found, unit)));
        }
        self.running.controls(unit, &mut controls);
        controls
    }
}

impl Mapped {
    /// A gift or a refund, with everything that only these have.
    fn given(&mut self, raw: &mut Raw, amount: Amount, status: Status) -> Result<Record, Refused> {
        let (on, time) = self.mapping.day.day(raw.cell(self.day)).in_column(self.day)?;
        let time = match self.time {
            Some(column) if said(raw.cell(column)).is_some() => {
                let text = raw.cell(column);
                let time = self.mapping.time.time(text);
                Some(time.ok_or((column, RejectReason::TimeImpossible { text: shown(text) }))?)
            }
            Some(_) | None => time,
        };
        let fee = match self.fee {
            Some(column) if said(raw.cell(column)).is_some() => {
                let unreadable = || (column, RejectReason::FeeUnreadable { text: shown(raw.cell(column)) });
                let minor = self.number(raw, column).map_err(|_| unreadable())?.saturating_abs();
                if minor > amount.minor() {
                    return Err(unreadable());
                }
                Amount::new(minor, amount.unit()).ok().filter(|fee| !fee.is_zero())
            }
            Some(_) | None => None,
        };
        let memo = one_line(raw.maybe(self.memo));
        let reference = match self.reference {
            Some(column) => Reference::Unique(raw.id(column)?.to_owned()),
            None if self.composite.is_empty() => Reference::None,
            None => {
                let parts: Vec<&str> = self.composite.iter().map(|column| raw.cell(*column)).collect();
                let memo = memo.as_deref().unwrap_or("");
                Reference::Composite(self.composites.reference(on, amount.minor(), &parts.join("|"), memo))
            }
        };
        if status == Status::Refund {
            let original = said(raw.maybe(self.original)).map(str::to_owned);
            return Ok(Record::Refund(Refund { on, amount, reference, original, reason: memo, row: raw.take() }));
        }
        let order_no = said(raw.maybe(self.order_no)).map(str::to_owned);
        let order_no = order_no.unwrap_or_else(|| match &reference {
            Reference::Unique(id) => id.clone(),
            Reference::Composite(_) | Reference::None => {
                let time = time.map(|time| format!(" {time}")).unwrap_or_default();
                format!("{on}{time} {}", memo.clone().unwrap_or_else(|| format!("#{}", raw.row.number)))
            }
        });
        let name = said(raw.maybe(self.name)).map(str::to_owned);
        let source = self.mapping.profile.source.clone();
        Ok(Record::Gift(Gift { on, time, amount, fee, reference, order_no, name, memo, source, row: raw.take() }))
    }
}
