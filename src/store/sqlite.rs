//! SQLite: one file, write-ahead log, `synchronous=FULL`.

use super::StoreError;
use super::packed::{LogPage, SpanPage};
use super::rows::{
    Batch, ChannelRow, EntryKeys, InflowRow, LedgerRow, Projection, RunRow, SpanNumbers, StoredEntry, SubscriptionRow,
};
use crate::values::{Hash, Span};
use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{Row, Sqlite as Database, SqliteConnection};
use std::path::Path;
use std::time::Duration;

/// A SQLite database: one connection writes, some read beside it.
#[derive(Clone, Debug)]
pub struct Sqlite {
    writing: SqlitePool,
    reading: SqlitePool,
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

macro_rules! sql {
    ($name:literal) => {
        sqlx::query(include_str!(concat!("sql/common/", $name, ".sql")))
    };
}

type Statement<'q> = Query<'q, Database, SqliteArguments>;

pub(super) fn failed(step: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |source| {
        // SQLITE_FULL, and SQLITE_IOERR_WRITE as some file systems report it.
        let full =
            source.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "13" || code == "778");
        if full {
            return StoreError::DiskFull;
        }
        if let sqlx::Error::ColumnDecode { source, .. } = &source {
            return StoreError::Damaged { table: step, what: source.to_string() };
        }
        StoreError::Statement { step, source }
    }
}

fn damaged(table: &'static str, what: impl ToString) -> StoreError {
    StoreError::Damaged { table, what: what.to_string() }
}

