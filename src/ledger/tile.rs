//! Tiles: the tree in pieces of 256 hashes, the entries in bundles of 256. C2SP `tlog-tiles`.
//!
//! ```text
//! tile/0/x001/234          leaf hashes 315,904 to 316,159
//! tile/1/000.p/17          hashes of the first 17 subtrees of 256 leaves
//! tile/entries/x001/234    the bytes of entries 315,904 to 316,159, each behind its length
//! ```

use super::merkle::{self, NodeReader};
use super::note::decimal;
use crate::values::Hash;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Hashes of a full tile; entries of a full bundle.
pub const WIDTH: u64 = 256;

/// Levels of tiles: 2^56 leaves have seven, which a log never has.
pub const LEVELS: u32 = 7;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Content {
    /// Hashes of complete subtrees of 256 to the power of the level leaves.
    Hashes(u32),
    /// Entries.
    Entries,
}

/// Which tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    /// What it holds.
    pub content: Content,
    /// Its place among those of its kind.
    pub index: u64,
    /// How many it holds, 1 to 256.
    pub width: u64,
}

impl Tile {
    /// Reads a path, without `tile/`: `0/x001/234`, `entries/000.p/17`. Each tile has one path only.
    pub fn parse(path: &str) -> Option<Self> {
        let (content, rest) = path.split_once('/')?;
        let content = match content {
            "entries" => Content::Entries,
            level => Content::Hashes(decimal(level)?.try_into().ok().filter(|level| *level < LEVELS)?),
        };
        let (index, width) = match rest.split_once(".p/") {
            None => (rest, WIDTH),
            Some((index, width)) => (index, decimal(width).filter(|width| (1..WIDTH).contains(width))?),
        };
        let tile = Self { content, index: parse_index(index)?, width };
        (tile.to_string() == format!("tile/{path}")).then_some(tile)
    }

    /// First of what it holds, counted in what it holds.
    pub const fn from(self) -> u64 {
        self.index.saturating_mul(WIDTH)
    }

    /// Whether a log of so many entries has it.
    pub fn is_of(self, size: u64) -> bool {
        self.from().saturating_add(self.width) <= self.content.count(size)
    }
}

impl Content {
    /// How many there are in a log of so many entries.
    pub const fn count(self, size: u64) -> u64 {
        match self {
            Self::Hashes(level) => size >> (8 * level),
            Self::Entries => size,
        }
    }

    /// The tiles of a log of so many entries, from the left; the last may hold fewer than 256.
    pub fn tiles(self, size: u64) -> impl Iterator<Item = Tile> {
        let count = self.count(size);
        (0..count.div_ceil(WIDTH)).map(move |index| {
            let width = (count - index * WIDTH).min(WIDTH);
            Tile { content: self, index, width }
        })
    }
}

/// All tiles of a log of so many entries.
pub fn all(size: u64) -> impl Iterator<Item = Tile> {
    let contents = (0..LEVELS).map(Content::Hashes).chain([Content::Entries]);
    contents.flat_map(move |content| content.tiles(size))
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.content {
            Content::Hashes(level) => write!(f, "tile/{level}/")?,
            Content::Entries => f.write_str("tile/entries/")?,
        }
        let mut thousands = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            thousands.push(rest % 1000);
            rest /= 1000;
        }
        let (last, before) = thousands.split_first().expect("one at least");
        for part in before.iter().rev() {
            write!(f, "x{part:03}/")?;
        }
        write!(f, "{last:03}")?;
        if self.width < WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

fn parse_index(text: &str) -> Option<u64> {
    let mut index = 0_u64;
    let mut parts = text.split('/').peekable();
    while let Some(part) = parts.next() {
        let digits = if parts.peek().is_some() { part.strip_prefix('x')? } else { part };
        if digits.len() != 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
    }
    Some(index)
}

/// The bytes of a tile of hashes.
pub fn hashes_to_bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// The hashes of a tile; `None` where the length is not a multiple of 32.
pub fn hashes_of(bytes: &[u8]) -> Option<Vec<Hash>> {
    let chunks = bytes.chunks_exact(32);
    if !chunks.remainder().is_empty() {
        return None;
    }
    chunks.map(Hash::from_slice).collect()
}

