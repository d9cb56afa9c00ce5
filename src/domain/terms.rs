//! The terms of a case report's totals: which entries are items of which, and with what amount. The same for whoever publishes them
//! and for whoever has only the entries.

use super::body::{BadBody, Body};
use crate::ledger::canonical::{Object, Value};
use crate::ledger::entry::Entry;
use crate::ledger::follow;
use crate::ledger::sum_tree::{self, Item, SumOverflows, Total};
use crate::values::{FundId, Hash, LineName, Unit};
use std::collections::BTreeMap;

/// Sums of one entry's posts on a fund's own line and its fee line, by op, in minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// `in` on both.
    pub inflow: i64,
    /// `out` of the own line.
    pub outflow: i64,
    /// `out` of the fee line.
    pub fee_out: i64,
    /// `free` on the own line.
    pub freed: i64,
    /// `free` on the fee line.
    pub fee_freed: i64,
    /// `void` on both.
    pub voided: i64,
    /// The last line of another fund, or in another unit.
    pub other_line: Option<LineName>,
}

impl Sums {
    /// The sums of an entry for a fund in a unit.
    pub fn of(entry: &Entry<'_>, fund: &FundId, unit: Unit) -> Result<Self, BadBody> {
        let (mut sums, fee) = (Self::default(), fund.fee());
        for post in &entry.post {
            let bad = || BadBody { member: "post".into() };
            let name = LineName::parse(&post.line).ok_or_else(bad)?;
            let length = post.to.checked_sub(post.from).filter(|length| *length > 0).ok_or_else(bad)?;
            let is_fee = name.fund == fee;
            if name.unit != unit || !(is_fee || name.fund == *fund) {
                sums.other_line = Some(name);
                continue;
            }
            let sum = match (post.op.as_ref(), is_fee) {
                ("in", _) => &mut sums.inflow,
                ("out", false) => &mut sums.outflow,
                ("out", true) => &mut sums.fee_out,
                ("free", false) => &mut sums.freed,
                ("free", true) => &mut sums.fee_freed,
                ("void", _) => &mut sums.voided,
                _ => continue,
            };
            *sum = sum.checked_add(length).ok_or_else(bad)?;
        }
        Ok(sums)
    }
}

/// Of which term an entry is an item, and with what amount; none where it changes no total.
pub fn item_of(entry: &Entry<'_>, sums: &Sums) -> Option<(&'static str, u64)> {
    let (term, amount) = match entry.kind.as_ref() {
        "donation.received" => ("receipts", sums.inflow),
        "disbursement.paid" => ("gross_disbursed", sums.outflow),
        "disbursement.returned" => ("refund_in", sums.freed),
        "donation.refunded" => ("refund_out", sums.voided),
        "fund.transferred" if sums.inflow > 0 => ("transfer_in", sums.inflow),
        "fund.transferred" => ("transfer_out", sums.outflow),
        "entry.reversed" => match Body(&entry.body).optional_text("target_kind") {
            Some("disbursement.paid") => ("reversed", sums.freed),
            Some("donation.received") => ("gifts_reversed", sums.voided),
            Some("fund.transferred") => ("transfers_reversed", sums.freed.checked_add(sums.voided)?),
            _ => return None,
        },
        _ => return None,
    };
    Some((term, u64::try_from(amount).ok()?))
}

/// Items by their term, in order of their entries.
pub type Items = BTreeMap<&'static str, Vec<Item>>;

/// A published total with what it is the total of.
#[derive(Debug)]
pub struct Term {
    /// In order of their entries.
    pub items: Vec<Item>,
    /// Over them.
    pub total: Total,
}

/// Terms by their names.
pub type Terms = BTreeMap<&'static str, Term>;

/// Adds items up.
pub fn totals(items: Items) -> Result<Terms, SumOverflows> {
    let term = |(name, items): (_, Vec<Item>)| Ok((name, Term { total: sum_tree::total(&items)?, items }));
    items.into_iter().map(term).collect()
}

