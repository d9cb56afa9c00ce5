//! What keys, references and order numbers stand for, kept in memory: no index on the durable path is in their order.

use crate::store::EntryKeys;
use std::collections::BTreeMap;
use std::collections::hash_map::Entry as Slot;
use std::hash::{BuildHasherDefault, Hasher};

/// A map by keyed hashes, which are uniform already and nobody can choose: they need no second hashing.
#[expect(clippy::disallowed_types, reason = "it is asked and added to, never walked through: it shows no order")]
type ByHash<T> = std::collections::HashMap<i64, T, BuildHasherDefault<AsItIs>>;

#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_i64(&mut self, hash: i64) {
        self.0 = hash.cast_unsigned();
    }
}

/// Keyed hashes to the entries that they stand beside.
#[derive(Default)]
pub(super) struct Known {
    /// Entries that have been noted.
    size: u64,
    keys: ByHash<(u64, u64, i64)>,
    references: ByHash<(u64, i64)>,
    orders: ByHash<u64>,
    /// Gifts of an order number and amount after the first: two accounts may use one number.
    more_of_order: BTreeMap<i64, Vec<u64>>,
}

impl Known {
    /// Entries that have been noted.
    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// Notes what stands beside the next entry. One that has been noted is passed over.
    pub(super) fn note(&mut self, row: &EntryKeys) {
        let EntryKeys { seq, key_hash, payload_hash, reference_hash, order_hash } = *row;
        if seq < self.size {
            return;
        }
        self.size = seq + 1;
        if key_hash != 0 {
            // All entries of one command carry its key: the first is its answer.
            self.keys.entry(key_hash).and_modify(|(_, count, _)| *count += 1).or_insert((seq, 1, payload_hash));
        }
        if reference_hash != 0 {
            self.references.insert(reference_hash, (seq, payload_hash));
        }
        if order_hash != 0 {
            match self.orders.entry(order_hash) {
                Slot::Vacant(place) => drop(place.insert(seq)),
                Slot::Occupied(_) => self.more_of_order.entry(order_hash).or_default().push(seq),
            }
        }
    }

    /// Forgets entries from `size` on, which did not become durable.
    pub(super) fn cut(&mut self, size: u64) {
        if self.size <= size {
            return;
        }
        self.size = size;
        self.keys.retain(|_, (seq, ..)| *seq < size);
        self.references.retain(|_, (seq, _)| *seq < size);
        self.orders.retain(|_, seq| *seq < size);
        for seqs in self.more_of_order.values_mut() {
            seqs.retain(|seq| *seq < size);
        }
    }

    /// The first entry and the count of entries of a key, and what it was used for.
    pub(super) fn of_key(&self, key: i64) -> Option<(u64, u64, i64)> {
        self.keys.get(&key).copied()
    }

    /// The entry of a reference, and the payload it came with.
    pub(super) fn of_reference(&self, reference: i64) -> Option<(u64, i64)> {
        self.references.get(&reference).copied()
    }

    /// The gifts of an order number and amount, oldest first.
    pub(super) fn of_order(&self, order: i64) -> Vec<u64> {
        let more = self.more_of_order.get(&order).into_iter().flatten();
        self.orders.get(&order).into_iter().chain(more).copied().collect()
    }
}
