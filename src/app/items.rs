//! The items of published totals, kept in memory while they are asked for: a report never changes, and reading a large fund's entries
//! for each of its donors would take its time each time.

use super::opened::Opened;
use super::publish::{self, PublishError};
use crate::domain::disclosure::Published;
use crate::domain::terms::Terms;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Items that are kept at most, 40 bytes each; those of the report asked for last are kept however many they are.
const KEPT_MAX: usize = 2_000_000;

/// The reports whose items are kept, the one asked for last at the end.
#[derive(Debug, Default)]
pub struct KnownItems(Mutex<Vec<(u64, Arc<Terms>)>>);

impl KnownItems {
    /// The items of a published report. One reader reads them, the others wait for it.
    pub async fn of(&self, opened: &Opened, report: &Published) -> Result<Arc<Terms>, PublishError> {
        let mut known = self.0.lock().await;
        let found = known.iter().position(|(seq, _)| *seq == report.seq).map(|place| known.remove(place).1);
        let terms = match found {
            Some(terms) => terms,
            None => {
                let numbered = Some((report.number.clone(), report.version));
                Arc::new(publish::at_size(opened, report.case.as_str(), report.size, numbered).await?.terms)
            }
        };
        known.push((report.seq, Arc::clone(&terms)));
        let count = |known: &[(u64, Arc<Terms>)]| {
            known.iter().flat_map(|(_, terms)| terms.values()).map(|term| term.items.len()).sum::<usize>()
        };
        while known.len() > 1 && count(&known) > KEPT_MAX {
            known.remove(0);
        }
        Ok(terms)
    }
}
