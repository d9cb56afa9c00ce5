//! One entry of the log, and its bytes.
//!
//! ```text
//! {"at":"2026-01-01T02:00:00.000Z","body":{"amount":1000,"fund":"f_3k9w"},"by":"system",
//!  "cash":[{"account":"bank/1","amount":1000,"unit":"CNY"}],"kind":"donation.received",
//!  "ledger":"mingzhang.example/wuzhong-love","post":[{"from":0,"line":"f_3k9w/CNY","op":"in","to":1000}],
//!  "prev":"2cb65ec5…","seq":2,"v":1}
//! ```
//! (on one line, without blanks). The members are closed; readers accept kinds that they do not know.

use super::canonical::{NotCanonical, NotWritable, Object, Value, write_integer, write_text};
use crate::values::{AccountId, Hash, Origin, StaffId, Timestamp, Unit};
use std::borrow::Cow;

/// Longest entry in bytes.
pub const BYTES_MAX: usize = 65_535;

/// An entry as it is read: borrowed from its bytes, its posts and cash not yet judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Origin of the log.
    pub ledger: Cow<'a, str>,
    /// Index in the log, from 0.
    pub seq: u64,
    /// Leaf hash of the entry before; zeros for entry 0.
    pub prev: Hash,
    /// When it was posted.
    pub at: Timestamp,
    /// Who posted it.
    pub by: Cow<'a, str>,
    /// What kind of fact it is.
    pub kind: Cow<'a, str>,
    /// The facts of that kind.
    pub body: Object<'a>,
    /// What happens to fund money; empty where the member is absent.
    pub post: Vec<RawPost<'a>>,
    /// What happens at accounts; empty where the member is absent.
    pub cash: Vec<RawCash<'a>>,
}

/// A post as it stands in an entry. Its rules are judged by [`super::posting::Book::apply`], so that each refusal carries its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawPost<'a> {
    /// `in`, `hold`, `out`, `free` or `void`.
    pub op: Cow<'a, str>,
    /// `<fund>/<unit>`.
    pub line: Cow<'a, str>,
    /// First position.
    pub from: i64,
    /// One past the last position.
    pub to: i64,
    /// The earlier entry that the post refers to.
    pub of: Option<i64>,
}

/// A change at an account as it stands in an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawCash<'a> {
    /// Bank account, wallet, cash box or store.
    pub account: Cow<'a, str>,
    /// Unit.
    pub unit: Cow<'a, str>,
    /// Signed minor units, not 0.
    pub amount: i64,
}

/// Why bytes are not an entry.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum EntryError {
    /// Longer than 65,535 bytes.
    #[error("the entry has {0} bytes; at most 65,535 are allowed")]
    TooLong(usize),
    /// Not canonical JSON.
    #[error(transparent)]
    NotCanonical(#[from] NotCanonical),
    /// A member is missing, unknown or of another form.
    #[error("{path}: {rule}")]
    Member {
        /// Path of the member, as `/post/0/from`.
        path: String,
        /// What must hold.
        rule: &'static str,
    },
}

impl EntryError {
    /// The same of a part that stands at `path`.
    fn within(self, path: &str) -> Self {
        match self {
            Self::Member { path: below, rule } => Self::Member { path: format!("{path}{below}"), rule },
            other @ (Self::TooLong(_) | Self::NotCanonical(_)) => other,
        }
    }
}

