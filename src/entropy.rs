//! The only source of random bytes.

use rand::rngs::SysRng;
use rand::{Rng, SeedableRng, TryRng};

/// Random bytes: from the operating system through a generator seeded by it, or from a given seed in tests.
pub struct Entropy(rand::rngs::StdRng);

impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entropy")
    }
}

impl Default for Entropy {
    fn default() -> Self {
        Self::new()
    }
}

impl Entropy {
    /// Seeded by the operating system.
    pub fn new() -> Self {
        let mut seed = [0; 32];
        SysRng.try_fill_bytes(&mut seed).expect("the operating system gives random bytes");
        Self(rand::rngs::StdRng::from_seed(seed))
    }

    /// The same bytes for the same seed; for tests and the demo's story.
    pub fn seeded(seed: u64) -> Self {
        Self(rand::rngs::StdRng::seed_from_u64(seed))
    }

    /// Random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// `prefix` and random characters of an alphabet without look-alikes: `c_3k9w7xq2`.
    pub fn id(&mut self, prefix: &str, length: usize) -> String {
        const ALPHABET: &[u8; 32] = b"23456789abcdefghjkmnpqrstuvwxyz0";
        let random: [u8; 32] = self.bytes();
        let letters = random.iter().take(length).map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
        prefix.chars().chain(letters).collect()
    }

    /// A code of 140 random bits for a person to keep: seven groups of four characters, `k3m9-…`.
    pub fn code(&mut self) -> String {
        const ALPHABET: &[u8; 32] = b"23456789abcdefghjkmnpqrstuvwxyz0";
        let random: [u8; 32] = self.bytes();
        let letters: Vec<char> =
            random.iter().take(28).map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
        letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
    }
}
