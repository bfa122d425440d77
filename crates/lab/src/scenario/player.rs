//! Somebody who does things in a room of real programs without windows, and waits for what comes of them.
//!
//! Scenarios and repeated runs are both played by one. At the end everybody is killed where they stand, so
//! that the files show how it came out, and not how the programs said goodbye. Deliberately absent: what
//! is to be done.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::error::OpenError;
use crate::found::records_of;
use crate::member::{Member, Part, RELAY, Tempo};
use crate::room::{Plan, Record, Room};
use crate::run::moment::{Stand, Standing};
use crate::run::{Deed, Event, Moment, Stage};

/// The longest that is waited for one thing.
const PATIENCE: Duration = Duration::from_secs(40);

/// The longest that a record which was told, or a string that was committed, may take to its file.
const WRITES_LAND: Duration = Duration::from_secs(5);
/// Between two looks at a file.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// A room and how it stands.
pub(crate) struct Player {
    pub(crate) room: Room,
    pub(crate) moment: Moment,
    /// How many events are in it.
    pub(crate) seen: usize,
    woken: Receiver<()>,
    /// Where its files are.
    data: PathBuf,
}

/// What room is opened.
pub(crate) struct Setting<'a> {
    /// The program that is every program of the room.
    pub(crate) program: PathBuf,
    /// The folder of the run, with the room's own files in it.
    pub(crate) dir: &'a Path,
    pub(crate) participants: usize,
    pub(crate) tempo: Tempo,
    /// The scenario that is played, as its file says it.
    pub(crate) scenario: Option<String>,
}

impl Player {
    /// Opens a room and waits until it is seen. `wake` is called whenever something was seen, too.
    ///
    /// # Errors
    /// If the relay can't listen, or the run cannot be kept.
    pub(crate) fn open(
        setting: Setting<'_>,
        out: impl Write + Send + 'static,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, OpenError> {
        let Setting { program, dir, participants, tempo, scenario } = setting;
        let (tell, woken) = channel();
        let data = dir.join("data");
        let plan = Plan {
            program,
            listen: String::from("127.0.0.1:0"),
            data_dir: data.clone(),
            logs: dir.join("relay"),
            participants,
            headless: true,
            tempo,
            key: None,
            record: Record::In(dir.into(), scenario),
        };
        let room = Room::open(plan, out, move || {
            // At the very end nobody waits any more.
            let _ = tell.send(());
            wake();
        })?;
        Ok(Self { room, moment: Moment::default(), seen: 0, woken, data })
    }

    /// Lets these in, each to die at its point if it has one. The coordinator comes last: it finds
    /// everybody there, and its Request asks all of them.
    ///
    /// # Errors
    /// If they do not come.
    pub(crate) fn admit(&mut self, programs: &[(String, Option<String>)]) -> Result<(), String> {
        self.wait("the lab sees the relay", |player| player.moment.is_watching)?;
        let coordinators = self.names(Part::Coordinator);
        let (last, first): (Vec<_>, Vec<_>) = programs.iter().cloned().partition(|(program, _)| coordinators.contains(program));
        for group in [first, last] {
            self.start(&group)?;
        }
        Ok(())
    }

    /// Starts these at once and waits until each has logged in, or has died if it is to die at a point:
    /// that may be on its way.
    ///
    /// # Errors
    /// If they do not come.
    pub(crate) fn start(&mut self, programs: &[(String, Option<String>)]) -> Result<(), String> {
        self.catch_up();
        // Whoever is started anew has ended before: only what ends from here on has died now.
        let before = self.seen;
        for (program, crash_at) in programs {
            self.room.act(Deed::Start { program: program.clone(), crash_at: crash_at.clone() });
        }
        let names: Vec<&str> = programs.iter().map(|(who, _)| who.as_str()).collect();
        self.wait(&format!("{} has logged in", names.join(" and ")), |player| {
            programs.iter().all(|(who, point)| player.moment.of(who).is_at_work || (point.is_some() && player.has_ended_since(who, before)))
        })
    }

    fn has_ended_since(&self, who: &str, seen: usize) -> bool {
        let news = self.room.journal().since(seen);
        let mut stages = news.iter().filter_map(|event| event.what.stage());
        stages.any(|(program, stage)| program == who && matches!(stage, Stage::Ended { .. }))
    }

