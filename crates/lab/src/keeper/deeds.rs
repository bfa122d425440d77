//! What a person does to a room, carried out by its keeper.
//!
//! Deliberately absent: when. A deed that means nothing as things are is not done, and not noted.

use twopc_proto::UserName;
use twopc_proto::bench::Command;

use super::{Keeper, MOST_PARTICIPANTS, Row};
use crate::child::Order;
use crate::life::{Fate, Life};
use crate::member::{Member, Part};
use crate::run::{Deed, Happening, Stage};

impl Keeper {
    /// Does what somebody asks for, if it means something now; what was done is noted.
    pub(super) fn act(&mut self, deed: Deed) {
        if self.refuses(&deed) {
            return;
        }
        self.outside.journal.note(Happening::Did { deed: deed.clone() });
        match deed {
            Deed::Start { program, crash_at } => self.start_anew(&program, crash_at),
            Deed::Stop { program } => self.stop(&program),
            Deed::Kill { program } => {
                if let Some(row) = self.row(&program) {
                    row.fate = Fate::Killed;
                    row.tell(Order::Kill);
                }
            }
            Deed::Freeze { program } => {
                if let Some(row) = self.row(&program) {
                    row.tell(Order::Freeze);
                    row.life.on_freeze();
                }
                self.outside.journal.note(Happening::Process { program, stage: Stage::Frozen });
            }
            Deed::Thaw { program } => {
                if let Some(row) = self.row(&program) {
                    row.tell(Order::Thaw);
                    row.life.on_thaw();
                }
                self.outside.journal.note(Happening::Process { program, stage: Stage::Thawed });
            }
            Deed::Add { program } => {
                let before = self.rows.iter().position(|row| row.member.part == Part::Coordinator).unwrap_or(self.rows.len());
                self.rows.insert(before, Row::new(Member { name: program.clone(), part: Part::Participant }));
                self.start(&program, None);
            }
            Deed::Remove { program } => self.rows.retain(|row| row.member.name != program),
            Deed::Press { program, line } => {
                if let Some(running) = self.row(&program).and_then(|row| row.running.as_ref()) {
                    running.type_line(line);
                }
            }
            Deed::Close => self.close(),
            Deed::Rules { rules } => self.ask(Command::Rules { rules }),
            Deed::Bench { command } => self.ask(command),
        }
    }

    /// Starts a program. One that runs cannot be told any more where to die, so it is killed and started
    /// from its files.
    fn start_anew(&mut self, program: &str, crash_at: Option<String>) {
        match self.row(program).filter(|row| row.running.is_some()) {
            Some(row) => {
                (row.fate, row.next) = (Fate::Killed, Some(crash_at));
                row.tell(Order::Kill);
            }
            None => self.start(program, crash_at),
        }
    }

    /// Whether a deed means nothing as things are.
    fn refuses(&self, deed: &Deed) -> bool {
        let life = |program: &str| self.rows.iter().find(|row| row.member.name == program).map(|row| &row.life);
        let can = match deed {
            Deed::Start { program, crash_at } => {
                let runs = |life: &Life| crash_at.is_some() && life.can_kill().is_ok();
                life(program).is_some_and(|life| life.can_start().is_ok() || *life == Life::Waiting || runs(life))
            }
            Deed::Stop { program } => life(program).is_some_and(|life| life.can_stop().is_ok()),
            Deed::Kill { program } => life(program).is_some_and(|life| life.can_kill().is_ok()),
            Deed::Freeze { program } => life(program).is_some_and(|life| life.can_freeze().is_ok()),
            Deed::Thaw { program } => life(program).is_some_and(|life| life.can_thaw().is_ok()),
            Deed::Add { program } => life(program).is_none() && UserName::parse(program).is_ok() && self.has_space(),
            Deed::Remove { program } => {
                self.rows.iter().any(|row| row.member.name == *program && row.member.part == Part::Participant && row.running.is_none())
            }
            Deed::Press { program, .. } => life(program).is_some_and(|life| life.pid().is_some()),
            Deed::Close => true,
            Deed::Rules { .. } | Deed::Bench { .. } => self.observer.is_some(),
        };
        !can
    }

    fn has_space(&self) -> bool {
        self.rows.iter().filter(|row| row.member.part == Part::Participant).count() < MOST_PARTICIPANTS
    }

    fn ask(&self, command: Command) {
        if let Some(observer) = &self.observer {
            observer.ask(command);
        }
    }
}
