//! How everything stands after some of a run's events.
//!
//! The room's list, the search for what is blocked, the conditions of a scenario and the scrubber of a
//! recorded run all read this; it grows by one event at a time. Deliberately absent: judgement. A moment
//! is what was seen, whether or not it should be so.

use std::collections::BTreeMap;

use twopc_proto::bench::{Fate, Rule};
use twopc_proto::frame::{Decoder, FromRelay, Protocol, Side};
use twopc_proto::trace::{Peer, What};
use twopc_proto::{RecordKind, State, TxnId, UserName};

use super::{Deed, Event, Happening, Stage};
use crate::member::RELAY;

/// How everything stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// When, in microseconds since the run began.
    pub at_us: u64,
    /// The room's programs by name, the relay too.
    pub programs: BTreeMap<String, Standing>,
    /// The messages that the relay keeps, by number.
    pub held: BTreeMap<u64, Protocol>,
    /// The rules for messages on their way.
    pub rules: Vec<Rule>,
    /// Whether the lab sees the traffic.
    pub is_watching: bool,
    /// The last messages that passed, by number: one may be said to be kept right after it came.
    passing: BTreeMap<u64, Protocol>,
}

/// How one program stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Where its process stands; `None` while none was started.
    pub stage: Option<Stage>,
    /// Its process id, while there is one.
    pub pid: Option<u32>,
    /// Where it is told to die, while it runs.
    pub crash_at: Option<String>,
    /// It is stopped, and not dead.
    pub is_frozen: bool,
    /// It is logged in, as the relay sees it.
    pub is_online: bool,
    /// It has said itself that it is logged in: whatever it is asked now it can do.
    pub is_at_work: bool,
    /// The last record in its stable log.
    pub record: Option<Written>,
    /// Its transactions, in the order in which it came to know them. Once its process is gone, what its log
    /// says of them; a new life knows nothing else.
    pub transactions: Vec<(TxnId, Stand)>,
    /// Up to which record its disk has everything, as far as it has told.
    durable: u64,
    /// What was handed to its log, waits for the disk, and is not there as far as it has told.
    unsynced: Vec<Written>,
}

/// A record in a stable log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its place.
    pub lsn: u64,
    /// Its kind.
    pub record: RecordKind,
    /// Its transaction.
    pub txn: TxnId,
}

/// How a transaction stands at one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stand {
    /// The book's word for its state.
    pub state: String,
    /// The string, where it is known.
    pub string: Option<String>,
    /// What is known while in doubt.
    pub doubt: Option<Doubt>,
    /// The string stands in the text file, or every participant has acknowledged.
    pub is_done: bool,
    /// The last state that stands in the log.
    promised: Option<State>,
}

/// What a participant knows while it is in doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Since when, in microseconds since the run began.
    pub since_us: u64,
    /// When it last asked, in the same.
    pub asked_us: Option<u64>,
    /// Nobody who can be reached may decide.
    pub is_blocked: bool,
    /// The coordinator first, then the others.
    pub peers: Vec<Peer>,
}

impl Moment {
    /// How everything stands after these.
    #[must_use]
    pub fn after(events: &[Event]) -> Self {
        let mut moment = Self::default();
        for event in events {
            moment.take(event);
        }
        moment
    }

    /// How it stands after one more.
    pub fn take(&mut self, event: &Event) {
        self.at_us = event.at_us;
        match &event.what {
            Happening::Frame { frame } => self.on_frame(frame),
            Happening::Told { user, trace, .. } => self.on_told(user, trace.at_us, &trace.what),
            Happening::Fate { fate } => self.on_fate(fate),
            Happening::Joined { user, .. } => self.program(user.as_str()).is_online = true,
            Happening::Left { user, .. } => {
                let standing = self.program(user.as_str());
                (standing.is_online, standing.is_at_work) = (false, false);
            }
            Happening::Watching { .. } => self.is_watching = true,
            Happening::Blind => {
                self.is_watching = false;
                self.unplug();
            }
            Happening::Process { program, stage } => {
                self.program(program).on_stage(stage);
                if program == RELAY && matches!(stage, Stage::Ended { .. }) {
                    self.unplug();
                }
            }
            Happening::Found { user, lsn, record, txn, .. } => {
                self.program(user.as_str()).on_found(Written { lsn: *lsn, record: *record, txn: txn.clone() });
            }
            Happening::Did { deed: Deed::Remove { program } } => drop(self.programs.remove(program)),
            Happening::Did { .. } => {}
        }
    }

    /// The transaction that was begun last.
    #[must_use]
    pub fn last_transaction(&self) -> Option<&TxnId> {
        let known = self.programs.values().flat_map(|standing| standing.transactions.iter().map(|(txn, _)| txn));
        known.max_by_key(|txn| txn.numbers())
    }

