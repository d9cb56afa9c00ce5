//! That an item is inside a total which an entry has published: `{report, term, index, count, item, amount, path: [{side, hash, sum}]}`,
//! where `report` is the entry and `term` one of its `terms: [{name, sign, count, sum, root}]`.

use super::canonical::{Object, Value};
use super::entry::Entry;
use super::sum_tree::{self, Item, Side, Sum, Total};
use crate::values::Hash;

/// An item, and the way from it to the root of a term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The entry that has published the total.
    pub report: u64,
    /// The name of the term.
    pub term: String,
    /// Place among the items.
    pub index: u64,
    /// Count of the items.
    pub count: u64,
    /// The item, and what it adds.
    pub item: Item,
    /// Siblings, leaf to root.
    pub path: Vec<(Side, Sum)>,
}

/// Why a claim proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotInside {
    /// The form is broken.
    #[error("this is no proof of a total")]
    Form,
    /// The entry has published no such term.
    #[error("no such total was published there")]
    NoTerm,
    /// The path does not lead to the published root and sum.
    #[error("the amount is not inside the published total")]
    Outside,
}

impl Claim {
    /// As a value.
    pub fn to_value(&self) -> Value<'static> {
        let integer = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let sibling = |(side, sum): &(Side, Sum)| {
            let side = match side {
                Side::Left => "left",
                Side::Right => "right",
            };
            Value::Object(
                Object::new().text("side", side).text("hash", sum.hash.to_hex()).integer("sum", integer(sum.sum)),
            )
        };
        Value::Object(
            Object::new()
                .integer("report", integer(self.report))
                .text("term", self.term.clone())
                .integer("index", integer(self.index))
                .integer("count", integer(self.count))
                .text("item", self.item.item.to_hex())
                .integer("amount", integer(self.item.amount))
                .with("path", Value::Array(self.path.iter().map(sibling).collect())),
        )
    }

    /// From a value; every member must be there, and no other.
    pub fn from_value(value: &Value<'_>) -> Result<Self, NotInside> {
        let object = value.as_object().filter(|object| object.iter().count() == 7).ok_or(NotInside::Form)?;
        let sibling = |value: &Value<'_>| {
            let object = value.as_object().filter(|object| object.iter().count() == 3)?;
            let side = match object.get("side")?.as_text()? {
                "left" => Side::Left,
                "right" => Side::Right,
                _ => return None,
            };
            Some((side, Sum { hash: hash(object, "hash")?, sum: count(object, "sum")? }))
        };
        let claim = || {
            Some(Self {
                report: count(object, "report")?,
                term: object.get("term")?.as_text()?.to_owned(),
                index: count(object, "index")?,
                count: count(object, "count")?,
                item: Item { item: hash(object, "item")?, amount: count(object, "amount")? },
                path: object.get("path")?.as_array()?.iter().map(sibling).collect::<Option<_>>()?,
            })
        };
        claim().ok_or(NotInside::Form)
    }

    /// Checks it against the entry that has published the total.
    pub fn verify(&self, published: &Entry<'_>) -> Result<Total, NotInside> {
        let terms = published.body.get("terms").and_then(Value::as_array).ok_or(NotInside::NoTerm)?;
        let named = |value: &&Value<'_>| {
            value.as_object().and_then(|term| term.get("name")?.as_text()) == Some(self.term.as_str())
        };
        let term = terms.iter().find(named).and_then(Value::as_object);
        // Inside what is taken off nothing is.
        let term = term.filter(|term| term.get("sign").and_then(Value::as_integer) == Some(1));
        let total = term.and_then(|term| {
            let root = Sum { hash: hash(term, "root")?, sum: count(term, "sum")? };
            Some(Total { count: count(term, "count")?, root })
        });
        let total = total.filter(|_| published.seq == self.report).ok_or(NotInside::NoTerm)?;
        let holds = sum_tree::verify(self.item, self.index, self.count, &self.path, total);
        if holds { Ok(total) } else { Err(NotInside::Outside) }
    }
}

fn count(object: &Object<'_>, name: &str) -> Option<u64> {
    u64::try_from(object.get(name)?.as_integer()?).ok()
}

fn hash(object: &Object<'_>, name: &str) -> Option<Hash> {
    Hash::from_hex(object.get(name)?.as_text()?)
}
