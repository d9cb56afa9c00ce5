//! PostgreSQL: several nodes; a batch is one statement, conditional on the head.

use super::packed::LogPage;
use super::rows::{Batch, EntryRow, NodeRow, Projection, RunRow, SpanRow, VaultRow};
use super::tables::{Native, Reading, Tables, clear_derived, failed, integer};
use super::{Held, Place, StoreError};
use crate::values::Hash;
use sqlx::migrate::Migrator;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgListener, PgPool, PgPoolOptions, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

pub(super) use sqlx::Postgres as Database;

/// A PostgreSQL database: the same connections write and read.
pub type Postgres = Tables<Database>;

/// Posts of one statement.
const SPANS_MAX: usize = 20_000;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Connections of one node: readers never take those that write.
const WRITING_MAX: u32 = 4;
const READING_MAX: u32 = 8;
/// Who waits so long for a connection is told that there is none.
const WAIT: Duration = Duration::from_secs(10);
/// A replica is given up sooner: the database itself can be asked instead.
const REPLICA_WAIT: Duration = Duration::from_secs(2);
/// What the server says of a table that it does not have.
const UNDEFINED_TABLE: &str = "42P01";
/// A connection that has not been used for so long is tried before it is.
const RESTED: Duration = Duration::from_secs(1);

/// The head of a ledger with a page of entries: what a node reads under the lock keeps the others waiting, so it is one round trip.
const HEAD_AND_PAGE: &str = concat!(
    "select * from (\n",
    include_str!("sql/common/ledger_by_id.sql"),
    ") as head, (\n",
    include_str!("sql/postgres/entry_pack.sql"),
    ") as entries, (\n",
    include_str!("sql/postgres/record_pack.sql"),
    ") as records"
);

impl Native for Database {
    const ENTRY_PACK: &str = include_str!("sql/postgres/entry_pack.sql");
    const RECORD_PACK: &str = include_str!("sql/postgres/record_pack.sql");
    const SPAN_PACK: &str = include_str!("sql/postgres/span_pack.sql");
}

impl Postgres {
    /// Opens a database of this program, or makes one of an empty one, and brings its schema up to date.
    pub async fn create(options: &PgConnectOptions) -> Result<Self, StoreError> {
        let store = Self::connect(options).await?;
        match store.check(options).await {
            Ok(()) | Err(StoreError::Missing { .. }) => {}
            Err(error) => return Err(error),
        }
        let statement = sqlx::query_scalar::<_, String>("show server_encoding");
        let encoding = statement.fetch_one(&store.writing).await.map_err(failed("asking for the encoding"))?;
        if encoding != "UTF8" {
            return Err(StoreError::NotUtf8 { place: Place::Server(Box::new(options.clone())), encoding });
        }
        store.bring_up_to_date().await?;
        Ok(store)
    }

    /// Opens a database of this program and brings its schema up to date.
    pub async fn open(options: &PgConnectOptions) -> Result<Self, StoreError> {
        let store = Self::open_for_reading(options).await?;
        store.bring_up_to_date().await?;
        Ok(store)
    }

    /// Opens a database of this program as it is.
    pub async fn open_for_reading(options: &PgConnectOptions) -> Result<Self, StoreError> {
        let store = Self::connect(options).await?;
        store.check(options).await?;
        Ok(store)
    }

    /// Refuses what is no database of this program: nothing is looked for, and nothing made, among the tables of another.
    async fn check(&self, options: &PgConnectOptions) -> Result<(), StoreError> {
        let place = || Place::Server(Box::new(options.clone()));
        match self.migrations().await? {
            Some(run) if run.iter().zip(ours()).all(|(run, ours)| run.0 != ours.0 || *run == ours) => Ok(()),
            None if self.is_empty().await? => Err(StoreError::Missing { place: place() }),
            Some(_) | None => Err(StoreError::Foreign { place: place() }),
        }
    }

    /// Where nothing is to be done, no right to change the schema is needed.
    async fn bring_up_to_date(&self) -> Result<(), StoreError> {
        if self.migrations().await? == Some(ours()) {
            return Ok(());
        }
        MIGRATIONS.run(&self.writing).await.map_err(StoreError::Migrate)
    }

    async fn connect(options: &PgConnectOptions) -> Result<Self, StoreError> {
        let reading = pool(options, READING_MAX, WAIT);
        let store =
            Self { writing: pool(options, WRITING_MAX, WAIT), current: reading.clone(), reading: reading.into() };
        let acquired = store.writing.acquire().await.map(drop);
        if let Err(mut source) = acquired {
            // The pool says only that it has waited; a connection of its own says why.
            if matches!(source, sqlx::Error::PoolTimedOut)
                && let Err(why) = options.connect().await
            {
                source = why;
            }
            return Err(StoreError::Unreachable { place: Place::Server(Box::new(options.clone())), source });
        }
        Ok(store)
    }

