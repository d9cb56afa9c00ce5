//! What the database alone can do, with the same driver, options and batches: the ceiling that `mingzhang bench` divides by.

use super::postgres::{Postgres, append_raw as append_raw_on_server};
use super::sqlite::{Sqlite, append_raw};
use super::tables::failed;
use super::{Place, StoreError};
use crate::values::Hash;
use std::path::Path;

/// A bare table of bytes by number.
#[derive(Clone, Debug)]
pub enum Ceiling {
    /// In a file of its own.
    Sqlite(Sqlite),
    /// In the same database.
    Postgres(Postgres),
}

/// The same on each database.
macro_rules! on_each {
    ($ceiling:ident, $store:ident => $does:expr) => {
        match $ceiling {
            Ceiling::Sqlite($store) => $does,
            Ceiling::Postgres($store) => $does,
        }
    };
}

impl Ceiling {
    /// Makes it: in the database where that is a server, else in a file of this name.
    pub async fn create(place: &Place, file: &Path) -> Result<Self, StoreError> {
        let step = "making the ceiling";
        match place {
            Place::Folder(_) => {
                let store = Sqlite::open(file).await?;
                let statement = sqlx::query(include_str!("sql/sqlite/ceiling_create.sql"));
                statement.execute(&store.writing).await.map_err(failed(step))?;
                Ok(Self::Sqlite(store))
            }
            Place::Server(options) => {
                let store = Postgres::open(options).await?;
                let statement = sqlx::query(include_str!("sql/postgres/ceiling_create.sql"));
                statement.execute(&store.writing).await.map_err(failed(step))?;
                Ok(Self::Postgres(store))
            }
        }
    }

    /// Appends rows in one durable transaction.
    pub async fn append(&self, rows: Vec<(u64, Vec<u8>)>) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => append_raw(store, rows).await,
            Self::Postgres(store) => append_raw_on_server(store, rows).await,
        }
    }

    /// Reads up to `limit` rows from `from` on and hashes them; gives the hash of the last and how many there were.
    pub async fn read_and_hash(&self, from: u64, limit: u32) -> Result<(Hash, u64), StoreError> {
        let rows = on_each!(self, store => {
            let statement = sqlx::query_as::<_, (i64, Vec<u8>)>(include_str!("sql/common/ceiling_page.sql"));
            let statement = statement.bind(i64::try_from(from).expect("small")).bind(i64::from(limit));
            statement.fetch_all(&store.reading.pool).await
        });
        let rows = rows.map_err(failed("reading the ceiling"))?;
        let count = u64::try_from(rows.len()).expect("small");
        let last = rows.iter().fold(None, |_, (_, bytes)| Some(crate::ledger::chain::leaf_hash(bytes)));
        Ok((last.unwrap_or_default(), count))
    }

    /// Reads one row by its number.
    pub async fn get(&self, seq: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let row = on_each!(self, store => {
            let statement = sqlx::query_as::<_, (Vec<u8>,)>(include_str!("sql/common/ceiling_get.sql"));
            statement.bind(i64::try_from(seq).expect("small")).fetch_optional(&store.reading.pool).await
        });
        Ok(row.map_err(failed("reading the ceiling"))?.map(|(bytes,)| bytes))
    }

    /// Closes it.
    pub async fn close(&self) {
        on_each!(self, store => store.close().await);
    }
}
