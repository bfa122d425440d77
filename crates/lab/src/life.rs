//! Where a program of the room stands, from being planned to having ended, and what is said of it.
//!
//! Deliberately absent: processes and time. What happened comes in, what stands comes out.

use std::process::ExitStatus;

/// What is said of a program that died where it was told to begins with this.
pub(crate) const DIED_AT: &str = "It died at its crash point";

/// The longest sentence of a program's that is kept.
const MOST_SAID: usize = 1_000;

/// Where a program stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Life {
    /// Not started yet: the relay comes first.
    Waiting,
    /// Its process is there, and has not said yet that it is ready.
    Starting {
        /// The process id.
        pid: u32,
    },
    /// It does its work.
    Running {
        /// The process id.
        pid: u32,
    },
    /// It is stopped where it is, and not dead: it says nothing, and holds its connection.
    Frozen {
        /// The process id.
        pid: u32,
    },
    /// It was asked to end.
    Ending {
        /// The process id.
        pid: u32,
    },
    /// There is no process any more.
    Ended(End),
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The lab asked it to.
    Stopped,
    /// The lab asked it to; it did not in time, and was killed.
    Overdue,
    /// By itself, with nothing left to do: its window was closed.
    Left,
    /// It died where it was told to die.
    AtPoint(String),
    /// The lab killed it.
    KilledHere,
    /// It could not go on, and said why.
    Failed(String),
    /// With another exit status than 0, or the status 1 without a word.
    Status(i32),
    /// Killed by somebody else, or crashed: the signal's number.
    Killed(i32),
    /// How, the system did not tell.
    Untold,
    /// It never ran: why the system did not start it.
    NotStarted(String),
}

impl Life {
    /// The process id, while there is a process.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        match self {
            Self::Starting { pid } | Self::Running { pid } | Self::Frozen { pid } | Self::Ending { pid } => Some(*pid),
            Self::Waiting | Self::Ended(_) => None,
        }
    }

    /// The word for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Starting { .. } => "starting",
            Self::Running { .. } => "running",
            Self::Frozen { .. } => "frozen",
            Self::Ending { .. } => "ending",
            Self::Ended(End::Stopped) => "stopped",
            Self::Ended(End::Left) => "closed",
            Self::Ended(End::AtPoint(_)) => "crashed",
            Self::Ended(End::KilledHere) => "killed",
            Self::Ended(_) => "ended",
        }
    }

    /// Whether it can be started now; if not, why not.
    ///
    /// # Errors
    /// A sentence for the person.
    pub fn can_start(&self) -> Result<(), &'static str> {
        match self {
            Self::Ended(_) => Ok(()),
            Self::Waiting => Err("It starts by itself as soon as the relay listens."),
            Self::Starting { .. } | Self::Running { .. } => Err("It runs already."),
            Self::Frozen { .. } => Err("It is frozen; thaw it, and it goes on."),
            Self::Ending { .. } => Err("It has to end first."),
        }
    }

    /// Whether it can be stopped now; if not, why not.
    ///
    /// # Errors
    /// A sentence for the person.
    pub fn can_stop(&self) -> Result<(), &'static str> {
        match self {
            Self::Starting { .. } | Self::Running { .. } => Ok(()),
            Self::Frozen { .. } => Err("It is frozen, and hears nothing; thaw it first, or kill it."),
            Self::Waiting | Self::Ended(_) => Err("It does not run."),
            Self::Ending { .. } => Err("It is ending already."),
        }
    }

    /// Whether it can be killed now; if not, why not.
    ///
    /// # Errors
    /// A sentence for the person.
    pub fn can_kill(&self) -> Result<(), &'static str> {
        if self.pid().is_some() { Ok(()) } else { Err("It does not run.") }
    }

    /// Whether it can be frozen now; if not, why not.
    ///
    /// # Errors
    /// A sentence for the person.
    pub fn can_freeze(&self) -> Result<(), &'static str> {
        match self {
            Self::Starting { .. } | Self::Running { .. } => Ok(()),
            Self::Frozen { .. } => Err("It is frozen already."),
            Self::Waiting | Self::Ended(_) => Err("It does not run."),
            Self::Ending { .. } => Err("It is ending."),
        }
    }

    /// Whether it can be thawed now; if not, why not.
    ///
    /// # Errors
    /// A sentence for the person.
    pub fn can_thaw(&self) -> Result<(), &'static str> {
        match self {
            Self::Frozen { .. } => Ok(()),
            Self::Waiting | Self::Starting { .. } | Self::Running { .. } | Self::Ending { .. } | Self::Ended(_) => Err("It is not frozen."),
        }
    }

    /// It has said that it is ready.
    pub(crate) fn on_ready(&mut self) {
        if let Self::Starting { pid } = *self {
            *self = Self::Running { pid };
        }
    }

    /// It was asked to end.
    pub(crate) fn on_stop(&mut self) {
        if let Self::Starting { pid } | Self::Running { pid } = *self {
            *self = Self::Ending { pid };
        }
    }

    /// It was stopped where it is.
    pub(crate) fn on_freeze(&mut self) {
        if let Self::Starting { pid } | Self::Running { pid } = *self {
            *self = Self::Frozen { pid };
        }
    }

    /// It goes on.
    pub(crate) fn on_thaw(&mut self) {
        if let Self::Frozen { pid } = *self {
            *self = Self::Running { pid };
        }
    }

    /// Its process is gone. `said` is its last line on standard error, `fate` what the lab had in mind
    /// for it; without a status the system did not tell how it ended.
    pub(crate) fn on_exit(&mut self, status: Option<ExitStatus>, said: Option<String>, fate: &Fate) {
        let was_asked = matches!(self, Self::Ending { .. });
        let end = status.map_or(End::Untold, |status| End::of(status, said, was_asked));
        *self = Self::Ended(match (end, fate) {
            (End::Killed(KILL) | End::Overdue, Fate::Killed) => End::KilledHere,
            (End::Killed(KILL), Fate::CrashAt(point)) => End::AtPoint(point.clone()),
            (end, Fate::Its | Fate::Killed | Fate::CrashAt(_)) => end,
        });
    }
}

