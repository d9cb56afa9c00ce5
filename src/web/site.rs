//! What every request works with.

use super::held;
use super::limit::Limiter;
use super::metrics::Requests;
use super::problem::{self, Problem};
use crate::app::code;
use crate::app::folder;
use crate::app::items::KnownItems;
use crate::app::opened::Opened;
use crate::app::overview::LineTotals;
use crate::app::token::{self, Token};
use crate::app::writer::{self, ClockTrust, Handle, Lookup, WriteError, order_text};
use crate::clock::Clock;
use crate::domain::organisation::Organisation;
use crate::entropy::Entropy;
use crate::ledger::policy::Witness;
use crate::report::labels::Language;
use crate::store::{LedgerRow, StoreError};
use crate::values::text::folded;
use crate::values::{Amount, Day, Hash, Timestamp, Zone};
use crate::vault::Keyed;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::OnceCell;

/// Looking gifts up: so many tries an address and minute.
const LOOKUPS_A_MINUTE: u32 = 20;

/// Showing tokens that are none: so many tries an address and minute.
const GUESSES_A_MINUTE: u32 = 20;

/// Traces: so many an address and minute. One of a large payment reads a large part of the log.
const TRACES_A_MINUTE: u32 = 120;

/// Requests of one token in a minute; many gifts go into one bulk.
const CALLS_A_MINUTE: u32 = 6_000;

/// So long is a token taken for what the database said of it.
const TOKEN_FRESH: Duration = Duration::from_secs(5);

/// Totals are read anew when the ledger has grown and twenty times as long has passed as reading took, but no later than this: a
/// busy ledger is not read all the time. Pages say which entry they are as of.
const TOTALS_FRESH: Duration = Duration::from_secs(1);

/// A page, with the size of the ledger that it was made at.
type KeptPage = (u64, Arc<str>);

#[derive(Debug)]
struct Totals {
    size: u64,
    until: Duration,
    lines: Arc<[LineTotals]>,
}

/// The site, shared by all requests.
pub type Shared = Arc<Site>;

/// The nodes of a ledger, as this one sees them.
#[derive(Clone, Copy, Debug)]
pub struct Nodes {
    /// How many there are.
    pub count: i64,
    /// How many of them have another version, other rules or other keys.
    pub differing: i64,
    /// By how much the clock of this one runs ahead of the database server's.
    pub ahead_seconds: i64,
}

/// A ledger that is served.
#[derive(Debug)]
pub struct Site {
    /// For reading.
    pub opened: Opened,
    /// For posting; begun with the first command, where nothing else needs the folder.
    handle: OnceCell<Handle>,
    /// Entries that are known to be there, by whichever node.
    seen: AtomicU64,
    /// Nodes that serve the ledger, and those that differ from this one.
    nodes: Mutex<Nodes>,
    /// Entries whose tiles are kept.
    tiled: AtomicU64,
    /// The operator vouches for the clock.
    trust: ClockTrust,
    /// Whose ledger it is.
    pub organisation: Organisation,
    /// The zone that days are counted in.
    pub zone: Zone,
    /// The clock.
    pub clock: Clock,
    /// Random bytes.
    pub entropy: Mutex<Entropy>,
    /// How long answers took.
    pub requests: Requests,
    /// Who looked up how many gifts.
    pub lookups: Limiter<IpAddr>,
    /// Who had how many traces made.
    pub traces: Limiter<IpAddr>,
    /// From where tokens came that are none.
    pub guesses: Limiter<IpAddr>,
    /// How often a token was shown.
    pub calls: Limiter<Hash>,
    /// Witnesses that checkpoints are shown to.
    pub witnesses: Vec<Witness>,
    /// The addresses of clients are what a proxy of our own says they are.
    pub behind_proxy: bool,
    /// No day is before that of the last entry.
    floor: Option<Timestamp>,
    /// Tokens that were seen a moment ago, by their keyed hash, and when.
    tokens: Mutex<BTreeMap<Hash, (Token, Duration)>>,
    /// Totals of all lines, the size they are of, and when they were read.
    totals: tokio::sync::Mutex<Option<Totals>>,
    /// The last that were asked for as of a size, with that size.
    earlier: tokio::sync::Mutex<Option<(u64, Arc<[LineTotals]>)>>,
    /// The items of published totals.
    pub items: KnownItems,
    /// What witnesses have said no to last: their names, and what they said.
    refused: Mutex<BTreeMap<String, String>>,
    /// Pages that much is read for, in each language, with the size of the ledger that each was made at.
    pages: Mutex<BTreeMap<(&'static str, Language), KeptPage>>,
}

impl Site {
    /// Puts a site together; the writer starts when it is first needed.
    pub async fn open(opened: Opened, clock: Clock, trust: ClockTrust) -> Result<Self, StoreError> {
        let organisation = opened.organisation().await?;
        let zone = Zone::parse(&organisation.time_zone).unwrap_or_else(|_| Zone::shanghai());
        let minute = Duration::from_secs(60);
        Ok(Self {
            behind_proxy: false,
            witnesses: Vec::new(),
            floor: folder::last_at(&opened.row),
            opened,
            handle: OnceCell::new(),
            trust,
            organisation,
            zone,
            clock,
            entropy: Mutex::new(Entropy::new()),
            requests: Requests::default(),
            lookups: Limiter::new(LOOKUPS_A_MINUTE, minute),
            traces: Limiter::new(TRACES_A_MINUTE, minute),
            guesses: Limiter::new(GUESSES_A_MINUTE, minute),
            calls: Limiter::new(CALLS_A_MINUTE, minute),
            tokens: Mutex::default(),
            pages: Mutex::default(),
            refused: Mutex::default(),
            items: KnownItems::default(),
            totals: tokio::sync::Mutex::default(),
            earlier: tokio::sync::Mutex::default(),
            seen: AtomicU64::default(),
            tiled: AtomicU64::default(),
            nodes: Mutex::new(Nodes { count: 1, differing: 0, ahead_seconds: 0 }),
        })
    }