    /// The migrations that have been run; `None` where there never was one.
    async fn migrations(&self) -> Result<Option<Vec<(i64, Vec<u8>)>>, StoreError> {
        let step = "looking at the schema";
        let rows = match sqlx::query(include_str!("sql/postgres/migrations.sql")).fetch_all(&self.writing).await {
            Ok(rows) => rows,
            Err(error) if code_of(&error).as_deref() == Some(UNDEFINED_TABLE) => return Ok(None),
            Err(error) => return Err(failed(step)(error)),
        };
        let run = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
        run.collect::<Result<_, sqlx::Error>>().map(Some).map_err(failed(step))
    }

    /// Whether it has no table at all.
    async fn is_empty(&self) -> Result<bool, StoreError> {
        let statement = sqlx::query_scalar::<_, bool>(include_str!("sql/postgres/is_empty.sql"));
        statement.fetch_one(&self.writing).await.map_err(failed("looking at the schema"))
    }

    /// One statement, and so one transaction: durable when it returns, or nothing is there.
    pub(super) async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let mut connection = self.writing.acquire().await.map_err(failed("writing a batch"))?;
        write_batch(&mut connection, batch).await
    }

    /// Locks the head row: other nodes wait at it. Gives up to `limit` entries from `from` on with it.
    pub(super) async fn hold(&self, ledger_id: i64, from: u64, limit: u32) -> Result<Held, StoreError> {
        let step = "holding the ledger";
        let mut locked = Locked(Some(self.writing.acquire().await.map_err(failed(step))?));
        let connection = locked.connection();
        // Beginning and locking are one round trip, which takes no parameters; the number is ours.
        let begin = format!("begin; select 1 from ledger where ledger_id = {ledger_id} for update");
        sqlx::raw_sql(AssertSqlSafe(begin)).execute(&mut *connection).await.map_err(failed(step))?;
        let statement = sqlx::query(HEAD_AND_PAGE).bind(ledger_id).bind(integer(from)).bind(i64::from(limit));
        let found = statement.fetch_optional(connection).await.map_err(failed(step))?;
        let found = found.ok_or(StoreError::HeadMoved)?;
        let pack =
            |place: usize| found.try_get::<Option<_>, _>(place).map(Option::unwrap_or_default).map_err(failed(step));
        Ok(Held::by_row(Self::ledger_row(&found)?, LogPage::new(pack(7)?, pack(8)?), locked))
    }

    /// Waits for the turn among nodes that contend for a ledger.
    pub(super) async fn take_turn(&self, ledger_id: i64) -> Result<TurnTaken, StoreError> {
        let step = "waiting for the turn";
        let connection = self.writing.acquire().await.map_err(failed(step))?;
        // From here on the lock may be held: the connection goes where it is let go with it.
        let mut turn = TurnTaken { ledger_id, connection: Some(connection) };
        let statement = sqlx::query(include_str!("sql/postgres/turn_take.sql")).bind(ledger_id);
        if let Some(connection) = &mut turn.connection {
            statement.execute(&mut **connection).await.map_err(failed(step))?;
        }
        Ok(turn)
    }

    /// The server and the database in it.
    pub(super) async fn identity(&self) -> Result<(i64, String), StoreError> {
        let step = "asking which database it is";
        let row = sqlx::query(include_str!("sql/postgres/identity.sql")).fetch_one(&self.current).await;
        let row = row.map_err(failed(step))?;
        Ok((row.try_get(0).map_err(failed(step))?, row.try_get(1).map_err(failed(step))?))
    }

    /// Hears of batches that any node writes.
    pub(super) async fn changes(&self, ledger_id: i64) -> Result<Changes, StoreError> {
        let step = "listening to other nodes";
        let mut listener = PgListener::connect_with(&self.current).await.map_err(failed(step))?;
        listener.listen(&channel(ledger_id)).await.map_err(failed(step))?;
        Ok(Changes(listener))
    }

    /// Tells nodes that listen.
    pub(super) async fn announce(&self, ledger_id: i64) -> Result<(), StoreError> {
        let statement = sqlx::query(include_str!("sql/postgres/announce.sql")).bind(channel(ledger_id));
        statement.execute(&self.writing).await.map(drop).map_err(failed("telling other nodes"))
    }

    /// Keeps what a node is, forgets those that have said nothing for `gone` milliseconds, and gives those that are there.
    pub(super) async fn meet(&self, ledger_id: i64, node: &NodeRow, gone: i64) -> Result<Vec<NodeRow>, StoreError> {
        let step = "meeting other nodes";
        let put = sqlx::query(include_str!("sql/postgres/node_put.sql"))
            .bind(ledger_id)
            .bind(&node.node_id)
            .bind(&node.version)
            .bind(&node.rules)
            .bind(&node.keys);
        put.execute(&self.writing).await.map_err(failed(step))?;
        let forget = sqlx::query(include_str!("sql/postgres/node_forget.sql")).bind(ledger_id).bind(gone);
        forget.execute(&self.writing).await.map_err(failed(step))?;
        let list = sqlx::query(include_str!("sql/postgres/node_list.sql")).bind(ledger_id);
        let rows = list.fetch_all(&self.writing).await.map_err(failed(step))?;
        let node = |row: &PgRow| {
            Ok(NodeRow {
                node_id: row.try_get(0)?,
                version: row.try_get(1)?,
                rules: row.try_get(2)?,
                keys: row.try_get(3)?,
                seen_at: row.try_get(4)?,
            })
        };
        rows.iter().map(node).collect::<Result<_, sqlx::Error>>().map_err(failed(step))
    }

    /// Tries to be the one node that does what only one should do for a ledger.
    pub(super) async fn lead(&self, ledger_id: i64) -> Result<Option<Lead>, StoreError> {
        let step = "asking who leads";
        let mut connection = self.writing.acquire().await.map_err(failed(step))?;
        let statement = sqlx::query_scalar::<_, bool>(include_str!("sql/postgres/lead.sql")).bind(ledger_id);
        let leads = statement.fetch_one(&mut *connection).await.map_err(failed(step))?;
        // The lock lives as long as the connection; one that did not get it is used again.
        Ok(leads.then(|| Lead(Some(connection.detach()))))
    }

    /// The same, reading from a replica.
    pub(super) fn read_from(&self, replica: &PgConnectOptions) -> Self {
        let pool = pool(replica, READING_MAX, REPLICA_WAIT);
        let reading = Reading { pool, is_away: Some(Arc::default()) };
        Self { writing: self.writing.clone(), current: self.current.clone(), reading }
    }

    /// Tries the replica, where there is one; as long as it does not answer, the database itself is read.
    pub(super) async fn try_replica(&self) -> Result<(), StoreError> {
        let Some(is_away) = &self.reading.is_away else { return Ok(()) };
        let answered = match tokio::time::timeout(REPLICA_WAIT, self.reading.pool.acquire()).await {
            Ok(Ok(mut connection)) => connection.ping().await,
            Ok(Err(error)) => Err(error),
            Err(_) => Err(sqlx::Error::PoolTimedOut),
        };
        is_away.store(answered.is_err(), Ordering::Relaxed);
        answered.map_err(failed("asking the replica"))
    }

    /// Nothing is left open between batches.
    pub(super) async fn settle(&self) -> Result<(), StoreError> {
        Ok(())
    }

    pub(super) async fn replace_projection(&self, ledger_id: i64, projection: &Projection) -> Result<(), StoreError> {
        let step = "writing the projection";
        let row = self.ledger(ledger_id).await?;
        let mut connection = self.writing.acquire().await.map_err(failed(step))?;
        let mut transaction = connection.begin().await.map_err(failed(step))?;
        for clear in clear_derived() {
            clear.bind(ledger_id).execute(&mut *transaction).await.map_err(failed(step))?;
        }
        // A batch without entries leaves the head where it is.
        let batch = |spans: &[SpanRow]| Batch {
            ledger_id,
            size_before: row.size,
            last_before: row.last,
            last: row.last,
            at_millis: row.at_millis.unwrap_or(-1),
            peaks: row.peaks.clone(),
            spans: spans.to_vec(),
            ..Batch::default()
        };
        for spans in projection.spans.chunks(SPANS_MAX) {
            write_batch(&mut transaction, batch(spans)).await?;
        }
        let rest = Batch {
            lines: projection.lines.clone(),
            runs: projection.runs.clone(),
            subjects: projection.subjects.clone(),
            ..batch(&[])
        };
        write_batch(&mut transaction, rest).await?;
        transaction.commit().await.map_err(failed(step))
    }
}

