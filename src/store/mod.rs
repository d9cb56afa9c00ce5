//! Where a ledger is kept. One contract, and behind it each database in its native way.
//!
//! What the writer is promised by [`Store::commit`]: when it returns, the whole batch survives power loss; when it fails, nothing of
//! the batch is there; and it fails with [`StoreError::HeadMoved`] where somebody else has written since the batch was decided.

mod ceiling;
mod held;
mod packed;
mod place;
mod postgres;
mod rows;
mod sqlite;
mod tables;

pub use ceiling::Ceiling;
pub use held::Held;
pub use packed::{LogPage, LogRow, SealedRow, SpanPage};
pub use place::{BadUrl, Place};
pub use postgres::{Changes, Lead, Postgres, TurnTaken};
pub use rows::{
    Batch, ChannelRow, EntryKeys, EntryRow, InflowRow, LedgerRow, NodeRow, Projection, RunRow, SpanNumbers, SpanRow,
    StoredEntry, SubjectRow, SubscriptionRow, TileRow, VaultRow,
};
pub use sqlite::Sqlite;

use crate::values::{Hash, Span};
use tokio::task::JoinError;

/// The data folder's database file.
pub const FILE_NAME: &str = "mingzhang.db";

/// An operational failure: which step, on what.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no database in the folder.
    #[error("there is no ledger in {place}; make one with `mingzhang init`")]
    Missing {
        /// Where it was looked for.
        place: Place,
    },
    /// The server does not let anybody in.
    #[error(
        "the database at {place} cannot be reached; see that the server runs, and that address, user and password are right"
    )]
    Unreachable {
        /// Where.
        place: Place,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// No connection is free.
    #[error("the database gave no connection: it is down, or too much is asked of it. Try again later")]
    NoConnection,
    /// The database belongs to another program.
    #[error(
        "the database at {place} holds tables, but none of this program; nothing was changed there. Give it an empty one"
    )]
    Foreign {
        /// Where.
        place: Place,
    },
    /// The database keeps text in another way.
    #[error(
        "the database at {place} keeps text as {encoding}; make one with `create database … encoding 'UTF8' template template0`"
    )]
    NotUtf8 {
        /// Where.
        place: Place,
        /// How it keeps text.
        encoding: String,
    },
    /// A statement failed.
    #[error("the database failed at {step}")]
    Statement {
        /// What was being done.
        step: &'static str,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The schema could not be brought up to date.
    #[error("the database could not be brought to this version's schema")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// Somebody else wrote since the batch was decided.
    #[error("another writer was faster; the batch was not written")]
    HeadMoved,
    /// A row does not have the form that this program writes.
    #[error("a row of {table} is damaged: {what}")]
    Damaged {
        /// The table.
        table: &'static str,
        /// What is wrong.
        what: String,
    },
    /// A task of this program ended before its work was done.
    #[error("a task ended before its work was done: {what}")]
    Ended {
        /// What it says.
        what: String,
    },
    /// The disk has no room.
    #[error("the disk is full; nothing of this step was written. Make room and run the same command again")]
    DiskFull,
}

impl From<JoinError> for StoreError {
    fn from(error: JoinError) -> Self {
        Self::Ended { what: error.to_string() }
    }
}

impl StoreError {
    /// Whether it is certain that the database did not do what was asked: it was never sent, or the database has said so.
    pub const fn was_answered(&self) -> bool {
        !matches!(self, Self::Statement { source, .. } if !matches!(source, sqlx::Error::Database(_)))
    }
}

/// The database of a data folder.
#[derive(Clone, Debug)]
pub enum Store {
    /// One file, embedded.
    Sqlite(Sqlite),
    /// A server, for several nodes.
    Postgres(Postgres),
}

