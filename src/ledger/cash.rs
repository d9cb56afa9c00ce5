//! What happens at banks, wallets, cash boxes and stores: in every entry and per unit,
//! Σ`cash` = Σ`in` − Σ`out` − Σ`void` + Σ`free` of spent positions.

use super::entry::RawCash;
use super::posting::{Broken, Rule};
use crate::values::{AccountId, INTEGER_MAX, Unit};

/// Judges the cash rows of an entry against what its posts say, per unit.
pub(super) fn judge(rows: &[RawCash<'_>], posted: impl Iterator<Item = (Unit, i128)>) -> Result<(), Broken> {
    // Sums of what the posts say less what the rows say; an entry knows one or two units, so a list serves better than a map.
    let mut open: Vec<(Unit, i128)> = Vec::new();
    let mut add = |unit: Unit, change: i128| match open.iter_mut().find(|(known, _)| *known == unit) {
        Some((_, sum)) => *sum += change,
        None => open.push((unit, change)),
    };
    for (unit, change) in posted {
        add(unit, change);
    }
    for (place, row) in rows.iter().enumerate() {
        let in_range = row.amount != 0 && (-INTEGER_MAX..=INTEGER_MAX).contains(&row.amount);
        match Unit::parse(&row.unit) {
            Ok(unit) if in_range && AccountId::accepts(&row.account) => add(unit, -i128::from(row.amount)),
            _ => return Err(Broken::whole(Rule::CashRow, format_args!("/cash/{place}"))),
        }
    }
    if open.iter().all(|(_, sum)| *sum == 0) { Ok(()) } else { Err(Broken::whole(Rule::CashDiffers, "/cash")) }
}