/// Connections, made when they are needed. A node that is cut off from its clients must not hold a ledger for ever; and statements
/// here are short: what a server spends on dividing one among workers is lost.
fn pool(options: &PgConnectOptions, most: u32, wait: Duration) -> PgPool {
    let settings = [
        ("lock_timeout", "10s"),
        ("statement_timeout", "60s"),
        ("idle_in_transaction_session_timeout", "20s"),
        ("max_parallel_workers_per_gather", "0"),
        ("jit", "off"),
    ];
    // What the URL says holds.
    let said = options.get_options().unwrap_or_default().to_owned();
    let options = options.clone().application_name("mingzhang");
    let options = options.options(settings.into_iter().filter(|(name, _)| !said.contains(name)));
    PgPoolOptions::new()
        .max_connections(most)
        .acquire_timeout(wait)
        .test_before_acquire(false)
        // A connection that has rested may have been cut off meanwhile; one that is at work is not asked each time.
        .before_acquire(|connection, met| {
            Box::pin(async move { Ok(met.idle_for <= RESTED || connection.ping().await.is_ok()) })
        })
        .connect_lazy_with(options)
}

/// The turn among nodes that contend for a ledger. It decides who goes first, not what is written: that is the head's.
#[derive(Debug)]
pub struct TurnTaken {
    ledger_id: i64,
    connection: Option<PoolConnection<Database>>,
}