impl<'a> Entry<'a> {
    /// Reads an entry: canonical bytes, closed members, grammar. Whether it follows the entry before, and whether its posts and
    /// cash keep their rules, is for [`super::verify`] to say.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, EntryError> {
        if bytes.len() > BYTES_MAX {
            return Err(EntryError::TooLong(bytes.len()));
        }
        let Value::Object(members) = Value::parse(bytes)? else {
            return Err(member("", "an entry is an object"));
        };
        let mut fields = Fields::new(members);
        let at = fields.text("at")?;
        let body = fields.take("body")?;
        let by = fields.text("by")?;
        let cash = fields.take_optional("cash");
        let kind = fields.text("kind")?;
        let ledger = fields.text("ledger")?;
        let post = fields.take_optional("post");
        let prev = fields.text("prev")?;
        let seq = fields.integer("seq")?;
        let v = fields.integer("v")?;
        fields.end()?;
        if v != 1 {
            return Err(member("/v", "this format version is not known; 1 is"));
        }
        let Value::Object(body) = body else {
            return Err(member("/body", "the body is an object"));
        };
        if !is_kind(&kind) {
            return Err(member("/kind", "a kind is two words in small letters joined by a dot, at most 40 characters"));
        }
        if !StaffId::accepts(&by) {
            return Err(member("/by", StaffId::GRAMMAR));
        }
        if !Origin::accepts(&ledger) {
            return Err(member("/ledger", Origin::GRAMMAR));
        }
        Ok(Self {
            seq: u64::try_from(seq).map_err(|_| member("/seq", "a sequence number starts at 0"))?,
            prev: Hash::from_hex(&prev).ok_or_else(|| member("/prev", "64 lower-case hex digits"))?,
            at: Timestamp::parse(&at).ok_or_else(|| member("/at", "a time in UTC as 2026-01-01T02:00:00.000Z"))?,
            post: rows(post, "/post", parse_post)?,
            cash: rows(cash, "/cash", parse_cash)?,
            ledger,
            by,
            kind,
            body,
        })
    }

    /// The same without its bytes.
    pub fn into_owned(self) -> Entry<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let post = |post: RawPost<'_>| RawPost { op: owned(post.op), line: owned(post.line), ..post };
        let cash = |row: RawCash<'_>| RawCash { account: owned(row.account), unit: owned(row.unit), ..row };
        Entry {
            ledger: owned(self.ledger),
            by: owned(self.by),
            kind: owned(self.kind),
            body: self.body.into_owned(),
            post: self.post.into_iter().map(post).collect(),
            cash: self.cash.into_iter().map(cash).collect(),
            ..self
        }
    }

    /// The canonical bytes of the entry; refused where it would be longer than 65,535 bytes or holds text that is not NFC.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EntryWriteError> {
        let mut out = String::with_capacity(640);
        self.write(&mut out)?;
        if out.len() > BYTES_MAX { Err(EntryWriteError::TooLong(out.len())) } else { Ok(out.into_bytes()) }
    }

    fn write(&self, out: &mut String) -> Result<(), NotWritable> {
        use std::fmt::Write as _;
        let integer = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        write!(out, "{{\"at\":\"{}\",\"body\":", self.at).expect("writing to a String cannot fail");
        self.body.write(out, 1)?;
        out.push_str(",\"by\":");
        write_text(out, &self.by)?;
        for (place, row) in self.cash.iter().enumerate() {
            out.push_str(if place == 0 { ",\"cash\":[{\"account\":" } else { ",{\"account\":" });
            write_text(out, &row.account)?;
            out.push_str(",\"amount\":");
            write_integer(out, row.amount)?;
            out.push_str(",\"unit\":");
            write_text(out, &row.unit)?;
            out.push('}');
        }
        if !self.cash.is_empty() {
            out.push(']');
        }
        out.push_str(",\"kind\":");
        write_text(out, &self.kind)?;
        out.push_str(",\"ledger\":");
        write_text(out, &self.ledger)?;
        for (place, post) in self.post.iter().enumerate() {
            out.push_str(if place == 0 { ",\"post\":[{\"from\":" } else { ",{\"from\":" });
            write_integer(out, post.from)?;
            out.push_str(",\"line\":");
            write_text(out, &post.line)?;
            if let Some(of) = post.of {
                out.push_str(",\"of\":");
                write_integer(out, of)?;
            }
            out.push_str(",\"op\":");
            write_text(out, &post.op)?;
            out.push_str(",\"to\":");
            write_integer(out, post.to)?;
            out.push('}');
        }
        if !self.post.is_empty() {
            out.push(']');
        }
        write!(out, ",\"prev\":\"{}\",\"seq\":", self.prev).expect("writing to a String cannot fail");
        write_integer(out, integer(self.seq))?;
        out.push_str(",\"v\":1}");
        Ok(())
    }
}

