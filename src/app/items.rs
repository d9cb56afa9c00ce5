//! The items of published totals, kept in memory while they are asked for: a report never changes, and reading a large fund's entries
//! for each of its donors would take its time each time.

use super::opened::Opened;
use super::publish::{self, PublishError};
use crate::domain::disclosure::Published;
use crate::ledger::sum_tree::{self, Item, SumOverflows, Total};
use crate::store::StoreError;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Mutex;

/// A published total with what it is the total of.
#[derive(Debug)]
pub struct Term {
    /// In order of their entries.
    pub items: Vec<Item>,
    /// Over them.
    pub total: Total,
}

/// The terms of a report by their names.
pub type Terms = Arc<BTreeMap<&'static str, Term>>;

/// Items that are kept at most, 40 bytes each; those of the report asked for last are kept however many they are.
const KEPT_MAX: usize = 2_000_000;

/// The reports whose items are kept, the one asked for last at the end.
#[derive(Debug, Default)]
pub struct KnownItems(Mutex<Vec<(u64, Terms)>>);

impl KnownItems {
    /// The items of a published report. One reader reads them, the others wait for it.
    pub async fn of(&self, opened: &Opened, report: &Published) -> Result<Terms, PublishError> {
        let mut known = self.0.lock().await;
        let found = known.iter().position(|(seq, _)| *seq == report.seq).map(|place| known.remove(place).1);
        let terms = match found {
            Some(terms) => terms,
            None => {
                let numbered = Some((report.number.clone(), report.version));
                let made = publish::at_size(opened, report.case.as_str(), report.size, numbered).await?;
                let term = |(name, items): (_, Vec<Item>)| {
                    let total = sum_tree::total(&items)?;
                    Ok((name, Term { items, total }))
                };
                let terms = made.items.into_iter().map(term).collect::<Result<_, SumOverflows>>();
                let damaged = |error: SumOverflows| StoreError::Damaged { table: "entry", what: error.to_string() };
                Arc::new(terms.map_err(damaged)?)
            }
        };
        known.push((report.seq, Arc::clone(&terms)));
        let count = |known: &[(u64, Terms)]| {
            known.iter().flat_map(|(_, terms)| terms.values()).map(|term| term.items.len()).sum::<usize>()
        };
        while known.len() > 1 && count(&known) > KEPT_MAX {
            known.remove(0);
        }
        Ok(terms)
    }
}
