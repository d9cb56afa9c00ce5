//! Shows the newest checkpoint to the witnesses that are configured, again and again.

use super::log;
use super::site::Shared;
use crate::app::client;
use crate::app::witnessed::{self, NotSeen};
use crate::app::writer::chain;
use std::collections::BTreeMap;
use std::time::Duration;

/// Checkpoints are looked at this often; each witness is asked for one of them at a time.
const LOOK: Duration = Duration::from_secs(1);
/// A witness that has said no, or nothing, is left alone for so long.
const REST: Duration = Duration::from_secs(30);
/// A witness that does not answer within this has not seen it.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Runs until it is dropped; ends at once where no witness is configured.
pub(super) async fn run(site: Shared) {
    let agent = client::agent(TIMEOUT);
    let (store, ledger_id) = (&site.opened.store, site.opened.row.ledger_id);
    let mut rests: BTreeMap<String, Duration> = BTreeMap::new();
    while !site.witnesses.is_empty() {
        tokio::time::sleep(LOOK).await;
        let known = (store.latest_checkpoint(ledger_id).await, witnessed::seen(store, ledger_id).await);
        let (Ok(Some((size, note))), Ok(seen)) = known else { continue };
        for witness in &site.witnesses {
            let now = site.clock.elapsed();
            if rests.get(&witness.name).is_some_and(|until| now < *until) {
                continue;
            }
            let old = seen.iter().find(|seen| seen.witness == witness.key.name()).map_or(0, |seen| seen.last.0);
            if old >= size {
                continue;
            }
            match witnessed::show(store, ledger_id, (size, &note), witness, &agent, old).await {
                Ok(_) => {
                    rests.remove(&witness.name);
                    site.witness_said(witness.key.name(), None);
                }
                Err(error) => {
                    // One that is away says nothing; one that has seen something else says no.
                    if matches!(error, NotSeen::Refused { .. } | NotSeen::Ahead(_)) {
                        site.witness_said(witness.key.name(), Some(format!("{size} entries: {error}")));
                    }
                    // Once a minute or so is enough to know.
                    let what = match &error {
                        NotSeen::Ahead(_) => "an older copy of the database, or another node ahead",
                        NotSeen::Store(_) | NotSeen::Away(_) | NotSeen::Refused { .. } | NotSeen::NoCosignature(_) => {
                            "tried again later"
                        }
                    };
                    log(&format!(
                        "{} the witness {} has not cosigned {size}: {} ({what})",
                        site.clock.now(),
                        witness.name,
                        chain(&error)
                    ));
                    rests.insert(witness.name.clone(), now + REST);
                }
            }
        }
    }
}
