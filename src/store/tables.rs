//! What every database does in the same words: statements of one text, on columns of whole numbers, text and bytes. What each does in its
//! own way stands in its own file.

use super::StoreError;
use super::packed::{LogPage, SpanPage};
use super::rows::{
    ChannelRow, EntryKeys, InflowRow, LedgerRow, RunRow, SpanNumbers, StoredEntry, SubscriptionRow, TileRow,
};
use crate::ledger::tile::{self, hashes_to_bytes};
use crate::values::{Hash, Span};
use sqlx::query::Query;
use sqlx::{ColumnIndex, Database, Decode, Encode, Executor, IntoArguments, Pool, Row, Type};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A database with the tables of ledgers: connections that read, and those that write.
#[derive(Debug)]
pub struct Tables<DB: Database> {
    pub(super) writing: Pool<DB>,
    /// Read what must never be old, where a replica may be: who may do what.
    pub(super) current: Pool<DB>,
    pub(super) reading: Reading<DB>,
}

/// Connections for reading: those of a replica, as long as it answers.
#[derive(Debug)]
pub(super) struct Reading<DB: Database> {
    pub(super) pool: Pool<DB>,
    /// Of a replica: whether it does not answer.
    pub(super) is_away: Option<Arc<AtomicBool>>,
}

/// A database in whose own words pages are packed.
pub trait Native: Database {
    /// A page of entries, as one value.
    const ENTRY_PACK: &str;
    /// The sealed records behind them, as one value.
    const RECORD_PACK: &str;
    /// A page of posts, as one value.
    const SPAN_PACK: &str;
}

pub(super) type Statement<'q, DB> = Query<'q, DB, <DB as Database>::Arguments>;

macro_rules! sql {
    ($name:literal) => {
        sqlx::query(include_str!(concat!("sql/common/", $name, ".sql")))
    };
}

pub(super) use sql;

/// Statements that remove everything which is derived from the entries of a ledger.
pub(super) fn clear_derived<DB: Database>() -> [Statement<'static, DB>; 5] {
    [sql!("clear_line"), sql!("clear_span"), sql!("clear_run"), sql!("clear_subject"), sql!("clear_tile")]
}

pub(super) fn failed(step: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |source| {
        // SQLITE_FULL, and SQLITE_IOERR_WRITE as some file systems report it; disk_full of PostgreSQL.
        let code = source.as_database_error().and_then(|error| error.code());
        let full = code.is_some_and(|code| ["13", "778", "53100"].contains(&&*code));
        if full {
            return StoreError::DiskFull;
        }
        if matches!(source, sqlx::Error::PoolTimedOut) {
            return StoreError::NoConnection;
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
pub(super) fn integer(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn hash_of(table: &'static str, bytes: &[u8]) -> Result<Hash, StoreError> {
    Hash::from_slice(bytes).ok_or_else(|| damaged(table, "a hash has not 32 bytes"))
}

fn hashes_of(table: &'static str, bytes: &[u8]) -> Result<Vec<Hash>, StoreError> {
    tile::hashes_of(bytes).ok_or_else(|| damaged(table, "its hashes have not 32 bytes each"))
}

fn count_of(table: &'static str, n: i64) -> Result<u64, StoreError> {
    u64::try_from(n).map_err(|_| damaged(table, format_args!("{n} is negative")))
}

fn span_of(table: &'static str, from: i64, to: i64) -> Result<Span, StoreError> {
    Span::new(count_of(table, from)?, count_of(table, to)?)
        .ok_or_else(|| damaged(table, format_args!("{from}..{to} is no interval")))
}

impl<DB: Database> From<Pool<DB>> for Reading<DB> {
    fn from(pool: Pool<DB>) -> Self {
        Self { pool, is_away: None }
    }
}

impl<DB: Database> Clone for Reading<DB> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), is_away: self.is_away.clone() }
    }
}