macro_rules! each {
    ($($(#[$doc:meta])* fn $name:ident(&self $(, $argument:ident: $type:ty)*) -> $result:ty;)+) => {
        impl Store {
            $($(#[$doc])*
            pub async fn $name(&self $(, $argument: $type)*) -> Result<$result, StoreError> {
                match self {
                    Self::Sqlite(store) => store.$name($($argument),*).await,
                    Self::Postgres(store) => store.$name($($argument),*).await,
                }
            })+
        }
    };
}

impl Store {
    /// Opens a database and brings its schema up to date; refused where there is none.
    pub async fn open(place: &Place) -> Result<Self, StoreError> {
        Self::must_be_there(place)?;
        match place {
            Place::Folder(folder) => Sqlite::open(&Place::file(folder)).await.map(Self::Sqlite),
            Place::Server(options) => Postgres::open(options).await.map(Self::Postgres),
        }
    }

    /// Opens a database, making it where there is none.
    pub async fn create(place: &Place) -> Result<Self, StoreError> {
        match place {
            Place::Folder(folder) => Sqlite::open(&Place::file(folder)).await.map(Self::Sqlite),
            Place::Server(options) => Postgres::create(options).await.map(Self::Postgres),
        }
    }

    /// Opens for reading only, also a database that another schema wrote; for `verify`, which must work on damaged ones too.
    pub async fn open_for_reading(place: &Place) -> Result<Self, StoreError> {
        Self::must_be_there(place)?;
        match place {
            Place::Folder(folder) => Sqlite::open_for_reading(&Place::file(folder)).await.map(Self::Sqlite),
            Place::Server(options) => Postgres::open_for_reading(options).await.map(Self::Postgres),
        }
    }

    fn must_be_there(place: &Place) -> Result<(), StoreError> {
        match place {
            Place::Folder(folder) if !Place::file(folder).is_file() => {
                Err(StoreError::Missing { place: place.clone() })
            }
            Place::Folder(_) | Place::Server(_) => Ok(()),
        }
    }

    /// Takes the right to write a ledger, waiting for another node that has it. On a server up to `limit` entries from `from` on come
    /// with it, so that a node which is behind need not ask for them.
    pub async fn hold(&self, ledger_id: i64, from: u64, limit: u32) -> Result<Held, StoreError> {
        match self {
            Self::Sqlite(store) => Ok(Held::by_folder(store.ledger(ledger_id).await?, store.clone())),
            Self::Postgres(store) => store.hold(ledger_id, from, limit).await,
        }
    }

    /// Waits for the turn among nodes that contend for a ledger; none where nobody else can write.
    pub async fn take_turn(&self, ledger_id: i64) -> Result<Option<TurnTaken>, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Postgres(store) => store.take_turn(ledger_id).await.map(Some),
        }
    }

    /// Word of batches of other nodes; none where nobody else can write.
    pub async fn changes(&self, ledger_id: i64) -> Result<Option<Changes>, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Postgres(store) => store.changes(ledger_id).await.map(Some),
        }
    }

    /// Tells other nodes that a ledger has grown.
    pub async fn announce(&self, ledger_id: i64) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(store) => store.announce(ledger_id).await,
        }
    }

    /// Says what this node is, and hears what all are that have said so in the last `gone` milliseconds; nobody where nobody else can write.
    pub async fn meet(&self, ledger_id: i64, node: &NodeRow, gone: i64) -> Result<Vec<NodeRow>, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(Vec::new()),
            Self::Postgres(store) => store.meet(ledger_id, node, gone).await,
        }
    }

    /// Tries to be the one node that does what only one should do for a ledger.
    pub async fn lead(&self, ledger_id: i64) -> Result<Option<Lead>, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(Some(Lead(None))),
            Self::Postgres(store) => store.lead(ledger_id).await,
        }
    }

    /// The same, reading from a replica; a file has none.
    #[must_use]
    pub fn read_from(self, replica: &Place) -> Self {
        match (self, replica) {
            (Self::Postgres(store), Place::Server(options)) => Self::Postgres(store.read_from(options)),
            (store, _) => store,
        }
    }

    /// Whether the replica answered when it was last tried; `None` without one.
    pub fn replica_answers(&self) -> Option<bool> {
        match self {
            Self::Sqlite(store) => store.replica_answers(),
            Self::Postgres(store) => store.replica_answers(),
        }
    }

    /// Tries the replica, where there is one; as long as it does not answer, the database itself is read.
    pub async fn try_replica(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(store) => store.try_replica().await,
        }
    }

    /// Whether both are one database, by whatever way it was reached.
    pub async fn is(&self, other: &Self) -> Result<bool, StoreError> {
        match (self, other) {
            (Self::Sqlite(one), Self::Sqlite(two)) => Ok(one.file().await? == two.file().await?),
            (Self::Postgres(one), Self::Postgres(two)) => Ok(one.identity().await? == two.identity().await?),
            (Self::Sqlite(_), Self::Postgres(_)) | (Self::Postgres(_), Self::Sqlite(_)) => Ok(false),
        }
    }

    /// The bytes of an entry that must be there.
    pub async fn known_entry(&self, ledger_id: i64, seq: u64) -> Result<Vec<u8>, StoreError> {
        let missing = || StoreError::Damaged { table: "entry", what: format!("entry {seq} is missing") };
        self.entry(ledger_id, seq).await?.ok_or_else(missing)
    }

    /// Waits for what is under way and closes the files.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close().await,
        }
    }
}