/// What the lab has in mind for a program that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Its own business.
    Its,
    /// It was killed.
    Killed,
    /// It is to die at this point.
    CrashAt(String),
}

impl End {
    /// Whether its process was killed, rather than having ended.
    #[must_use]
    pub fn was_killed(&self) -> bool {
        match self {
            Self::AtPoint(_) | Self::KilledHere | Self::Killed(_) | Self::Overdue => true,
            Self::Stopped | Self::Left | Self::Failed(_) | Self::Status(_) | Self::Untold | Self::NotStarted(_) => false,
        }
    }

    fn of(status: ExitStatus, said: Option<String>, was_asked: bool) -> Self {
        match (status.code(), signal(status), was_asked) {
            (Some(0), _, false) => Self::Left,
            (Some(0), _, true) => Self::Stopped,
            (Some(1), _, _) => said.map_or(Self::Status(1), |said| Self::Failed(said.chars().take(MOST_SAID).collect())),
            (Some(code), _, _) => Self::Status(code),
            (None, Some(TERM), true) => Self::Stopped,
            (None, Some(KILL), true) => Self::Overdue,
            (None, number, _) => Self::Killed(number.unwrap_or_default()),
        }
    }

    /// Whether somebody should look at it.
    #[must_use]
    pub fn is_trouble(&self) -> bool {
        match self {
            Self::Stopped | Self::Left | Self::AtPoint(_) | Self::KilledHere => false,
            Self::Overdue | Self::Failed(_) | Self::Status(_) | Self::Killed(_) | Self::Untold | Self::NotStarted(_) => true,
        }
    }

    /// What is said of it, in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Stopped => String::from("Stopped from here."),
            Self::Overdue => String::from("It did not end when asked, so it was killed. Started again, it goes on from its files."),
            Self::Left => String::from("It was closed."),
            Self::AtPoint(point) => format!("{DIED_AT}, {point}. Started again, it goes on from its files."),
            Self::KilledHere => String::from("Killed from here. Started again, it goes on from its files."),
            Self::Failed(said) => said.clone(),
            Self::Status(2) => {
                String::from("It was started with wrong flags or TWOPC_ variables; its last lines in the terminal say which.")
            }
            Self::Status(code) => format!("It ended with status {code}; its last lines in the terminal may say why."),
            Self::Killed(signal) => format!("It was killed (signal {signal}). Started again, it goes on from its files."),
            Self::Untold => String::from("It ended; the system does not tell how."),
            Self::NotStarted(why) => format!("The system did not start it: {why}."),
        }
    }
}

