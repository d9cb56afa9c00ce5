//! What every request works with.

use super::held;
use super::limit::Limiter;
use super::problem::{self, Problem};
use crate::app::folder::Opened;
use crate::app::overview::LineTotals;
use crate::app::token::{self, Token};
use crate::app::writer::Handle;
use crate::clock::Clock;
use crate::domain::organisation::Organisation;
use crate::entropy::Entropy;
use crate::report::labels::Language;
use crate::store::{LedgerRow, StoreError};
use crate::values::{Day, Hash, Zone};
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Looking gifts up: so many tries an address and minute.
const LOOKUPS_A_MINUTE: u32 = 20;

/// So long is a token taken for what the database said of it.
const TOKEN_FRESH: Duration = Duration::from_secs(5);

/// So long are totals shown before they are read anew; pages say which entry they are as of.
const TOTALS_FRESH: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Totals {
    size: u64,
    at: Duration,
    lines: Arc<[LineTotals]>,
}

/// The site, shared by all requests.
pub type Shared = Arc<Site>;

/// A ledger that is served.
#[derive(Debug)]
pub struct Site {
    /// For reading.
    pub opened: Opened,
    /// For posting.
    pub handle: Handle,
    /// Whose ledger it is.
    pub organisation: Organisation,
    /// The zone that days are counted in.
    pub zone: Zone,
    /// The clock.
    pub clock: Clock,
    /// Random bytes.
    pub entropy: Mutex<Entropy>,
    /// Who looked up how many gifts.
    pub lookups: Limiter,
    /// Tokens that were seen a moment ago, by their keyed hash, and when.
    tokens: Mutex<BTreeMap<Hash, (Token, Duration)>>,
    /// Totals of all lines, the size they are of, and when they were read.
    totals: tokio::sync::Mutex<Option<Totals>>,
    /// The first page in each language, with the size of the ledger that it was made at.
    pages: Mutex<BTreeMap<Language, (u64, Arc<str>)>>,
}

impl Site {
    /// Puts a site together.
    pub fn new(opened: Opened, handle: Handle, organisation: Organisation, clock: Clock) -> Self {
        let zone = Zone::parse(&organisation.time_zone).unwrap_or_else(|_| Zone::shanghai());
        let lookups = Limiter::new(LOOKUPS_A_MINUTE, Duration::from_secs(60));
        Self {
            opened,
            handle,
            organisation,
            zone,
            clock,
            entropy: Mutex::new(Entropy::new()),
            lookups,
            tokens: Mutex::default(),
            pages: Mutex::default(),
            totals: tokio::sync::Mutex::default(),
        }
    }

    /// The head as it is now.
    pub async fn head(&self) -> Result<LedgerRow, StoreError> {
        self.opened.head().await
    }

    /// Totals of all lines, at most a second old, with the tree size they are of. One reader reads them, the others wait for it.
    pub async fn totals(&self) -> Result<(u64, Arc<[LineTotals]>), Problem> {
        let mut known = self.totals.lock().await;
        let (size, now) = (self.handle.size(), self.clock.elapsed());
        if let Some(Totals { size: read, at, lines }) = known.as_ref()
            && (*read == size || now < *at + TOTALS_FRESH)
        {
            return Ok((*read, Arc::clone(lines)));
        }
        let (read, lines) = self.opened.totals_at_one_size().await?.ok_or_else(problem::unavailable)?;
        let lines: Arc<[LineTotals]> = lines.into();
        *known = Some(Totals { size: read, at: self.clock.elapsed(), lines: Arc::clone(&lines) });
        Ok((read, lines))
    }

    /// The first page, if it was made at this size of the ledger.
    pub fn first_page(&self, language: Language, size: u64) -> Option<Arc<str>> {
        let pages = held(&self.pages);
        pages.get(&language).filter(|(made_at, _)| *made_at == size).map(|(_, page)| Arc::clone(page))
    }

    /// Keeps the first page for those who ask before the ledger grows.
    pub fn keep_first_page(&self, language: Language, size: u64, page: &str) {
        let mut pages = held(&self.pages);
        pages.insert(language, (size, page.into()));
    }

    /// Whom a token stands for. What the database said holds for some seconds: a busy channel shows one token all day.
    pub async fn token(&self, shown: &str) -> Result<Option<Token>, StoreError> {
        let (hash, now) = (self.opened.keys.vault.code_hash(shown), self.clock.elapsed());
        let fresh = |(_, seen): &(Token, Duration)| now < *seen + TOKEN_FRESH;
        let known = {
            let tokens = held(&self.tokens);
            tokens.get(&hash).filter(|found| fresh(found)).map(|(token, _)| token.clone())
        };
        if known.is_some() {
            return Ok(known);
        }
        let found = token::find(&self.opened, hash, self.clock.now()).await?;
        if let Some(found) = &found {
            let mut tokens = held(&self.tokens);
            tokens.retain(|_, found| fresh(found));
            tokens.insert(hash, (found.clone(), now));
        }
        Ok(found)
    }

    /// Today in the ledger's zone.
    pub fn today(&self) -> Day {
        self.clock.now().day(&self.zone)
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
