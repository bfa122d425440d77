//! The participant's role: it votes, promises, asks around while in doubt, and never guesses.
//!
//! Tanenbaum and van Steen, *Distributed Systems*, 8.5. Here: the state and what inputs reach it.
//! `voting` has the two phases, `termination` the questions of a participant in doubt, and
//! `standing` what a window may see. Deliberately absent: time, disk and network.

mod standing;
mod termination;
mod voting;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::time::Duration;

pub use standing::{Doubt, Standing};

use crate::aside::Aside;
use crate::machine::{Effect, Identity, Ignored, Input, LinkState, Lsn, Machine, Notice, Presence, Settings, State, Sync};
use crate::message::{Message, Reason};
use crate::name::{Role, UserName};
use crate::outcomes::Outcomes;
use crate::record::{Decision, ParticipantRecord};
use crate::text::CommittedString;
use crate::txn::TxnId;
use termination::Inquiry;

/// How long after a failed write for want of space it is tried again.
const SPACE_RETRY: Duration = Duration::from_secs(5);

/// What a person asks of a participant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// Promise to store the string.
    Commit(TxnId),
    /// Refuse it.
    Abort(TxnId),
    /// Ask the others for the decision now.
    AskStatus(TxnId),
    /// Say goodbye: what is not voted on is aborted.
    Leave,
}

/// A participant's timers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timer {
    /// When the vote's timeout has passed since the request arrived (or since a restart in READY).
    Deadline(TxnId),
    /// When the grace after that has passed.
    Grace(TxnId),
    /// When a question has gone unanswered long enough to be asked again.
    AskAgain(TxnId),
    /// When those who were asked had a second to answer.
    Answers(TxnId),
    /// When a disk that had no space is tried again.
    Space,
}

/// A participant as a state machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Participant {
    me: UserName,
    grace: Duration,
    link_up: bool,
    /// Who is logged in, as far as is known.
    room: BTreeMap<UserName, Role>,
    next_lsn: Lsn,
    /// Records on their way to the disk that something waits for.
    in_flight: BTreeMap<Lsn, TxnId>,
    /// COMMIT records that are durable, their line not known to be in the text file.
    applying: BTreeMap<Lsn, TxnId>,
    /// Transactions with something left to do.
    open: BTreeMap<TxnId, Txn>,
    outcomes: Outcomes,
    arrivals: u64,
    leaving: bool,
}

/// One open transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Txn {
    /// Counts arrivals, for showing the oldest first.
    arrival: u64,
    /// Unknown where only a question or a GLOBAL_ABORT was heard of it.
    string: Option<CommittedString>,
    /// Empty where they are unknown.
    participants: BTreeSet<UserName>,
    timeout: Duration,
    stage: Stage,
    /// The vote's timeout has passed.
    overdue: bool,
    /// Promised in an earlier life.
    restarted: bool,
    /// Who waits for an answer until the record in flight is durable.
    askers: BTreeSet<UserName>,
    /// The coordinator is owed VOTE_ABORT once ABORT is durable.
    owes_vote: bool,
    /// The coordinator is owed ACK once the decision is durable.
    owes_ack: bool,
    inquiry: Option<Inquiry>,
}

/// Why a transaction is aborted, for people.
#[derive(Clone, Debug, Default)]
struct Cause {
    reason: Option<Reason>,
    by: Option<UserName>,
}

/// How far a transaction is. What is on its way to the disk counts as decided: nothing changes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Stage {
    /// INIT: the person is asked.
    Asked,
    /// INIT still: READY is on its way to the disk.
    Readying,
    /// READY: promised.
    Ready,
    /// ABORT is on its way, or waits for space.
    Aborting {
        /// `None` while the disk has no space.
        lsn: Option<Lsn>,
        why: Aside<Cause>,
        /// It was in READY when the decision came.
        promised: bool,
    },
    /// READY still: COMMIT is on its way, or waits for space.
    Committing {
        /// `None` while the disk has no space.
        lsn: Option<Lsn>,
    },
    /// COMMIT: durable; the line is on its way to the text file.
    Applying {
        lsn: Lsn,
        /// The text file's disk has no space.
        no_space: bool,
    },
}

impl Stage {
    /// The book's state: what is durable here.
    fn state(&self) -> State {
        match self {
            Self::Asked | Self::Readying | Self::Aborting { promised: false, .. } => State::Init,
            Self::Ready | Self::Committing { .. } | Self::Aborting { promised: true, .. } => State::Ready,
            Self::Applying { .. } => State::Commit,
        }
    }

    /// The decision that has been taken, durable or on its way.
    fn decision(&self) -> Option<Decision> {
        match self {
            Self::Asked | Self::Readying | Self::Ready => None,
            Self::Aborting { .. } => Some(Decision::Abort),
            Self::Committing { .. } | Self::Applying { .. } => Some(Decision::Commit),
        }
    }
}

type Out = Vec<Effect<Participant>>;

