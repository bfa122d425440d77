//! How long to wait before trying again.

use core::hash::{Hash, Hasher};
use core::time::Duration;

/// The first wait before something is said again.
const FIRST: Duration = Duration::from_millis(500);
/// The longest.
const LONGEST: Duration = Duration::from_secs(5);

/// Counts tries; the wait doubles from 0.5 s to 5 s.
///
/// Two machines that differ in this alone do the same things after different waits, so it counts
/// neither for equality nor for hashing: a search that lets timers fire at any moment would
/// otherwise see every state once for each number of tries.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Patience {
    tries: u8,
}

impl Patience {
    /// The wait before the next try, which is counted.
    pub(crate) fn next_wait(&mut self) -> Duration {
        let wait = FIRST.saturating_mul(1 << self.tries.min(4)).min(LONGEST);
        self.tries = self.tries.saturating_add(1);
        wait
    }

    /// How often something was said.
    pub(crate) fn tries(self) -> u8 {
        self.tries
    }
}

impl PartialEq for Patience {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Patience {}
impl Hash for Patience {
    fn hash<H: Hasher>(&self, _: &mut H) {}
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
