//! Canonical JSON: the one form of RFC 8785 (JCS) that entries, records and report data are hashed in.
//!
//! ```text
//! {"amount":1000,"fund":"f_3k9w","nested":{"x":false,"y":true},"z":[]}
//! ```
//!
//! A subset: integers within ±(2^53 − 1), strings, booleans, arrays and objects; no floats, no null; nested at most 16 deep.
//! What is hashed is what this module writes, and what is read must be exactly that form.

use crate::values::INTEGER_MAX;
use crate::values::text::is_nfc;
use std::borrow::Cow;
use std::cmp::Ordering;

/// Deepest nesting: the outermost object is depth 1.
pub const DEPTH_MAX: u32 = 16;

/// A value of the subset. Strings are borrowed from the bytes they were read from where no escape stands in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// `true` or `false`.
    Bool(bool),
    /// An integer within ±(2^53 − 1).
    Integer(i64),
    /// Text; the writer takes normal form C only.
    Text(Cow<'a, str>),
    /// Values in order.
    Array(Vec<Value<'a>>),
    /// Members in order of their keys' UTF-16 code units.
    Object(Object<'a>),
}

/// The members of an object, sorted, without a repeated key.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Object<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

/// Why bytes are not canonical JSON, and at which byte.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
#[error("not canonical JSON at byte {at}: {rule}")]
pub struct NotCanonical {
    /// Offset of the first byte that breaks the rule.
    pub at: usize,
    /// The rule.
    pub rule: Rule,
}

/// Rules of the canonical form.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum Rule {
    /// Bytes are UTF-8.
    #[error("the bytes are not UTF-8")]
    Utf8,
    /// A value starts here.
    #[error("a value is missing or has an unknown form")]
    Value,
    /// Integers only, in their shortest form, within ±(2^53 − 1).
    #[error("a number must be an integer within ±(2^53−1) in its shortest form")]
    Number,
    /// Strings escape exactly what RFC 8785 §3.2.2.2 escapes.
    #[error("a string is not escaped in the canonical way")]
    Text,
    /// Keys ascend by UTF-16 code units.
    #[error("keys must ascend and not repeat")]
    KeyOrder,
    /// A comma, colon or bracket is missing.
    #[error("a comma, colon or bracket is missing")]
    Punctuation,
    /// Nesting ends at 16.
    #[error("nested more than 16 deep")]
    Depth,
    /// Nothing follows the value.
    #[error("something follows the value")]
    Trailing,
}

/// Why a value cannot be written.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum NotWritable {
    /// Text is not in Unicode normal form C.
    #[error("text is not in Unicode normal form C: “{0}”")]
    NotNfc(String),
    /// An integer lies beyond ±(2^53 − 1).
    #[error("{0} lies beyond ±(2^53−1)")]
    Integer(i64),
    /// Nested more than 16 deep.
    #[error("nested more than 16 deep")]
    Depth,
}

impl<'a> Value<'a> {
    /// Reads one canonical value; every other form of the same JSON is refused.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, NotCanonical> {
        let text =
            std::str::from_utf8(bytes).map_err(|error| NotCanonical { at: error.valid_up_to(), rule: Rule::Utf8 })?;
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(0)?;
        if reader.at == text.len() { Ok(value) } else { Err(reader.broken(Rule::Trailing)) }
    }

    /// The canonical bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, NotWritable> {
        let mut out = String::with_capacity(256);
        self.write(&mut out, 0)?;
        Ok(out.into_bytes())
    }

    /// Text of the value.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// The text, where it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bool(_) | Self::Integer(_) | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// The integer, where it is one.
    pub const fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(n) => Some(*n),
            Self::Bool(_) | Self::Text(_) | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// The Boolean, where it is one.
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            Self::Integer(_) | Self::Text(_) | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// The items, where it is an array.
    pub fn as_array(&self) -> Option<&[Value<'a>]> {
        match self {
            Self::Array(items) => Some(items),
            Self::Bool(_) | Self::Integer(_) | Self::Text(_) | Self::Object(_) => None,
        }
    }

    /// The members, where it is an object.
    pub const fn as_object(&self) -> Option<&Object<'a>> {
        match self {
            Self::Object(object) => Some(object),
            Self::Bool(_) | Self::Integer(_) | Self::Text(_) | Self::Array(_) => None,
        }
    }

    /// The same value, owning all its text.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Bool(b) => Value::Bool(b),
            Self::Integer(n) => Value::Integer(n),
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::Array(items) => Value::Array(items.into_iter().map(Value::into_owned).collect()),
            Self::Object(object) => Value::Object(object.into_owned()),
        }
    }

    pub(super) fn write(&self, out: &mut String, depth: u32) -> Result<(), NotWritable> {
        match self {
            Self::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Self::Integer(n) => write_integer(out, *n)?,
            Self::Text(text) => write_text(out, text)?,
            Self::Array(items) => {
                let depth = deeper(depth)?;
                out.push('[');
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    item.write(out, depth)?;
                }
                out.push(']');
            }
            Self::Object(object) => object.write(out, depth)?,
        }
        Ok(())
    }
}

