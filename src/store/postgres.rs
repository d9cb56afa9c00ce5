//! PostgreSQL: several nodes; a batch is one statement, conditional on the head.

use super::StoreError;
use super::rows::{Batch, EntryRow, Projection, RunRow, SpanRow, VaultRow};
use super::tables::{Native, Tables, failed, integer, sql};
use crate::values::Hash;
use sqlx::postgres::{PgArguments, PgConnection, PgPoolOptions};
use sqlx::query::Query;
use sqlx::{Connection as _, Postgres as Database};

/// A PostgreSQL database: the same connections write and read.
pub type Postgres = Tables<Database>;

impl Native for Database {
    const LOG_PAGE: &str = include_str!("sql/postgres/log_page.sql");
    const SPAN_PAGE: &str = include_str!("sql/postgres/span_page.sql");
}

impl Postgres {
    /// Opens the database at a URL and brings its schema up to date.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let pool = PgPoolOptions::new().max_connections(8).connect(url).await.map_err(failed("opening the database"))?;
        sqlx::migrate!("migrations/postgres").run(&pool).await.map_err(StoreError::Migrate)?;
        Ok(Self { writing: pool.clone(), reading: pool })
    }

    /// One statement, and so one transaction: durable when it returns, or nothing is there.
    pub(super) async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let mut connection = self.writing.acquire().await.map_err(failed("writing a batch"))?;
        write_batch(&mut connection, batch).await
    }

    /// Nothing is left open between batches.
    pub(super) async fn settle(&self) -> Result<(), StoreError> {
        Ok(())
    }

    pub(super) async fn replace_projection(&self, ledger_id: i64, projection: &Projection) -> Result<(), StoreError> {
        let step = "writing the projection";
        let row = self.ledgers().await?.into_iter().find(|row| row.ledger_id == ledger_id);
        let row = row.ok_or(StoreError::HeadMoved)?;
        let mut connection = self.writing.acquire().await.map_err(failed(step))?;
        let mut transaction = connection.begin().await.map_err(failed(step))?;
        for clear in [sql!("clear_line"), sql!("clear_span"), sql!("clear_run"), sql!("clear_subject")] {
            clear.bind(ledger_id).execute(&mut *transaction).await.map_err(failed(step))?;
        }
        // A batch without entries leaves the head where it is.
        let batch = Batch {
            ledger_id,
            size_before: row.size,
            last: row.last,
            at_millis: row.at_millis.unwrap_or(-1),
            peaks: row.peaks,
            spans: projection.spans.clone(),
            lines: projection.lines.clone(),
            runs: projection.runs.clone(),
            subjects: projection.subjects.clone(),
            ..Batch::default()
        };
        write_batch(&mut transaction, batch).await?;
        transaction.commit().await.map_err(failed(step))
    }
}

/// One value of each row.
fn column<R, T>(rows: &[R], value: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

fn hash(hash: Hash) -> Vec<u8> {
    hash.0.to_vec()
}

async fn write_batch(connection: &mut PgConnection, batch: Batch) -> Result<(), StoreError> {
    let size_after = batch.size_before + u64::try_from(batch.entries.len()).expect("a batch is small");
    let peaks: Vec<u8> = batch.peaks.iter().flat_map(|peak| peak.0).collect();
    let statement: Query<'_, Database, PgArguments> = sqlx::query(include_str!("sql/postgres/commit.sql"))
        .bind(batch.ledger_id)
        .bind(integer(batch.size_before))
        .bind(integer(size_after))
        .bind(hash(batch.last))
        .bind(batch.at_millis)
        .bind(peaks);
    let entries = |value: fn(&EntryRow) -> i64| column(&batch.entries, value);
    let statement = statement
        .bind(entries(|row| integer(row.seq)))
        .bind(column(&batch.entries, |row| hash(row.leaf)))
        .bind(entries(|row| row.key_hash))
        .bind(entries(|row| row.payload_hash))
        .bind(entries(|row| row.reference_hash))
        .bind(entries(|row| row.order_hash))
        .bind(column(&batch.entries, |row| row.bytes.clone()));
    let statement =
        statement.bind(column(&batch.lines, |(id, _)| *id)).bind(column(&batch.lines, |(_, name)| name.clone()));
    let statement = (0..7).fold(statement, |statement, place| {
        statement.bind(column(&batch.spans, |row: &SpanRow| row.numbers()[place]))
    });
    let statement =
        statement.bind(column(&batch.gone, |(line, _)| *line)).bind(column(&batch.gone, |(_, from)| integer(*from)));
    let runs = |value: fn(&RunRow) -> i64| column(&batch.runs, value);
    let statement = statement
        .bind(runs(|row| row.line_id))
        .bind(runs(|row| integer(row.span.from)))
        .bind(runs(|row| integer(row.span.to)))
        .bind(runs(|row| row.numbers().0))
        .bind(runs(|row| row.numbers().1));
    let statement = statement
        .bind(column(&batch.subjects, |row| row.area))
        .bind(column(&batch.subjects, |row| row.id.clone()))
        .bind(column(&batch.subjects, |row| row.doc.clone()));
    let vault = |value: fn(&VaultRow) -> i64| column(&batch.vault, value);
    let statement = statement
        .bind(vault(|row| integer(row.seq)))
        .bind(vault(|row| integer(row.person)))
        .bind(column(&batch.vault, |row| row.sealed.clone()))
        .bind(column(&batch.vault, |row| row.wrapped.clone()));
    let statement = statement
        .bind(column(&batch.codes, |(purpose, ..)| *purpose))
        .bind(column(&batch.codes, |(_, code, _)| hash(*code)))
        .bind(column(&batch.codes, |(.., subject)| subject.clone()));
    let head = statement.fetch_optional(connection).await.map_err(failed("writing a batch"))?;
    head.map(drop).ok_or(StoreError::HeadMoved)
}
