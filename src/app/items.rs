//! The items of published totals, kept in memory while they are asked for: a report never changes, and reading a large fund's entries
//! for each of its donors would take its time each time.

use super::opened::Opened;
use super::publish::{self, PublishError};
use crate::domain::disclosure::Published;
use crate::domain::terms;
use std::sync::Arc;
use tokio::sync::Mutex;

/// The items of each term of a report, in order of their entries.
pub type Items = Arc<terms::Items>;

/// Items that are kept at most, 40 bytes each; those of the report asked for last are kept however many they are.
const KEPT_MAX: usize = 2_000_000;

/// The reports whose items are kept, the one asked for last at the end.
#[derive(Debug, Default)]
pub struct KnownItems(Mutex<Vec<(u64, Items)>>);

impl KnownItems {
    /// The items of a published report. One reader reads them, the others wait for it.
    pub async fn of(&self, opened: &Opened, report: &Published) -> Result<Items, PublishError> {
        let mut known = self.0.lock().await;
        let found = known.iter().position(|(seq, _)| *seq == report.seq).map(|place| known.remove(place).1);
        let items = match found {
            Some(items) => items,
            None => {
                let numbered = Some((report.number.clone(), report.version));
                Arc::new(publish::at_size(opened, report.case.as_str(), report.size, numbered).await?.items)
            }
        };
        known.push((report.seq, Arc::clone(&items)));
        let count =
            |known: &[(u64, Items)]| known.iter().flat_map(|(_, items)| items.values()).map(Vec::len).sum::<usize>();
        while known.len() > 1 && count(&known) > KEPT_MAX {
            known.remove(0);
        }
        Ok(items)
    }
}
