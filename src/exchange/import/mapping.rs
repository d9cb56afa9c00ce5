//! A mapping file (TOML): how to read a table of no known format. Described with an example in `docs/import.md`.

use super::cell::{TimeOfDay, folded, trimmed};
use super::layout::Profile;
use super::source::TextForm;
use super::{FormatName, RejectReason};
use crate::values::amount::DecimalForm;
use crate::values::{AccountId, Day, Unit, Zone};
use encoding_rs::Encoding;
use std::borrow::Cow;
use toml::{Table, Value};

/// The largest mapping file.
const SIZE_MAX: usize = 64 << 10;

/// A mapping that was read and makes sense in itself; whether it fits a file is seen when the file is opened.
#[derive(Clone, Debug)]
pub struct Mapping {
    pub(super) name: String,
    pub(super) profile: Profile,
    pub(super) encoding: Option<&'static Encoding>,
    pub(super) delimiter: Option<u8>,
    pub(super) heading: HeadingAt,
    pub(super) columns: ColumnNames,
    pub(super) day: Form,
    pub(super) time: Form,
    pub(super) number: DecimalForm,
    /// True where money in is written with a minus.
    pub(super) in_is_negative: bool,
    pub(super) direction: Option<DirectionValues>,
    pub(super) status: Option<StatusValues>,
    pub(super) total: Option<TotalMark>,
}

/// Where the heading is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HeadingAt {
    /// The first row that is not blank behind so many lines.
    Behind(u64),
    /// The first row that holds all these headings.
    Holds(Vec<String>),
    /// There is none: data begins behind so many lines, columns go by number.
    Absent(u64),
}

/// A column by its heading, or by its number from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ColumnName {
    Heading(String),
    Number(usize),
}

/// Where each fact stands.
#[derive(Clone, Debug)]
pub(super) struct ColumnNames {
    pub(super) day: ColumnName,
    pub(super) time: Option<ColumnName>,
    pub(super) money: MoneyNames,
    pub(super) fee: Option<ColumnName>,
    pub(super) status: Option<ColumnName>,
    pub(super) reference: Option<ColumnName>,
    pub(super) composite: Vec<ColumnName>,
    pub(super) order_no: Option<ColumnName>,
    pub(super) original: Option<ColumnName>,
    pub(super) name: Option<ColumnName>,
    pub(super) memo: Option<ColumnName>,
    pub(super) balance: Option<ColumnName>,
}

/// The three ways to write money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MoneyNames {
    /// One column with signs.
    Signed(ColumnName),
    /// One column without signs, and one that says in or out.
    Directed(ColumnName, ColumnName),
    /// Two columns: in and out.
    Sides(ColumnName, ColumnName),
}

/// What the direction column says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DirectionValues {
    pub(super) money_in: Vec<String>,
    pub(super) money_out: Vec<String>,
    pub(super) neutral: Vec<String>,
}

/// What the status column says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct StatusValues {
    pub(super) accepted: Vec<String>,
    pub(super) refund: Vec<String>,
    pub(super) fee: Vec<String>,
    pub(super) closed: Vec<String>,
    pub(super) pending: Vec<String>,
}

/// How a total row is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TotalMark {
    pub(super) column: ColumnName,
    pub(super) text: String,
}

