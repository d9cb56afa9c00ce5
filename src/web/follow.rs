//! Nodes beside this one: tells them when this one has written, and hears when they have. Nothing depends on being told: whoever hears
//! nothing looks by itself.

use super::log;
use super::site::Shared;
use crate::app::writer::{Handle, chain};
use crate::store::StoreError;
use std::time::Duration;

/// Others are told at most this often.
const TICK: Duration = Duration::from_millis(100);
/// The head is looked at this often, told or not.
const LOOK: Duration = Duration::from_secs(1);

/// Follows the ledger until it is dropped; ends at once where nobody else can write it.
pub async fn run(site: Shared) {
    while site.opened.folder.place().is_shared() {
        if let Err(error) = follow(&site).await {
            log(&format!("{} other nodes are not heard: {}", site.clock.now(), chain(&error)));
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn follow(site: &Shared) -> Result<(), StoreError> {
    let (store, ledger_id) = (&site.opened.store, site.opened.row.ledger_id);
    let Some(mut changes) = store.changes(ledger_id).await? else { return Ok(()) };
    let (mut announced, mut looked) = (site.size(), site.clock.elapsed());
    loop {
        let heard = tokio::time::timeout(TICK, changes.next()).await;
        let own = site.running().map_or(0, Handle::size);
        if own > announced {
            store.announce(ledger_id).await?;
            announced = own;
        }
        if heard.is_ok() || site.clock.elapsed() >= looked + LOOK {
            heard.unwrap_or(Ok(()))?;
            site.saw(site.opened.head().await?.size);
            looked = site.clock.elapsed();
        }
    }
}
