//! What is read besides frames, each with an oracle that knows what must become of any bytes.

pub mod bodies;
pub mod json;
pub mod logs;
pub mod texts;

use crate::chance::Chance;

/// A kind of input and the oracle that judges it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oracle {
    /// Bodies of logins.
    Logins,
    /// Bodies of protocol messages.
    Bodies,
    /// Logs as a disk may give them back.
    Logs,
    /// Texts that somebody typed: shown, split, proposed.
    Texts,
}

impl Oracle {
    /// Every oracle.
    pub const ALL: [Self; 4] = [Self::Logins, Self::Bodies, Self::Logs, Self::Texts];

    /// What it judges, for a table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Logins => "login bodies",
            Self::Bodies => "protocol bodies",
            Self::Logs => "logs",
            Self::Texts => "texts",
        }
    }

    /// The fuzzer's target that asks it.
    #[must_use]
    pub fn target(self) -> &'static str {
        match self {
            Self::Logins => "login",
            Self::Bodies => "bodies",
            Self::Logs => "recovery",
            Self::Texts => "texts",
        }
    }

    /// After how many streams of frames one of its inputs follows, on average.
    #[must_use]
    pub fn every(self) -> usize {
        match self {
            Self::Logins => 16,
            Self::Bodies => 8,
            Self::Logs => 400,
            Self::Texts => 32,
        }
    }

    /// An input for it.
    #[must_use]
    pub fn make(self, chance: &mut Chance) -> Vec<u8> {
        match self {
            Self::Logins => bodies::make_login(chance),
            Self::Bodies => bodies::make(chance),
            Self::Logs => logs::make(chance),
            Self::Texts => texts::make(chance),
        }
    }

    /// Judges an input: whether it is in order, that is, accepted by what reads it.
    ///
    /// # Errors
    /// What is wrong with what became of it, as a sentence.
    pub fn judge(self, input: &[u8]) -> Result<bool, String> {
        match self {
            Self::Logins => bodies::judge_login(input),
            Self::Bodies => bodies::judge(input),
            Self::Logs => logs::judge(input),
            Self::Texts => texts::judge(input),
        }
    }

    /// As [`Self::judge`], for a fuzzer.
    ///
    /// # Panics
    /// With what is wrong.
    pub fn assert_sound(self, input: &[u8]) {
        if let Err(why) = self.judge(input) {
            panic!("{why}");
        }
    }
}

/// As `Err(why)` unless it holds.
fn hold(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}
