//! Sums by unit, as states hold them: what is committed to a case, what is at an account, what left a fund.

use super::body::BadBody;
use crate::ledger::canonical::{Object, Value};
use crate::values::{INTEGER_MAX, Unit};

/// Signed minor units of each unit, in the order of the units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums(Vec<(Unit, i64)>);

impl Sums {
    /// The sum in a unit; 0 where there is none.
    pub fn of(&self, unit: Unit) -> i64 {
        self.0.iter().find(|(known, _)| *known == unit).map_or(0, |(_, minor)| *minor)
    }

    /// The units that were ever added to.
    pub fn units(&self) -> impl Iterator<Item = Unit> {
        self.0.iter().map(|(unit, _)| *unit)
    }

    /// Adds minor units, or takes them away where `minor` is below zero; `None` beyond what an entry can hold.
    pub(super) fn add(&mut self, unit: Unit, minor: i64) -> Option<()> {
        if !self.has_room(unit, minor) {
            return None;
        }
        match self.0.iter_mut().find(|(known, _)| *known == unit) {
            Some((_, sum)) => *sum += minor,
            None => {
                self.0.push((unit, minor));
                self.0.sort_unstable();
            }
        }
        Some(())
    }

    /// Whether so much can be added.
    pub(super) fn has_room(&self, unit: Unit, minor: i64) -> bool {
        self.of(unit).checked_add(minor).is_some_and(|sum| (-INTEGER_MAX..=INTEGER_MAX).contains(&sum))
    }

    /// The stored form: an integer by unit.
    pub(super) fn to_value(&self) -> Value<'static> {
        Value::Object(
            self.0.iter().fold(Object::new(), |object, (unit, minor)| object.integer(unit.to_string(), *minor)),
        )
    }

    /// From the stored form where it is there: the body of an opening has none.
    pub(super) fn if_there(object: &Object<'_>, member: &str) -> Result<Self, BadBody> {
        if object.get(member).is_some() { Self::stored(object, member) } else { Ok(Self::default()) }
    }

    /// From the stored form.
    pub(super) fn stored(object: &Object<'_>, member: &str) -> Result<Self, BadBody> {
        let bad = || BadBody { member: member.into() };
        let sums = object.get(member).and_then(|value| value.as_object()).ok_or_else(bad)?.iter();
        let sums = sums.map(|(unit, minor)| Unit::parse(unit).ok().zip(minor.as_integer()));
        Ok(Self(sums.collect::<Option<Vec<_>>>().ok_or_else(bad)?))
    }
}
