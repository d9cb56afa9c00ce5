//! What every request works with.

use super::limit::Limiter;
use crate::app::folder::Opened;
use crate::app::writer::Handle;
use crate::clock::Clock;
use crate::domain::organisation::Organisation;
use crate::entropy::Entropy;
use crate::store::{LedgerRow, StoreError};
use crate::values::{Day, Zone};
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Looking gifts up: so many tries an address and minute.
const LOOKUPS_A_MINUTE: u32 = 20;

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
}

impl Site {
    /// Puts a site together.
    pub fn new(opened: Opened, handle: Handle, organisation: Organisation, clock: Clock) -> Self {
        let zone = Zone::parse(&organisation.time_zone).unwrap_or_else(|_| Zone::shanghai());
        let lookups = Limiter::new(LOOKUPS_A_MINUTE, Duration::from_secs(60));
        Self { opened, handle, organisation, zone, clock, entropy: Mutex::new(Entropy::new()), lookups }
    }

    /// The head as it is now.
    pub async fn head(&self) -> Result<LedgerRow, StoreError> {
        self.opened.head().await
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
        let mut entropy = self.entropy.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        with(&mut entropy)
    }
}
