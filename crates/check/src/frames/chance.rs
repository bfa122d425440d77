//! Chance from a seed: the same seed gives the same numbers on every machine.

/// A source of numbers (`SplitMix64`: Steele, Lea and Flood, 2014).
#[derive(Clone, Debug)]
pub struct Chance {
    state: u64,
}

impl Chance {
    /// Begins at a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The seed of the part of this number: the first part has the whole's own.
    #[must_use]
    pub fn part(seed: u64, number: u64) -> u64 {
        if number == 0 { seed } else { Self::new(seed ^ number.rotate_left(32)).number() }
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number less than `end`, which is at least 1.
    pub fn below(&mut self, end: usize) -> usize {
        // Of the upper bits times the end: even enough, and without a division.
        usize::try_from((u128::from(self.number()) * end as u128) >> 64).expect("less than a usize")
    }

    /// Once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn one_of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    /// Any byte.
    pub fn byte(&mut self) -> u8 {
        self.number().to_le_bytes()[7]
    }
}
