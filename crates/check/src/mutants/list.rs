//! The mutants by name, and what each does.

use std::fmt;
use std::str::FromStr;

macro_rules! mutants {
    ($($name:ident: $what:literal),+ $(,)?) => {
        /// A rule that is broken. The names are those of the table in `docs/mutants.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Mutant {
            $(#[doc = $what] $name,)+
        }

        impl Mutant {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// What it does, in the protocol's words.
            #[must_use]
            pub fn what(self) -> &'static str {
                match self {
                    $(Self::$name => $what,)+
                }
            }
        }
    };
}

mutants! {
    M1: "a participant in INIT answers ABORT and stays in INIT",
    M2: "VOTE_COMMIT leaves before READY is durable",
    M3: "GLOBAL_COMMIT and GLOBAL_ABORT leave before the decision is durable",
    M4: "READY aborts when the grace is over",
    M5: "READY commits when the grace is over",
    M6: "a majority of votes commits",
    M7: "a coordinator in WAIT answers COMMIT",
    M8: "a coordinator that restarts in WAIT stays mute",
    M9: "VOTE_COMMIT is said after a local ABORT",
    M10: "a participant in READY answers ABORT",
    M11: "a later decision that contradicts is obeyed",
    M12: "a missing vote counts as a yes when the time is over",
    M13: "a restart loses READY",
    M14: "nobody asks the other participants",
    M15: "a coordinator forgets a COMMIT after the first ACK",
    M16: "No is voted without a durable record of it",
    M17: "a vote that comes twice counts twice",
    M18: "a decision is obeyed, whoever says it",
    M19: "ACK leaves before the string stands in the text file",
    M20: "a restart appends again what may stand in the text file",
    M21: "a torn tail is not cut off before the next append",
    M22: "damage in the middle of the log is skipped",
    M23: "the directory is not synced after a file was created or renamed",
    M24: "a sync that failed is tried again and believed",
    M25: "a coordinator answers COMMIT of what its log does not know",
    M26: "a question before the vote is answered ABORT without a record, and a later press overrides it",
    M27: "a participant that restarts has forgotten what is decided",
    M28: "a vote counts, whoever says it",
    M29: "the number of a coordinator's start does not rise",
    M30: "a participant in READY asks nobody",
    M31: "a decision is said once and never again",
    M32: "a No is taken for a Yes",
    M33: "another's READY is taken for COMMIT",
    M34: "ACK leaves before COMMIT is durable",
    M35: "the string is appended before COMMIT is durable",
    M36: "a vote counts for every open transaction of its coordinator",
    M37: "a restart believes that what it committed stands in the text file",
    M38: "whoever leaves while in READY aborts",
    M39: "a new file is renamed before it is synced",
}

impl Mutant {
    /// Whether it is the store's disk that is broken, which a search does without.
    #[must_use]
    pub fn breaks_the_disk(self) -> bool {
        matches!(self, Self::M20 | Self::M21 | Self::M22 | Self::M23 | Self::M24 | Self::M39)
    }
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{self:?}"))
    }
}

impl FromStr for Mutant {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().find(|mutant| mutant.to_string().eq_ignore_ascii_case(text)).copied();
        known.ok_or_else(|| format!("{text:?} is no mutant; they are M1 to {}", Self::ALL[Self::ALL.len() - 1]))
    }
}