impl<DB: Database> Tables<DB> {
    /// Where to read what may be a moment old.
    fn readable(&self) -> &Pool<DB> {
        if self.replica_answers() == Some(false) { &self.current } else { &self.reading.pool }
    }

    /// Whether the replica answered when it was last tried.
    pub(super) fn replica_answers(&self) -> Option<bool> {
        self.reading.is_away.as_ref().map(|away| !away.load(Ordering::Relaxed))
    }

    /// Waits for what is under way.
    pub(super) async fn close(&self) {
        self.reading.pool.close().await;
        self.current.close().await;
        self.writing.close().await;
    }
}

impl<DB: Database> Clone for Tables<DB> {
    fn clone(&self) -> Self {
        Self { writing: self.writing.clone(), current: self.current.clone(), reading: self.reading.clone() }
    }
}

impl<DB: Native> Tables<DB>
where
    for<'c> &'c Pool<DB>: Executor<'c, Database = DB>,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
    for<'t> i64: Encode<'t, DB> + Decode<'t, DB> + Type<DB>,
    for<'t> &'t str: Encode<'t, DB> + Type<DB>,
    for<'t> &'t [u8]: Encode<'t, DB> + Decode<'t, DB> + Type<DB>,
    for<'t> String: Encode<'t, DB> + Decode<'t, DB> + Type<DB>,
    for<'t> Vec<u8>: Encode<'t, DB> + Decode<'t, DB> + Type<DB>,
    usize: ColumnIndex<DB::Row>,
{
    async fn all(&self, step: &'static str, statement: Statement<'_, DB>) -> Result<Vec<DB::Row>, StoreError> {
        statement.fetch_all(self.readable()).await.map_err(failed(step))
    }

    async fn one(&self, step: &'static str, statement: Statement<'_, DB>) -> Result<Option<DB::Row>, StoreError> {
        statement.fetch_optional(self.readable()).await.map_err(failed(step))
    }

    /// The same, of what must never be old: who may do what.
    async fn all_now(&self, step: &'static str, statement: Statement<'_, DB>) -> Result<Vec<DB::Row>, StoreError> {
        statement.fetch_all(&self.current).await.map_err(failed(step))
    }

    async fn write(&self, step: &'static str, statement: Statement<'_, DB>) -> Result<(), StoreError> {
        statement.execute(&self.writing).await.map(drop).map_err(failed(step))
    }

    pub(super) async fn create_ledger(&self, origin: &str, slug: &str) -> Result<i64, StoreError> {
        let statement =
            sql!("ledger_insert").bind(origin).bind(slug).bind(Hash::ZERO.0.to_vec()).bind(Vec::<u8>::new());
        let row = statement.fetch_one(&self.writing).await.map_err(failed("making the ledger"))?;
        row.try_get(0).map_err(failed("making the ledger"))
    }

    pub(super) async fn ledgers(&self) -> Result<Vec<LedgerRow>, StoreError> {
        let rows = self.all("reading the ledgers", sql!("ledger_list")).await?;
        rows.iter().map(Self::ledger_row).collect()
    }

    pub(super) async fn ledger(&self, ledger_id: i64) -> Result<LedgerRow, StoreError> {
        let row = self.one("reading the ledger", sql!("ledger_by_id").bind(ledger_id)).await?;
        Self::ledger_row(&row.ok_or_else(|| damaged("ledger", format_args!("ledger {ledger_id} is gone")))?)
    }

    pub(super) fn ledger_row(row: &DB::Row) -> Result<LedgerRow, StoreError> {
        let step = "reading the ledgers";
        let peaks: &[u8] = row.try_get(6).map_err(failed(step))?;
        let at: i64 = row.try_get(5).map_err(failed(step))?;
        Ok(LedgerRow {
            ledger_id: row.try_get(0).map_err(failed(step))?,
            origin: row.try_get(1).map_err(failed(step))?,
            slug: row.try_get(2).map_err(failed(step))?,
            size: count_of("ledger", row.try_get(3).map_err(failed(step))?)?,
            last: hash_of("ledger", row.try_get(4).map_err(failed(step))?)?,
            at_millis: (at != -1).then_some(at),
            peaks: hashes_of("ledger", peaks)?,
        })
    }

    pub(super) async fn entries(&self, ledger_id: i64, from: u64, limit: u32) -> Result<Vec<StoredEntry>, StoreError> {
        let step = "reading entries";
        let statement = sql!("entry_page").bind(ledger_id).bind(integer(from)).bind(i64::from(limit));
        self.all(step, statement).await?.iter().map(Self::entry_row).collect()
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
        self.all("reading entries of a fund", statement).await?.iter().map(Self::entry_row).collect()
    }

    pub(super) async fn leaves(&self, ledger_id: i64, from: u64, to: u64) -> Result<Vec<Hash>, StoreError> {
        let step = "reading leaf hashes";
        let statement = sql!("entry_leaf_page").bind(ledger_id).bind(integer(from)).bind(integer(to));
        let leaf = |row: DB::Row| hash_of("entry", row.try_get(0).map_err(failed(step))?);
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
        let keys = |row: DB::Row| {
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
        let seq = |row: DB::Row| count_of("entry", row.try_get(0).map_err(failed(step))?);
        self.all(step, statement).await?.into_iter().map(seq).collect()
    }

    pub(super) async fn lines(&self, ledger_id: i64) -> Result<Vec<(i64, String)>, StoreError> {
        let step = "reading the lines";
        let line = |row: DB::Row| Ok((row.try_get(0).map_err(failed(step))?, row.try_get(1).map_err(failed(step))?));
        self.all(step, sql!("line_list").bind(ledger_id)).await?.into_iter().map(line).collect()
    }

    pub(super) async fn runs(&self, ledger_id: i64, line_id: i64) -> Result<Vec<RunRow>, StoreError> {
        let rows = self.all("reading runs", sql!("run_of_line").bind(ledger_id).bind(line_id)).await?;
        rows.into_iter().map(|row| Self::run_row(line_id, &row)).collect()
    }

    pub(super) async fn runs_in(&self, ledger_id: i64, line_id: i64, span: Span) -> Result<Vec<RunRow>, StoreError> {
        let statement =
            sql!("run_in_span").bind(ledger_id).bind(line_id).bind(integer(span.from)).bind(integer(span.to));
        let rows = self.all("reading runs", statement).await?;
        rows.into_iter().map(|row| Self::run_row(line_id, &row)).collect()
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
        let inflow = |row: DB::Row| {
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
        let post = |row: DB::Row| {
            let span = span_of("span", row.try_get(1).map_err(failed(step))?, row.try_get(2).map_err(failed(step))?)?;
            Ok((row.try_get(0).map_err(failed(step))?, span, count_of("span", row.try_get(3).map_err(failed(step))?)?))
        };
        self.all(step, statement).await?.into_iter().map(post).collect()
    }

    /// The one value of a statement that packs a page; without rows it is null.
    async fn packed(step: &'static str, statement: Statement<'_, DB>, pool: &Pool<DB>) -> Result<Vec<u8>, StoreError> {
        let row = statement.fetch_optional(pool).await.map_err(failed(step))?;
        let packed = row.map(|row| row.try_get::<Option<Vec<u8>>, _>(0)).transpose().map_err(failed(step))?;
        Ok(packed.flatten().unwrap_or_default())
    }

    pub(super) async fn spans(
        &self,
        ledger_id: i64,
        after: Option<SpanNumbers>,
        limit: u32,
    ) -> Result<SpanPage, StoreError> {
        let [line, op, from, seq, place, ..] = after.unwrap_or([i64::MIN; 7]);
        let statement = sqlx::query(DB::SPAN_PACK)
            .bind(ledger_id)
            .bind(line)
            .bind(op)
            .bind(from)
            .bind(seq)
            .bind(place)
            .bind(i64::from(limit));
        Self::packed("reading posts", statement, self.readable()).await.map(SpanPage::new)
    }

    pub(super) async fn subject(&self, ledger_id: i64, area: &str, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let step = "reading a state";
        let row = self.one(step, sql!("subject_get").bind(ledger_id).bind(area).bind(id)).await?;
        row.map(|row| row.try_get(0).map_err(failed(step))).transpose()
    }

    pub(super) async fn subjects(&self, ledger_id: i64, area: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let step = "reading states";
        let state = |row: DB::Row| Ok((row.try_get(0).map_err(failed(step))?, row.try_get(1).map_err(failed(step))?));
        self.all(step, sql!("subject_list").bind(ledger_id).bind(area)).await?.into_iter().map(state).collect()
    }

    pub(super) async fn strays(&self, ledger_id: i64, size: u64) -> Result<(i64, i64, i64), StoreError> {
        let step = "counting rows";
        let own = self.one(step, sql!("strays").bind(ledger_id).bind(integer(size))).await?;
        let of_none = self.one(step, sql!("strays_of_none")).await?;
        let Some((own, of_none)) = own.zip(of_none) else { return Ok((0, 0, 0)) };
        let count = |row: &DB::Row, place: usize| row.try_get::<i64, _>(place).map_err(failed(step));
        Ok((count(&own, 0)?, count(&own, 1)? + count(&of_none, 0)?, count(&own, 2)?))
    }

    pub(super) async fn put_checkpoint(&self, ledger_id: i64, size: u64, note: &str) -> Result<(), StoreError> {
        self.write("keeping a checkpoint", sql!("checkpoint_put").bind(ledger_id).bind(integer(size)).bind(note)).await
    }

    pub(super) async fn checkpoints(&self, ledger_id: i64) -> Result<Vec<(u64, String)>, StoreError> {
        let rows = self.all("reading checkpoints", sql!("checkpoint_list").bind(ledger_id)).await?;
        rows.iter().map(Self::checkpoint_row).collect()
    }

    pub(super) async fn checkpoint(&self, ledger_id: i64, size: u64) -> Result<Option<String>, StoreError> {
        let step = "reading a checkpoint";
        let row = self.one(step, sql!("checkpoint_get").bind(ledger_id).bind(integer(size))).await?;
        row.map(|row| row.try_get(0).map_err(failed(step))).transpose()
    }

    pub(super) async fn next_checkpoint(&self, ledger_id: i64, size: u64) -> Result<Option<(u64, String)>, StoreError> {
        let step = "reading a checkpoint";
        let row = self.one(step, sql!("checkpoint_next").bind(ledger_id).bind(integer(size))).await?;
        row.as_ref().map(Self::checkpoint_row).transpose()
    }

    pub(super) async fn latest_checkpoint(&self, ledger_id: i64) -> Result<Option<(u64, String)>, StoreError> {
        let row = self.one("reading a checkpoint", sql!("checkpoint_latest").bind(ledger_id)).await?;
        row.as_ref().map(Self::checkpoint_row).transpose()
    }

    pub(super) async fn put_cosignature(
        &self,
        ledger_id: i64,
        size: u64,
        witness: &str,
        seconds: u64,
        line: &str,
    ) -> Result<(), StoreError> {
        let statement = sql!("cosignature_put").bind(ledger_id).bind(integer(size)).bind(witness);
        self.write("keeping a cosignature", statement.bind(integer(seconds)).bind(line)).await
    }

    pub(super) async fn cosignatures(
        &self,
        ledger_id: i64,
        size: u64,
    ) -> Result<Vec<(String, u64, String)>, StoreError> {
        let step = "reading cosignatures";
        let rows = self.all(step, sql!("cosignature_list").bind(ledger_id).bind(integer(size))).await?;
        let cosignature = |row: DB::Row| {
            let seconds = count_of("cosignature", row.try_get(1).map_err(failed(step))?)?;
            Ok((row.try_get(0).map_err(failed(step))?, seconds, row.try_get(2).map_err(failed(step))?))
        };
        rows.into_iter().map(cosignature).collect()
    }

    pub(super) async fn all_cosignatures(&self, ledger_id: i64) -> Result<Vec<(u64, String, u64, String)>, StoreError> {
        let step = "reading cosignatures";
        let rows = self.all(step, sql!("cosignature_all").bind(ledger_id)).await?;
        let cosignature = |row: DB::Row| {
            let size = count_of("cosignature", row.try_get(0).map_err(failed(step))?)?;
            let seconds = count_of("cosignature", row.try_get(2).map_err(failed(step))?)?;
            Ok((size, row.try_get(1).map_err(failed(step))?, seconds, row.try_get(3).map_err(failed(step))?))
        };
        rows.into_iter().map(cosignature).collect()
    }

    pub(super) async fn cosigned_sizes(&self, ledger_id: i64, from: u64, limit: u32) -> Result<Vec<u64>, StoreError> {
        let step = "reading cosigned sizes";
        let statement = sql!("cosignature_sizes").bind(ledger_id).bind(integer(from)).bind(i64::from(limit));
        let size = |row: DB::Row| count_of("cosignature", row.try_get(0).map_err(failed(step))?);
        self.all(step, statement).await?.into_iter().map(size).collect()
    }

    pub(super) async fn witnesses(&self, ledger_id: i64) -> Result<Vec<(String, (u64, u64), (u64, u64))>, StoreError> {
        let step = "reading witnesses";
        let rows = self.all(step, sql!("cosignature_first_last").bind(ledger_id)).await?;
        let witness = |row: DB::Row| {
            let count = |place: usize| count_of("cosignature", row.try_get(place).map_err(failed(step))?);
            Ok((row.try_get(0).map_err(failed(step))?, (count(1)?, count(2)?), (count(3)?, count(4)?)))
        };
        rows.into_iter().map(witness).collect()
    }

    pub(super) async fn log(&self, ledger_id: i64, from: u64, limit: u32) -> Result<LogPage, StoreError> {
        let step = "reading the log";
        let page = |text| sqlx::query(text).bind(ledger_id).bind(integer(from)).bind(i64::from(limit));
        // Records come after the entries, from the same place: what is appended in between has a record and no entry here, never the
        // other way.
        let readable = self.readable();
        let entries = Self::packed(step, page(DB::ENTRY_PACK), readable).await?;
        Ok(LogPage::new(entries, Self::packed(step, page(DB::RECORD_PACK), readable).await?))
    }

    pub(super) async fn tile(&self, ledger_id: i64, level: u32, place: u64) -> Result<Option<Vec<Hash>>, StoreError> {
        let step = "reading a tile";
        let statement = sql!("tile_get").bind(ledger_id).bind(i64::from(level)).bind(integer(place));
        let row = self.one(step, statement).await?;
        row.map(|row| hashes_of("tile", row.try_get(0).map_err(failed(step))?)).transpose()
    }

    pub(super) async fn tiles(&self, ledger_id: i64, wanted: &[(u32, u64)]) -> Result<Vec<TileRow>, StoreError> {
        /// Tiles that one statement asks for.
        const AT_ONCE: usize = 8;
        let step = "reading tiles";
        let tile = |row: DB::Row| {
            let level = count_of("tile", row.try_get(0).map_err(failed(step))?)?;
            let level = u32::try_from(level).map_err(|_| damaged("tile", format_args!("{level} is no level")))?;
            let place = count_of("tile", row.try_get(1).map_err(failed(step))?)?;
            Ok(TileRow { level, place, hashes: hashes_of("tile", row.try_get(2).map_err(failed(step))?)? })
        };
        let mut rows = Vec::with_capacity(wanted.len());
        for some in wanted.chunks(AT_ONCE) {
            // One that is asked for twice is given once.
            let filled = some.iter().chain(std::iter::repeat(&some[0])).take(AT_ONCE);
            let statement = filled.fold(sql!("tile_some").bind(ledger_id), |statement, (level, place)| {
                statement.bind(i64::from(*level)).bind(integer(*place))
            });
            let found = self.all(step, statement).await?.into_iter().map(tile);
            rows.extend(found.collect::<Result<Vec<_>, StoreError>>()?);
        }
        Ok(rows)
    }

    pub(super) async fn latest_tile(&self, ledger_id: i64, level: u32) -> Result<Option<TileRow>, StoreError> {
        let step = "reading a tile";
        let row = self.one(step, sql!("tile_latest").bind(ledger_id).bind(i64::from(level))).await?;
        let tile = |row: DB::Row| {
            let place = count_of("tile", row.try_get(0).map_err(failed(step))?)?;
            Ok(TileRow { level, place, hashes: hashes_of("tile", row.try_get(1).map_err(failed(step))?)? })
        };
        row.map(tile).transpose()
    }

    pub(super) async fn put_tiles(&self, ledger_id: i64, tiles: &[TileRow]) -> Result<(), StoreError> {
        let step = "keeping tiles";
        let mut transaction = self.writing.begin().await.map_err(failed(step))?;
        for tile in tiles {
            let statement = sql!("tile_put").bind(ledger_id).bind(i64::from(tile.level)).bind(integer(tile.place));
            let statement = statement.bind(hashes_to_bytes(&tile.hashes));
            statement.execute(&mut *transaction).await.map_err(failed(step))?;
        }
        transaction.commit().await.map_err(failed(step))
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

    pub(super) async fn codes(&self, ledger_id: i64) -> Result<Vec<(String, Hash, String)>, StoreError> {
        let step = "reading codes";
        let code = |row: DB::Row| {
            let text = |place: usize| row.try_get(place).map_err(failed(step));
            Ok((text(0)?, hash_of("code", row.try_get(1).map_err(failed(step))?)?, text(2)?))
        };
        self.all_now(step, sql!("code_list").bind(ledger_id)).await?.into_iter().map(code).collect()
    }

    pub(super) async fn clear_beside(&self, ledger_id: i64) -> Result<(), StoreError> {
        for clear in [
            sql!("clear_code"),
            sql!("clear_staff"),
            sql!("clear_staff_role"),
            sql!("clear_channel"),
            sql!("clear_subscription"),
        ] {
            self.write("clearing what stands beside the log", clear.bind(ledger_id)).await?;
        }
        Ok(())
    }

    pub(super) async fn rename_ledger(&self, ledger_id: i64, slug: &str) -> Result<(), StoreError> {
        self.write("naming the ledger", sql!("ledger_rename").bind(ledger_id).bind(slug)).await
    }

    pub(super) async fn code(
        &self,
        ledger_id: i64,
        purpose: &str,
        code_hash: Hash,
    ) -> Result<Option<String>, StoreError> {
        let step = "looking up a code";
        let statement = sql!("code_get").bind(ledger_id).bind(purpose).bind(code_hash.0.to_vec());
        let row = statement.fetch_optional(&self.current).await.map_err(failed(step))?;
        row.map(|row| row.try_get(0).map_err(failed(step))).transpose()
    }

    pub(super) async fn remove_codes(&self, ledger_id: i64, purpose: &str, prefix: &str) -> Result<u64, StoreError> {
        let statement = sql!("code_delete").bind(ledger_id).bind(purpose).bind(prefix);
        let gone = statement.fetch_all(&self.writing).await.map_err(failed("removing codes"))?;
        Ok(u64::try_from(gone.len()).expect("a user has few tokens"))
    }

    pub(super) async fn put_staff(&self, ledger_id: i64, staff_id: &str, name: &str) -> Result<(), StoreError> {
        self.write("admitting a user", sql!("staff_put").bind(ledger_id).bind(staff_id).bind(name)).await
    }

    pub(super) async fn staff(&self, ledger_id: i64) -> Result<Vec<(String, String)>, StoreError> {
        let rows = self.all_now("reading users", sql!("staff_list").bind(ledger_id)).await?;
        rows.iter().map(|row| Self::pair(row, "reading users")).collect()
    }

    pub(super) async fn put_role(&self, ledger_id: i64, staff_id: &str, role: &str) -> Result<(), StoreError> {
        self.write("giving a role", sql!("role_put").bind(ledger_id).bind(staff_id).bind(role)).await
    }

    pub(super) async fn remove_role(&self, ledger_id: i64, staff_id: &str, role: &str) -> Result<(), StoreError> {
        self.write("taking a role", sql!("role_delete").bind(ledger_id).bind(staff_id).bind(role)).await
    }

    pub(super) async fn roles(&self, ledger_id: i64) -> Result<Vec<(String, String)>, StoreError> {
        let rows = self.all_now("reading roles", sql!("role_list").bind(ledger_id)).await?;
        rows.iter().map(|row| Self::pair(row, "reading roles")).collect()
    }

    pub(super) async fn put_channel(&self, ledger_id: i64, channel: &ChannelRow) -> Result<(), StoreError> {
        let ChannelRow { name, secret_id, staff_id, account, fund } = channel;
        let statement =
            sql!("channel_put").bind(ledger_id).bind(name).bind(secret_id).bind(staff_id).bind(account).bind(fund);
        self.write("keeping a channel", statement).await
    }

    pub(super) async fn channels(&self, ledger_id: i64) -> Result<Vec<ChannelRow>, StoreError> {
        let step = "reading channels";
        let rows = self.all_now(step, sql!("channel_list").bind(ledger_id)).await?;
        let channel = |row: &DB::Row| {
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
        let rows = self.all_now(step, sql!("subscription_list").bind(ledger_id)).await?;
        let subscription = |row: &DB::Row| {
            Ok(SubscriptionRow {
                secret_id: row.try_get(0).map_err(failed(step))?,
                url: row.try_get(1).map_err(failed(step))?,
                kinds: row.try_get(2).map_err(failed(step))?,
                next_seq: count_of("subscription", row.try_get(3).map_err(failed(step))?)?,
                failures: u32::try_from(row.try_get::<i64, _>(4).map_err(failed(step))?)
                    .map_err(|_| damaged("subscription", "its failures are no count"))?,
                try_at: row.try_get(5).map_err(failed(step))?,
                trouble: row.try_get(6).map_err(failed(step))?,
            })
        };
        rows.iter().map(subscription).collect()
    }

    pub(super) async fn remove_subscription(&self, ledger_id: i64, secret_id: &str) -> Result<(), StoreError> {
        self.write("removing a subscription", sql!("subscription_delete").bind(ledger_id).bind(secret_id)).await
    }
    fn pair(row: &DB::Row, step: &'static str) -> Result<(String, String), StoreError> {
        Ok((row.try_get(0).map_err(failed(step))?, row.try_get(1).map_err(failed(step))?))
    }

    fn entry_row(row: &DB::Row) -> Result<StoredEntry, StoreError> {
        let step = "reading entries";
        Ok(StoredEntry {
            seq: row.try_get(0).map_err(failed(step))?,
            leaf: row.try_get(1).map_err(failed(step))?,
            bytes: row.try_get(2).map_err(failed(step))?,
        })
    }

    fn checkpoint_row(row: &DB::Row) -> Result<(u64, String), StoreError> {
        let step = "reading a checkpoint";
        Ok((count_of("checkpoint", row.try_get(0).map_err(failed(step))?)?, row.try_get(1).map_err(failed(step))?))
    }

    fn run_row(line_id: i64, row: &DB::Row) -> Result<RunRow, StoreError> {
        let number = |column: usize| row.try_get::<i64, _>(column).map_err(failed("reading runs"));
        let (from, to, state, by) = (number(0)?, number(1)?, number(2)?, number(3)?);
        RunRow::from_numbers(line_id, from, to, state, by)
            .ok_or_else(|| damaged("run", format_args!("line {line_id}, {from}..{to}, state {state}, by {by}")))
    }
}
