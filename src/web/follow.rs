//! Nodes beside this one: tells them when this one has written, and hears when they have. Nothing depends on being told: whoever hears
//! nothing looks by itself.

use super::log;
use super::site::{Nodes, Shared};
use crate::app::writer::{Handle, chain};
use crate::rules;
use crate::store::{NodeRow, StoreError};
use crate::values::Hash;
use std::collections::BTreeSet;
use std::time::Duration;

/// Others are told at most this often.
const TICK: Duration = Duration::from_millis(100);
/// The head is looked at this often, told or not.
const LOOK: Duration = Duration::from_secs(1);
/// Nodes say this often what they are; one that has not for three times as long is gone.
const MEET: Duration = Duration::from_secs(10);
/// A clock that differs by more from the server's is spoken of.
const CLOCK_SECONDS: i64 = 30;

/// Follows the ledger until it is dropped; ends at once where nobody else can write it.
pub async fn run(site: Shared) {
    while site.opened.folder.place().is_shared() {
        if let Err(error) = follow(&site).await {
            log(&format!("{} other nodes are not heard: {}", site.clock.now(), chain(&error)));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Asks the replica that is read, if there is one, again and again whether it answers.
pub async fn watch_replica(site: Shared) {
    let store = &site.opened.store;
    while let Some(answered) = store.replica_answers() {
        let now = site.clock.now();
        match (answered, store.try_replica().await) {
            (true, Err(error)) => {
                log(&format!("{now} the replica does not answer, the database itself is read: {}", chain(&error)));
            }
            (false, Ok(())) => log(&format!("{now} the replica answers again and is read")),
            (true, Ok(())) | (false, Err(_)) => {}
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The nodes of a ledger, as this one sees them.
struct Company {
    own: NodeRow,
    looked: Option<Duration>,
    /// Those of whom it has been said that they differ.
    told: BTreeSet<String>,
    /// It has been said that this machine's clock differs.
    told_clock: bool,
}

impl Company {
    fn new(site: &Shared) -> Self {
        let own = NodeRow {
            node_id: site.draw(|entropy| entropy.id("n_", 8)),
            version: env!("CARGO_PKG_VERSION").into(),
            rules: rules::digest().short(),
            keys: String::new(),
            seen_at: 0,
        };
        Self { own, looked: None, told: BTreeSet::new(), told_clock: false }
    }

    /// Says what this node is, and notices others that are something else.
    async fn look(&mut self, site: &Shared) -> Result<(), StoreError> {
        let now = site.clock.elapsed();
        if self.looked.is_some_and(|looked| now < looked + MEET) {
            return Ok(());
        }
        self.looked = Some(now);
        self.own.keys = fingerprint(site).await?;
        let gone = i64::try_from((MEET * 3).as_millis()).unwrap_or(i64::MAX);
        let met = site.opened.store.meet(site.opened.row.ledger_id, &self.own, gone).await?;
        let mut differing = 0;
        for other in met.iter().filter(|other| other.node_id != self.own.node_id) {
            let differences: Vec<String> = [
                ("version", &other.version, &self.own.version),
                ("rules", &other.rules, &self.own.rules),
                ("keys", &other.keys, &self.own.keys),
            ]
            .into_iter()
            .filter(|(_, theirs, ours)| theirs != ours)
            .map(|(what, theirs, ours)| format!("{what} {theirs}, here {ours}"))
            .collect();
            if differences.is_empty() {
                continue;
            }
            differing += 1;
            if self.told.insert(other.node_id.clone()) {
                log(&format!("{} node {} differs: {}", site.clock.now(), other.node_id, differences.join("; ")));
            }
        }
        let own = met.iter().find(|node| node.node_id == self.own.node_id);
        let ahead_seconds = own.map_or(0, |own| (site.clock.now().millis() - own.seen_at) / 1000);
        if ahead_seconds.abs() > CLOCK_SECONDS && !self.told_clock {
            self.told_clock = true;
            log(&format!(
                "{} this machine's clock is {} seconds {} the database server's; set it, entries get their time from it",
                site.clock.now(),
                ahead_seconds.abs(),
                if ahead_seconds > 0 { "ahead of" } else { "behind" },
            ));
        }
        site.met(Nodes { count: i64::try_from(met.len()).unwrap_or(i64::MAX), differing, ahead_seconds });
        Ok(())
    }
}

/// What tells the keys that this node holds from others: the one that signs now, or where it is not here, the one that is.
async fn fingerprint(site: &Shared) -> Result<String, StoreError> {
    let opened = &site.opened;
    let in_force = opened.organisation().await?.key_at(u64::MAX).to_owned();
    let held = opened.folder.keys(&opened.keys.log.origin).ok();
    let keys = held.as_ref().unwrap_or(&opened.keys);
    let log = keys.of(&in_force).unwrap_or(&keys.log).verifier().to_string();
    Ok(Hash::of(&[log.as_bytes(), &keys.vault.code_hash("nodes").0]).short())
}

async fn follow(site: &Shared) -> Result<(), StoreError> {
    let (store, ledger_id) = (&site.opened.store, site.opened.row.ledger_id);
    let Some(mut changes) = store.changes(ledger_id).await? else { return Ok(()) };
    let (mut announced, mut looked) = (site.size(), site.clock.elapsed());
    let mut company = Company::new(site);
    loop {
        company.look(site).await?;
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
