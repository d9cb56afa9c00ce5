//! The Merkle-sum tree behind a published total: its root commits to every item and to their sum.
//!
//! Leaf `SHA-256(0x10 ‖ u64be(amount) ‖ item[32])`, node `SHA-256(0x11 ‖ left ‖ u64be(sum_l) ‖ right ‖ u64be(sum_r))`, shape as in
//! RFC 6962; without items `SHA-256("")` and 0. Sums beyond 2^64 − 1 are refused.

use crate::values::Hash;

/// An item of a total: a hash that names it, and its amount in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// Leaf hash of the entry, or salted hash of a line about a person.
    pub item: Hash,
    /// Minor units.
    pub amount: u64,
}

/// A subtree: its hash and the sum of its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Hash of the subtree.
    pub hash: Hash,
    /// Minor units.
    pub sum: u64,
}

/// On which side the sibling stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The sibling is to the left.
    Left,
    /// The sibling is to the right.
    Right,
}

/// The sum does not fit into 64 bits.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
#[error("the sum of the items is larger than 2^64−1")]
pub struct SumOverflows;

/// Root over items in their order.
pub fn root(items: &[Item]) -> Result<Sum, SumOverflows> {
    match items {
        [] => Ok(Sum { hash: Hash::of(&[]), sum: 0 }),
        [one] => Ok(leaf(*one)),
        _ => {
            let (left, right) = items.split_at(split(items.len()));
            node(root(left)?, root(right)?)
        }
    }
}

/// Siblings from the leaf `index` to the root; `None` where there is no such item.
pub fn proof(items: &[Item], index: usize) -> Result<Option<Vec<(Side, Sum)>>, SumOverflows> {
    if index >= items.len() {
        return Ok(None);
    }
    let (mut rest, mut place, mut path) = (items, index, Vec::new());
    while rest.len() > 1 {
        let (left, right) = rest.split_at(split(rest.len()));
        if place < left.len() {
            path.push((Side::Right, root(right)?));
            rest = left;
        } else {
            path.push((Side::Left, root(left)?));
            place -= left.len();
            rest = right;
        }
    }
    path.reverse();
    Ok(Some(path))
}

/// A published term: how many items, their sum and the root over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// Count of items.
    pub count: u64,
    /// Root and sum over them.
    pub root: Sum,
}

/// Root, sum and count over items in their order.
pub fn total(items: &[Item]) -> Result<Total, SumOverflows> {
    Ok(Total { count: u64::try_from(items.len()).map_err(|_| SumOverflows)?, root: root(items)? })
}

/// True where the item at `index` of `count` is inside the published total by this path. The count must be the published one and
/// fixes the shape, so an item cannot be shown at another place; every sum on the way is part of a hash, so none can be moved.
#[must_use]
pub fn verify(item: Item, index: u64, count: u64, path: &[(Side, Sum)], total: Total) -> bool {
    let Some(sides) = sides(index, count).filter(|_| count == total.count) else {
        return false;
    };
    if sides.len() != path.len() {
        return false;
    }
    let mut current = leaf(item);
    for (wanted, (side, sibling)) in sides.into_iter().zip(path) {
        if wanted != *side {
            return false;
        }
        let joined = match side {
            Side::Left => node(*sibling, current),
            Side::Right => node(current, *sibling),
        };
        match joined {
            Ok(joined) => current = joined,
            Err(SumOverflows) => return false,
        }
    }
    current == total.root
}

fn leaf(item: Item) -> Sum {
    Sum { hash: Hash::of(&[&[0x10], &item.amount.to_be_bytes(), &item.item.0]), sum: item.amount }
}

fn node(left: Sum, right: Sum) -> Result<Sum, SumOverflows> {
    let sum = left.sum.checked_add(right.sum).ok_or(SumOverflows)?;
    let hash = Hash::of(&[&[0x11], &left.hash.0, &left.sum.to_be_bytes(), &right.hash.0, &right.sum.to_be_bytes()]);
    Ok(Sum { hash, sum })
}

/// Sides of the siblings from leaf to root in the tree of `count` items.
fn sides(index: u64, count: u64) -> Option<Vec<Side>> {
    if index >= count {
        return None;
    }
    let (mut place, mut rest, mut sides) = (index, count, Vec::new());
    while rest > 1 {
        let left = 1 << (u64::BITS - 1 - (rest - 1).leading_zeros());
        if place < left {
            sides.push(Side::Right);
            rest = left;
        } else {
            sides.push(Side::Left);
            place -= left;
            rest -= left;
        }
    }
    sides.reverse();
    Some(sides)
}

/// Largest power of two below `count`, `count` ≥ 2.
const fn split(count: usize) -> usize {
    1 << (usize::BITS - 1 - (count - 1).leading_zeros())
}
