//! The Merkle tree of RFC 6962 §2.1: leaf `SHA-256(0x00 ‖ entry)`, node `SHA-256(0x01 ‖ left ‖ right)`, empty tree `SHA-256("")`.

use crate::values::Hash;

/// Hash of an inner node. RFC 6962 §2.1.
pub fn node_hash(left: Hash, right: Hash) -> Hash {
    Hash::of(&[&[0x01], &left.0, &right.0])
}

/// Root of the tree without leaves.
pub fn empty_root() -> Hash {
    Hash::of(&[])
}

/// Gives the hashes of complete subtrees, wherever they are kept: memory, a table, tiles.
pub trait NodeReader {
    /// What may go wrong while reading.
    type Error;

    /// Hash of the complete subtree of height `level` (0 = leaf) that begins at leaf `index << level`.
    fn node(&self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// Leaves in memory.
impl NodeReader for [Hash] {
    type Error = OutOfTree;

    fn node(&self, level: u32, index: u64) -> Result<Hash, OutOfTree> {
        if level == 0 {
            let place = usize::try_from(index).map_err(|_| OutOfTree)?;
            return self.get(place).copied().ok_or(OutOfTree);
        }
        Ok(node_hash(self.node(level - 1, index * 2)?, self.node(level - 1, index * 2 + 1)?))
    }
}

/// Asked for a leaf or a size that the tree does not have.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
#[error("the tree does not reach that far")]
pub struct OutOfTree;

/// The peaks of a growing tree: all that is needed to append a leaf and to know the root, O(log n).
///
/// | size | peaks (from the left)            |
/// |------|----------------------------------|
/// | 1    | l0                               |
/// | 3    | node(l0, l1), l2                 |
/// | 4    | node(node(l0, l1), node(l2, l3)) |
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// From stored peaks; `None` unless there is exactly one for each set bit of `size`.
    pub fn from_peaks(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (usize::try_from(size.count_ones()) == Ok(peaks.len())).then_some(Self { size, peaks })
    }

    /// Count of leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The peaks, largest subtree first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            let left = self.peaks.pop().expect("one peak for each set bit of the size");
            hash = node_hash(left, hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// Root over all leaves.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev().copied();
        match peaks.next() {
            None => empty_root(),
            Some(last) => peaks.fold(last, |right, left| node_hash(left, right)),
        }
    }
}

/// Root over the first `size` leaves.
pub fn root<R: NodeReader + ?Sized>(nodes: &R, size: u64) -> Result<Hash, R::Error> {
    if size == 0 { Ok(empty_root()) } else { subtree(nodes, 0, size) }
}

/// Sibling hashes that prove leaf `index` (from 0) in the tree of `size` leaves, lowest first.
/// At most ceil(log2(size)) hashes; `None` where `index >= size`. RFC 6962 §2.1.1, order as in C2SP tlog-proof.
///
/// | size | index | proof        |
/// |------|-------|--------------|
/// | 1    | 0     | (empty)      |
/// | 3    | 2     | node(l0, l1) |
pub fn inclusion_proof<R: NodeReader + ?Sized>(
    nodes: &R,
    index: u64,
    size: u64,
) -> Result<Option<Vec<Hash>>, R::Error> {
    if index >= size {
        return Ok(None);
    }
    let (mut from, mut to) = (0, size);
    let mut path = Vec::new();
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            path.push(subtree(nodes, middle, to)?);
            to = middle;
        } else {
            path.push(subtree(nodes, from, middle)?);
            from = middle;
        }
    }
    path.reverse();
    Ok(Some(path))
}

/// Hashes that prove that the tree of `old` leaves is a prefix of the tree of `new` leaves, 1 ≤ old ≤ new; `None` otherwise.
/// RFC 6962 §2.1.2.
pub fn consistency_proof<R: NodeReader + ?Sized>(nodes: &R, old: u64, new: u64) -> Result<Option<Vec<Hash>>, R::Error> {
    if old == 0 || old > new {
        return Ok(None);
    }
    let (mut from, mut to) = (0, new);
    let mut path = Vec::new();
    let mut old_is_whole = true;
    while old != to {
        let middle = from + split(to - from);
        if old <= middle {
            path.push(subtree(nodes, middle, to)?);
            to = middle;
        } else {
            path.push(subtree(nodes, from, middle)?);
            from = middle;
            old_is_whole = false;
        }
    }
    if !old_is_whole {
        path.push(subtree(nodes, from, to)?);
    }
    path.reverse();
    Ok(Some(path))
}

/// True where `path` leads from `leaf` at `index` to `root` over `size` leaves. RFC 9162 §2.1.3.2.
#[must_use]
pub fn verify_inclusion(leaf: Hash, index: u64, size: u64, path: &[Hash], root: Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(*sibling, hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(hash, *sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && hash == root
}

/// True where `path` shows that the tree (`old`, `old_root`) is a prefix of (`new`, `new_root`). RFC 9162 §2.1.4.2.
#[must_use]
pub fn verify_consistency(old: u64, new: u64, old_root: Hash, new_root: Hash, path: &[Hash]) -> bool {
    if old == 0 || old > new {
        return false;
    }
    if old == new {
        return path.is_empty() && old_root == new_root;
    }
    let mut hashes = path.iter().copied();
    let first = if old.is_power_of_two() { Some(old_root) } else { hashes.next() };
    let Some(first) = first else {
        return false;
    };
    let (mut place, mut last) = (old - 1, new - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (first, first);
    for sibling in hashes {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            old_hash = node_hash(sibling, old_hash);
            new_hash = node_hash(sibling, new_hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(new_hash, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == old_root && new_hash == new_root
}

/// Largest power of two below `count`, `count` ≥ 2: where RFC 6962 splits a list.
const fn split(count: u64) -> u64 {
    1 << (u64::BITS - 1 - (count - 1).leading_zeros())
}

/// Hash over the leaves `[from, to)`, which is a subtree of the RFC's recursion: complete ones are read, the ragged right is joined.
fn subtree<R: NodeReader + ?Sized>(nodes: &R, from: u64, to: u64) -> Result<Hash, R::Error> {
    let count = to - from;
    if count.is_power_of_two() {
        let level = count.trailing_zeros();
        return nodes.node(level, from >> level);
    }
    let middle = from + split(count);
    Ok(node_hash(subtree(nodes, from, middle)?, subtree(nodes, middle, to)?))
}