impl Machine for Participant {
    const ROLE: Role = Role::Participant;
    type Command = Command;
    type Record = ParticipantRecord;
    type Timer = Timer;

    fn recover(me: &Identity, settings: &Settings, _incarnation: u64, log: &[ParticipantRecord]) -> (Self, Out) {
        let mut machine = Self {
            me: me.user.clone(),
            grace: settings.grace,
            link_up: false,
            room: BTreeMap::new(),
            next_lsn: 1,
            in_flight: BTreeMap::new(),
            applying: BTreeMap::new(),
            open: BTreeMap::new(),
            outcomes: Outcomes::default(),
            arrivals: 0,
            leaving: false,
        };
        for record in log {
            machine.replay(record);
            machine.next_lsn += 1;
        }
        let mut out = Out::new();
        for txn in machine.in_order_of_arrival() {
            machine.resume(&txn, &mut out);
        }
        machine.apply_all(&mut out);
        (machine, out)
    }

    fn step(&mut self, input: Input<Self>) -> Out {
        let mut out = Out::new();
        match input {
            Input::Command(Command::Commit(txn)) => self.on_commit(&txn, &mut out),
            Input::Command(Command::Abort(txn)) => self.on_abort(&txn, &mut out),
            Input::Command(Command::AskStatus(txn)) => self.on_ask_status(&txn, &mut out),
            Input::Command(Command::Leave) => self.on_leave(&mut out),
            Input::Received { from, role, message } => self.on_message(from, role, message, &mut out),
            Input::Durable(lsn) => self.on_durable(lsn, &mut out),
            Input::Applied(lsn) => self.on_applied(lsn, &mut out),
            Input::Refused(lsn) => self.on_refused(lsn, &mut out),
            Input::TimerFired(Timer::Deadline(txn)) => self.on_deadline(&txn, &mut out),
            Input::TimerFired(Timer::Grace(txn)) => self.on_grace(&txn, &mut out),
            Input::TimerFired(Timer::AskAgain(txn)) => self.on_ask_again(&txn, &mut out),
            Input::TimerFired(Timer::Answers(txn)) => self.on_answers_due(&txn, &mut out),
            Input::TimerFired(Timer::Space) => self.on_space(&mut out),
            Input::Link(LinkState::Up(room)) => self.on_link_up(room, &mut out),
            Input::Link(LinkState::Down) => self.on_link_down(),
            Input::Peer(user, presence) => self.on_peer(&user, presence, &mut out),
        }
        out
    }
}

