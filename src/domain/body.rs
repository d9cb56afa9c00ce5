//! Reading bodies: the members that a kind must have.

use crate::ledger::canonical::{Object, Value};
use crate::values::{Amount, Day, Hash, Unit};

/// A body or a stored state lacks a member, or has it in another form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("/body/{member} is missing or has another form than its kind asks for")]
pub struct BadBody {
    /// The member.
    pub member: String,
}

/// A reader of an object's members.
#[derive(Clone, Copy, Debug)]
pub struct Body<'o, 'a>(pub &'o Object<'a>);

impl Body<'_, '_> {
    /// A text member.
    pub fn text(&self, member: &str) -> Result<&str, BadBody> {
        self.0.get(member).and_then(Value::as_text).ok_or_else(|| bad(member))
    }

    /// A text member that may be absent.
    pub fn optional_text(&self, member: &str) -> Option<&str> {
        self.0.get(member).and_then(Value::as_text)
    }

    /// A text member read by its own rules.
    pub fn parsed<T: std::str::FromStr>(&self, member: &str) -> Result<T, BadBody> {
        self.text(member)?.parse().map_err(|_| bad(member))
    }

    /// A text member read by its own rules, that may be absent.
    pub fn optional<T: std::str::FromStr>(&self, member: &str) -> Result<Option<T>, BadBody> {
        self.optional_text(member).map(|text| text.parse().map_err(|_| bad(member))).transpose()
    }

    /// An integer of at least 0.
    pub fn count(&self, member: &str) -> Result<u64, BadBody> {
        self.0.get(member).and_then(Value::as_integer).and_then(|n| u64::try_from(n).ok()).ok_or_else(|| bad(member))
    }

    /// An integer of at least 0 that may be absent.
    pub fn optional_count(&self, member: &str) -> Result<Option<u64>, BadBody> {
        self.0.get(member).map(|_| self.count(member)).transpose()
    }

    /// A hash in hex.
    pub fn hash(&self, member: &str) -> Result<Hash, BadBody> {
        Hash::from_hex(self.text(member)?).ok_or_else(|| bad(member))
    }

    /// An object that may be absent.
    pub fn optional_object(&self, member: &str) -> Result<Option<&Object<'_>>, BadBody> {
        self.0.get(member).map(|value| value.as_object().ok_or_else(|| bad(member))).transpose()
    }

    /// An amount in the unit of the member `unit`.
    pub fn amount(&self, member: &str) -> Result<Amount, BadBody> {
        let unit: Unit = self.parsed("unit")?;
        let minor = self.0.get(member).and_then(Value::as_integer).ok_or_else(|| bad(member))?;
        Amount::new(minor, unit).map_err(|_| bad(member))
    }

    /// A calendar day.
    pub fn day(&self, member: &str) -> Result<Day, BadBody> {
        self.parsed(member)
    }

    /// A list of texts, each read by its own rules; an absent member is an empty list.
    pub fn list<T: std::str::FromStr>(&self, member: &str) -> Result<Vec<T>, BadBody> {
        let Some(value) = self.0.get(member) else {
            return Ok(Vec::new());
        };
        let items = value.as_array().ok_or_else(|| bad(member))?;
        items.iter().map(|item| item.as_text().and_then(|text| text.parse().ok()).ok_or_else(|| bad(member))).collect()
    }
}

fn bad(member: &str) -> BadBody {
    BadBody { member: member.into() }
}

/// A list of words as a value.
pub fn words<T: ToString>(items: &[T]) -> Value<'static> {
    Value::Array(items.iter().map(|item| Value::text(item.to_string())).collect())
}

/// Members that are left out where there is nothing to say.
pub trait Optional {
    /// Sets a text member where there is a text.
    #[must_use]
    fn text_if(self, member: &'static str, text: Option<impl ToString>) -> Self;
    /// Sets a list member where the list is not empty.
    #[must_use]
    fn words_if<T: ToString>(self, member: &'static str, items: &[T]) -> Self;
    /// Sets a number where there is one.
    #[must_use]
    fn count_if(self, member: &'static str, count: Option<u64>) -> Self;
    /// Sets a number of at least 0.
    #[must_use]
    fn count(self, member: &'static str, count: u64) -> Self;
}

impl Optional for Object<'static> {
    fn text_if(self, member: &'static str, text: Option<impl ToString>) -> Self {
        match text {
            Some(text) => self.text(member, text.to_string()),
            None => self,
        }
    }

    fn words_if<T: ToString>(self, member: &'static str, items: &[T]) -> Self {
        if items.is_empty() { self } else { self.with(member, words(items)) }
    }

    fn count_if(self, member: &'static str, count: Option<u64>) -> Self {
        match count {
            Some(count) => self.count(member, count),
            None => self,
        }
    }

    fn count(self, member: &'static str, count: u64) -> Self {
        self.integer(member, i64::try_from(count).expect("counts stay far below 2^53"))
    }
}
