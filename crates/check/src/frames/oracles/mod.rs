//! What is read besides frames, each with an oracle that knows what must become of any bytes.

pub mod texts;

use super::chance::Chance;

/// A kind of input and the oracle that judges it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oracle {
    /// Texts that somebody typed: shown, split, proposed.
    Texts,
}

impl Oracle {
    /// Every oracle.
    pub const ALL: [Self; 1] = [Self::Texts];

    /// What it judges, for a table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Texts => "texts",
        }
    }

    /// After how many streams of frames one of its inputs follows, on average.
    #[must_use]
    pub fn every(self) -> usize {
        match self {
            Self::Texts => 16,
        }
    }

    /// An input for it.
    #[must_use]
    pub fn make(self, chance: &mut Chance) -> Vec<u8> {
        match self {
            Self::Texts => texts::make(chance),
        }
    }

    /// Judges an input: whether it is in order, that is, accepted by what reads it.
    ///
    /// # Errors
    /// What is wrong with what became of it, as a sentence.
    pub fn judge(self, input: &[u8]) -> Result<bool, String> {
        match self {
            Self::Texts => texts::judge(input),
        }
    }
}

/// As `Err(why)` unless it holds.
fn hold(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}