/// Why a text is not a mapping, or does not fit a file. Each names the key.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum MappingError {
    /// Not TOML.
    #[error("it is not TOML: {message}")]
    Syntax {
        /// What the reader says, with the line.
        message: String,
    },
    /// Larger than any mapping.
    #[error("it has {size_bytes} bytes; a mapping has at most {max_bytes}")]
    TooLarge {
        /// Its size.
        size_bytes: usize,
        /// The limit.
        max_bytes: usize,
    },
    /// A key that a mapping does not have.
    #[error("the key “{key}” is not known{}", .suggestion.as_ref().map(|known| format!("; did you mean “{known}”?")).unwrap_or_default())]
    UnknownKey {
        /// The key with its table.
        key: String,
        /// The nearest key that is known.
        suggestion: Option<String>,
    },
    /// A key that must be there.
    #[error("the key “{key}” is missing: {why}")]
    MissingKey {
        /// The key with its table.
        key: String,
        /// What it is for.
        why: &'static str,
    },
    /// A value of the wrong type.
    #[error("“{key}” must be {expected}")]
    WrongType {
        /// The key with its table.
        key: String,
        /// What is wanted.
        expected: &'static str,
    },
    /// A value that means nothing.
    #[error("“{key}” is “{value}”, but must be {expected}")]
    BadValue {
        /// The key with its table.
        key: String,
        /// The value as given.
        value: String,
        /// What is wanted.
        expected: String,
    },
    /// Two keys that exclude each other.
    #[error("“{key}” and “{other}” exclude each other")]
    Conflict {
        /// One key.
        key: String,
        /// The other.
        other: String,
    },
    /// The file has no such column.
    #[error("“{key}” names the column “{column}”, which the heading on line {line} does not have")]
    ColumnMissing {
        /// The key with its table.
        key: String,
        /// The column as named.
        column: String,
        /// Line of the heading.
        line: u64,
    },
    /// The file has the column twice.
    #[error("“{key}” names the column “{column}”, which the heading on line {line} has more than once; use its number")]
    ColumnTwice {
        /// The key with its table.
        key: String,
        /// The column as named.
        column: String,
        /// Line of the heading.
        line: u64,
    },
    /// No row of the file is the heading.
    #[error("no row of the file fits “{key}”")]
    HeadingNotFound {
        /// The key with its table.
        key: String,
    },
}

const TOP: &[&str] = &[
    "name",
    "source",
    "account",
    "unit",
    "time_zone",
    "encoding",
    "delimiter",
    "heading",
    "columns",
    "form",
    "direction",
    "status",
    "total",
];
const HEADING: &[&str] = &["skip_lines", "holds", "absent"];
const COLUMNS: &[&str] = &[
    "day",
    "time",
    "amount",
    "direction",
    "credit",
    "debit",
    "fee",
    "status",
    "reference",
    "composite",
    "order_no",
    "original",
    "name",
    "memo",
    "balance",
];
const FORM: &[&str] = &["day", "time", "point", "thousands", "in_is_negative"];
const DIRECTION: &[&str] = &["in", "out", "neutral"];
const STATUS: &[&str] = &["accepted", "refund", "fee", "closed", "pending"];
const TOTAL: &[&str] = &["column", "text"];
const SOURCES: &[&str] = &[
    "wechat",
    "alipay",
    "unionpay",
    "bank",
    "platform",
    "enterprise",
    "village_cash",
    "members",
    "individual",
    "other",
];