    /// The same with a writer that runs already.
    #[must_use]
    pub fn with_writer(self, handle: Handle) -> Self {
        Self { handle: OnceCell::new_with(Some(handle)), ..self }
    }

    /// The way to the writer, which is started where it does not run yet: from then on the folder is locked.
    pub async fn writer(&self) -> Result<&Handle, WriteError> {
        let start = || async {
            let lock = self.opened.folder.lock().await?;
            let opened = self.opened.folder.open(Some(&self.opened.row.slug)).await?;
            writer::start(opened, lock, self.clock, self.trust).await
        };
        self.handle.get_or_try_init(start).await
    }

    /// Whether the operator vouches for the clock.
    pub const fn trust(&self) -> ClockTrust {
        self.trust
    }

    /// The writer, if it has been started.
    pub fn running(&self) -> Option<&Handle> {
        self.handle.get()
    }

    /// How many entries are durable, as far as is known without asking the database.
    pub fn size(&self) -> u64 {
        let own = self.running().map_or(self.opened.row.size, Handle::size);
        own.max(self.seen.load(Ordering::Acquire))
    }

    /// Takes note of how many entries there are, by whichever node.
    pub fn saw(&self, size: u64) {
        self.seen.fetch_max(size, Ordering::AcqRel);
    }

    /// How many entries have their tiles kept.
    pub fn tiled(&self) -> u64 {
        self.tiled.load(Ordering::Acquire)
    }

    /// Takes note of how many entries have their tiles kept.
    pub fn filled(&self, size: u64) {
        self.tiled.fetch_max(size, Ordering::AcqRel);
    }

    /// Takes note of the nodes there are.
    pub fn met(&self, nodes: Nodes) {
        *held(&self.nodes) = nodes;
    }

    /// The nodes there are.
    pub fn nodes(&self) -> Nodes {
        *held(&self.nodes)
    }

    /// The head as it is now.
    pub async fn head(&self) -> Result<LedgerRow, StoreError> {
        self.opened.head().await
    }

    /// Totals of all lines, hardly a second old, with the tree size they are of. One reader reads them, the others wait for it.
    pub async fn totals(&self) -> Result<(u64, Arc<[LineTotals]>), Problem> {
        let mut known = self.totals.lock().await;
        let (size, now) = (self.size(), self.clock.elapsed());
        if let Some(Totals { size: read, until, lines }) = known.as_ref()
            && (*read == size || now < *until)
        {
            return Ok((*read, Arc::clone(lines)));
        }
        let (read, lines) = self.opened.totals_at_one_size().await?.ok_or_else(problem::unavailable)?;
        let lines: Arc<[LineTotals]> = lines.into();
        let end = self.clock.elapsed();
        let until = end + ((end - now) * 20).min(TOTALS_FRESH);
        *known = Some(Totals { size: read, until, lines: Arc::clone(&lines) });
        Ok((read, lines))
    }

