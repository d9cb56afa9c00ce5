//! The tree of a ledger as it is kept: tiles and proofs in a few rows. Tiles are filled behind the commits; what they lack is computed
//! from the leaves, so that nobody sees whether they lag.

use crate::ledger::merkle::{NodeReader, consistency_proof, inclusion_proof};
use crate::ledger::tile::{self, Content, Edge, Missing, Tile, Tiles, WIDTH};
use crate::store::{Store, StoreError, TileRow};
use crate::values::Hash;
use std::collections::BTreeMap;

/// Tiles that are written at once.
const FILL: usize = 64;

/// The tree over the first `size` entries.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'s> {
    store: &'s Store,
    ledger_id: i64,
    size: u64,
}

impl<'s> Tree<'s> {
    /// The tree of a ledger at a size that it has.
    pub const fn of(store: &'s Store, ledger_id: i64, size: u64) -> Self {
        Self { store, ledger_id, size }
    }

    /// The bytes of a tile, of hashes or of entries; `None` where the tree does not have it.
    pub async fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, StoreError> {
        if !tile.is_of(self.size) {
            return Ok(None);
        }
        let width = usize::try_from(tile.width).expect("256 at most");
        match tile.content {
            Content::Hashes(level) => {
                let hashes = self.hashes(level, tile.index).await?;
                Ok(hashes.get(..width).map(tile::hashes_to_bytes))
            }
            Content::Entries => {
                let limit = u32::try_from(tile.width).expect("256 at most");
                let entries = self.store.entries(self.ledger_id, tile.from(), limit).await?;
                Ok(tile::bundle(entries.iter().map(|entry| entry.bytes.as_slice())))
            }
        }
    }

    /// What proves that an entry is in the tree, see [`inclusion_proof`].
    pub async fn inclusion(&self, index: u64) -> Result<Option<Vec<Hash>>, StoreError> {
        self.with_tiles(|tiles| inclusion_proof(tiles, index, self.size)).await
    }

    /// What proves that the tree of `old` entries is the beginning of this one, see [`consistency_proof`].
    pub async fn consistency(&self, old: u64) -> Result<Option<Vec<Hash>>, StoreError> {
        self.with_tiles(|tiles| consistency_proof(tiles, old, self.size)).await
    }

    /// Answers from the tiles that the answer needs.
    async fn with_tiles<T>(
        &self,
        ask: impl Fn(&dyn NodeReader<Error = Missing>) -> Result<T, Missing>,
    ) -> Result<T, StoreError> {
        let needed = tile::needed(&ask);
        let wanted: Vec<(u32, u64)> = needed.iter().copied().filter(|place| self.is_kept(*place)).collect();
        let kept = self.store.tiles(self.ledger_id, &wanted).await?;
        let mut kept: BTreeMap<_, _> = kept.into_iter().map(|row| ((row.level, row.place), row.hashes)).collect();
        let mut tiles = Tiles::default();
        for (level, index) in needed {
            let hashes = self.completed(level, index, kept.remove(&(level, index)).unwrap_or_default()).await?;
            tiles.put(level, index, hashes);
        }
        ask(&tiles).map_err(|missing| StoreError::Damaged { table: "tile", what: missing.to_string() })
    }

    /// How many hashes of a tile the tree has.
    fn count(&self, level: u32, index: u64) -> u64 {
        Content::Hashes(level).count(self.size).saturating_sub(index * WIDTH).min(WIDTH)
    }

    /// Whether a tile may be in the table: of level 0 only full ones are.
    fn is_kept(&self, (level, index): (u32, u64)) -> bool {
        level > 0 || self.count(level, index) == WIDTH
    }

    /// The hashes of a tile, as many as the tree has.
    async fn hashes(&self, level: u32, index: u64) -> Result<Vec<Hash>, StoreError> {
        let is_kept = self.is_kept((level, index));
        let kept = if is_kept { self.store.tile(self.ledger_id, level, index).await? } else { None };
        self.completed(level, index, kept.unwrap_or_default()).await
    }

    /// The hashes of a tile of which the table has those of `hashes`.
    async fn completed(&self, level: u32, index: u64, mut hashes: Vec<Hash>) -> Result<Vec<Hash>, StoreError> {
        let (from, count) = (index * WIDTH, self.count(level, index));
        let kept = u64::try_from(hashes.len()).expect("a tile is short");
        match level {
            0 if kept < count => hashes = self.store.leaves(self.ledger_id, from, from + count).await?,
            _ => {
                for below in kept..count {
                    let below = Box::pin(self.hashes(level - 1, from + below)).await?;
                    hashes.push(tile::root_of(&below));
                }
            }
        }
        hashes.truncate(usize::try_from(count).expect("256 at most"));
        Ok(hashes)
    }

    /// Keeps the full tiles that are not kept yet, and those above that grow with them; gives how many entries they cover.
    pub async fn fill(&self) -> Result<u64, StoreError> {
        let latest = self.store.latest_tile(self.ledger_id, 0).await?;
        let mut next = latest.map_or(0, |tile| tile.place + 1);
        let before = Self { size: next * WIDTH, ..*self };
        let mut edge = vec![Vec::new()];
        for level in (1..tile::LEVELS).take_while(|level| Content::Hashes(*level).count(before.size) > 0) {
            edge.push(before.hashes(level, Content::Hashes(level).count(before.size) / WIDTH).await?);
        }
        let (mut edge, mut rows) = (Edge::of(edge), Vec::new());
        while (next + 1) * WIDTH <= self.size {
            for leaf in self.store.leaves(self.ledger_id, next * WIDTH, (next + 1) * WIDTH).await? {
                for (level, hashes) in (0..).zip(edge.push(leaf)) {
                    rows.push(TileRow { level, place: next >> (8 * level), hashes });
                }
            }
            next += 1;
            if rows.len() >= FILL {
                self.keep(&mut rows, &edge, next).await?;
            }
        }
        self.keep(&mut rows, &edge, next).await?;
        Ok(next * WIDTH)
    }

    /// Keeps full tiles, and the edge above them.
    async fn keep(&self, rows: &mut Vec<TileRow>, edge: &Edge, full: u64) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let growing = (0..).zip(edge.tiles()).filter(|(_, hashes)| !hashes.is_empty());
        rows.extend(growing.map(|(level, hashes)| TileRow {
            level,
            place: full >> (8 * level),
            hashes: hashes.clone(),
        }));
        self.store.put_tiles(self.ledger_id, rows).await?;
        rows.clear();
        Ok(())
    }
}