    /// How that one stands at a program, if it is known there.
    #[must_use]
    pub fn last_stand_of(&self, program: &str) -> Option<&Stand> {
        self.programs.get(program)?.of(self.last_transaction()?)
    }

    /// How a program stands; like one that was never started, where there is none of that name.
    #[must_use]
    pub fn of(&self, program: &str) -> Standing {
        self.programs.get(program).cloned().unwrap_or_default()
    }

    /// Whether something lasts whose time is shown: a doubt, a process that is frozen or gone.
    #[must_use]
    pub fn counts(&self) -> bool {
        let lasts = |standing: &Standing| standing.is_frozen || standing.is_gone();
        self.is_in_doubt() || self.programs.values().any(lasts)
    }

    fn is_in_doubt(&self) -> bool {
        let running = self.programs.values().filter(|standing| !standing.is_gone());
        running.flat_map(|standing| &standing.transactions).any(|(_, stand)| stand.doubt.is_some())
    }

    fn program(&mut self, name: &str) -> &mut Standing {
        self.programs.entry(name.into()).or_default()
    }

    /// Without a relay nobody is logged in, and what it kept is gone with it.
    fn unplug(&mut self) {
        self.programs.values_mut().for_each(|standing| (standing.is_online, standing.is_at_work) = (false, false));
        self.held.clear();
        self.rules.clear();
    }

    fn on_frame(&mut self, frame: &str) {
        /// The relay says at once what it keeps.
        const PASSING: usize = 64;
        let Some(protocol) = protocol_of(frame) else { return };
        if self.passing.len() == PASSING {
            self.passing.pop_first();
        }
        self.passing.insert(protocol.seq, protocol);
    }

    fn on_fate(&mut self, fate: &Fate) {
        match fate {
            Fate::Rules { rules, held } => {
                self.rules.clone_from(rules);
                self.held.retain(|seq, _| held.contains(seq));
            }
            Fate::Held { seq, .. } => {
                if let Some(protocol) = self.passing.remove(seq) {
                    self.held.insert(*seq, protocol);
                }
            }
            Fate::Delivered { seq } | Fate::Dropped { seq, .. } => drop(self.held.remove(seq)),
            Fate::Duplicated { .. } => {}
        }
    }

    fn on_told(&mut self, user: &UserName, told_us: u64, what: &What) {
        let now = self.at_us;
        // A process counts from its own start, the run from its own.
        let here = |theirs: u64| now.saturating_sub(told_us.saturating_sub(theirs));
        let standing = self.program(user.as_str());
        match what {
            What::Online { .. } => (standing.is_online, standing.is_at_work) = (true, true),
            What::Offline => (standing.is_online, standing.is_at_work) = (false, false),
            What::Log { lsn, record, txn, forced } => standing.on_log(Written { lsn: *lsn, record: *record, txn: txn.clone() }, *forced),
            What::Durable { lsn } => standing.on_durable(*lsn),
            What::State { txn, state, string } => {
                let stand = standing.transaction(txn);
                stand.state.clone_from(state);
                if string.is_some() {
                    stand.string.clone_from(string);
                }
            }
            What::Doubt { txn, since_us, asked_us, blocked, peers } => {
                let doubt = Doubt { since_us: here(*since_us), asked_us: asked_us.map(here), is_blocked: *blocked, peers: peers.clone() };
                standing.transaction(txn).doubt = Some(doubt);
            }
            What::Settled { txn, .. } => standing.transaction(txn).doubt = None,
            What::Applied { txn } | What::Done { txn } => standing.transaction(txn).is_done = true,
            What::Start { .. }
            | What::Press { .. }
            | What::Send { .. }
            | What::Receive { .. }
            | What::Timeout { .. }
            | What::Notice { .. } => {}
        }
    }
}

impl Stand {
    /// What its log says is how it stands, whatever else it has said before its end.
    fn keep_promise(&mut self) {
        if let Some(promised) = self.promised {
            self.state = promised.as_str().into();
        }
    }

    /// Whether it is in doubt, and nobody who can be reached may decide.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.doubt.as_ref().is_some_and(|doubt| doubt.is_blocked)
    }
}

impl Standing {
    /// How a transaction stands there, if it is known there.
    #[must_use]
    pub fn of(&self, txn: &TxnId) -> Option<&Stand> {
        self.transactions.iter().find(|(known, _)| known == txn).map(|(_, stand)| stand)
    }