each! {
    /// Makes the row of a new ledger and gives its id; refused where origin or slug is taken.
    fn create_ledger(&self, origin: &str, slug: &str) -> i64;
    /// A ledger with its head.
    fn ledger(&self, ledger_id: i64) -> LedgerRow;
    /// All ledgers of this store, with their heads.
    fn ledgers(&self) -> Vec<LedgerRow>;
    /// Writes a batch in one durable transaction, conditional on the head.
    fn commit(&self, batch: Batch) -> ();
    /// Up to `limit` entries from `from` on, in order.
    fn entries(&self, ledger_id: i64, from: u64, limit: u32) -> Vec<StoredEntry>;
    /// Up to `limit` entries in `[from, to)` that posted to one of two lines, in order.
    fn entries_of_lines(&self, ledger_id: i64, lines: (i64, i64), from: u64, to: u64, limit: u32) -> Vec<StoredEntry>;
    /// Leaf hashes of the entries `[from, to)`, in order.
    fn leaves(&self, ledger_id: i64, from: u64, to: u64) -> Vec<Hash>;
    /// The bytes of an entry.
    fn entry(&self, ledger_id: i64, seq: u64) -> Option<Vec<u8>>;
    /// Keyed hashes beside up to `limit` entries from `from` on, in order.
    fn keys(&self, ledger_id: i64, from: u64, limit: u32) -> Vec<EntryKeys>;
    /// Entries of gifts that were recorded with this order number.
    fn entries_by_order(&self, ledger_id: i64, order_hash: i64) -> Vec<u64>;
    /// Names of lines by their number.
    fn lines(&self, ledger_id: i64) -> Vec<(i64, String)>;
    /// All runs of a line, in order.
    fn runs(&self, ledger_id: i64, line_id: i64) -> Vec<RunRow>;
    /// The runs that overlap `span`, whole, in order.
    fn runs_in(&self, ledger_id: i64, line_id: i64, span: Span) -> Vec<RunRow>;
    /// The inflows that overlap `span`, whole, in order.
    fn inflows_in(&self, ledger_id: i64, line_id: i64, span: Span) -> Vec<InflowRow>;
    /// The posts that touch `span` below tree size `size`, in order of posting: op, positions, entry.
    fn posts_until(&self, ledger_id: i64, line_id: i64, span: Span, size: u64) -> Vec<(i64, Span, u64)>;
    /// Up to `limit` spans after `after`, in the order of their key.
    fn spans(&self, ledger_id: i64, after: Option<SpanNumbers>, limit: u32) -> SpanPage;
    /// The state of a thing.
    fn subject(&self, ledger_id: i64, area: &str, id: &str) -> Option<Vec<u8>>;
    /// The states of all things of an area.
    fn subjects(&self, ledger_id: i64, area: &str) -> Vec<(String, Vec<u8>)>;
    /// Keeps a signed checkpoint.
    fn put_checkpoint(&self, ledger_id: i64, size: u64, note: &str) -> ();
    /// Brings everything that is committed into the main file, so that a copy of that file alone is whole. Readers may delay it;
    /// then it happens later, and nothing is lost meanwhile.
    fn settle(&self) -> ();
    /// All signed checkpoints, smallest first.
    fn checkpoints(&self, ledger_id: i64) -> Vec<(u64, String)>;
    /// The signed checkpoint of a size.
    fn checkpoint(&self, ledger_id: i64, size: u64) -> Option<String>;
    /// The smallest signed checkpoint that is larger than a size.
    fn next_checkpoint(&self, ledger_id: i64, size: u64) -> Option<(u64, String)>;
    /// The newest signed checkpoint.
    fn latest_checkpoint(&self, ledger_id: i64) -> Option<(u64, String)>;
    /// Keeps what a witness has signed of a checkpoint: the time in seconds since 1970, its line of the note.
    fn put_cosignature(&self, ledger_id: i64, size: u64, witness: &str, seconds: u64, line: &str) -> ();
    /// What witnesses have signed of a checkpoint: name, time, line.
    fn cosignatures(&self, ledger_id: i64, size: u64) -> Vec<(String, u64, String)>;
    /// All that witnesses have signed: size, name, time, line.
    fn all_cosignatures(&self, ledger_id: i64) -> Vec<(u64, String, u64, String)>;
    /// The first `limit` sizes from `from` on that anybody has cosigned.
    fn cosigned_sizes(&self, ledger_id: i64, from: u64, limit: u32) -> Vec<u64>;
    /// All witnesses: name, the first size that they have signed and when, and the last.
    fn witnesses(&self, ledger_id: i64) -> Vec<(String, (u64, u64), (u64, u64))>;
    /// Up to `limit` entries from `from` on, in order, each with its sealed record where there is one.
    fn log(&self, ledger_id: i64, from: u64, limit: u32) -> LogPage;
    /// Counts of rows that no replay of `size` entries would write: before the first entry; elsewhere; and of all states.
    fn strays(&self, ledger_id: i64, size: u64) -> (i64, i64, i64);
    /// A tile of hashes as far as it is kept.
    fn tile(&self, ledger_id: i64, level: u32, place: u64) -> Option<Vec<Hash>>;
    /// Those of these tiles, by level and place, that are kept.
    fn tiles(&self, ledger_id: i64, wanted: &[(u32, u64)]) -> Vec<TileRow>;
    /// The rightmost tile that is kept of a level.
    fn latest_tile(&self, ledger_id: i64, level: u32) -> Option<TileRow>;
    /// Keeps tiles, in one transaction; one that is there already and longer stays.
    fn put_tiles(&self, ledger_id: i64, tiles: &[TileRow]) -> ();
    /// Highest number given to a person.
    fn latest_person(&self, ledger_id: i64) -> u64;
    /// Keeps the hash of a code.
    fn put_code(&self, ledger_id: i64, purpose: &str, code_hash: Hash, subject: &str) -> ();
    /// Gives a ledger another name in this store.
    fn rename_ledger(&self, ledger_id: i64, slug: &str) -> ();
    /// All hashes of codes: purpose, hash, subject.
    fn codes(&self, ledger_id: i64) -> Vec<(String, Hash, String)>;
    /// Removes what stands beside the log: codes, staff and their roles, channels, subscriptions.
    fn clear_beside(&self, ledger_id: i64) -> ();
    /// What a code opens.
    fn code(&self, ledger_id: i64, purpose: &str, code_hash: Hash) -> Option<String>;
    /// Forgets the codes of a purpose whose subject begins with these words; gives how many there were.
    fn remove_codes(&self, ledger_id: i64, purpose: &str, prefix: &str) -> u64;
    /// Admits a member of staff.
    fn put_staff(&self, ledger_id: i64, staff_id: &str, name: &str) -> ();
    /// All members of staff in order of admission: id, name.
    fn staff(&self, ledger_id: i64) -> Vec<(String, String)>;
    /// Gives a role.
    fn put_role(&self, ledger_id: i64, staff_id: &str, role: &str) -> ();
    /// Takes a role.
    fn remove_role(&self, ledger_id: i64, staff_id: &str, role: &str) -> ();
    /// All roles: staff id, role.
    fn roles(&self, ledger_id: i64) -> Vec<(String, String)>;
    /// Admits a payment channel; refused where the name is taken.
    fn put_channel(&self, ledger_id: i64, channel: &ChannelRow) -> ();
    /// All payment channels.
    fn channels(&self, ledger_id: i64) -> Vec<ChannelRow>;
    /// Removes a payment channel.
    fn remove_channel(&self, ledger_id: i64, name: &str) -> ();
    /// Keeps a new subscription.
    fn put_subscription(&self, ledger_id: i64, subscription: &SubscriptionRow) -> ();
    /// Keeps how far a subscription has been told; nothing where it has been removed.
    fn move_subscription(&self, ledger_id: i64, subscription: &SubscriptionRow) -> ();
    /// All subscriptions.
    fn subscriptions(&self, ledger_id: i64) -> Vec<SubscriptionRow>;
    /// Removes a subscription.
    fn remove_subscription(&self, ledger_id: i64, secret_id: &str) -> ();
    /// Replaces everything that is derived from entries, in one transaction.
    fn replace_projection(&self, ledger_id: i64, projection: &Projection) -> ();
}
