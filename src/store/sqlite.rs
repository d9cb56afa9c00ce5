//! SQLite: one file, write-ahead log, `synchronous=FULL`.

use super::StoreError;
use super::rows::{Batch, Projection};
use super::tables::{Native, Statement, Tables, clear_derived, failed, integer, sql};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite as Database, SqliteConnection};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A SQLite database: one connection writes, some read beside it.
pub type Sqlite = Tables<Database>;

impl Native for Database {
    const ENTRY_PACK: &str = include_str!("sql/sqlite/entry_pack.sql");
    const RECORD_PACK: &str = include_str!("sql/sqlite/record_pack.sql");
    const SPAN_PACK: &str = include_str!("sql/sqlite/span_pack.sql");
}

/// `$row` so many times with a comma between, as text of a statement.
macro_rules! rows {
    (1 $row:literal) => { $row };
    (2 $row:literal) => { concat!($row, ",", $row) };
    (4 $row:literal) => { concat!(rows!(2 $row), ",", rows!(2 $row)) };
    (8 $row:literal) => { concat!(rows!(4 $row), ",", rows!(4 $row)) };
    (16 $row:literal) => { concat!(rows!(8 $row), ",", rows!(8 $row)) };
    (32 $row:literal) => { concat!(rows!(16 $row), ",", rows!(16 $row)) };
    (64 $row:literal) => { concat!(rows!(32 $row), ",", rows!(32 $row)) };
    (128 $row:literal) => { concat!(rows!(64 $row), ",", rows!(64 $row)) };
}

/// Statements that insert a power of two of rows each, the largest first. More rows than 128 gain nothing, and each statement costs
/// a thread hop. `or fail` spares SQLite a journal of its own for each; the transaction is rolled back in any case.
type Bulk = [(usize, &'static str); 8];

macro_rules! bulk {
    ($file:literal, $row:literal, $($count:tt)+) => {
        [$(($count, concat!(include_str!(concat!("sql/sqlite/", $file)), rows!($count $row)))),+]
    };
    ($file:literal, $row:literal) => {
        bulk!($file, $row, 128 64 32 16 8 4 2 1)
    };
}

const ENTRY_INSERT: Bulk = bulk!("entry_insert.sql", "(?,?,?,?,?,?,?,?)");
const SPAN_INSERT: Bulk = bulk!("span_insert.sql", "(?,?,?,?,?,?,?,?)");
const VAULT_INSERT: Bulk = bulk!("vault_insert.sql", "(?,?,?,?,?)");
const CEILING_INSERT: Bulk = bulk!("ceiling_insert.sql", "(?,?)");

impl Sqlite {
    fn options(path: &Path) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10))
            .pragma("wal_autocheckpoint", "4000")
            .pragma("cache_size", "-16384")
            .statement_cache_capacity(100)
    }

    /// Opens the file, making it where there is none, and brings its schema up to date.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = Self::options(path).create_if_missing(true);
        let writing = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options.clone())
            .await
            .map_err(failed("opening the file"))?;
        sqlx::migrate!("migrations/sqlite").run(&writing).await.map_err(StoreError::Migrate)?;
        let reading = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options.create_if_missing(false))
            .await
            .map_err(failed("opening the file"))?;
        Ok(Self { writing, current: reading.clone(), reading: reading.into() })
    }

    /// Opens the file as it is, for reading.
    pub async fn open_for_reading(path: &Path) -> Result<Self, StoreError> {
        let options = Self::options(path).create_if_missing(false);
        let pool = SqlitePoolOptions::new()
            .max_connections(3)
            .connect_with(options)
            .await
            .map_err(failed("opening the file"))?;
        Ok(Self { writing: pool.clone(), current: pool.clone(), reading: pool.into() })
    }

    /// A crash before the commit leaves the old head and no row of the batch: the log's file is rolled back when it is opened.
    pub(super) async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let step = "writing a batch";
        let mut connection = self.writing.acquire().await.map_err(failed(step))?;
        let mut transaction =
            sqlx::Connection::begin_with(&mut *connection, "begin immediate").await.map_err(failed(step))?;
        write_batch(&mut transaction, batch).await?;
        transaction.commit().await.map_err(failed("making a batch durable"))
    }

    pub(super) async fn settle(&self) -> Result<(), StoreError> {
        let statement = sqlx::query(include_str!("sql/sqlite/settle.sql"));
        statement.execute(&self.writing).await.map(drop).map_err(failed("settling the file"))
    }

    /// The file, without the detours of its path.
    pub(super) async fn file(&self) -> Result<PathBuf, StoreError> {
        let step = "asking which file it is";
        let row = sqlx::query(include_str!("sql/sqlite/file.sql")).fetch_one(&self.current).await;
        let path: String = sqlx::Row::try_get(&row.map_err(failed(step))?, 0).map_err(failed(step))?;
        Ok(std::fs::canonicalize(&path).unwrap_or_else(|_| path.into()))
    }

    pub(super) async fn replace_projection(&self, ledger_id: i64, projection: &Projection) -> Result<(), StoreError> {
        let step = "writing the projection";
        let mut connection = self.writing.acquire().await.map_err(failed(step))?;
        let mut transaction =
            sqlx::Connection::begin_with(&mut *connection, "begin immediate").await.map_err(failed(step))?;
        for clear in clear_derived() {
            clear.bind(ledger_id).execute(&mut *transaction).await.map_err(failed(step))?;
        }
        let batch = Batch {
            ledger_id,
            spans: projection.spans.clone(),
            lines: projection.lines.clone(),
            runs: projection.runs.clone(),
            subjects: projection.subjects.clone(),
            ..Batch::default()
        };
        write_derived(&mut transaction, &batch).await?;
        transaction.commit().await.map_err(failed(step))
    }
}