    /// Whether its process was the lab's, and is there no more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self.stage, Some(Stage::Ended { .. }))
    }

    /// Whether its disk has everything up to the last record, as far as it has told.
    #[must_use]
    pub fn is_durable(&self) -> bool {
        self.record.as_ref().is_none_or(|last| last.lsn <= self.durable)
    }

    /// The transactions that are not decided.
    pub fn open(&self) -> impl Iterator<Item = &(TxnId, Stand)> {
        self.transactions.iter().filter(|(_, stand)| !["COMMIT", "ABORT"].contains(&stand.state.as_str()))
    }

    fn transaction(&mut self, txn: &TxnId) -> &mut Stand {
        let place = self.transactions.iter().position(|(known, _)| known == txn).unwrap_or_else(|| {
            self.transactions.push((txn.clone(), Stand::default()));
            self.transactions.len() - 1
        });
        &mut self.transactions[place].1
    }

    fn on_log(&mut self, written: Written, forced: bool) {
        // What the disk had no space for was cut back, and its place is another's now.
        self.unsynced.retain(|before| before.lsn < written.lsn);
        self.record = Some(written.clone());
        if forced {
            self.unsynced.push(written);
        } else {
            self.on_disk(&written);
        }
    }

    fn on_durable(&mut self, lsn: u64) {
        self.durable = lsn;
        let (durable, unsynced) = std::mem::take(&mut self.unsynced).into_iter().partition(|written| written.lsn <= lsn);
        self.unsynced = unsynced;
        durable.iter().for_each(|written: &Written| self.on_disk(written));
    }

    /// What was seen in the log of a process that is gone.
    fn on_found(&mut self, written: Written) {
        self.on_disk(&written);
        self.transactions.iter_mut().filter(|(txn, _)| *txn == written.txn).for_each(|(_, stand)| stand.keep_promise());
        self.durable = written.lsn;
        self.record = Some(written);
    }

    /// The log has it, and whoever reads the log again knows that much.
    fn on_disk(&mut self, written: &Written) {
        let promised = match written.record {
            RecordKind::Start => State::Wait,
            RecordKind::Ready => State::Ready,
            RecordKind::Commit => State::Commit,
            RecordKind::Abort => State::Abort,
            RecordKind::End | RecordKind::Applied | RecordKind::Decided => return,
        };
        self.transaction(&written.txn).promised = Some(promised);
    }

    fn on_stage(&mut self, stage: &Stage) {
        match stage {
            Stage::Started { pid, crash_at } => {
                // What it held in memory is gone; what it knows comes from its files.
                let mut transactions = std::mem::take(&mut self.transactions);
                transactions.retain(|(_, stand)| stand.promised.is_some());
                transactions.iter_mut().for_each(|(_, stand)| (stand.doubt = None, stand.keep_promise()).1);
                let record = self.record.take();
                // Whoever reads its log again makes sure of what it reads.
                let durable = record.as_ref().map_or(0, |written| written.lsn);
                *self = Self { pid: Some(*pid), crash_at: crash_at.clone(), record, durable, transactions, ..Self::default() };
            }
            Stage::Ready => {}
            Stage::Frozen => self.is_frozen = true,
            Stage::Thawed => self.is_frozen = false,
            Stage::Ended { .. } => {
                self.crash_at = None;
                (self.pid, self.is_frozen, self.is_online, self.is_at_work) = (None, false, false, false);
                // What else its log has is found there.
                if let Some(first) = self.unsynced.first().map(|written| written.lsn) {
                    self.record.take_if(|last| last.lsn >= first);
                }
                self.unsynced.clear();
                self.transactions.iter_mut().for_each(|(_, stand)| stand.keep_promise());
            }
        }
        self.stage = Some(stage.clone());
    }
}

/// The protocol message in a frame that the relay relayed, if it is one.
#[must_use]
pub fn protocol_of(frame: &str) -> Option<Protocol> {
    let mut decoder = Decoder::new(Side::Client);
    decoder.feed(frame.as_bytes());
    FromRelay::read(&decoder.next_frame().ok()??).ok()?.protocol()
}

#[cfg(test)]
mod tests {
    use twopc_proto::Role;
    use twopc_proto::trace::Trace;

    use super::*;

    fn name(text: &str) -> UserName {
        UserName::parse(text).unwrap()
    }

    fn txn() -> TxnId {
        TxnId::parse("chair.1.1").unwrap()
    }

    fn frame(seq: u64) -> Happening {
        let body = r#"{"txn":"chair.1.1"}"#;
        let head = format!("Host: r\r\nContent-Type: application/json\r\nContent-Length: {}", body.len());
        let frame = format!(
            "POST /2pc/VOTE_COMMIT HTTP/1.1\r\n{head}\r\nFrom: alice\r\nRole: participant\r\nSeq: {seq}\r\nTo: chair\r\n\r\n{body}"
        );
        Happening::Frame { frame }
    }

    fn told(at_us: u64, what: What) -> Happening {
        Happening::Told { user: name("alice"), role: Role::Participant, trace: Trace { life: 1, n: 1, at_us, what } }
    }

