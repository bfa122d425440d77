//! What whoever sits in front of a lab can do to a room, as a run remembers it and does it again.
//!
//! Each deed is what a button, a key, or a line of a scenario does. Deliberately absent: how it is done.

use serde::{Deserialize, Serialize};
use twopc_proto::bench::{Command, Rule};

/// Something done to the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case")]
pub enum Deed {
    /// A program that does not run is started.
    Start {
        /// Its name in the room.
        program: String,
        /// Where it is to die: `after:send:GLOBAL_COMMIT:1`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        crash_at: Option<String>,
    },
    /// A program is asked to end.
    Stop {
        /// Which.
        program: String,
    },
    /// A program is killed (SIGKILL).
    Kill {
        /// Which.
        program: String,
    },
    /// A program is stopped where it is (SIGSTOP).
    Freeze {
        /// Which.
        program: String,
    },
    /// A frozen program goes on (SIGCONT).
    Thaw {
        /// Which.
        program: String,
    },
    /// One more participant comes into the room.
    Add {
        /// Its name.
        program: String,
    },
    /// A participant that does not run is taken off the list. Its files stay.
    Remove {
        /// Which.
        program: String,
    },
    /// A person presses or says something in one of the programs: a line as a program without a window
    /// takes it (`request`, `commit`, `abort`, `ask`, `say hi`, `string: Hello`).
    Press {
        /// In which.
        program: String,
        /// What.
        line: String,
    },
    /// The room is closed: everybody is asked to end. What comes now is its end, and nothing is done any more.
    Close,
    /// The rules for messages on their way.
    Rules {
        /// All of them.
        rules: Vec<Rule>,
    },
    /// What is to become of messages that are kept. The numbers are those of this run.
    Bench {
        /// What.
        command: Command,
    },
}
