//! How long to wait before trying again.

use core::time::Duration;

use crate::aside::Aside;

/// The first wait before something is said again.
const FIRST: Duration = Duration::from_millis(500);
/// The longest.
const LONGEST: Duration = Duration::from_secs(5);

/// Counts tries; the wait doubles from 0.5 s to 5 s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Patience {
    tries: Aside<u8>,
}

impl Patience {
    /// The wait before the next try, which is counted.
    pub(crate) fn next_wait(&mut self) -> Duration {
        let wait = FIRST.saturating_mul(1 << self.tries.0.min(4)).min(LONGEST);
        self.tries.0 = self.tries.0.saturating_add(1);
        wait
    }

    /// How often something was said.
    pub(crate) fn tries(self) -> u8 {
        self.tries.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_from_half_a_second_to_five() {
        let mut patience = Patience::default();
        let waits: alloc::vec::Vec<u64> = (0..6).map(|_| u64::try_from(patience.next_wait().as_millis()).unwrap()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 5000, 5000]);
        for _ in 0..1000 {
            patience.next_wait();
        }
        assert_eq!(patience.tries(), u8::MAX);
    }
}
