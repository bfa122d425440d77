//! What a lab asks of its relay, and what the relay tells it: rules for protocol messages on their way,
//! and what became of each that did not go straight on.
//!
//! The bodies of `/lab`, both ways; only observers hear and say them. A rule matches a message by its
//! path, its sender and its receiver: what it says is nobody's business on the way. Deliberately absent:
//! the rules' work, which is the relay's, and the reading of commands.

mod asked;

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

pub use asked::BadCommand;

use crate::frame::PROTOCOL_PATH;
use crate::name::UserName;

/// The most rules that hold at a time.
pub const MOST_RULES: usize = 256;

/// The longest that a message is delayed, in milliseconds.
pub const MOST_DELAY_MS: u64 = 600_000;

/// The most bytes that a rule's path has.
pub const MOST_PATH: usize = 64;

/// What to do with the messages that a rule matches. The first rule that matches a message counts; one
/// that none matches goes straight on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The path, such as `/2pc/VOTE_COMMIT`, of at most [`MOST_PATH`] bytes; any without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The sender; anybody without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<UserName>,
    /// The receiver; anybody without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<UserName>,
    /// What is done.
    #[serde(flatten)]
    pub then: Then,
}

impl Rule {
    /// Whether it matches a message of this type.
    #[must_use]
    pub fn is_about(&self, word: &str, from: &UserName, to: &UserName) -> bool {
        self.path.as_ref().is_none_or(|path| path.strip_prefix(PROTOCOL_PATH) == Some(word))
            && self.from.as_ref().is_none_or(|name| name == from)
            && self.to.as_ref().is_none_or(|name| name == to)
    }
}

/// What is done with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "then", rename_all = "snake_case")]
pub enum Then {
    /// It goes straight on.
    Pass,
    /// It is kept until somebody says what becomes of it.
    Hold,
    /// It is lost.
    Drop,
    /// It is kept for this long.
    Delay {
        /// In milliseconds, 1 to [`MOST_DELAY_MS`].
        ms: u64,
    },
}

/// What an observer asks for: the body of its `/lab`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Command {
    /// These rules, instead of those before, from the next message on.
    Rules {
        /// At most [`MOST_RULES`].
        rules: Vec<Rule>,
    },
    /// A message that is kept goes on now.
    Deliver {
        /// Its number.
        seq: u64,
    },
    /// A message that is kept is lost.
    Drop {
        /// Its number.
        seq: u64,
    },
    /// A copy of a message that is kept goes on now; it is kept still.
    Duplicate {
        /// Its number.
        seq: u64,
    },
    /// All that is kept goes on now, in the order of the numbers.
    Release,
}

/// What the relay tells observers: the body of its `/lab`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    /// These rules hold, and these messages are kept; to an observer that comes in, and to all when the rules change.
    Rules {
        /// The rules.
        rules: Vec<Rule>,
        /// The numbers of what is kept.
        held: Vec<u64>,
    },
    /// A message is kept. Its frame has just come to the observers, too.
    Held {
        /// Its number.
        seq: u64,
        /// For how long, in milliseconds, if not until somebody says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ms: Option<u64>,
    },
    /// A message that was kept has gone on.
    Delivered {
        /// Its number.
        seq: u64,
    },
    /// A copy has gone on.
    Duplicated {
        /// Its number.
        seq: u64,
    },
    /// A message is lost: by a rule or a command, or because its receiver is not there any more.
    Dropped {
        /// Its number.
        seq: u64,
        /// The receiver is not there.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        gone: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn what_is_asked_and_told_reads_as_the_wire_says() {
        let from = UserName::parse("alice").unwrap();
        let rule = Rule { path: Some("/2pc/VOTE_COMMIT".into()), from: Some(from), to: None, then: Then::Delay { ms: 500 } };
        let asked = Command::Rules { rules: alloc::vec![rule.clone(), Rule { path: None, from: None, to: None, then: Then::Hold }] };
        let text = r#"{"do":"rules","rules":[{"path":"/2pc/VOTE_COMMIT","from":"alice","then":"delay","ms":500},{"then":"hold"}]}"#;
        assert_eq!(String::from_utf8(json::body(&asked)).unwrap(), text);
        assert_eq!(Command::read(text.as_bytes()).unwrap(), asked);
        assert_eq!(json::parse::<Command>(text.as_bytes()).unwrap(), asked, "as a run keeps it");
        for (asked, text) in [
            (Command::Deliver { seq: 7 }, r#"{"do":"deliver","seq":7}"#),
            (Command::Drop { seq: 7 }, r#"{"do":"drop","seq":7}"#),
            (Command::Duplicate { seq: 7 }, r#"{"do":"duplicate","seq":7}"#),
            (Command::Release, r#"{"do":"release"}"#),
        ] {
            assert_eq!(String::from_utf8(json::body(&asked)).unwrap(), text);
            assert_eq!(Command::read(text.as_bytes()).unwrap(), asked);
            assert_eq!(json::parse::<Command>(text.as_bytes()).unwrap(), asked, "as a run keeps it");
        }
        for (told, text) in [
            (Fate::Rules { rules: alloc::vec![], held: alloc::vec![7] }, r#"{"fate":"rules","rules":[],"held":[7]}"#),
            (Fate::Held { seq: 7, ms: None }, r#"{"fate":"held","seq":7}"#),
            (Fate::Held { seq: 7, ms: Some(500) }, r#"{"fate":"held","seq":7,"ms":500}"#),
            (Fate::Delivered { seq: 7 }, r#"{"fate":"delivered","seq":7}"#),
            (Fate::Duplicated { seq: 7 }, r#"{"fate":"duplicated","seq":7}"#),
            (Fate::Dropped { seq: 7, gone: false }, r#"{"fate":"dropped","seq":7}"#),
            (Fate::Dropped { seq: 7, gone: true }, r#"{"fate":"dropped","seq":7,"gone":true}"#),
        ] {
            assert_eq!(String::from_utf8(json::body(&told)).unwrap(), text);
            assert_eq!(json::parse::<Fate>(text.as_bytes()).unwrap(), told);
        }
    }
}