/// What is written stays far below; a larger number can only be asked for, and finds nothing.
fn integer(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn hash_of(table: &'static str, bytes: &[u8]) -> Result<Hash, StoreError> {
    Hash::from_slice(bytes).ok_or_else(|| damaged(table, "a hash has not 32 bytes"))
}

fn count_of(table: &'static str, n: i64) -> Result<u64, StoreError> {
    u64::try_from(n).map_err(|_| damaged(table, format_args!("{n} is negative")))
}

fn span_of(table: &'static str, from: i64, to: i64) -> Result<Span, StoreError> {
    Span::new(count_of(table, from)?, count_of(table, to)?)
        .ok_or_else(|| damaged(table, format_args!("{from}..{to} is no interval")))
}

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
        Ok(Self { writing, reading })
    }

    /// Opens the file as it is, for reading.
    pub async fn open_for_reading(path: &Path) -> Result<Self, StoreError> {
        let options = Self::options(path).create_if_missing(false);
        let pool = SqlitePoolOptions::new()
            .max_connections(2)
            .connect_with(options)
            .await
            .map_err(failed("opening the file"))?;
        Ok(Self { writing: pool.clone(), reading: pool })
    }

    pub(super) const fn writing(&self) -> &SqlitePool {
        &self.writing
    }

    pub(super) const fn reading(&self) -> &SqlitePool {
        &self.reading
    }

    pub(super) async fn close(&self) {
        self.reading.close().await;
        self.writing.close().await;
    }

    async fn all(&self, step: &'static str, statement: Statement<'_>) -> Result<Vec<SqliteRow>, StoreError> {
        statement.fetch_all(&self.reading).await.map_err(failed(step))
    }

    async fn one(&self, step: &'static str, statement: Statement<'_>) -> Result<Option<SqliteRow>, StoreError> {
        statement.fetch_optional(&self.reading).await.map_err(failed(step))
    }

    async fn write(&self, step: &'static str, statement: Statement<'_>) -> Result<(), StoreError> {
        statement.execute(&self.writing).await.map(drop).map_err(failed(step))
    }

    pub(super) async fn create_ledger(&self, origin: &str, slug: &str) -> Result<i64, StoreError> {
        let statement =
            sql!("ledger_insert").bind(origin).bind(slug).bind(Hash::ZERO.0.to_vec()).bind(Vec::<u8>::new());
        let row = statement.fetch_one(&self.writing).await.map_err(failed("making the ledger"))?;
        row.try_get(0).map_err(failed("making the ledger"))
    }

    pub(super) async fn ledgers(&self) -> Result<Vec<LedgerRow>, StoreError> {
        let step = "reading the ledgers";
        let mut ledgers = Vec::new();
        for row in self.all(step, sql!("ledger_list")).await? {
            let peaks: Vec<u8> = row.try_get(6).map_err(failed(step))?;
            let at: i64 = row.try_get(5).map_err(failed(step))?;
            ledgers.push(LedgerRow {
                ledger_id: row.try_get(0).map_err(failed(step))?,
                origin: row.try_get(1).map_err(failed(step))?,
                slug: row.try_get(2).map_err(failed(step))?,
                size: count_of("ledger", row.try_get(3).map_err(failed(step))?)?,
                last: hash_of("ledger", row.try_get(4).map_err(failed(step))?)?,
                at_millis: (at != -1).then_some(at),
                peaks: peaks.chunks(32).map(|peak| hash_of("ledger", peak)).collect::<Result<_, _>>()?,
            });
        }
        Ok(ledgers)
    }

    /// A crash before the last line leaves the old head and no row of the batch: the log's file is rolled back when it is opened.
    pub(super) async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let step = "writing a batch";
        let mut connection = self.writing.acquire().await.map_err(failed(step))?;
        let mut transaction =
            sqlx::Connection::begin_with(&mut *connection, "begin immediate").await.map_err(failed(step))?;
        write_batch(&mut transaction, batch).await?;
        transaction.commit().await.map_err(failed("making a batch durable"))
    }

    pub(super) async fn entries(&self, ledger_id: i64, from: u64, limit: u32) -> Result<Vec<StoredEntry>, StoreError> {
        let step = "reading entries";
        let statement = sql!("entry_page").bind(ledger_id).bind(integer(from)).bind(i64::from(limit));
        self.all(step, statement).await?.iter().map(entry_row).collect()
    }

    pub(super) async fn entries_of_lines(
        &self,
        ledger_id: i64,
        (line, fee_line): (i64, i64),
        from: u64,
        to: u64,
        limit: u32,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let statement = sql!("entry_of_lines")
            .bind(ledger_id)
            .bind(line)
            .bind(fee_line)
            .bind(integer(from))
            .bind(integer(to))
            .bind(i64::from(limit));
        self.all("reading entries of a fund", statement).await?.iter().map(entry_row).collect()
    }

    pub(super) async fn leaves(&self, ledger_id: i64, from: u64, to: u64) -> Result<Vec<Hash>, StoreError> {
        let step = "reading leaf hashes";
        let statement = sql!("entry_leaf_page").bind(ledger_id).bind(integer(from)).bind(integer(to));
        let leaf = |row: SqliteRow| hash_of("entry", row.try_get(0).map_err(failed(step))?);
        self.all(step, statement).await?.into_iter().map(leaf).collect()
    }

    pub(super) async fn entry(&self, ledger_id: i64, seq: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let step = "reading an entry";
        let row = self.one(step, sql!("entry_by_seq").bind(ledger_id).bind(integer(seq))).await?;
        row.map(|row| row.try_get(0).map_err(failed(step))).transpose()
    }

    pub(super) async fn keys(&self, ledger_id: i64, from: u64, limit: u32) -> Result<Vec<EntryKeys>, StoreError> {
        let step = "reading keys";
        let statement = sql!("entry_keys_page").bind(ledger_id).bind(integer(from)).bind(i64::from(limit));
        let keys = |row: SqliteRow| {
            Ok(EntryKeys {
                seq: count_of("entry", row.try_get(0).map_err(failed(step))?)?,
                key_hash: row.try_get(1).map_err(failed(step))?,
                payload_hash: row.try_get(2).map_err(failed(step))?,
                reference_hash: row.try_get(3).map_err(failed(step))?,
                order_hash: row.try_get(4).map_err(failed(step))?,
            })
        };
        self.all(step, statement).await?.into_iter().map(keys).collect()
    }

    pub(super) async fn entries_by_order(&self, ledger_id: i64, order_hash: i64) -> Result<Vec<u64>, StoreError> {
        let step = "looking for an order number";
        let statement = sql!("entry_by_order").bind(ledger_id).bind(order_hash);
        let seq = |row: SqliteRow| count_of("entry", row.try_get(0).map_err(failed(step))?);
        self.all(step, statement).await?.into_iter().map(seq).collect()
    }

    pub(super) async fn lines(&self, ledger_id: i64) -> Result<Vec<(i64, String)>, StoreError> {
        let step = "reading the lines";
        let line = |row: SqliteRow| Ok((row.try_get(0).map_err(failed(step))?, row.try_get(1).map_err(failed(step))?));
        self.all(step, sql!("line_list").bind(ledger_id)).await?.into_iter().map(line).collect()
    }

    pub(super) async fn runs(&self, ledger_id: i64, line_id: i64) -> Result<Vec<RunRow>, StoreError> {
        let rows = self.all("reading runs", sql!("run_of_line").bind(ledger_id).bind(line_id)).await?;
        rows.into_iter().map(|row| run_row(line_id, &row)).collect()
    }

    pub(super) async fn runs_in(&self, ledger_id: i64, line_id: i64, span: Span) -> Result<Vec<RunRow>, StoreError> {
        let statement =
            sql!("run_in_span").bind(ledger_id).bind(line_id).bind(integer(span.from)).bind(integer(span.to));
        let rows = self.all("reading runs", statement).await?;
        rows.into_iter().map(|row| run_row(line_id, &row)).collect()
    }

    pub(super) async fn inflows_in(
        &self,
        ledger_id: i64,
        line_id: i64,
        span: Span,
    ) -> Result<Vec<InflowRow>, StoreError> {
        let step = "reading inflows";
        let statement =
            sql!("inflow_in_span").bind(ledger_id).bind(line_id).bind(integer(span.from)).bind(integer(span.to));
        let inflow = |row: SqliteRow| {
            let span = span_of("span", row.try_get(0).map_err(failed(step))?, row.try_get(1).map_err(failed(step))?)?;
            Ok(InflowRow { span, seq: count_of("span", row.try_get(2).map_err(failed(step))?)? })
        };
        self.all(step, statement).await?.into_iter().map(inflow).collect()
    }

    pub(super) async fn posts_until(
        &self,
        ledger_id: i64,
        line_id: i64,
        span: Span,
        size: u64,
    ) -> Result<Vec<(i64, Span, u64)>, StoreError> {
        let step = "reading posts";
        let statement = sql!("span_of_line_until")
            .bind(ledger_id)
            .bind(line_id)
            .bind(integer(size))
            .bind(integer(span.from))
            .bind(integer(span.to));
        let post = |row: SqliteRow| {
            let span = span_of("span", row.try_get(1).map_err(failed(step))?, row.try_get(2).map_err(failed(step))?)?;
            Ok((row.try_get(0).map_err(failed(step))?, span, count_of("span", row.try_get(3).map_err(failed(step))?)?))
        };
        self.all(step, statement).await?.into_iter().map(post).collect()
    }

    /// The one value of a statement that packs a page; without rows it is null.
    async fn packed(&self, step: &'static str, statement: Statement<'_>) -> Result<Vec<u8>, StoreError> {
        let row = self.one(step, statement).await?;
        let packed = row.map(|row| row.try_get::<Option<Vec<u8>>, _>(0)).transpose().map_err(failed(step))?;
        Ok(packed.flatten().unwrap_or_default())
    }

    pub(super) async fn spans(
        &self,
        ledger_id: i64,
        after: Option<SpanNumbers>,
        limit: u32,
    ) -> Result<SpanPage, StoreError> {
        let [line, op, from, seq, place, ..] = after.unwrap_or([-1; 7]);
        let statement = sqlx::query(include_str!("sql/sqlite/span_page.sql"))
            .bind(ledger_id)
            .bind(line)
            .bind(op)
            .bind(from)
            .bind(seq)
            .bind(place)
            .bind(i64::from(limit));
        self.packed("reading posts", statement).await.map(SpanPage::new)
    }

    pub(super) async fn subject(&self, ledger_id: i64, area: &str, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let step = "reading a state";
        let row = self.one(step, sql!("subject_get").bind(ledger_id).bind(area).bind(id)).await?;
        row.map(|row| row.try_get(0).map_err(failed(step))).transpose()
    }

    pub(super) async fn subjects(&self, ledger_id: i64, area: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let step = "reading states";
        let state = |row: SqliteRow| Ok((row.try_get(0).map_err(failed(step))?, row.try_get(1).map_err(failed(step))?));
        self.all(step, sql!("subject_list").bind(ledger_id).bind(area)).await?.into_iter().map(state).collect()
    }

    pub(super) async fn strays(&self, ledger_id: i64, size: u64) -> Result<(i64, i64, i64), StoreError> {
        let step = "counting rows";
        let row = self.one(step, sql!("strays").bind(ledger_id).bind(integer(size))).await?;
        let Some(row) = row else { return Ok((0, 0, 0)) };
        let count = |place: usize| row.try_get(place).map_err(failed(step));
        Ok((count(0)?, count(1)?, count(2)?))
    }

    pub(super) async fn put_checkpoint(&self, ledger_id: i64, size: u64, note: &str) -> Result<(), StoreError> {
        self.write("keeping a checkpoint", sql!("checkpoint_put").bind(ledger_id).bind(integer(size)).bind(note)).await
    }

    pub(super) async fn settle(&self) -> Result<(), StoreError> {
        self.write("settling the file", sqlx::query(include_str!("sql/sqlite/settle.sql"))).await
    }

    pub(super) async fn checkpoints(&self, ledger_id: i64) -> Result<Vec<(u64, String)>, StoreError> {
        let rows = self.all("reading checkpoints", sql!("checkpoint_list").bind(ledger_id)).await?;
        rows.iter().map(checkpoint_row).collect()
    }

    pub(super) async fn latest_checkpoint(&self, ledger_id: i64) -> Result<Option<(u64, String)>, StoreError> {
        let row = self.one("reading a checkpoint", sql!("checkpoint_latest").bind(ledger_id)).await?;
        row.as_ref().map(checkpoint_row).transpose()
    }

    pub(super) async fn log(&self, ledger_id: i64, from: u64, limit: u32) -> Result<LogPage, StoreError> {
        let statement = sqlx::query(include_str!("sql/sqlite/log_page.sql"))
            .bind(ledger_id)
            .bind(integer(from))
            .bind(i64::from(limit));
        self.packed("reading the log", statement).await.map(LogPage::new)
    }

    pub(super) async fn latest_person(&self, ledger_id: i64) -> Result<u64, StoreError> {
        let step = "counting persons";
        let row = self.one(step, sql!("person_latest").bind(ledger_id)).await?;
        row.map_or(Ok(0), |row| count_of("vault", row.try_get(0).map_err(failed(step))?))
    }

    pub(super) async fn put_code(
        &self,
        ledger_id: i64,
        purpose: &str,
        code_hash: Hash,
        subject: &str,
    ) -> Result<(), StoreError> {
        let statement = sql!("code_put").bind(ledger_id).bind(purpose).bind(code_hash.0.to_vec()).bind(subject);
        self.write("keeping a code", statement).await
    }

    pub(super) async fn code(
        &self,
        ledger_id: i64,
        purpose: &str,
        code_hash: Hash,
    ) -> Result<Option<String>, StoreError> {
        let step = "looking up a code";
        let row = self.one(step, sql!("code_get").bind(ledger_id).bind(purpose).bind(code_hash.0.to_vec())).await?;
        row.map(|row| row.try_get(0).map_err(failed(step))).transpose()
    }

    pub(super) async fn remove_codes(&self, ledger_id: i64, purpose: &str, prefix: &str) -> Result<u64, StoreError> {
        let statement = sql!("code_delete").bind(ledger_id).bind(purpose).bind(prefix);
        let done = statement.execute(&self.writing).await.map_err(failed("removing codes"))?;
        Ok(done.rows_affected())
    }

    pub(super) async fn put_staff(&self, ledger_id: i64, staff_id: &str, name: &str) -> Result<(), StoreError> {
        self.write("admitting a user", sql!("staff_put").bind(ledger_id).bind(staff_id).bind(name)).await
    }

    pub(super) async fn staff(&self, ledger_id: i64) -> Result<Vec<(String, String)>, StoreError> {
        let rows = self.all("reading users", sql!("staff_list").bind(ledger_id)).await?;
        rows.iter().map(|row| pair(row, "reading users")).collect()
    }

    pub(super) async fn put_role(&self, ledger_id: i64, staff_id: &str, role: &str) -> Result<(), StoreError> {
        self.write("giving a role", sql!("role_put").bind(ledger_id).bind(staff_id).bind(role)).await
    }

    pub(super) async fn remove_role(&self, ledger_id: i64, staff_id: &str, role: &str) -> Result<(), StoreError> {
        self.write("taking a role", sql!("role_delete").bind(ledger_id).bind(staff_id).bind(role)).await
    }

    pub(super) async fn roles(&self, ledger_id: i64) -> Result<Vec<(String, String)>, StoreError> {
        let rows = self.all("reading roles", sql!("role_list").bind(ledger_id)).await?;
        rows.iter().map(|row| pair(row, "reading roles")).collect()
    }

    pub(super) async fn put_channel(&self, ledger_id: i64, channel: &ChannelRow) -> Result<(), StoreError> {
        let ChannelRow { name, secret_id, staff_id, account, fund } = channel;
        let statement =
            sql!("channel_put").bind(ledger_id).bind(name).bind(secret_id).bind(staff_id).bind(account).bind(fund);
        self.write("keeping a channel", statement).await
    }

    pub(super) async fn channels(&self, ledger_id: i64) -> Result<Vec<ChannelRow>, StoreError> {
        let step = "reading channels";
        let rows = self.all(step, sql!("channel_list").bind(ledger_id)).await?;
        let channel = |row: &SqliteRow| {
            Ok(ChannelRow {
                name: row.try_get(0).map_err(failed(step))?,
                secret_id: row.try_get(1).map_err(failed(step))?,
                staff_id: row.try_get(2).map_err(failed(step))?,
                account: row.try_get(3).map_err(failed(step))?,
                fund: row.try_get(4).map_err(failed(step))?,
            })
        };
        rows.iter().map(channel).collect()
    }

    pub(super) async fn remove_channel(&self, ledger_id: i64, name: &str) -> Result<(), StoreError> {
        self.write("removing a channel", sql!("channel_delete").bind(ledger_id).bind(name)).await
    }

    pub(super) async fn put_subscription(&self, ledger_id: i64, row: &SubscriptionRow) -> Result<(), StoreError> {
        let statement = sql!("subscription_put")
            .bind(ledger_id)
            .bind(&row.secret_id)
            .bind(&row.url)
            .bind(&row.kinds)
            .bind(integer(row.next_seq))
            .bind(i64::from(row.failures))
            .bind(row.try_at)
            .bind(&row.trouble);
        self.write("keeping a subscription", statement).await
    }

    pub(super) async fn move_subscription(&self, ledger_id: i64, row: &SubscriptionRow) -> Result<(), StoreError> {
        let statement = sql!("subscription_move")
            .bind(ledger_id)
            .bind(&row.secret_id)
            .bind(integer(row.next_seq))
            .bind(i64::from(row.failures))
            .bind(row.try_at)
            .bind(&row.trouble);
        self.write("moving a subscription on", statement).await
    }

    pub(super) async fn subscriptions(&self, ledger_id: i64) -> Result<Vec<SubscriptionRow>, StoreError> {
        let step = "reading subscriptions";
        let rows = self.all(step, sql!("subscription_list").bind(ledger_id)).await?;
        let subscription = |row: &SqliteRow| {
            Ok(SubscriptionRow {
                secret_id: row.try_get(0).map_err(failed(step))?,
                url: row.try_get(1).map_err(failed(step))?,
                kinds: row.try_get(2).map_err(failed(step))?,
                next_seq: count_of("subscription", row.try_get(3).map_err(failed(step))?)?,
                failures: row.try_get(4).map_err(failed(step))?,
                try_at: row.try_get(5).map_err(failed(step))?,
                trouble: row.try_get(6).map_err(failed(step))?,
            })
        };
        rows.iter().map(subscription).collect()
    }

    pub(super) async fn remove_subscription(&self, ledger_id: i64, secret_id: &str) -> Result<(), StoreError> {
        self.write("removing a subscription", sql!("subscription_delete").bind(ledger_id).bind(secret_id)).await
    }

    pub(super) async fn replace_projection(&self, ledger_id: i64, projection: &Projection) -> Result<(), StoreError> {
        let step = "writing the projection";
        let mut connection = self.writing.acquire().await.map_err(failed(step))?;
        let mut transaction =
            sqlx::Connection::begin_with(&mut *connection, "begin immediate").await.map_err(failed(step))?;
        for clear in [sql!("clear_line"), sql!("clear_span"), sql!("clear_run"), sql!("clear_subject")] {
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

fn pair(row: &SqliteRow, step: &'static str) -> Result<(String, String), StoreError> {
    Ok((row.try_get(0).map_err(failed(step))?, row.try_get(1).map_err(failed(step))?))
}

fn entry_row(row: &SqliteRow) -> Result<StoredEntry, StoreError> {
    let step = "reading entries";
    Ok(StoredEntry {
        seq: row.try_get(0).map_err(failed(step))?,
        leaf: row.try_get(1).map_err(failed(step))?,
        bytes: row.try_get(2).map_err(failed(step))?,
    })
}

fn checkpoint_row(row: &SqliteRow) -> Result<(u64, String), StoreError> {
    let step = "reading a checkpoint";
    Ok((count_of("checkpoint", row.try_get(0).map_err(failed(step))?)?, row.try_get(1).map_err(failed(step))?))
}

fn run_row(line_id: i64, row: &SqliteRow) -> Result<RunRow, StoreError> {
    let number = |column: usize| row.try_get::<i64, _>(column).map_err(failed("reading runs"));
    let (from, to, state, by) = (number(0)?, number(1)?, number(2)?, number(3)?);
    RunRow::from_numbers(line_id, from, to, state, by)
        .ok_or_else(|| damaged("run", format_args!("line {line_id}, {from}..{to}, state {state}, by {by}")))
}

async fn write_batch(connection: &mut SqliteConnection, mut batch: Batch) -> Result<(), StoreError> {
    let ledger_id = batch.ledger_id;
    let size_after = batch.size_before + u64::try_from(batch.entries.len()).expect("a batch is small");
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
    let peaks: Vec<u8> = batch.peaks.iter().flat_map(|peak| peak.0).collect();
    let advanced = sql!("ledger_advance")
        .bind(ledger_id)
        .bind(integer(batch.size_before))
        .bind(integer(size_after))
        .bind(batch.last.0.as_slice())
        .bind(batch.at_millis)
        .bind(peaks)
        .execute(&mut *connection)
        .await
        .map_err(failed("moving the head"))?;
    if advanced.rows_affected() == 1 { Ok(()) } else { Err(StoreError::HeadMoved) }
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

/// Appends bare rows, for the ceiling.
pub(super) async fn append_raw(connection: &mut SqliteConnection, rows: Vec<(u64, Vec<u8>)>) -> Result<(), StoreError> {
    bulk(connection, "appending to the ceiling", CEILING_INSERT, rows.into_iter(), |statement, (seq, bytes)| {
        statement.bind(integer(seq)).bind(bytes)
    })
    .await
}

/// Inserts rows, as many to a statement as there are.
async fn bulk<T>(
    connection: &mut SqliteConnection,
    step: &'static str,
    sizes: Bulk,
    mut rows: impl ExactSizeIterator<Item = T>,
    bind: impl Fn(Statement<'static>, T) -> Statement<'static>,
) -> Result<(), StoreError> {
    for (size, text) in sizes {
        while rows.len() >= size {
            let statement = rows.by_ref().take(size).fold(sqlx::query(text), &bind);
            statement.execute(&mut *connection).await.map_err(failed(step))?;
        }
    }
    Ok(())
}