impl Mapping {
    /// Reads a mapping file. Every key is checked; an unknown one is refused, with the nearest known one named.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        if text.len() > SIZE_MAX {
            return Err(MappingError::TooLarge { size_bytes: text.len(), max_bytes: SIZE_MAX });
        }
        let table: Table = text.parse().map_err(|error: toml::de::Error| MappingError::Syntax {
            message: error.to_string().trim_end().to_owned(),
        })?;
        let top = Section { path: "", table: &table };
        top.only(TOP)?;
        let unit = top.need_text("unit", "the unit of all amounts, as CNY")?;
        let unit = Unit::parse(unit).map_err(|error| top.bad("unit", unit, error.to_string()))?;
        let account = top.need_text("account", "the account that it is a statement of, as bank/icbc-1")?;
        AccountId::parse(account).map_err(|error| top.bad("account", account, error.to_string()))?;
        let source = top.text("source")?.unwrap_or("bank");
        if !SOURCES.contains(&source) {
            return Err(top.bad("source", source, format!("one of {}", SOURCES.join(", "))));
        }
        let time_zone = top.text("time_zone")?.unwrap_or("Asia/Shanghai");
        Zone::parse(time_zone).map_err(|error| top.bad("time_zone", time_zone, error.to_string()))?;
        let encoding = match top.text("encoding")? {
            None => None,
            Some(label) => Some(Encoding::for_label(label.as_bytes()).ok_or_else(|| {
                top.bad("encoding", label, "the name of an encoding, as utf-8, gbk, gb18030, big5, windows-1258".into())
            })?),
        };
        let delimiter = match top.text("delimiter")? {
            None => None,
            Some("tab") => Some(b'\t'),
            Some(text) => match text.as_bytes() {
                // What a delimiter may be, so that it is never part of a letter, a number or a quoted cell.
                [byte @ (b',' | b';' | b'|' | b'\t' | b'^' | b'~')] => Some(*byte),
                _ => return Err(top.bad("delimiter", text, "one of , ; | ^ ~ or tab".into())),
            },
        };
        let columns = top.need_section("columns", "where each fact stands")?;
        columns.only(COLUMNS)?;
        let form = top.section("form")?;
        let form = form.unwrap_or(Section { path: "form.", table: &EMPTY });
        form.only(FORM)?;
        let direction = match top.section("direction")? {
            None => None,
            Some(section) => {
                section.only(DIRECTION)?;
                let list = |key| section.list(key);
                Some(DirectionValues { money_in: list("in")?, money_out: list("out")?, neutral: list("neutral")? })
            }
        };
        let status = match top.section("status")? {
            None => None,
            Some(section) => {
                section.only(STATUS)?;
                let list = |key| section.list(key);
                let (accepted, refund) = (list("accepted")?, list("refund")?);
                Some(StatusValues {
                    accepted,
                    refund,
                    fee: list("fee")?,
                    closed: list("closed")?,
                    pending: list("pending")?,
                })
            }
        };
        let total = match top.section("total")? {
            None => None,
            Some(section) => {
                section.only(TOTAL)?;
                let column = section.need_column("column", "where the mark of the total row stands")?;
                let text = section.need_text("text", "the mark of the total row, as 合计")?.to_owned();
                Some(TotalMark { column, text })
            }
        };
        let mapping = Self {
            name: top.text("name")?.unwrap_or("mapping").to_owned(),
            profile: Profile {
                format: FormatName::Mapping,
                unit,
                account: Cow::Owned(account.to_owned()),
                source: Cow::Owned(source.to_owned()),
                time_zone: Cow::Owned(time_zone.to_owned()),
            },
            encoding,
            delimiter,
            heading: heading(&top)?,
            columns: column_names(&columns)?,
            day: form.form("day", "%Y-%m-%d")?,
            time: form.form("time", "%H:%M:%S")?,
            number: number_form(&form)?,
            in_is_negative: form.truth("in_is_negative")?.unwrap_or(false),
            direction,
            status,
            total,
        };
        mapping.fits_together()?;
        Ok(mapping)
    }

    /// The name that it gives itself.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn text_form(&self) -> TextForm {
        TextForm { encoding: self.encoding, delimiter: self.delimiter }
    }

    /// Rules between keys.
    fn fits_together(&self) -> Result<(), MappingError> {
        let missing = |key: &str, why| Err(MappingError::MissingKey { key: key.into(), why });
        let has_direction = matches!(self.columns.money, MoneyNames::Directed(..));
        match &self.direction {
            None if has_direction => return missing("direction", "what “columns.direction” says for in and out"),
            Some(_) if !has_direction => return missing("columns.direction", "the column that [direction] is about"),
            Some(values) if values.money_in.is_empty() => {
                return missing("direction.in", "what is written for money in");
            }
            Some(_) | None => {}
        }
        match &self.status {
            None if self.columns.status.is_some() => return missing("status", "what “columns.status” says"),
            Some(_) if self.columns.status.is_none() => {
                return missing("columns.status", "the column that [status] is about");
            }
            Some(values) if values.accepted.is_empty() => {
                return missing("status.accepted", "what is written where money has arrived");
            }
            Some(_) | None => {}
        }
        if self.in_is_negative && !matches!(self.columns.money, MoneyNames::Signed(_)) {
            let (key, other) = ("form.in_is_negative".into(), "columns.credit".into());
            return Err(MappingError::Conflict { key, other });
        }
        if !self.day.has_day {
            return Err(MappingError::WrongType { key: "form.day".into(), expected: "a form with %Y, %m and %d" });
        }
        if !self.time.has_time || self.time.has_day {
            let expected = "a form with %H and %M and without a day";
            return Err(MappingError::WrongType { key: "form.time".into(), expected });
        }
        if self.day.has_time && self.columns.time.is_some() {
            return Err(MappingError::Conflict { key: "form.day".into(), other: "columns.time".into() });
        }
        let by_heading = self.columns.all().into_iter().find_map(|(key, name)| match name {
            ColumnName::Heading(heading) => Some((key, heading.clone())),
            ColumnName::Number(_) => None,
        });
        if let (HeadingAt::Absent(_), Some((key, value))) = (&self.heading, by_heading) {
            let expected = "a number from 1, since there is no heading".into();
            return Err(MappingError::BadValue { key: key.into(), value, expected });
        }
        Ok(())
    }
}

