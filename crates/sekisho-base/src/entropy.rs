//! Randomness as a parameter: the operating system's, or a seeded sequence for the demo city and tests.

use std::io::Read;
use std::sync::Mutex;

use crate::canonical::sha256;

/// A source of random bytes.
pub trait Entropy: Send + Sync {
    /// Fills the buffer.
    ///
    /// # Errors
    /// The operating system's source could not be read; nothing may be decided without it.
    fn fill(&self, buffer: &mut [u8]) -> std::io::Result<()>;
}

/// The operating system's source.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, buffer: &mut [u8]) -> std::io::Result<()> {
        std::fs::File::open("/dev/urandom")?.read_exact(buffer)
    }
}

/// A deterministic sequence: SHA-256 in counter mode over a seed. For the demo city and tests only.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    counter: Mutex<u64>,
}

impl SeededEntropy {
    /// Starts the sequence of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, counter: Mutex::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) -> std::io::Result<()> {
        let mut counter = self.counter.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in buffer.chunks_mut(32) {
            let mut block = [0u8; 16];
            let (a, b) = block.split_at_mut(8);
            a.copy_from_slice(&self.seed.to_be_bytes());
            b.copy_from_slice(&counter.to_be_bytes());
            *counter += 1;
            for (to, from) in chunk.iter_mut().zip(sha256(&block)) {
                *to = from;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_sequence() {
        let take = |seed| {
            let mut b = [0u8; 40];
            SeededEntropy::new(seed).fill(&mut b).unwrap();
            b
        };
        assert_eq!(take(1), take(1));
        assert_ne!(take(1), take(2));
    }
}
