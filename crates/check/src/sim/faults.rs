//! What goes wrong in a run, as a list that was drawn before it: each entry can be left out.

use std::fmt;
use std::time::Duration;

use twopc_proto::{Boundary, When};

use super::clock::Time;
use super::disk::{Call, Edit, Trouble};

/// When a node dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Point {
    /// At once, whatever is under way.
    Now,
    /// At the next such effect.
    Effect(When, Boundary),
    /// At a call of its disk, so many from now.
    Call(u64, When),
}

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A node dies, and is started again after a while.
    Crash {
        /// Which.
        node: usize,
        /// When.
        point: Point,
        /// The power is cut too: what was not synced may be gone.
        power: bool,
        /// How long it is down.
        down: Duration,
        /// It dies again on its way back, at that call of its disk.
        again: Option<u64>,
    },
    /// A node's disk gives trouble.
    Disk {
        /// Whose.
        node: usize,
        /// At which calls; at any if `None`.
        call: Option<Call>,
        /// How many of those go well before.
        skip: u64,
        /// What.
        trouble: Trouble,
        /// Until faults end, or once.
        for_good: bool,
    },
    /// A person edits a participant's text file.
    Edit {
        /// Whose.
        node: usize,
        /// How.
        edit: Edit,
    },
    /// A node is killed, and what its disk had for certain is changed before it is started again.
    Damage {
        /// Whose.
        node: usize,
        /// How.
        how: Damage,
    },
    /// A node does nothing for a while, and then everything at once.
    Freeze {
        /// Which.
        node: usize,
        /// How long.
        lasts: Duration,
    },
    /// Nothing passes between a node and the relay.
    Cut {
        /// Whose link.
        node: usize,
        /// From the node to the relay.
        up: bool,
        /// From the relay to the node.
        down: bool,
        /// How long.
        lasts: Duration,
    },
    /// A node's connection is reset, in the middle of what is under way.
    Reset {
        /// Whose.
        node: usize,
    },
    /// The relay loses, repeats and holds up protocol messages.
    Weather {
        /// Of a hundred, how many are lost.
        lost: u64,
        /// How many are repeated.
        repeated: u64,
        /// How many are held up, and so overtaken.
        late: u64,
        /// How long.
        lasts: Duration,
    },
    /// The relay is killed, and started again after a while.
    Relay {
        /// How long it is down.
        down: Duration,
    },
    /// The relay repeats messages from any time before, of earlier lives too.
    Ghosts {
        /// How many.
        count: u64,
    },
    /// Somebody who has no part in a transaction, or the wrong one, says something about it.
    Stranger {
        /// How often.
        count: u64,
    },
    /// A node that has decided is told the contrary in the name of one that may tell it.
    Contradiction {
        /// Which.
        node: usize,
    },
    /// A person quits a node's program, and starts it again after a while.
    Quit {
        /// Which.
        node: usize,
        /// How long it is down.
        down: Duration,
    },
}

/// What can happen to files that were safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Damage {
    /// A bit of the log is flipped.
    FlipLog(u64),
    /// The log is cut off somewhere.
    CutLog(u64),
    /// The log is gone.
    LoseLog,
    /// A bit of the key file is flipped.
    FlipKey(u64),
    /// The whole folder is gone.
    LoseFolder,
}

/// A fault and its time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Planned {
    /// When.
    pub at: Time,
    /// What.
    pub fault: Fault,
}

impl Fault {
    /// Its name, for what is counted.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Crash { point: Point::Now, power: false, .. } => "killed at any moment",
            Self::Crash { point: Point::Now, power: true, .. } => "power cut at any moment",
            Self::Crash { point: Point::Effect(..), .. } => "crash point",
            Self::Crash { point: Point::Call(..), .. } => "crash in a call of the disk",
            Self::Disk { .. } => "disk trouble",
            Self::Edit { .. } => "text file edited",
            Self::Damage { how, .. } => how.name(),
            Self::Freeze { .. } => "frozen and thawed",
            Self::Cut { up: true, down: true, .. } => "link cut both ways",
            Self::Cut { .. } => "link cut one way",
            Self::Reset { .. } => "connection reset",
            Self::Weather { .. } => "weather",
            Self::Relay { .. } => "relay killed and restarted",
            Self::Ghosts { .. } => "messages of an earlier life",
            Self::Stranger { .. } => "a stranger speaks",
            Self::Contradiction { .. } => "a contradiction is said",
            Self::Quit { .. } => "quit",
        }
    }
}

impl Damage {
    /// Its name, for what is counted.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::FlipLog(_) => "a bit of the log flipped",
            Self::CutLog(_) => "the log truncated",
            Self::LoseLog => "the log lost",
            Self::FlipKey(_) => "a bit of the key flipped",
            Self::LoseFolder => "the folder lost",
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now => f.write_str("now"),
            Self::Effect(when, boundary) => write!(f, "{when}:{boundary}"),
            Self::Call(calls, when) => write!(f, "{when} the disk's call {calls} from now"),
        }
    }
}

/// A fault in a sentence, nodes by their numbers.
impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, fault } = self;
        write!(f, "{at} ")?;
        match fault {
            Fault::Crash { node, point, power, down, again } => {
                let how = if *power { "loses its power" } else { "is killed" };
                write!(f, "node {node} {how} ({point}), is back after {down:?}")?;
                again.map_or(Ok(()), |call| write!(f, " and dies again at call {call} of its disk"))
            }
            Fault::Disk { node, call, skip, trouble, for_good } => {
                let which = call.map_or("any call".into(), |call| format!("{call:?}"));
                let how_long = if *for_good { "from then on" } else { "once" };
                write!(f, "disk of node {node}: {trouble:?} at {which} after {skip}, {how_long}")
            }
            Fault::Edit { node, edit } => write!(f, "text file of node {node}: {edit}"),
            Fault::Damage { node, how } => write!(f, "node {node} is killed: {how:?}"),
            Fault::Freeze { node, lasts } => write!(f, "node {node} is frozen for {lasts:?}"),
            Fault::Cut { node, up, down, lasts } => write!(f, "link of node {node} cut (up {up}, down {down}) for {lasts:?}"),
            Fault::Reset { node } => write!(f, "connection of node {node} reset"),
            Fault::Weather { lost, repeated, late, lasts } => {
                write!(f, "weather for {lasts:?}: {lost} % lost, {repeated} % repeated, {late} % late")
            }
            Fault::Relay { down } => write!(f, "relay killed, back after {down:?}"),
            Fault::Ghosts { count } => write!(f, "{count} old messages again"),
            Fault::Stranger { count } => write!(f, "a stranger speaks {count} times"),
            Fault::Contradiction { node } => write!(f, "node {node} is told the contrary"),
            Fault::Quit { node, down } => write!(f, "node {node} is quit, back after {down:?}"),
        }
    }
}