impl ColumnNames {
    /// All columns that are named, with their keys.
    pub(super) fn all(&self) -> Vec<(&'static str, &ColumnName)> {
        let mut all = vec![("columns.day", &self.day)];
        match &self.money {
            MoneyNames::Signed(amount) => all.push(("columns.amount", amount)),
            MoneyNames::Directed(amount, direction) => {
                all.extend([("columns.amount", amount), ("columns.direction", direction)]);
            }
            MoneyNames::Sides(credit, debit) => all.extend([("columns.credit", credit), ("columns.debit", debit)]),
        }
        let optional = [
            ("columns.time", &self.time),
            ("columns.fee", &self.fee),
            ("columns.status", &self.status),
            ("columns.reference", &self.reference),
            ("columns.order_no", &self.order_no),
            ("columns.original", &self.original),
            ("columns.name", &self.name),
            ("columns.memo", &self.memo),
            ("columns.balance", &self.balance),
        ];
        all.extend(optional.into_iter().filter_map(|(key, name)| name.as_ref().map(|name| (key, name))));
        all.extend(self.composite.iter().map(|name| ("columns.composite", name)));
        all
    }
}

fn heading(top: &Section<'_>) -> Result<HeadingAt, MappingError> {
    let Some(section) = top.section("heading")? else { return Ok(HeadingAt::Behind(0)) };
    section.only(HEADING)?;
    let skip = section.whole("skip_lines")?;
    let holds = section.list("holds")?;
    let absent = section.truth("absent")?.unwrap_or(false);
    if !holds.is_empty() && skip.is_some() {
        return Err(MappingError::Conflict { key: "heading.holds".into(), other: "heading.skip_lines".into() });
    }
    if !holds.is_empty() && absent {
        return Err(MappingError::Conflict { key: "heading.holds".into(), other: "heading.absent".into() });
    }
    Ok(match (holds.is_empty(), absent) {
        (false, _) => HeadingAt::Holds(holds.iter().map(|heading| folded(heading)).collect()),
        (true, true) => HeadingAt::Absent(skip.unwrap_or(0)),
        (true, false) => HeadingAt::Behind(skip.unwrap_or(0)),
    })
}

fn column_names(columns: &Section<'_>) -> Result<ColumnNames, MappingError> {
    let conflict = |key: &str, other: &str| {
        Err(MappingError::Conflict { key: format!("columns.{key}"), other: format!("columns.{other}") })
    };
    let maybe = |key| columns.column(key);
    let money = match (maybe("amount")?, maybe("credit")?, maybe("debit")?, maybe("direction")?) {
        (Some(_), Some(_), ..) => return conflict("amount", "credit"),
        (Some(_), _, Some(_), _) => return conflict("amount", "debit"),
        (Some(amount), None, None, None) => MoneyNames::Signed(amount),
        (Some(amount), None, None, Some(direction)) => MoneyNames::Directed(amount, direction),
        (None, Some(_), Some(_), Some(_)) => return conflict("direction", "credit"),
        (None, Some(credit), Some(debit), None) => MoneyNames::Sides(credit, debit),
        (None, Some(_), None, _) => {
            return Err(MappingError::MissingKey { key: "columns.debit".into(), why: "the column of money out" });
        }
        (None, None, ..) => {
            return Err(MappingError::MissingKey {
                key: "columns.amount".into(),
                why: "the column of amounts; or “credit” and “debit”",
            });
        }
    };
    let composite = match columns.table.get("composite") {
        None => Vec::new(),
        Some(Value::Array(names)) => {
            let names = names.iter().map(|value| columns.column_of("composite", value));
            names.collect::<Result<Vec<_>, _>>()?
        }
        Some(_) => return Err(columns.wrong("composite", "a list of columns")),
    };
    if !composite.is_empty() && columns.table.contains_key("reference") {
        return conflict("composite", "reference");
    }
    Ok(ColumnNames {
        day: columns.need_column("day", "the column of the day")?,
        time: maybe("time")?,
        money,
        fee: maybe("fee")?,
        status: maybe("status")?,
        reference: maybe("reference")?,
        composite,
        order_no: maybe("order_no")?,
        original: maybe("original")?,
        name: maybe("name")?,
        memo: maybe("memo")?,
        balance: maybe("balance")?,
    })
}