/// A bundle of entries: each behind its length, two bytes, the greater first. `None` where one is too long for that.
pub fn bundle<'e>(entries: impl IntoIterator<Item = &'e [u8]>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for entry in entries {
        bytes.extend_from_slice(&u16::try_from(entry.len()).ok()?.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Some(bytes)
}

/// The entries of a bundle; `None` where it ends in the middle of one.
pub fn entries_of(bundle: &[u8]) -> Option<Vec<&[u8]>> {
    let (mut entries, mut rest) = (Vec::new(), bundle);
    while !rest.is_empty() {
        let (length, behind) = rest.split_first_chunk()?;
        let (entry, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        rest = behind;
    }
    Some(entries)
}

/// The right edge of a growing tree: the tiles that are not full yet, one a level.
#[derive(Clone, Debug, Default)]
pub struct Edge(Vec<Vec<Hash>>);

impl Edge {
    /// An edge of tiles that are there, from level 0 up.
    pub const fn of(tiles: Vec<Vec<Hash>>) -> Self {
        Self(tiles)
    }

    /// Its tiles, from level 0 up.
    pub fn tiles(&self) -> &[Vec<Hash>] {
        &self.0
    }

    /// Appends a leaf; gives each tile that is full with it, level by level from 0.
    pub fn push(&mut self, leaf: Hash) -> Vec<Vec<Hash>> {
        let (mut hash, mut full) = (leaf, Vec::new());
        loop {
            let level = full.len();
            if self.0.len() == level {
                self.0.push(Vec::new());
            }
            let tile = &mut self.0[level];
            tile.push(hash);
            if u64::try_from(tile.len()) != Ok(WIDTH) {
                return full;
            }
            hash = root_of(tile);
            full.push(std::mem::take(tile));
        }
    }
}

/// The tiles that an answer is made of: their levels and places. Which ones they are does not depend on what they hold.
pub fn needed<T>(ask: impl Fn(&dyn NodeReader<Error = Missing>) -> Result<T, Missing>) -> BTreeSet<(u32, u64)> {
    let named = Named::default();
    // Nothing is missing while it is only named, and the answer is nobody's.
    drop(ask(&named));
    named.0.into_inner()
}

/// Writes down whose nodes are asked for; the nodes that it gives are nobody's.
#[derive(Debug, Default)]
struct Named(RefCell<BTreeSet<(u32, u64)>>);

impl NodeReader for Named {
    type Error = Missing;

    fn node(&self, level: u32, index: u64) -> Result<Hash, Missing> {
        self.0.borrow_mut().insert(place_of(level, index));
        Ok(Hash::ZERO)
    }
}

/// Tiles that are at hand.
#[derive(Clone, Debug, Default)]
pub struct Tiles(BTreeMap<(u32, u64), Vec<Hash>>);

/// A tile that is not at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tile {index} of level {level} is not at hand")]
pub struct Missing {
    /// Its level.
    pub level: u32,
    /// Its place.
    pub index: u64,
}

impl Tiles {
    /// Has a tile at hand.
    pub fn put(&mut self, level: u32, index: u64, hashes: Vec<Hash>) {
        self.0.insert((level, index), hashes);
    }
}

impl NodeReader for Tiles {
    type Error = Missing;

    fn node(&self, level: u32, index: u64) -> Result<Hash, Missing> {
        let place = place_of(level, index);
        let missing = Missing { level: place.0, index: place.1 };
        let hashes = self.0.get(&place).ok_or(missing)?;
        let height = level % 8;
        let at = usize::try_from((index << height) % WIDTH).expect("below 256");
        let part = hashes.get(at..at + (1 << height)).ok_or(missing)?;
        Ok(root_of(part))
    }
}

/// Level and place of the tile that a node is in, or is made of.
const fn place_of(level: u32, index: u64) -> (u32, u64) {
    (level / 8, (index << (level % 8)) / WIDTH)
}

/// Root over hashes of subtrees of one height.
pub fn root_of(hashes: &[Hash]) -> Hash {
    merkle::root(hashes, u64::try_from(hashes.len()).expect("few hashes")).expect("they are all there")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(n: u64) -> Hash {
        Hash::of(&[&n.to_be_bytes()])
    }

    #[test]
    fn paths_are_those_of_the_specification() {
        for (path, content, index, width) in [
            ("0/000", Content::Hashes(0), 0, 256),
            ("0/x001/x234/067", Content::Hashes(0), 1_234_067, 256),
            ("1/x001/000.p/17", Content::Hashes(1), 1_000, 17),
            ("entries/999.p/255", Content::Entries, 999, 255),
        ] {
            let tile = Tile { content, index, width };
            assert_eq!(Tile::parse(path), Some(tile));
            assert_eq!(tile.to_string(), format!("tile/{path}"));
        }
        for path in [
            "",
            "0",
            "0/",
            "0/0",
            "0/0000",
            "0/x000/000",
            "00/000",
            "7/000",
            "0/000.p/0",
            "0/000.p/256",
            "0/000.p/01",
            "0/000.p/",
            "0/001/000",
            "0/x001/x000",
            "0/+12",
            "entries/000/",
            "x/000",
            "0/x999/x999/x999/x999/x999/x999/x999/999",
            "0/000.p/1/",
        ] {
            assert_eq!(Tile::parse(path), None, "{path}");
        }
    }

    #[test]
    fn tiles_give_the_proofs_of_the_leaves() {
        let leaves: Vec<Hash> = (0..66_100).map(leaf).collect();
        for size in [1_u64, 255, 256, 257, 700, 65_536, 65_537, 66_100] {
            let mut tiles = Tiles::default();
            let mut below = leaves[..usize::try_from(size).expect("small")].to_vec();
            for level in 0..3 {
                for (index, hashes) in (0..).zip(below.chunks(256)) {
                    tiles.put(level, index, hashes.to_vec());
                }
                below = below.chunks_exact(256).map(root_of).collect();
            }
            let leaves = &leaves[..usize::try_from(size).expect("small")];
            assert_eq!(merkle::root(&tiles, size), Ok(merkle::root(leaves, size).expect("in the tree")));
            for index in [0, size / 3, size - 1] {
                let expected = merkle::inclusion_proof(leaves, index, size).expect("in the tree");
                assert_eq!(merkle::inclusion_proof(&tiles, index, size), Ok(expected.clone()));
                let needed = needed(|nodes| merkle::inclusion_proof(nodes, index, size));
                let mut few = Tiles::default();
                for place in needed {
                    few.0.insert(place, tiles.0[&place].clone());
                }
                assert_eq!(merkle::inclusion_proof(&few, index, size), Ok(expected), "of {}", few.0.len());
            }
            let expected = merkle::consistency_proof(leaves, size.div_ceil(2), size).expect("in the tree");
            assert_eq!(merkle::consistency_proof(&tiles, size.div_ceil(2), size), Ok(expected));
        }
        assert_eq!(merkle::root(&Tiles::default(), 1), Err(Missing { level: 0, index: 0 }));
    }

    #[test]
    fn a_log_has_the_tiles_that_its_size_asks_for() {
        let of = |size| all(size).map(|tile| tile.to_string()).collect::<Vec<_>>();
        assert_eq!(of(0), Vec::<String>::new());
        assert_eq!(of(3), ["tile/0/000.p/3", "tile/entries/000.p/3"]);
        let expected = ["tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/1"];
        assert_eq!(of(257), expected);
        assert!(all(66_000).all(|tile| tile.is_of(66_000) && Tile::parse(&tile.to_string()[5..]) == Some(tile)));
        let later = Tile { content: Content::Hashes(0), index: 1, width: 2 };
        assert!(!later.is_of(257) && later.is_of(258));
    }

    #[test]
    fn bundles_are_read_as_they_were_written() {
        let entries: [&[u8]; 3] = [b"{}", b"", &[7; 65_535]];
        let bytes = bundle(entries).expect("short enough");
        assert_eq!(&bytes[..6], [0, 2, b'{', b'}', 0, 0]);
        assert_eq!(entries_of(&bytes).expect("whole"), entries);
        assert_eq!(entries_of(&bytes[..bytes.len() - 1]), None);
        assert_eq!(bundle([&[0_u8; 65_536][..]]), None);
    }
}