async fn write_batch(connection: &mut SqliteConnection, mut batch: Batch) -> Result<(), StoreError> {
    let ledger_id = batch.ledger_id;
    let size_after = batch.size_before + u64::try_from(batch.entries.len()).expect("a batch is small");
    let peaks: Vec<u8> = batch.peaks.iter().flat_map(|peak| peak.0).collect();
    let advanced = sql!("ledger_advance")
        .bind(ledger_id)
        .bind(integer(batch.size_before))
        .bind(batch.last_before.0.as_slice())
        .bind(integer(size_after))
        .bind(batch.last.0.as_slice())
        .bind(batch.at_millis)
        .bind(peaks)
        .execute(&mut *connection)
        .await
        .map_err(failed("moving the head"))?;
    if advanced.rows_affected() != 1 {
        return Err(StoreError::HeadMoved);
    }
    bulk(connection, "writing entries", ENTRY_INSERT, batch.entries.drain(..), |statement, row| {
        statement
            .bind(ledger_id)
            .bind(integer(row.seq))
            .bind(row.leaf.0.to_vec())
            .bind(row.key_hash)
            .bind(row.payload_hash)
            .bind(row.reference_hash)
            .bind(row.order_hash)
            .bind(row.bytes)
    })
    .await?;
    write_derived(connection, &batch).await?;
    bulk(connection, "writing the vault", VAULT_INSERT, batch.vault.drain(..), |statement, row| {
        let statement = statement.bind(ledger_id).bind(integer(row.seq)).bind(integer(row.person));
        statement.bind(row.sealed).bind(row.wrapped)
    })
    .await?;
    for (purpose, hash, subject) in &batch.codes {
        let statement = sql!("code_put").bind(ledger_id).bind(*purpose).bind(hash.0.as_slice()).bind(subject);
        statement.execute(&mut *connection).await.map_err(failed("keeping a code"))?;
    }
    Ok(())
}

async fn write_derived(connection: &mut SqliteConnection, batch: &Batch) -> Result<(), StoreError> {
    let ledger_id = batch.ledger_id;
    for (line_id, name) in &batch.lines {
        let statement = sql!("line_insert").bind(ledger_id).bind(*line_id).bind(name);
        statement.execute(&mut *connection).await.map_err(failed("writing lines"))?;
    }
    bulk(connection, "writing posts", SPAN_INSERT, batch.spans.iter(), |statement, row| {
        row.numbers().into_iter().fold(statement.bind(ledger_id), Query::bind)
    })
    .await?;
    for (line_id, from) in &batch.gone {
        let statement = sql!("run_delete").bind(ledger_id).bind(*line_id).bind(integer(*from));
        statement.execute(&mut *connection).await.map_err(failed("writing runs"))?;
    }
    for row in &batch.runs {
        let (state, by) = row.numbers();
        let statement = sql!("run_put")
            .bind(ledger_id)
            .bind(row.line_id)
            .bind(integer(row.span.from))
            .bind(integer(row.span.to))
            .bind(state)
            .bind(by);
        statement.execute(&mut *connection).await.map_err(failed("writing runs"))?;
    }
    for row in &batch.subjects {
        let statement = sql!("subject_put").bind(ledger_id).bind(row.area).bind(&row.id).bind(row.doc.as_slice());
        statement.execute(&mut *connection).await.map_err(failed("writing states"))?;
    }
    Ok(())
}

/// Appends bare rows in one transaction, for the ceiling.
pub(super) async fn append_raw(store: &Sqlite, rows: Vec<(u64, Vec<u8>)>) -> Result<(), StoreError> {
    let step = "appending to the ceiling";
    let mut connection = store.writing.acquire().await.map_err(failed(step))?;
    let begun = sqlx::Connection::begin_with(&mut *connection, "begin immediate").await;
    let mut transaction = begun.map_err(failed(step))?;
    bulk(&mut transaction, step, CEILING_INSERT, rows.into_iter(), |statement, (seq, bytes)| {
        statement.bind(integer(seq)).bind(bytes)
    })
    .await?;
    transaction.commit().await.map_err(failed(step))
}

/// Inserts rows, as many to a statement as there are.
async fn bulk<T>(
    connection: &mut SqliteConnection,
    step: &'static str,
    sizes: Bulk,
    mut rows: impl ExactSizeIterator<Item = T>,
    bind: impl Fn(Statement<'static, Database>, T) -> Statement<'static, Database>,
) -> Result<(), StoreError> {
    for (size, text) in sizes {
        while rows.len() >= size {
            let statement = rows.by_ref().take(size).fold(sqlx::query(text), &bind);
            statement.execute(&mut *connection).await.map_err(failed(step))?;
        }
    }
    Ok(())
}
