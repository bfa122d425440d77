//! What goes wrong with a node: crash points and calls at which it dies, trouble and damage on its disk, a
//! person at its text file, a freeze, a goodbye.

use std::path::Path;
use std::time::Duration;

use super::{Fate, Fuse, Inhabitant, Knock, Node, Press, Process, Program};
use crate::sim::disk::{Armed, Call, Trouble};
use crate::sim::faults::{Damage, Fault, Point};
use crate::sim::run::Env;

impl<M: Inhabitant> Node<M> {
    /// Something goes wrong with it.
    pub(super) fn be_harmed(&mut self, fault: &Fault, env: &mut Env) {
        match fault {
            Fault::Crash { point, power, down, again, .. } => self.arm(Fate { power: *power, down: *down, again: *again }, *point, env),
            Fault::Disk { call, skip, trouble, for_good, .. } => {
                self.disk.arm(Armed { call: *call, skip: *skip, trouble: *trouble, for_good: *for_good });
            }
            Fault::Edit { edit, .. } => {
                // While its disk is at work the change comes in between its calls, before the store looks
                // at the file. Between that look and the append, some microseconds, nobody can help it.
                if self.rests_at().is_some() {
                    let trouble = Trouble::Edited(*edit);
                    self.disk.arm(Armed { call: Some(Call::Look), skip: self.chance.below(4), trouble, for_good: false });
                } else {
                    self.disk.edit(*edit);
                    self.note_troubles(env);
                }
            }
            Fault::Damage { how, .. } => self.damage(*how, env),
            Fault::Freeze { .. } => self.is_frozen = !matches!(self.process, Process::Down),
            Fault::Quit { down, .. } => {
                let life = self.life;
                if let Some(running) = self.running() {
                    running.leaves = Some(*down);
                    self.knock(life, Knock::Press(Press::Quit), env);
                }
            }
            Fault::Cut { .. }
            | Fault::Reset { .. }
            | Fault::Weather { .. }
            | Fault::Relay { .. }
            | Fault::Ghosts { .. }
            | Fault::Stranger { .. }
            | Fault::Contradiction { .. } => {}
        }
    }

    fn arm(&mut self, fate: Fate, point: Point, env: &mut Env) {
        match point {
            Point::Now => self.die(fate, env),
            Point::Effect(when, boundary) => self.fuses.push_back(Fuse { when, boundary, fate }),
            Point::Call(calls, when) => {
                self.disk.die_at(calls, when);
                self.again = None;
            }
        }
    }

    fn damage(&mut self, how: Damage, env: &mut Env) {
        if self.damage.is_some() {
            return;
        }
        let down = Duration::from_millis(300);
        self.die(Fate { power: true, down, again: None }, env);
        self.damage = Some(how);
        let (log, key) = (self.place.log(), self.place.key());
        let flip = |path: &Path, which: u64| {
            if let Some(mut bytes) = self.disk.see(path).filter(|bytes| !bytes.is_empty()) {
                let bit = which % (bytes.len() as u64 * 8);
                bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
                self.disk.save(path, bytes);
            }
        };
        match how {
            Damage::FlipLog(which) => flip(&log, which),
            Damage::FlipKey(which) => flip(&key, which),
            Damage::CutLog(which) => {
                if let Some(mut bytes) = self.disk.see(&log).filter(|bytes| !bytes.is_empty()) {
                    bytes.truncate((which % bytes.len() as u64) as usize);
                    self.disk.save(&log, bytes);
                }
            }
            Damage::LoseLog => self.disk.delete(&log),
            Damage::LoseFolder => {
                self.disk.delete(&log);
                self.disk.delete(&key);
                if let Some(text) = self.place.text() {
                    self.disk.delete(&text);
                }
            }
        }
    }
}