    fn after(happenings: Vec<Happening>) -> Moment {
        let events: Vec<Event> = (1..).zip(happenings).map(|(second, what)| Event { at_us: second * 1_000_000, what }).collect();
        Moment::after(&events)
    }

    #[test]
    fn what_is_held_is_known_by_its_frame_until_it_goes_on() {
        let fate = |fate| Happening::Fate { fate };
        let held = after(vec![frame(3), frame(4), fate(Fate::Held { seq: 3, ms: None }), fate(Fate::Duplicated { seq: 3 })]);
        assert_eq!(held.held.keys().copied().collect::<Vec<_>>(), [3]);
        assert_eq!(held.held[&3].from, name("alice"));
        let gone = after(vec![frame(3), fate(Fate::Held { seq: 3, ms: Some(5) }), fate(Fate::Delivered { seq: 3 })]);
        assert!(gone.held.is_empty());
        let blind = after(vec![frame(3), fate(Fate::Held { seq: 3, ms: None }), Happening::Blind]);
        assert!(blind.held.is_empty() && !blind.is_watching, "what a relay kept is gone with it");
    }

    #[test]
    fn a_doubt_is_dated_by_the_clock_of_whoever_is_in_doubt() {
        let doubt = What::Doubt { txn: txn(), since_us: 400_000, asked_us: Some(900_000), blocked: true, peers: Vec::new() };
        // Told 1 s after its process began, and seen here at 1 s.
        let moment = after(vec![told(1_000_000, doubt)]);
        let stand = moment.of("alice").of(&txn()).cloned().unwrap();
        let doubt = stand.doubt.unwrap();
        assert_eq!((doubt.since_us, doubt.asked_us, doubt.is_blocked), (400_000, Some(900_000), true));
    }

    #[test]
    fn a_new_life_knows_what_its_files_say_and_nothing_else() {
        let started = |pid| Happening::Process { program: "alice".into(), stage: Stage::Started { pid, crash_at: None } };
        let state = |word: &str| told(1, What::State { txn: txn(), state: word.into(), string: Some("Hello".into()) });
        let log = |lsn, record| told(1, What::Log { lsn, record, txn: txn(), forced: true });
        let durable = |lsn| told(1, What::Durable { lsn });
        let killed = || Happening::Process { program: "alice".into(), stage: Stage::Ended { killed: true, how: "killed".into() } };
        let found = |lsn, record| Happening::Found { user: name("alice"), role: Role::Participant, lsn, record, txn: txn() };
        let stand = |moment: &Moment| moment.of("alice").of(&txn()).map(|stand| stand.state.clone());
        let last = |moment: &Moment| moment.of("alice").record.map(|written| (written.lsn, written.record));

        let asked = || vec![started(7), state("INIT"), log(1, RecordKind::Ready)];
        let before = after(asked());
        assert_eq!((before.of("alice").open().count(), before.of("alice").pid), (1, Some(7)));
        assert!(!before.of("alice").is_durable());

        // Nobody knows whether its file has the record until somebody has looked.
        let dead = after([asked(), vec![killed()]].concat());
        assert_eq!((dead.of("alice").pid, dead.of("alice").is_online, last(&dead)), (None, false, None));
        let forgot = after([asked(), vec![killed(), started(8)]].concat());
        assert_eq!((stand(&forgot), forgot.of("alice").pid), (None, Some(8)));

        let has_it = [asked(), vec![killed(), found(1, RecordKind::Ready)]].concat();
        assert_eq!(stand(&after(has_it.clone())).as_deref(), Some("READY"));
        let again = after([has_it, vec![started(8)]].concat());
        assert_eq!((stand(&again).as_deref(), last(&again)), (Some("READY"), Some((1, RecordKind::Ready))));

        // It died between the disk and the word, and knows at its next start what it had not said.
        let ready = [asked(), vec![durable(1), state("READY"), log(2, RecordKind::Commit), durable(2)]].concat();
        let decided = after([ready, vec![killed(), started(8)]].concat());
        assert_eq!((stand(&decided).as_deref(), last(&decided)), (Some("COMMIT"), Some((2, RecordKind::Commit))));
    }

    #[test]
    fn what_lasts_is_counted_until_it_is_over_or_taken_off_the_list() {
        let stage = |stage| Happening::Process { program: "alice".into(), stage };
        let ended = |killed| stage(Stage::Ended { killed, how: "it ended".into() });
        let removed = Happening::Did { deed: Deed::Remove { program: "alice".into() } };
        for killed in [true, false] {
            let mut happenings = vec![stage(Stage::Started { pid: 7, crash_at: None })];
            assert!(!after(happenings.clone()).counts());
            happenings.push(ended(killed));
            assert!(after(happenings.clone()).counts());
            happenings.push(removed.clone());
            assert!(!after(happenings).counts());
        }
    }
}
