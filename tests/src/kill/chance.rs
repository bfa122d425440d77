//! Chance from a seed: the same seed gives the same choices, on every machine.
//!
//! The generator is SplitMix64 (Steele, Lea, Flood, *Fast Splittable Pseudorandom Number
//! Generators*). Deliberately absent: chance from the system.

use std::time::Duration;

/// A stream of choices.
#[derive(Clone, Debug)]
pub(super) struct Chance(u64);

impl Chance {
    /// The stream of this seed and number; streams of different numbers have nothing in common.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut chance = Self(seed);
        let far = chance.next();
        Self(far ^ stream.wrapping_mul(0xd134_2543_de82_ef95))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A whole number from 0 to `bound - 1`; `bound` is not 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        // The bounds are tiny against 2^64, so no number is noticeably likelier than another.
        usize::try_from(self.next() % bound as u64).unwrap_or(0)
    }

    /// True in so many of a hundred cases.
    pub(super) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of these, of which there is at least one.
    pub(super) fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    /// A time from 0 up to, and without, `most`, which is not 0.
    pub(super) fn time(&mut self, most: Duration) -> Duration {
        Duration::from_micros(self.below(usize::try_from(most.as_micros()).unwrap_or(usize::MAX)) as u64)
    }

    /// Puts these into an order, each order as likely as any other.
    pub(super) fn shuffle<T>(&mut self, cards: &mut [T]) {
        for last in (1..cards.len()).rev() {
            cards.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_the_same_whenever_it_is_asked_for_and_another_one_is_not() {
        let numbers = |seed, stream| -> Vec<usize> {
            let mut chance = Chance::new(seed, stream);
            (0..8).map(|_| chance.below(1_000_000)).collect()
        };
        assert_eq!(numbers(7, 3), numbers(7, 3));
        assert_ne!(numbers(7, 3), numbers(7, 4));
        assert_ne!(numbers(7, 3), numbers(8, 3));
    }

    #[test]
    fn a_shuffled_deck_has_every_card() {
        let mut cards: Vec<usize> = (0..36).collect();
        Chance::new(1, 1).shuffle(&mut cards);
        assert_ne!(cards, (0..36).collect::<Vec<_>>());
        cards.sort_unstable();
        assert_eq!(cards, (0..36).collect::<Vec<_>>());
    }
}
