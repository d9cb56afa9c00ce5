//! Many ledgers on one server, each with one who records gifts one after the other: written by one node, or divided among two.

use super::books::{account, found, fund, gift, maker};
use super::{BenchError, Pace, ROUNDS};
use crate::app::folder::Folder;
use crate::app::writer::{Handle, Submission};
use crate::clock::Clock;
use crate::domain::command::{OpenFund, Order};
use crate::domain::vocabulary::FundType;
use crate::entropy::Entropy;
use crate::store::Store;
use crate::values::{Day, Zone};
use std::time::Duration;
use tokio::task::JoinSet;

/// Ledgers that are written at once.
const COUNT: usize = 100;

/// How long a round is.
const ROUND: Duration = Duration::from_secs(2);

/// A ledger, and how many gifts it has.
struct Ledger {
    handle: Handle,
    origin: String,
    gifts: u64,
}

/// Gifts of all ledgers by two nodes, and by one; a node is a pool of connections with its writers.
pub async fn ledgers_rounds(folder: &Folder, clock: Clock) -> Result<(Vec<Pace>, Vec<Pace>), BenchError> {
    let on = clock.now().day(&Zone::shanghai());
    let (first, second) = (Store::create(folder.place()).await?, Store::create(folder.place()).await?);
    let mut ledgers = Vec::with_capacity(COUNT + COUNT / 2);
    for number in 0..COUNT + COUNT / 2 {
        let store = if number < COUNT { &first } else { &second };
        ledgers.push(Ledger::make(folder, store, number, clock).await?);
    }
    let (mut both, mut one) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        one.push(round(&mut ledgers[..COUNT], clock, on).await?);
        // Half of the first node's, and those of the second.
        both.push(round(&mut ledgers[COUNT / 2..], clock, on).await?);
    }
    for ledger in ledgers {
        ledger.handle.finish().await?;
    }
    Ok((both, one))
}

impl Ledger {
    async fn make(folder: &Folder, store: &Store, number: usize, clock: Clock) -> Result<Self, BenchError> {
        let slug = format!("l{number}");
        let folder = folder.elsewhere(folder.path().join(&slug));
        let (handle, open) = found(&folder, store.clone(), &slug, clock).await?;
        let general = OpenFund {
            fund: fund(),
            fund_type: FundType::Unrestricted,
            purpose: Vec::new(),
            uses: Vec::new(),
            name_zh: "日常".into(),
            name_en: "General".into(),
        };
        let account = Order::OpenAccount { account: account(), funds: vec![fund()] };
        let orders = [open, Order::OpenFund(general), account];
        for result in handle.post(orders.map(|order| Submission::bare(&maker(), order)).into()).await? {
            result?;
        }
        Ok(Self { handle, origin: format!("bench.example/{slug}"), gifts: 0 })
    }
}

/// Everybody records gifts for a while, each durable before the next.
async fn round(ledgers: &mut [Ledger], clock: Clock, on: Day) -> Result<Pace, BenchError> {
    let start = clock.elapsed();
    let mut recording = JoinSet::new();
    for (place, ledger) in ledgers.iter().enumerate() {
        let (handle, origin, before) = (ledger.handle.clone(), ledger.origin.clone(), ledger.gifts);
        recording.spawn(async move {
            let (mut entropy, mut gifts) = (Entropy::new(), before);
            while clock.elapsed() < start + ROUND {
                gifts += 1;
                handle.post(vec![gift(&origin, gifts, on, &mut entropy)?]).await?.remove(0)?;
            }
            Ok::<_, BenchError>((place, gifts))
        });
    }
    let mut count = 0;
    for done in recording.join_all().await {
        let (place, gifts) = done?;
        count += gifts - ledgers[place].gifts;
        ledgers[place].gifts = gifts;
    }
    Ok(Pace { count, time: clock.elapsed() - start })
}
