//! What the database alone can do, with the same driver, options and batches: the ceiling that `mingzhang bench` divides by.

use super::StoreError;
use super::sqlite::{Sqlite, append_raw};
use super::tables::failed;
use crate::values::Hash;
use std::path::Path;

/// A bare table of bytes by number.
#[derive(Clone, Debug)]
pub struct Ceiling(Sqlite);

impl Ceiling {
    /// Makes the file.
    pub async fn create(path: &Path) -> Result<Self, StoreError> {
        let store = Sqlite::open(path).await?;
        let statement = sqlx::query(include_str!("sql/sqlite/ceiling_create.sql"));
        statement.execute(&store.writing).await.map_err(failed("making the ceiling"))?;
        Ok(Self(store))
    }

    /// Appends rows in one durable transaction.
    pub async fn append(&self, rows: Vec<(u64, Vec<u8>)>) -> Result<(), StoreError> {
        let step = "appending to the ceiling";
        let mut connection = self.0.writing.acquire().await.map_err(failed(step))?;
        let mut transaction =
            sqlx::Connection::begin_with(&mut *connection, "begin immediate").await.map_err(failed(step))?;
        append_raw(&mut transaction, rows).await?;
        transaction.commit().await.map_err(failed(step))
    }

    /// Reads up to `limit` rows from `from` on and hashes them; gives the hash of the last and how many there were.
    pub async fn read_and_hash(&self, from: u64, limit: u32) -> Result<(Hash, u64), StoreError> {
        let step = "reading the ceiling";
        let statement = sqlx::query_as::<_, (i64, Vec<u8>)>(include_str!("sql/sqlite/ceiling_page.sql"));
        let from = i64::try_from(from).expect("small");
        let rows =
            statement.bind(from).bind(i64::from(limit)).fetch_all(&self.0.reading).await.map_err(failed(step))?;
        let count = u64::try_from(rows.len()).expect("small");
        let last = rows.iter().fold(None, |_, (_, bytes)| Some(crate::ledger::chain::leaf_hash(bytes)));
        Ok((last.unwrap_or_default(), count))
    }

    /// Reads one row by its number.
    pub async fn get(&self, seq: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let step = "reading the ceiling";
        let statement = sqlx::query_as::<_, (Vec<u8>,)>(include_str!("sql/sqlite/ceiling_get.sql"));
        let row = statement.bind(i64::try_from(seq).expect("small")).fetch_optional(&self.0.reading).await;
        Ok(row.map_err(failed(step))?.map(|(bytes,)| bytes))
    }

    /// Closes the file.
    pub async fn close(&self) {
        self.0.close().await;
    }
}
