//! Which of the relay's doings the lab has asked for itself; the others somebody else has asked for, by the
//! same commands on the wire, and they are done again like the lab's own.
//!
//! Deliberately absent: a message that was delayed and goes on before its time. The relay does not say
//! whether its time had come.

use std::collections::BTreeSet;

use twopc_proto::bench::{Command, Fate};

use crate::run::{Deed, Moment};

/// What the lab has asked of the relay and has not seen done, and what is only delayed.
#[derive(Debug, Default)]
pub(super) struct Asked {
    commands: Vec<Command>,
    delayed: BTreeSet<u64>,
}

impl Asked {
    /// The lab does something.
    pub(super) fn on_deed(&mut self, deed: &Deed) {
        match deed {
            Deed::Rules { rules } => self.commands.push(Command::Rules { rules: rules.clone() }),
            Deed::Bench { command } => self.commands.push(command.clone()),
            Deed::Start { .. }
            | Deed::Stop { .. }
            | Deed::Kill { .. }
            | Deed::Freeze { .. }
            | Deed::Thaw { .. }
            | Deed::Add { .. }
            | Deed::Remove { .. }
            | Deed::Press { .. }
            | Deed::Close => {}
        }
    }

    /// The relay is gone, and what it was asked with it.
    pub(super) fn on_blind(&mut self) {
        *self = Self::default();
    }

    /// The relay has done something: what somebody else has asked for, if that is why. `before` is how
    /// everything stood until then.
    pub(super) fn on_fate(&mut self, fate: &Fate, before: &Moment) -> Option<Deed> {
        let command = match fate {
            Fate::Held { seq, ms } => {
                if ms.is_some() {
                    self.delayed.insert(*seq);
                }
                return None;
            }
            Fate::Rules { rules, .. } => Command::Rules { rules: rules.clone() },
            Fate::Delivered { seq } => Command::Deliver { seq: *seq },
            Fate::Duplicated { seq } => Command::Duplicate { seq: *seq },
            // By a rule it is lost without being held before.
            Fate::Dropped { seq, gone: false } if before.held.contains_key(seq) => Command::Drop { seq: *seq },
            Fate::Dropped { .. } => return None,
        };
        // All that goes on after a release goes on by it, until something else is done.
        let is_released = self.commands.first() == Some(&Command::Release);
        if is_released && !matches!(command, Command::Deliver { .. }) {
            self.commands.remove(0);
        }
        if let Some(place) = self.commands.iter().position(|asked| *asked == command) {
            self.commands.remove(place);
            return None;
        }
        match command {
            Command::Rules { rules } => (rules != before.rules).then_some(Deed::Rules { rules }),
            Command::Deliver { seq } if is_released || self.delayed.remove(&seq) => None,
            Command::Deliver { .. } | Command::Drop { .. } | Command::Duplicate { .. } | Command::Release => Some(Deed::Bench { command }),
        }
    }
}