/// The numbers that every Unix has for a polite end and for one at once.
const TERM: i32 = 15;
const KILL: i32 = 9;

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> Option<i32> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn exited(code: i32) -> ExitStatus {
        ExitStatus::from_raw(code << 8)
    }

    fn killed(signal: i32) -> ExitStatus {
        ExitStatus::from_raw(signal)
    }

    fn ends(mut life: Life, status: ExitStatus, said: Option<&str>) -> End {
        life.on_exit(Some(status), said.map(String::from), &Fate::Its);
        match life {
            Life::Ended(end) => end,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_program_starts_runs_and_ends() {
        let mut life = Life::Starting { pid: 7 };
        assert_eq!((life.pid(), life.word()), (Some(7), "starting"));
        life.on_ready();
        assert_eq!((life.pid(), life.word()), (Some(7), "running"));
        life.on_stop();
        assert_eq!((life.pid(), life.word()), (Some(7), "ending"));
        life.on_ready();
        assert_eq!(life, Life::Ending { pid: 7 }, "a late word of being ready changes nothing");
        life.on_exit(Some(exited(0)), None, &Fate::Its);
        assert_eq!((life.pid(), life.word()), (None, "stopped"));
        life.on_stop();
        assert_eq!(life, Life::Ended(End::Stopped));
    }

    #[test]
    fn how_it_ended_depends_on_whether_it_was_asked() {
        let (running, ending) = (Life::Running { pid: 7 }, Life::Ending { pid: 7 });
        let taken = "That name is in use.";
        for (life, status, said, end) in [
            (&running, exited(0), None, End::Left),
            (&running, exited(1), Some(taken), End::Failed(String::from(taken))),
            (&running, exited(1), None, End::Status(1)),
            (&running, exited(2), Some("usage"), End::Status(2)),
            (&running, exited(101), Some("panicked"), End::Status(101)),
            (&running, killed(9), None, End::Killed(9)),
            (&running, killed(15), None, End::Killed(15)),
            (&ending, exited(0), None, End::Stopped),
            (&ending, killed(15), None, End::Stopped),
            (&ending, killed(9), None, End::Overdue),
            (&ending, killed(11), None, End::Killed(11)),
            (&ending, exited(1), Some(taken), End::Failed(String::from(taken))),
        ] {
            assert_eq!(ends(life.clone(), status, said), end, "{life:?} {status}");
        }
    }

    #[test]
    fn only_what_has_ended_can_be_started_and_only_what_runs_can_be_stopped() {
        for (life, start, stop) in [
            (Life::Waiting, false, false),
            (Life::Starting { pid: 7 }, false, true),
            (Life::Running { pid: 7 }, false, true),
            (Life::Frozen { pid: 7 }, false, false),
            (Life::Ending { pid: 7 }, false, false),
            (Life::Ended(End::Left), true, false),
        ] {
            assert_eq!((life.can_start().is_ok(), life.can_stop().is_ok()), (start, stop), "{life:?}");
        }
    }

    #[test]
    fn whoever_is_killed_has_a_reason() {
        let point = String::from("after:log:READY");
        for (fate, status, end) in [
            (Fate::Killed, killed(9), End::KilledHere),
            (Fate::CrashAt(point.clone()), killed(9), End::AtPoint(point.clone())),
            (Fate::CrashAt(point), exited(0), End::Left),
            (Fate::Its, killed(9), End::Killed(9)),
            (Fate::Killed, exited(0), End::Left),
        ] {
            let mut life = Life::Running { pid: 7 };
            life.on_exit(Some(status), None, &fate);
            assert_eq!(life, Life::Ended(end), "{fate:?}");
        }
    }

    #[test]
    fn a_frozen_program_is_thawed_or_killed() {
        let mut life = Life::Running { pid: 7 };
        life.on_freeze();
        assert_eq!((life.word(), life.pid()), ("frozen", Some(7)));
        assert!(life.can_thaw().is_ok() && life.can_kill().is_ok() && life.can_freeze().is_err());
        life.on_thaw();
        assert_eq!(life, Life::Running { pid: 7 });
        assert!(life.can_thaw().is_err() && life.can_freeze().is_ok());
    }

    #[test]
    fn a_sentence_that_goes_on_for_ever_is_cut() {
        let End::Failed(said) = ends(Life::Running { pid: 7 }, exited(1), Some(&"ä".repeat(5_000))) else { panic!() };
        assert_eq!(said.chars().count(), MOST_SAID);
    }
}