impl<'a> Object<'a> {
    /// No members.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Sets a key, keeping the order.
    pub fn set(&mut self, key: impl Into<Cow<'a, str>>, value: Value<'a>) {
        let key = key.into();
        match self.0.binary_search_by(|(name, _)| key_order(name, &key)) {
            Ok(place) => self.0[place].1 = value,
            Err(place) => self.0.insert(place, (key, value)),
        }
    }

    /// The object with one more member.
    #[must_use]
    pub fn with(mut self, key: impl Into<Cow<'a, str>>, value: Value<'a>) -> Self {
        self.set(key, value);
        self
    }

    /// The object with one more text member.
    #[must_use]
    pub fn text(self, key: impl Into<Cow<'a, str>>, text: impl Into<Cow<'a, str>>) -> Self {
        self.with(key, Value::Text(text.into()))
    }

    /// The object with one more integer member.
    #[must_use]
    pub fn integer(self, key: impl Into<Cow<'a, str>>, integer: i64) -> Self {
        self.with(key, Value::Integer(integer))
    }

    /// Members in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), value))
    }

    /// Count of members.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// True without members.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Members by value, in order.
    pub(super) fn into_members(self) -> Vec<(Cow<'a, str>, Value<'a>)> {
        self.0
    }

    /// The same members, owning all their text.
    pub fn into_owned(self) -> Object<'static> {
        let own = |(key, value): (Cow<'a, str>, Value<'a>)| (Cow::Owned(key.into_owned()), value.into_owned());
        Object(self.0.into_iter().map(own).collect())
    }

    /// The canonical bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, NotWritable> {
        let mut out = String::with_capacity(256);
        self.write(&mut out, 0)?;
        Ok(out.into_bytes())
    }

    pub(super) fn write(&self, out: &mut String, depth: u32) -> Result<(), NotWritable> {
        let depth = deeper(depth)?;
        out.push('{');
        for (place, (key, value)) in self.0.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            // Keys are ours, never a person's text; RFC 8785's own example has one that is not NFC.
            write_escaped(out, key);
            out.push(':');
            value.write(out, depth)?;
        }
        out.push('}');
        Ok(())
    }
}

const fn deeper(depth: u32) -> Result<u32, NotWritable> {
    if depth < DEPTH_MAX { Ok(depth + 1) } else { Err(NotWritable::Depth) }
}

/// Order of keys: by UTF-16 code units, RFC 8785 §3.2.3. For ASCII that is the order of the bytes.
fn key_order(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() { a.cmp(b) } else { a.encode_utf16().cmp(b.encode_utf16()) }
}

pub(super) fn write_integer(out: &mut String, n: i64) -> Result<(), NotWritable> {
    if !(-INTEGER_MAX..=INTEGER_MAX).contains(&n) {
        return Err(NotWritable::Integer(n));
    }
    out.push_str(itoa::Buffer::new().format(n));
    Ok(())
}

pub(super) fn write_text(out: &mut String, text: &str) -> Result<(), NotWritable> {
    if !is_nfc(text) {
        return Err(NotWritable::NotNfc(text.chars().take(60).collect()));
    }
    write_escaped(out, text);
    Ok(())
}