/// Why an entry cannot be written.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum EntryWriteError {
    /// Longer than 65,535 bytes.
    #[error("the entry would have {0} bytes; at most 65,535 are allowed")]
    TooLong(usize),
    /// Something in it has no canonical form.
    #[error(transparent)]
    NotWritable(#[from] NotWritable),
}

fn member(path: &str, rule: &'static str) -> EntryError {
    EntryError::Member { path: path.into(), rule }
}

/// `[a-z_]+\.[a-z_]+`, at most 40 characters.
fn is_kind(text: &str) -> bool {
    let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    text.len() <= 40 && text.split_once('.').is_some_and(|(area, verb)| word(area) && word(verb))
}

fn rows<'a, T>(
    value: Option<Value<'a>>,
    path: &str,
    parse: fn(Object<'a>) -> Result<T, EntryError>,
) -> Result<Vec<T>, EntryError> {
    let items = match value {
        None => return Ok(Vec::new()),
        Some(Value::Array(items)) if !items.is_empty() => items,
        Some(_) => return Err(member(path, "an array with at least one row, or no member at all")),
    };
    let mut rows = Vec::with_capacity(items.len());
    for (place, item) in items.into_iter().enumerate() {
        let row = match item {
            Value::Object(fields) => parse(fields),
            Value::Bool(_) | Value::Integer(_) | Value::Text(_) | Value::Array(_) => {
                Err(member("", "a row is an object"))
            }
        };
        rows.push(row.map_err(|error| error.within(&format!("{path}/{place}")))?);
    }
    Ok(rows)
}

fn parse_post(fields: Object<'_>) -> Result<RawPost<'_>, EntryError> {
    let mut fields = Fields::new(fields);
    let post = RawPost {
        from: fields.integer("from")?,
        line: fields.text("line")?,
        of: match fields.take_optional("of") {
            None => None,
            Some(Value::Integer(of)) => Some(of),
            Some(_) => return Err(member("/of", "a sequence number")),
        },
        op: fields.text("op")?,
        to: fields.integer("to")?,
    };
    fields.end()?;
    Ok(post)
}

fn parse_cash(fields: Object<'_>) -> Result<RawCash<'_>, EntryError> {
    let mut fields = Fields::new(fields);
    let row =
        RawCash { account: fields.text("account")?, amount: fields.integer("amount")?, unit: fields.text("unit")? };
    fields.end()?;
    if !AccountId::accepts(&row.account) {
        return Err(member("/account", AccountId::GRAMMAR));
    }
    if Unit::parse(&row.unit).is_err() {
        return Err(member("/unit", "a currency code such as CNY, or goods such as box:N95"));
    }
    if row.amount == 0 {
        return Err(member("/amount", "an amount is not 0"));
    }
    Ok(row)
}

/// Takes the members of an object one by one, in order of their keys; what is left over at the end is unknown.
struct Fields<'a>(std::iter::Peekable<std::vec::IntoIter<(Cow<'a, str>, Value<'a>)>>);

impl<'a> Fields<'a> {
    fn new(object: Object<'a>) -> Self {
        Self(object.into_members().into_iter().peekable())
    }

    fn take_optional(&mut self, key: &str) -> Option<Value<'a>> {
        self.0.next_if(|(name, _)| name == key).map(|(_, value)| value)
    }

    fn take(&mut self, key: &str) -> Result<Value<'a>, EntryError> {
        self.take_optional(key).ok_or_else(|| member(&format!("/{key}"), "the member is missing"))
    }

    fn text(&mut self, key: &str) -> Result<Cow<'a, str>, EntryError> {
        match self.take(key)? {
            Value::Text(text) => Ok(text),
            Value::Bool(_) | Value::Integer(_) | Value::Array(_) | Value::Object(_) => {
                Err(member(&format!("/{key}"), "text is wanted here"))
            }
        }
    }

    fn integer(&mut self, key: &str) -> Result<i64, EntryError> {
        self.take(key)?.as_integer().ok_or_else(|| member(&format!("/{key}"), "an integer is wanted here"))
    }

    fn end(mut self) -> Result<(), EntryError> {
        match self.0.next() {
            None => Ok(()),
            Some((key, _)) => {
                Err(member(&format!("/{key}"), "the member is not known here, or a member before it is missing"))
            }
        }
    }
}