/// The terms as `report.published` states them: name, sign, count, sum and the root of the tree over the items.
pub fn stated(terms: &Terms) -> Result<Vec<Value<'static>>, SumOverflows> {
    let integer = |n: u64| i64::try_from(n).map_err(|_| SumOverflows);
    let term = |(name, Term { total, .. }): (&&'static str, &Term)| {
        let sign = if matches!(*name, "receipts" | "refund_in" | "reversed" | "transfer_in") { 1 } else { -1 };
        let object = Object::new()
            .text("name", *name)
            .integer("sign", sign)
            .integer("count", integer(total.count)?)
            .integer("sum", integer(total.root.sum)?)
            .text("root", total.root.hash.to_hex());
        Ok(Value::Object(object))
    };
    terms.iter().map(term).collect()
}

/// Whether a gift says what it brings in: its amount is the sum of its inflows, in its unit. Other entries say nothing of the kind.
pub fn says_what_it_brings(entry: &Entry<'_>) -> bool {
    entry.kind != "donation.received" || follow::amount(entry).is_some()
}

/// Items by their term, each with its entry.
type Numbered = BTreeMap<&'static str, Vec<(u64, Item)>>;

/// Totals that the entries publish, held against the entries themselves, as they are followed one after the other.
#[derive(Debug, Default)]
pub struct Published {
    /// Items of each fund in each unit, each with its entry.
    items: BTreeMap<(FundId, Unit), Numbered>,
    /// The units of each fund's own lines, in order of their first use.
    units: BTreeMap<FundId, Vec<Unit>>,
    /// The own funds of cases.
    funds: BTreeMap<String, FundId>,
}

impl Published {
    /// Follows an entry; whether what it publishes is what the entries before add up to.
    pub fn follow(&mut self, entry: &Entry<'_>, leaf: Hash) -> Result<bool, BadBody> {
        let body = Body(&entry.body);
        match entry.kind.as_ref() {
            "case.opened" => {
                self.funds.insert(body.text("case")?.to_owned(), body.parsed("fund")?);
            }
            // Other kinds of report have totals of their own.
            "report.published" if body.optional_text("type").is_none_or(|kind| kind == "CASE") => {
                return self.holds(entry);
            }
            _ => {}
        }
        let mut touched: Vec<(FundId, Unit)> = Vec::new();
        for post in &entry.post {
            let name = LineName::parse(&post.line).ok_or_else(|| BadBody { member: "post".into() })?;
            let fund = match name.fund.as_str().strip_suffix(".fee") {
                Some(fund) => FundId::parse(fund).map_err(|_| BadBody { member: "post".into() })?,
                None => {
                    let units = self.units.entry(name.fund.clone()).or_default();
                    if !units.contains(&name.unit) {
                        units.push(name.unit);
                    }
                    name.fund.clone()
                }
            };
            if !touched.contains(&(fund.clone(), name.unit)) {
                touched.push((fund, name.unit));
            }
        }
        for (fund, unit) in touched {
            let sums = Sums::of(entry, &fund, unit)?;
            if let Some((term, amount)) = item_of(entry, &sums) {
                let items = self.items.entry((fund, unit)).or_default().entry(term).or_default();
                items.push((entry.seq, Item { item: leaf, amount }));
            }
        }
        Ok(true)
    }

    fn holds(&self, entry: &Entry<'_>) -> Result<bool, BadBody> {
        let body = Body(&entry.body);
        let Some(fund) = self.funds.get(body.text("case")?) else { return Ok(false) };
        let size = body.count("size")?;
        let unit = unit_of(self.units.get(fund).into_iter().flatten().copied());
        let of_fund = self.items.get(&(fund.clone(), unit)).into_iter().flatten();
        let below = of_fund.map(|(term, items)| {
            let items = items.iter().filter(|(seq, _)| *seq < size).map(|(_, item)| *item);
            (*term, items.collect::<Vec<_>>())
        });
        let items: Items = below.filter(|(_, items)| !items.is_empty()).collect();
        let stated = totals(items).and_then(|terms| stated(&terms)).ok().map(Value::Array);
        Ok(size <= entry.seq && stated.is_some() && entry.body.get("terms") == stated.as_ref())
    }
}

/// The unit of a fund's report, of those of its own lines in order of their first use: yuan where it has any, else the first.
pub fn unit_of(units: impl IntoIterator<Item = Unit>) -> Unit {
    let mut units = units.into_iter();
    let first = units.next();
    if first == Some(Unit::CNY) || units.any(|unit| unit == Unit::CNY) { Unit::CNY } else { first.unwrap_or(Unit::CNY) }
}