impl Participant {
    /// Whether nothing is on its way to a disk that something waits for. A node that leaves waits
    /// for this, so that what it has decided is also said.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.in_flight.is_empty() && self.applying.is_empty()
    }

    /// The decision held for a transaction, if it is durable here.
    #[must_use]
    pub fn outcome(&self, txn: &TxnId) -> Option<Decision> {
        match self.open.get(txn) {
            Some(Txn { stage: Stage::Applying { .. }, .. }) => Some(Decision::Commit),
            Some(_) => None,
            None => self.outcomes.decision(txn),
        }
    }

    /// Takes one record of the log into account; its lsn is `next_lsn`.
    fn replay(&mut self, record: &ParticipantRecord) {
        match record {
            ParticipantRecord::Ready { txn, string, participants, timeout } => {
                let mut entry = self.fresh(Some(string.clone()), participants.clone(), *timeout, Stage::Ready);
                entry.restarted = true;
                self.open.insert(txn.clone(), entry);
            }
            ParticipantRecord::Commit { txn, string } => {
                let stage = Stage::Applying { lsn: self.next_lsn, no_space: false };
                self.applying.insert(self.next_lsn, txn.clone());
                match self.open.get_mut(txn) {
                    Some(entry) => entry.stage = stage,
                    None => {
                        let entry = self.fresh(Some(string.clone()), BTreeSet::new(), Duration::ZERO, stage);
                        self.open.insert(txn.clone(), entry);
                    }
                }
            }
            ParticipantRecord::Abort { txn, .. } => self.close(txn, Decision::Abort),
            ParticipantRecord::Applied { txn } => self.close(txn, Decision::Commit),
            ParticipantRecord::Decided(decided) => {
                let over: Vec<TxnId> = self.open.keys().filter(|txn| decided.covers(txn)).cloned().collect();
                over.iter().for_each(|txn| self.close(txn, decided.decision()));
                self.outcomes.insert_all(decided);
            }
        }
    }

    /// Says where an unfinished transaction stands, and asks again for its timer.
    fn resume(&self, txn: &TxnId, out: &mut Out) {
        let Some(entry) = self.open.get(txn) else { return };
        notify_state(txn, entry.stage.state(), out);
        if matches!(entry.stage, Stage::Ready) {
            out.push(Effect::SetTimer { timer: Timer::Deadline(txn.clone()), after: entry.timeout });
        }
    }

    /// Asks for every line that is not known to be in the text file, in the order of the COMMIT
    /// records, which is the order of the lines and need not be that of the requests.
    fn apply_all(&self, out: &mut Out) {
        for (lsn, txn) in &self.applying {
            if let Some(string) = self.open.get(txn).and_then(|entry| entry.string.clone()) {
                out.push(Effect::Apply { lsn: *lsn, string });
            }
        }
    }

    fn on_message(&mut self, from: UserName, role: Role, message: Message, out: &mut Out) {
        let kind = message.kind();
        let txn = message.txn().clone();
        let refused = match message {
            Message::VoteRequest { string, participants, timeout, .. } => {
                self.on_vote_request(&from, role, &txn, string, participants, timeout, out)
            }
            Message::GlobalCommit { .. } => self.on_global_commit(&from, role, &txn, out),
            Message::GlobalAbort { reason, by, .. } => self.on_global_abort(&from, role, &txn, reason, by, out),
            Message::DecisionRequest { participants, .. } => self.on_decision_request(&from, role, &txn, participants, out),
            Message::DecisionReply { state, .. } => self.on_decision_reply(&from, role, &txn, state, out),
            Message::VoteCommit { .. } | Message::VoteAbort { .. } | Message::Ack { .. } => Err(Ignored::NotForThisRole),
        };
        if let Err(why) = refused {
            out.push(Effect::Notify(Notice::Ignored { from, kind, txn, why }));
        }
    }

    fn on_link_up(&mut self, room: BTreeMap<UserName, Role>, out: &mut Out) {
        self.link_up = true;
        self.room = room;
        for txn in self.in_order_of_arrival() {
            if matches!(self.open[&txn].stage, Stage::Ready) {
                send(txn.coordinator(), Message::VoteCommit { txn: txn.clone() }, out);
                self.resume_inquiry(&txn, out);
            }
        }
    }

    fn on_link_down(&mut self) {
        self.link_up = false;
        self.room.clear();
    }

    fn on_peer(&mut self, user: &UserName, presence: Presence, out: &mut Out) {
        match presence {
            Presence::Joined(role) => {
                self.room.insert(user.clone(), role);
                for txn in self.in_order_of_arrival() {
                    self.on_joined(&txn, user, role, out);
                }
            }
            Presence::Left | Presence::NotHere => {
                let was_here = self.room.remove(user).is_some();
                for txn in self.in_order_of_arrival() {
                    self.on_gone(&txn, user, was_here, out);
                }
            }
        }
    }

    fn on_leave(&mut self, out: &mut Out) {
        self.leaving = true;
        for txn in self.in_order_of_arrival() {
            if matches!(self.open[&txn].stage, Stage::Asked) {
                self.open_mut(&txn).owes_vote = true;
                self.abort(&txn, Some(Reason::Left), None, out);
            }
        }
    }

    fn is_here(&self, user: &UserName, role: Role) -> bool {
        self.room.get(user) == Some(&role)
    }

    /// A new entry that was heard of just now.
    fn fresh(&mut self, string: Option<CommittedString>, participants: BTreeSet<UserName>, timeout: Duration, stage: Stage) -> Txn {
        self.arrivals += 1;
        Txn {
            arrival: self.arrivals,
            string,
            participants,
            timeout,
            stage,
            overdue: false,
            restarted: false,
            askers: BTreeSet::new(),
            owes_vote: false,
            owes_ack: false,
            inquiry: None,
        }
    }

    /// Remembers the decision and forgets the details.
    fn close(&mut self, txn: &TxnId, decision: Decision) {
        if let Some(Txn { stage: Stage::Applying { lsn, .. }, .. }) = self.open.remove(txn) {
            self.applying.remove(&lsn);
        }
        self.outcomes.insert(txn, decision);
        if self.open.is_empty() {
            self.arrivals = 0;
        }
    }

    fn in_order_of_arrival(&self) -> Vec<TxnId> {
        let mut order: Vec<(u64, &TxnId)> = self.open.iter().map(|(txn, entry)| (entry.arrival, txn)).collect();
        order.sort_unstable();
        order.into_iter().map(|(_, txn)| txn.clone()).collect()
    }

    /// The entry of a transaction that the caller has just seen to be open.
    fn open_mut(&mut self, txn: &TxnId) -> &mut Txn {
        // Invariant: handlers look the transaction up before they call anything that needs it.
        self.open.get_mut(txn).unwrap_or_else(|| unreachable!("{txn} is open"))
    }

    /// Asks for a record to be persisted; something waits for it.
    fn persist(&mut self, txn: &TxnId, record: ParticipantRecord, out: &mut Out) -> Lsn {
        let lsn = self.next_lsn;
        self.next_lsn += 1;
        self.in_flight.insert(lsn, txn.clone());
        out.push(Effect::Persist { lsn, record, sync: Sync::Now });
        lsn
    }
}

fn send(to: &UserName, message: Message, out: &mut Out) {
    out.push(Effect::Send { to: to.clone(), message });
}

fn notify_state(txn: &TxnId, state: State, out: &mut Out) {
    out.push(Effect::Notify(Notice::State { txn: txn.clone(), state }));
}
