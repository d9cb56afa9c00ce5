//! The certificate of a gift 捐赠凭证: issued on demand, numbered without a gap in each year, frozen when it is issued.

use super::body::{BadBody, Body, Optional as _};
use super::decide::{Context, Draft, Stop, require};
use super::donation::{Donation, rest_of};
use super::refusal::Refusal;
use super::vocabulary::Role;
use super::working_set::WorkingSet;
use crate::ledger::canonical::Object;
use crate::ledger::entry::Entry;
use crate::values::{Amount, Day, StaffId};

/// A certificate, as its entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its number: year and place in the series, as `2026-000001`.
    pub number: String,
    /// The entry of the gift.
    pub donation: u64,
    /// What was given and not given back by then.
    pub amount: Amount,
    /// The day of issue.
    pub on: Day,
    /// The entry that says so.
    pub seq: u64,
}

/// The certificates of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Series {
    /// How many there are: the number of the last.
    pub last: u64,
}

impl Certificate {
    /// From the body of `receipt.issued`.
    pub fn from_body(object: &Object<'_>, seq: u64) -> Result<Self, BadBody> {
        let body = Body(object);
        Ok(Self {
            number: body.text("receipt")?.into(),
            donation: body.count("donation")?,
            amount: body.amount("amount")?,
            on: body.day("on")?,
            seq,
        })
    }

    /// From the stored state.
    pub fn from_object(object: &Object<'_>) -> Result<Self, BadBody> {
        Self::from_body(object, Body(object).count("seq")?)
    }

    /// The body of its entry.
    fn to_body(&self) -> Object<'static> {
        Object::new()
            .integer("amount", self.amount.minor())
            .count("donation", self.donation)
            .text("on", self.on.to_string())
            .text("receipt", self.number.clone())
            .text("unit", self.amount.unit().to_string())
    }

    /// The stored state.
    pub fn to_object(&self) -> Object<'static> {
        self.to_body().count("seq", self.seq)
    }

    /// Year and place in its series; `None` where the number has another form.
    pub(super) fn place(&self) -> Option<(&str, u64)> {
        let (year, place) = self.number.split_once('-')?;
        let place = place.parse().ok()?;
        (self.number == number(year, place)).then_some((year, place))
    }
}

impl Series {
    /// The stored state.
    pub fn to_object(self) -> Object<'static> {
        Object::new().count("last", self.last)
    }

    /// From the stored state.
    pub fn from_object(object: &Object<'_>) -> Result<Self, BadBody> {
        Ok(Self { last: Body(object).count("last")? })
    }
}

fn number(year: &str, place: u64) -> String {
    format!("{year}-{place:06}")
}

/// Issues the certificate of a gift; by its donor, who has shown the code (then `by` is the system), or by a clerk.
pub(super) fn issue(set: &WorkingSet, context: &Context<'_>, donation: u64) -> Result<Vec<Draft>, Stop> {
    if *context.by != StaffId::system() {
        context.require_role(Role::Clerk)?;
    }
    let bytes = require(set.entry(donation)?, "donation", donation)?;
    let none = |found: String| Refusal::NotThatKind { seq: donation, wanted: "gift", found };
    let entry = Entry::parse(bytes).map_err(|error| none(error.to_string()))?;
    let gift = Donation::from_entry(&entry).ok().flatten().ok_or_else(|| none(format!("it is {}", entry.kind)))?;
    let refused = |state| Refusal::StepNotPossible { what: "gift", name: donation.to_string(), state, possible: &[] };
    if set.certificate(&donation.to_string())?.is_some() {
        return Err(refused("certified already").into());
    }
    let amount = rest_of(set, &gift)?;
    if amount.is_zero() {
        return Err(refused("given back in full already").into());
    }
    let year = context.today.year().to_string();
    let last = set.series(&year)?.map_or(0, |series| series.last);
    let certificate = Certificate { number: number(&year, last + 1), donation, amount, on: context.today, seq: 0 };
    Ok(vec![Draft::fact("receipt.issued", certificate.to_body())])
}