fn number_form(form: &Section<'_>) -> Result<DecimalForm, MappingError> {
    let sign = |key: &str, default: char| -> Result<Option<char>, MappingError> {
        let Some(text) = form.text(key)? else { return Ok(Some(default)) };
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (None, _) => Ok(None),
            (Some(c), None) if !c.is_alphanumeric() && !matches!(c, '-' | '+') => Ok(Some(c)),
            (Some(_), _) => Err(form.bad(key, text, "one sign, as . or , — or nothing".into())),
        }
    };
    let point = sign("point", '.')?;
    let thousands = sign("thousands", if point == Some(',') { '.' } else { ',' })?;
    if point.is_some() && point == thousands {
        return Err(MappingError::Conflict { key: "form.point".into(), other: "form.thousands".into() });
    }
    Ok(DecimalForm { point, thousands })
}

static EMPTY: std::sync::LazyLock<Table> = std::sync::LazyLock::new(Table::new);

/// A table of the file, with its path for messages.
struct Section<'a> {
    path: &'static str,
    table: &'a Table,
}

impl<'a> Section<'a> {
    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.path)
    }

    fn wrong(&self, key: &str, expected: &'static str) -> MappingError {
        MappingError::WrongType { key: self.key(key), expected }
    }

    fn bad(&self, key: &str, value: &str, expected: String) -> MappingError {
        MappingError::BadValue { key: self.key(key), value: value.chars().take(60).collect(), expected }
    }

    fn only(&self, known: &[&str]) -> Result<(), MappingError> {
        let Some(unknown) = self.table.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
        let nearest = known.iter().map(|known| (distance(unknown, known), *known)).min();
        let suggestion = nearest.filter(|(distance, _)| *distance <= 3).map(|(_, known)| self.key(known));
        Err(MappingError::UnknownKey { key: self.key(&unknown.chars().take(60).collect::<String>()), suggestion })
    }

    fn text(&self, key: &str) -> Result<Option<&'a str>, MappingError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(key, "a text in quotes")),
        }
    }

    fn need_text(&self, key: &str, why: &'static str) -> Result<&'a str, MappingError> {
        self.text(key)?.ok_or_else(|| MappingError::MissingKey { key: self.key(key), why })
    }

    fn truth(&self, key: &str) -> Result<Option<bool>, MappingError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::Boolean(truth)) => Ok(Some(*truth)),
            Some(_) => Err(self.wrong(key, "true or false")),
        }
    }

    fn whole(&self, key: &str) -> Result<Option<u64>, MappingError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::Integer(n)) => u64::try_from(*n).map(Some).map_err(|_| self.wrong(key, "a number from 0")),
            Some(_) => Err(self.wrong(key, "a number from 0")),
        }
    }

    fn list(&self, key: &str) -> Result<Vec<String>, MappingError> {
        match self.table.get(key) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(vec![trimmed(text).to_owned()]),
            Some(Value::Array(values)) => values
                .iter()
                .map(|value| value.as_str().map(|text| trimmed(text).to_owned()))
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| self.wrong(key, "a text or a list of texts")),
            Some(_) => Err(self.wrong(key, "a text or a list of texts")),
        }
    }

    fn column(&self, key: &str) -> Result<Option<ColumnName>, MappingError> {
        self.table.get(key).map(|value| self.column_of(key, value)).transpose()
    }

    fn column_of(&self, key: &str, value: &Value) -> Result<ColumnName, MappingError> {
        let wrong = || self.wrong(key, "a heading in quotes, or the number of a column, from 1");
        match value {
            Value::String(heading) if !trimmed(heading).is_empty() => {
                Ok(ColumnName::Heading(trimmed(heading).to_owned()))
            }
            Value::Integer(n @ 1..=1024) => usize::try_from(*n).map(ColumnName::Number).map_err(|_| wrong()),
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_)
            | Value::Table(_) => Err(wrong()),
        }
    }

    fn need_column(&self, key: &str, why: &'static str) -> Result<ColumnName, MappingError> {
        self.column(key)?.ok_or_else(|| MappingError::MissingKey { key: self.key(key), why })
    }

    fn section(&self, key: &'static str) -> Result<Option<Section<'a>>, MappingError> {
        let path = match key {
            "heading" => "heading.",
            "columns" => "columns.",
            "form" => "form.",
            "direction" => "direction.",
            "status" => "status.",
            _ => "total.",
        };
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::Table(table)) => Ok(Some(Section { path, table })),
            Some(_) => Err(self.wrong(key, "a table, as [columns]")),
        }
    }

    fn need_section(&self, key: &'static str, why: &'static str) -> Result<Section<'a>, MappingError> {
        self.section(key)?.ok_or_else(|| MappingError::MissingKey { key: self.key(key), why })
    }

    fn form(&self, key: &str, default: &str) -> Result<Form, MappingError> {
        let text = self.text(key)?.unwrap_or(default);
        Form::parse(text)
            .ok_or_else(|| self.bad(key, text, "made of %Y %m %d %H %M %S, each once, and signs between".into()))
    }
}

