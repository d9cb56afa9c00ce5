//! Tells subscribers of entries. The log is the outbox: a subscription keeps the number of the first entry that it has not been told
//! of, and moves on when its server has said yes. So a crash loses nothing; at worst an entry is told twice, under the same id.

use super::log;
use super::site::Shared;
use crate::app::client;
use crate::app::writer::chain;
use crate::ledger::entry::Entry;
use crate::store::{Lead, StoreError, SubscriptionRow};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How often subscriptions are looked at.
const LOOK: Duration = Duration::from_millis(250);
/// A server that does not answer within this has not been told.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Entries read at a time.
const PAGE: u32 = 200;
/// The longest wait between two tries.
const WAIT_MAX_S: u64 = 3_600;

/// Tells subscribers, each at its own pace, until it is dropped.
pub async fn run(site: Shared) {
    let agent: ureq::Agent = client::config(TIMEOUT).max_redirects(0).build().into();
    let mut telling: BTreeMap<String, JoinHandle<()>> = BTreeMap::new();
    let mut lead = None;
    loop {
        tokio::time::sleep(LOOK).await;
        if !leads(&site, &mut lead).await {
            telling.values().for_each(JoinHandle::abort);
            continue;
        }
        telling.retain(|_, task| !task.is_finished());
        let known = match site.opened.store.subscriptions(site.opened.row.ledger_id).await {
            Ok(known) => known,
            Err(error) => {
                log(&format!("{} subscriptions cannot be read: {}", site.clock.now(), chain(&error)));
                continue;
            }
        };
        // Whoever was taken off the list hears no more of the page that is being told.
        for (id, task) in &telling {
            if !known.iter().any(|row| row.secret_id == *id) {
                task.abort();
            }
        }
        let now = site.clock.now().millis();
        for row in known {
            if row.next_seq < site.size() && row.try_at <= now && !telling.contains_key(&row.secret_id) {
                let (id, site, agent) = (row.secret_id.clone(), Shared::clone(&site), agent.clone());
                let task = async move {
                    if let Err(error) = tell(&site, &agent, row).await {
                        log(&format!("{} a subscription stopped: {}", site.clock.now(), chain(&error)));
                    }
                };
                telling.insert(id, tokio::spawn(task));
            }
        }
    }
}

/// Whether this is the node that tells: of several, one does.
async fn leads(site: &Shared, lead: &mut Option<Lead>) -> bool {
    if let Some(held) = lead
        && held.holds().await
    {
        return true;
    }
    // Where it cannot be asked, it is asked again soon.
    *lead = site.opened.store.lead(site.opened.row.ledger_id).await.ok().flatten();
    lead.is_some()
}

/// Tells one subscriber of a page of entries, in order, until one fails.
async fn tell(site: &Shared, agent: &ureq::Agent, mut row: SubscriptionRow) -> Result<(), StoreError> {
    let ledger_id = site.opened.row.ledger_id;
    let entries = site.opened.store.entries(ledger_id, row.next_seq, PAGE).await?;
    let mut kept = row.next_seq;
    for (seq, stored) in (row.next_seq..).zip(&entries) {
        let Ok(entry) = Entry::parse(&stored.bytes) else {
            return Err(StoreError::Damaged { table: "entry", what: format!("entry {seq} cannot be read") });
        };
        let is_wanted = row.kinds.is_empty() || row.kinds.split(',').any(|kind| kind == entry.kind);
        if is_wanted {
            let data: serde_json::Value = serde_json::from_slice(&stored.bytes).unwrap_or_default();
            let body = json!({"type": entry.kind, "timestamp": entry.at.to_string(), "data": data}).to_string();
            let id = format!("{}#{seq}", site.opened.row.origin);
            if let Err(trouble) = send(site, agent, &row, id, body).await {
                row.failures = row.failures.saturating_add(1);
                row.try_at =
                    site.clock.now().millis() + i64::try_from(wait_s(row.failures) * 1_000).unwrap_or(i64::MAX);
                row.trouble = trouble;
                return site.opened.store.move_subscription(ledger_id, &row).await;
            }
            (row.failures, row.try_at, row.trouble) = (0, 0, String::new());
        }
        row.next_seq = seq + 1;
        if is_wanted {
            site.opened.store.move_subscription(ledger_id, &row).await?;
            kept = row.next_seq;
        }
    }
    // What it does not want to hear of is passed over at once.
    if kept == row.next_seq { Ok(()) } else { site.opened.store.move_subscription(ledger_id, &row).await }
}

/// Seconds to wait after so many failures in a row: 1, 2, 4, … up to an hour.
fn wait_s(failures: u32) -> u64 {
    1_u64
        .checked_shl(failures.saturating_sub(1))
        .filter(|wait| *wait != 0)
        .map_or(WAIT_MAX_S, |wait| wait.min(WAIT_MAX_S))
}

async fn send(
    site: &Shared,
    agent: &ureq::Agent,
    row: &SubscriptionRow,
    id: String,
    body: String,
) -> Result<(), String> {
    let at = site.clock.now().millis() / 1_000;
    let signature = site.opened.keys.vault.webhook_secret(&row.secret_id).sign(&id, at, body.as_bytes());
    let request = agent
        .post(&row.url)
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", at.to_string())
        .header("webhook-signature", signature);
    let sent = tokio::task::spawn_blocking(move || request.send(body).map(|response| response.status())).await;
    match sent {
        Ok(Ok(status)) if status.is_success() => Ok(()),
        Ok(Ok(status)) => Err(format!("HTTP {}", status.as_u16())),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::wait_s;

    #[test]
    fn waits_double_up_to_an_hour() {
        assert_eq!([1, 2, 3, 12, 13, 64, 65, u32::MAX].map(wait_s), [1, 2, 4, 2_048, 3_600, 3_600, 3_600, 3_600]);
    }
}