    /// Totals of all lines as they stood at a size; one reader works them out, the others wait for it.
    pub async fn totals_at(&self, size: u64) -> Result<Arc<[LineTotals]>, StoreError> {
        let mut known = self.earlier.lock().await;
        if let Some((read, lines)) = known.as_ref()
            && *read == size
        {
            return Ok(Arc::clone(lines));
        }
        let lines: Arc<[LineTotals]> = self.opened.line_totals_at(size).await?.into();
        *known = Some((size, Arc::clone(&lines)));
        Ok(lines)
    }

    /// Takes note of what a witness has said no to; `None` where it has signed.
    pub fn witness_said(&self, witness: &str, refused: Option<String>) {
        let mut known = held(&self.refused);
        match refused {
            Some(what) => drop(known.insert(witness.to_owned(), what)),
            None => drop(known.remove(witness)),
        }
    }

    /// What a witness has said no to last.
    pub fn refused_by(&self, witness: &str) -> Option<String> {
        held(&self.refused).get(witness).cloned()
    }

    /// A page, if it was made at this size of the ledger.
    pub fn kept_page(&self, name: &'static str, language: Language, size: u64) -> Option<Arc<str>> {
        let pages = held(&self.pages);
        pages.get(&(name, language)).filter(|(made_at, _)| *made_at == size).map(|(_, page)| Arc::clone(page))
    }

    /// Keeps a page for those who ask before the ledger grows.
    pub fn keep_page(&self, name: &'static str, language: Language, size: u64, page: &str) {
        let mut pages = held(&self.pages);
        pages.insert((name, language), (size, page.into()));
    }

    /// Whom a token stands for, with its keyed hash. What the database said holds for some seconds: a busy channel shows one token
    /// all day.
    pub async fn token(&self, shown: &str) -> Result<Option<(Hash, Token)>, StoreError> {
        let (hash, now) = (self.opened.keys.vault.code_hash(shown), self.clock.elapsed());
        let fresh = |(_, seen): &(Token, Duration)| now < *seen + TOKEN_FRESH;
        let known = {
            let tokens = held(&self.tokens);
            tokens.get(&hash).filter(|found| fresh(found)).map(|(token, _)| token.clone())
        };
        if let Some(token) = known {
            return Ok(Some((hash, token)));
        }
        let found = token::find(&self.opened, hash, self.clock.now()).await?;
        if let Some(found) = &found {
            let mut tokens = held(&self.tokens);
            tokens.retain(|_, found| fresh(found));
            tokens.insert(hash, (found.clone(), now));
        }
        Ok(found.map(|token| (hash, token)))
    }

    /// The gift that a receipt code opens.
    pub async fn gift_of_code(&self, code: &str) -> Result<Option<u64>, StoreError> {
        let hash = self.opened.keys.vault.code_hash(code);
        let opens = code::opens(&self.opened, "receipt", hash).await?;
        Ok(opens.and_then(|seq| seq.parse().ok()))
    }

    /// The gifts that came with an order number and exactly this amount. Where none has it as it was typed, its full-width characters
    /// were those of a Chinese keyboard.
    pub async fn gifts_of_order(&self, order_no: &str, amount: Amount) -> Result<Vec<u64>, WriteError> {
        let found = self.gifts_of(order_text(order_no, amount)).await?;
        let plain = folded(order_no);
        if found.is_empty() && plain != order_no { self.gifts_of(order_text(&plain, amount)).await } else { Ok(found) }
    }

    /// A writer that runs knows them without reading.
    async fn gifts_of(&self, text: String) -> Result<Vec<u64>, WriteError> {
        if let Some(writer) = self.running() {
            return writer.find(Lookup::Order(text)).await;
        }
        let hash = self.opened.keys.vault.keyed(Keyed::Order, &text);
        Ok(self.opened.store.entries_by_order(self.opened.row.ledger_id, hash).await?)
    }

    /// Has the next use of every token looked up anew.
    pub fn forget_tokens(&self) {
        held(&self.tokens).clear();
    }

    /// Today in the ledger's zone.
    pub fn today(&self) -> Day {
        let now = self.clock.now();
        self.floor.map_or(now, |floor| floor.max(now)).day(&self.zone)
    }

    /// A random id with a prefix.
    pub fn id<T: FromStr<Err: std::fmt::Debug>>(&self, prefix: &str) -> T {
        self.draw(|entropy| entropy.id(prefix, 6)).parse().expect("random ids follow the grammar")
    }

    /// Works with the random source.
    pub fn draw<T>(&self, with: impl FnOnce(&mut Entropy) -> T) -> T {
        let mut entropy = held(&self.entropy);
        with(&mut entropy)
    }
}