    /// Whether no process of that name runs.
    pub(crate) fn is_gone(&self, who: &str) -> bool {
        matches!(self.moment.of(who), Standing { stage: None | Some(Stage::Ended { .. }), .. })
    }

    /// Everybody with that part.
    pub(crate) fn names(&self, part: Part) -> Vec<String> {
        let programs = self.room.view();
        programs.programs.iter().filter(|program| program.member.part == part).map(|program| program.member.name.clone()).collect()
    }

    /// Does nothing for some time.
    pub(crate) fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        while self.woken.recv_timeout(until.saturating_duration_since(Instant::now())).is_ok() {}
    }

    /// Ends the room, and tells everything that was seen and how it all stood.
    pub(crate) fn finish(mut self) -> (Vec<Event>, Moment) {
        self.let_strings_land();
        self.let_writes_land();
        let journal = self.room.journal().clone();
        self.room.remote().kill();
        drop(self.room);
        // What was found in the logs of those who died just now.
        journal.since(self.seen).iter().for_each(|event| self.moment.take(event));
        (journal.since(0), self.moment)
    }

    /// A decision is not the end of the story: whoever has committed and can be heard has the time to say that
    /// the string stands in its file.
    fn let_strings_land(&mut self) {
        let participants = self.names(Part::Participant);
        self.comes_to_pass(WRITES_LAND, |player| {
            participants.iter().all(|name| {
                let standing = player.moment.of(name);
                let can_be_heard = standing.is_online && !standing.is_frozen && player.moment.is_watching;
                !can_be_heard || standing.transactions.iter().all(|(_, stand)| stand.is_done || stand.state != "COMMIT")
            })
        });
    }

    /// A program tells of a record before it writes it: killed in between, it would have told of one that
    /// its file does not have. Whoever runs has the time to write what it has told.
    fn let_writes_land(&self) {
        let deadline = Instant::now() + WRITES_LAND;
        let room = self.room.view();
        let has_landed = |member: &Member| {
            let standing = self.moment.of(&member.name);
            let told = standing.record.filter(|_| standing.pid.is_some() && !standing.is_frozen).map_or(0, |written| written.lsn);
            told == 0 || records_of(member, &self.data).len() as u64 >= told
        };
        while !room.programs.iter().all(|program| has_landed(&program.member)) && Instant::now() < deadline {
            self.pause(LOOK_AGAIN);
        }
    }

    /// Takes what was noted since.
    pub(crate) fn catch_up(&mut self) {
        let news = self.room.journal().since(self.seen);
        self.seen += news.len();
        news.iter().for_each(|event| self.moment.take(event));
    }

    /// Waits until this is so.
    ///
    /// # Errors
    /// A sentence that says how everybody stands instead.
    pub(crate) fn wait(&mut self, what: &str, until: impl Fn(&Self) -> bool) -> Result<(), String> {
        if self.comes_to_pass(PATIENCE, until) {
            return Ok(());
        }
        Err(format!("it did not come to pass within {} s that {what}; {}", PATIENCE.as_secs(), self.told()))
    }

    /// Waits until this is so, for some time at most; whether it came to be so.
    fn comes_to_pass(&mut self, patience: Duration, until: impl Fn(&Self) -> bool) -> bool {
        let deadline = Instant::now() + patience;
        loop {
            self.catch_up();
            if until(self) {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.woken.recv_timeout(left) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return false,
            }
        }
    }

    /// How everybody stands, in a sentence.
    fn told(&self) -> String {
        let nodes = self.moment.programs.keys().filter(|name| *name != RELAY);
        let stands = nodes.map(|name| {
            let stand = self.moment.last_stand_of(name);
            let state = stand.map_or("not asked", |stand| stand.state.as_str());
            let blocked = if stand.is_some_and(Stand::is_blocked) { ", blocked" } else { "" };
            let process = if self.is_gone(name) { ", not running" } else { "" };
            format!("{name} is {state}{blocked}{process}")
        });
        let relay = self.is_gone(RELAY).then(|| String::from("the relay does not run"));
        stands.chain(relay).collect::<Vec<_>>().join("; ")
    }
}