/// Steps of adding, dropping or changing a letter between two short keys.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(60).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (to, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let above = *cell;
            left = (left + 1).min(above + 1).min(diagonal + usize::from(from != *to));
            (diagonal, *cell) = (above, left);
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

/// A form of days and times, as `%d/%m/%Y %H:%M`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Form {
    parts: Vec<Part>,
    pub(super) has_day: bool,
    pub(super) has_time: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Sign(char),
}

impl Form {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            let part = match c {
                '%' => match chars.next()? {
                    'Y' => Part::Year,
                    'm' => Part::Month,
                    'd' => Part::Day,
                    'H' => Part::Hour,
                    'M' => Part::Minute,
                    'S' => Part::Second,
                    _ => return None,
                },
                c if c.is_ascii_digit() => return None,
                c => Part::Sign(c),
            };
            if !matches!(part, Part::Sign(_)) && parts.contains(&part) {
                return None;
            }
            parts.push(part);
        }
        let has = |part| parts.contains(&part);
        let days = [Part::Year, Part::Month, Part::Day].map(has);
        let (has_day, has_time) = (days == [true; 3], has(Part::Hour) && has(Part::Minute));
        let half = (days.contains(&true) && !has_day) || (has(Part::Second) && !has_time);
        let half = half || has(Part::Hour) != has(Part::Minute);
        (!half && (has_day || has_time)).then_some(Self { parts, has_day, has_time })
    }

    /// The numbers of a text in this form: year, month, day, hour, minute, second.
    fn numbers(&self, text: &str) -> Option<[i16; 6]> {
        let mut numbers = [0; 6];
        let [year, month, day, hour, minute, second] = &mut numbers;
        let mut rest = text;
        for part in &self.parts {
            let (slot, width) = match part {
                Part::Year => (&mut *year, 4),
                Part::Month => (&mut *month, 2),
                Part::Day => (&mut *day, 2),
                Part::Hour => (&mut *hour, 2),
                Part::Minute => (&mut *minute, 2),
                Part::Second => (&mut *second, 2),
                Part::Sign(sign) => {
                    rest = rest.strip_prefix(*sign)?;
                    continue;
                }
            };
            let digits = rest.bytes().take(width).take_while(u8::is_ascii_digit).count();
            let (number, behind) = rest.split_at(digits);
            *slot = super::cell::number(number, if width == 4 { 4 } else { 1 }, width)?;
            rest = behind;
        }
        rest.is_empty().then_some(numbers)
    }

    /// The day of a text, and its time where the form has one.
    pub(super) fn day(&self, text: &str) -> Result<(Day, Option<TimeOfDay>), RejectReason> {
        let text = trimmed(text);
        if text.is_empty() {
            return Err(RejectReason::DayMissing);
        }
        let read = || {
            let [year, month, day, ..] = self.numbers(text)?;
            let day = Day::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?)?;
            if self.has_time { Some((day, Some(self.time(text)?))) } else { Some((day, None)) }
        };
        read().ok_or_else(|| RejectReason::DayImpossible { text: super::cell::shown(text) })
    }

    /// The time of a text.
    pub(super) fn time(&self, text: &str) -> Option<TimeOfDay> {
        let [_, _, _, hour, minute, second] = self.numbers(trimmed(text))?;
        TimeOfDay::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, i8::try_from(second).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "unit = \"CNY\"\naccount = \"bank/a\"\n[columns]\nday = \"日期\"\namount = 2\n";

    fn check(text: &str, expected: &str) {
        let got = match Mapping::parse(text) {
            Ok(mapping) => mapping.name().to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(got, expected, "{text}");
    }

    #[test]
    fn a_mapping_is_read_or_the_key_at_fault_is_named() {
        check(SMALL, "mapping");
        check(&format!("name = \"甲\"\n{SMALL}"), "甲");
        check(&format!("nmae = \"甲\"\n{SMALL}"), "the key “nmae” is not known; did you mean “name”?");
        check(
            &format!("{SMALL}ordr_no = 3\n"),
            "the key “columns.ordr_no” is not known; did you mean “columns.order_no”?",
        );
        check(&format!("zzzzzzzzzzzz = 1\n{SMALL}"), "the key “zzzzzzzzzzzz” is not known");
        check(&SMALL.replace("unit = \"CNY\"", ""), "the key “unit” is missing: the unit of all amounts, as CNY");
        check(
            &format!("{SMALL}fee = 0\n"),
            "“columns.fee” must be a heading in quotes, or the number of a column, from 1",
        );
        check(&format!("{SMALL}credit = 3\n"), "“columns.amount” and “columns.credit” exclude each other");
        check(&format!("delimiter = \"x\"\n{SMALL}"), "“delimiter” is “x”, but must be one of , ; | ^ ~ or tab");
        check(
            &format!("{SMALL}direction = 3\n"),
            "the key “direction” is missing: what “columns.direction” says for in and out",
        );
        check(
            &format!("{SMALL}[form]\nday = \"%Y-%m\"\n"),
            "“form.day” is “%Y-%m”, but must be made of %Y %m %d %H %M %S, each once, and signs between",
        );
        check(
            &format!("{SMALL}[form]\npoint = \",\"\nthousands = \",\"\n"),
            "“form.point” and “form.thousands” exclude each other",
        );
        check(
            &format!("{SMALL}[heading]\nabsent = true\n"),
            "“columns.day” is “日期”, but must be a number from 1, since there is no heading",
        );
    }

    #[test]
    fn days_and_times_are_read_in_the_form_that_is_given() {
        let day = |form: &str, text: &str| {
            let read = Form::parse(form).expect(form).day(text);
            read.map(|(day, time)| format!("{day} {}", time.map(|time| time.to_string()).unwrap_or_default()))
        };
        assert_eq!(day("%d/%m/%Y", "01/09/2024"), Ok("2024-09-01 ".into()));
        assert_eq!(day("%Y%m%d", "20240901"), Ok("2024-09-01 ".into()));
        assert_eq!(day("%Y年%m月%d日 %H:%M", "2024年9月1日 7:05"), Ok("2024-09-01 07:05:00".into()));
        assert!(day("%d/%m/%Y", "31/02/2024").is_err() && day("%d/%m/%Y", "1/2/2024 ,").is_err());
        assert!(Form::parse("%Y-%Y").is_none() && Form::parse("%H").is_none() && Form::parse("%").is_none());
    }
}