fn write_escaped(out: &mut String, text: &str) {
    use std::fmt::Write as _;
    out.push('"');
    let mut rest = text;
    while let Some(place) = rest.bytes().position(must_be_escaped) {
        out.push_str(&rest[..place]);
        match rest.as_bytes()[place] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            0x08 => out.push_str("\\b"),
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            0x0c => out.push_str("\\f"),
            b'\r' => out.push_str("\\r"),
            control => write!(out, "\\u{control:04x}").expect("writing to a String cannot fail"),
        }
        rest = &rest[place + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

const fn must_be_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: u32) -> Result<Value<'a>, NotCanonical> {
        match self.peek() {
            Some(b'"') => self.string().map(Value::Text),
            Some(b'-' | b'0'..=b'9') => self.integer(),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b't') => self.word("true").map(|()| Value::Bool(true)),
            Some(b'f') => self.word("false").map(|()| Value::Bool(false)),
            _ => Err(self.broken(Rule::Value)),
        }
    }

    fn object(&mut self, depth: u32) -> Result<Value<'a>, NotCanonical> {
        if depth >= DEPTH_MAX {
            return Err(self.broken(Rule::Depth));
        }
        self.at += 1;
        let mut members: Vec<(Cow<'a, str>, Value<'a>)> = Vec::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(Object(members)));
        }
        loop {
            let key_at = self.at;
            let key = self.string()?;
            if members.last().is_some_and(|(last, _)| key_order(last, &key) != Ordering::Less) {
                return Err(NotCanonical { at: key_at, rule: Rule::KeyOrder });
            }
            self.byte(b':')?;
            let value = self.value(depth + 1)?;
            members.push((key, value));
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.broken(Rule::Punctuation)),
            }
        }
        self.at += 1;
        Ok(Value::Object(Object(members)))
    }

    fn array(&mut self, depth: u32) -> Result<Value<'a>, NotCanonical> {
        if depth >= DEPTH_MAX {
            return Err(self.broken(Rule::Depth));
        }
        self.at += 1;
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.broken(Rule::Punctuation)),
            }
        }
        self.at += 1;
        Ok(Value::Array(items))
    }

    fn integer(&mut self) -> Result<Value<'a>, NotCanonical> {
        let start = self.at;
        let broken = NotCanonical { at: start, rule: Rule::Number };
        let negative = self.peek() == Some(b'-');
        if negative {
            self.at += 1;
        }
        let digits_at = self.at;
        let mut n: i64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            n = n.checked_mul(10).and_then(|n| n.checked_add(i64::from(digit - b'0'))).ok_or(broken)?;
            self.at += 1;
        }
        let digits = &self.text[digits_at..self.at];
        let shortest = match digits.as_bytes() {
            [] => false,
            [b'0'] => !negative,
            [first, ..] => *first != b'0',
        };
        if !shortest || n > INTEGER_MAX || matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            return Err(broken);
        }
        Ok(Value::Integer(if negative { -n } else { n }))
    }

    fn string(&mut self) -> Result<Cow<'a, str>, NotCanonical> {
        if self.peek() != Some(b'"') {
            return Err(self.broken(Rule::Value));
        }
        self.at += 1;
        let mut owned: Option<String> = None;
        let mut plain_from = self.at;
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let Some(length) = rest.iter().position(|byte| must_be_escaped(*byte)) else {
                self.at = self.text.len();
                return Err(self.broken(Rule::Text));
            };
            self.at += length;
            let plain = &self.text[plain_from..self.at];
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(match owned {
                        None => Cow::Borrowed(plain),
                        Some(text) => Cow::Owned(text + plain),
                    });
                }
                Some(b'\\') => {
                    let text = owned.get_or_insert_with(String::new);
                    text.push_str(plain);
                    text.push(self.escape()?);
                    plain_from = self.at;
                }
                _ => return Err(self.broken(Rule::Text)),
            }
        }
    }

    fn escape(&mut self) -> Result<char, NotCanonical> {
        let broken = self.broken(Rule::Text);
        let (escaped, length) = match self.text.as_bytes().get(self.at + 1).ok_or(broken)? {
            b'"' => ('"', 2),
            b'\\' => ('\\', 2),
            b'b' => ('\u{8}', 2),
            b't' => ('\t', 2),
            b'n' => ('\n', 2),
            b'f' => ('\u{c}', 2),
            b'r' => ('\r', 2),
            b'u' => {
                let digits = self.text.get(self.at + 2..self.at + 6).ok_or(broken)?;
                let lower = digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
                let code = u32::from_str_radix(digits, 16).map_err(|_| broken)?;
                let has_short_form = matches!(code, 8 | 9 | 10 | 12 | 13);
                if !lower || code >= 0x20 || has_short_form {
                    return Err(broken);
                }
                (char::from_u32(code).ok_or(broken)?, 6)
            }
            _ => return Err(broken),
        };
        self.at += length;
        Ok(escaped)
    }

    fn word(&mut self, word: &str) -> Result<(), NotCanonical> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            Ok(())
        } else {
            Err(self.broken(Rule::Value))
        }
    }

    fn byte(&mut self, byte: u8) -> Result<(), NotCanonical> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.broken(Rule::Punctuation))
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    const fn broken(&self, rule: Rule) -> NotCanonical {
        NotCanonical { at: self.at, rule }
    }
}
