//! The right to write a ledger.

use super::postgres::Locked;
use super::{Batch, LedgerRow, LogPage, Sqlite, StoreError};

/// A ledger that no other node writes until a batch is written, or this is dropped.
#[derive(Debug)]
pub struct Held {
    row: LedgerRow,
    page: LogPage,
    by: Holder,
}

#[derive(Debug)]
enum Holder {
    /// The lock on the data folder keeps others away.
    Folder(Sqlite),
    /// The head row is locked.
    Row(Box<Locked>),
}

impl Held {
    pub(super) fn by_folder(row: LedgerRow, store: Sqlite) -> Self {
        Self { row, page: LogPage::default(), by: Holder::Folder(store) }
    }

    pub(super) fn by_row(row: LedgerRow, page: LogPage, locked: Locked) -> Self {
        Self { row, page, by: Holder::Row(Box::new(locked)) }
    }

    /// The head.
    pub const fn row(&self) -> &LedgerRow {
        &self.row
    }

    /// Entries that came with it; there may be more in the log.
    pub const fn page(&self) -> &LogPage {
        &self.page
    }

    /// Writes a batch as [`Store::commit`](super::Store::commit) does, and lets go.
    pub async fn commit(self, batch: Batch) -> Result<(), StoreError> {
        match self.by {
            Holder::Folder(store) => store.commit(batch).await,
            Holder::Row(locked) => locked.commit(batch).await,
        }
    }
}