impl TurnTaken {
    /// Lets the next node go.
    pub async fn end(mut self) -> Result<(), StoreError> {
        let Some(mut connection) = self.connection.take() else { return Ok(()) };
        let statement = sqlx::query(include_str!("sql/postgres/turn_end.sql")).bind(self.ledger_id);
        let ended = statement.execute(&mut *connection).await;
        if ended.is_err() {
            drop(connection.detach());
        }
        ended.map(drop).map_err(failed("ending the turn"))
    }
}

impl Drop for TurnTaken {
    fn drop(&mut self) {
        // The lock lives as long as the connection, so this one must not go back into the pool.
        drop(self.connection.take().map(PoolConnection::detach));
    }
}

/// What nodes of a ledger listen to.
fn channel(ledger_id: i64) -> String {
    format!("mingzhang_{ledger_id}")
}

/// Word of batches.
#[derive(Debug)]
pub struct Changes(PgListener);

impl Changes {
    /// Waits for word, or for the connection to fail.
    pub async fn next(&mut self) -> Result<(), StoreError> {
        self.0.recv().await.map(drop).map_err(failed("listening to other nodes"))
    }
}

/// The right to do what only one node should do for a ledger, as long as its connection lives.
#[derive(Debug)]
pub struct Lead(pub(super) Option<PgConnection>);

impl Lead {
    /// Whether it still holds.
    pub async fn holds(&mut self) -> bool {
        match &mut self.0 {
            None => true,
            Some(connection) => connection.ping().await.is_ok(),
        }
    }
}

/// A connection that has begun to lock the head row. Unless it commits it is closed, and the server lets go: it must not go back into
/// the pool in the middle of a transaction, whatever went wrong in it.
#[derive(Debug)]
pub(super) struct Locked(Option<PoolConnection<Database>>);

impl Locked {
    fn connection(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("it is taken at the end only")
    }

    /// Writes a batch and lets go.
    pub(super) async fn commit(mut self, batch: Batch) -> Result<(), StoreError> {
        write_batch(self.connection(), batch).await?;
        let committed = sqlx::raw_sql("commit").execute(self.connection()).await;
        committed.map_err(failed("making a batch durable"))?;
        drop(self.0.take());
        Ok(())
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        drop(self.0.take().map(PoolConnection::detach));
    }
}

/// Appends bare rows in one statement, for the ceiling.
pub(super) async fn append_raw(store: &Postgres, rows: Vec<(u64, Vec<u8>)>) -> Result<(), StoreError> {
    let (seqs, bytes): (Vec<i64>, Vec<Vec<u8>>) = rows.into_iter().map(|(seq, bytes)| (integer(seq), bytes)).unzip();
    let statement = sqlx::query(include_str!("sql/postgres/ceiling_insert.sql")).bind(seqs).bind(bytes);
    statement.execute(&store.writing).await.map(drop).map_err(failed("appending to the ceiling"))
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
        .bind(hash(batch.last_before))
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
    let statement = (0..7)
        .fold(statement, |statement, place| statement.bind(column(&batch.spans, |row: &SpanRow| row.numbers()[place])));
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
    let head = statement.fetch_optional(connection).await.map_err(overtaken)?;
    head.map(drop).ok_or(StoreError::HeadMoved)
}

/// A transaction that the server gave up for another one's sake can be tried again: a serialization failure, or a deadlock.
fn overtaken(error: sqlx::Error) -> StoreError {
    if code_of(&error).is_some_and(|code| ["40001", "40P01"].contains(&code.as_str())) {
        return StoreError::HeadMoved;
    }
    failed("writing a batch")(error)
}

/// The code that the server gives an error.
fn code_of(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(|error| error.code()).map(Into::into)
}

/// The migrations of this program.
fn ours() -> Vec<(i64, Vec<u8>)> {
    MIGRATIONS.iter().map(|known| (known.version, known.checksum.to_vec())).collect()
}
