//! The only source of chance in a check: the same seed gives the same numbers on every machine, for
//! ever.
//!
//! SplitMix64 (Steele, Lea, Flood: *Fast Splittable Pseudorandom Number Generators*, 2014). Each part
//! of a run draws from a stream of its own, so that what is left out changes as little as possible of
//! the rest. Deliberately absent: secrecy, and a library that could draw otherwise in its next
//! version.

/// Spreads each bit over all of them.
#[must_use]
pub(crate) const fn mixed(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// A stream of numbers.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The stream of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A stream of its own for one purpose.
    #[must_use]
    pub fn of(seed: u64, purpose: u64) -> Self {
        let mut chance = Self(seed ^ purpose.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        chance.number();
        chance
    }

    /// The seed of the part of this number: the first part has the whole's own.
    #[must_use]
    pub fn part(seed: u64, number: u64) -> u64 {
        if number == 0 { seed } else { Self::new(seed ^ number.rotate_left(32)).number() }
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed(self.0)
    }

    /// A number below `n`, which is not 0.
    pub fn below(&mut self, n: u64) -> u64 {
        // Of the upper bits times the end: even enough, and without a division.
        ((u128::from(self.number()) * u128::from(n)) >> 64) as u64
    }

    /// A place in something of that length, which is not 0.
    pub fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// A number from `least` to `most`, both included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// Whether something happens that happens so often in a hundred times.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.index(times) == 0
    }

    /// One of them; there is at least one.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.index(from.len())]
    }

    /// One of these, each of a length of its own.
    pub fn one_of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.index(choices.len())]
    }

    /// Any byte.
    pub fn byte(&mut self) -> u8 {
        self.number().to_le_bytes()[7]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_seed_never_change() {
        let mut chance = Chance::new(42);
        assert_eq!([chance.number(), chance.number()], [13_679_457_532_755_275_413, 2_949_826_092_126_892_291]);
        let mut chance = Chance::of(7, 1);
        assert!((0..1000).all(|_| chance.below(3) < 3));
        assert!((0..1000).map(|_| chance.between(5, 6)).all(|n| n == 5 || n == 6));
    }
}
