//! The coordinator's role: it asks for votes, decides, and repeats the decision until all know it.
//!
//! Tanenbaum and van Steen, *Distributed Systems*, 8.5, with presumed abort. Here: the state and
//! what inputs reach it. `deciding` has the two phases, `ballot` what a window may see.
//! Deliberately absent: time, disk and network.

mod ballot;
mod deciding;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::time::Duration;

pub use ballot::Ballot;

use crate::aside::Aside;
use crate::machine::{Effect, Identity, Ignored, Input, LinkState, Lsn, Machine, Notice, Presence, RequestRefusal, Settings, State, Sync};
use crate::message::{MAX_PARTICIPANTS, Message, PeerState, Reason};
use crate::name::{Role, UserName};
use crate::outcomes::Outcomes;
use crate::patience::Patience;
use crate::record::{CoordinatorRecord, Decision};
use crate::text::CommittedString;
use crate::txn::TxnId;

/// How long after a failed write for want of space it is tried again.
const SPACE_RETRY: Duration = Duration::from_secs(5);

/// What a person asks of a coordinator.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// Ask everybody in the room to vote.
    Request {
        /// What is to be stored.
        string: CommittedString,
        /// How long the vote may take.
        timeout: Duration,
        /// Open it although another vote of this coordinator is open.
        alongside: bool,
    },
    /// Say goodbye: what is not decided is aborted.
    Leave,
}

/// A coordinator's timers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timer {
    /// When the vote's timeout has passed since the request.
    Votes(TxnId),
    /// When a decision has gone unacknowledged long enough to be said again.
    Repeat(TxnId),
    /// When a disk that had no space is tried again.
    Space,
}

/// A coordinator as a state machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Coordinator {
    me: UserName,
    expect: usize,
    incarnation: u64,
    next_number: u64,
    link_up: bool,
    /// Who is logged in, as far as is known.
    room: BTreeMap<UserName, Role>,
    next_lsn: Lsn,
    /// START and decision records on their way to the disk.
    in_flight: BTreeMap<Lsn, TxnId>,
    /// Transactions that not every participant has acknowledged.
    open: BTreeMap<TxnId, Txn>,
    /// How many of them are in WAIT: their decision is not durable yet.
    waiting: usize,
    outcomes: Outcomes,
    leaving: bool,
}

/// One open transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Txn {
    string: CommittedString,
    participants: BTreeSet<UserName>,
    timeout: Duration,
    /// START is in the log or on its way there; a disk without space may have refused it.
    start_logged: bool,
    stage: Stage,
    votes: BTreeMap<UserName, Vote>,
    acks: BTreeSet<UserName>,
    /// Who waits for an answer until the decision is durable.
    askers: BTreeSet<UserName>,
    patience: Patience,
}

/// How far a transaction is. What is on its way to the disk counts as decided: nothing changes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Stage {
    /// WAIT: for votes.
    Waiting,
    /// WAIT still: the decision is on its way to the disk, or waits for space.
    Deciding {
        /// `None` while the disk has no space.
        lsn: Option<Lsn>,
        verdict: Verdict,
    },
    /// COMMIT or ABORT: durable, and said until everybody has acknowledged.
    Decided(Verdict),
}

/// A decision, and for an abort why.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Verdict {
    decision: Decision,
    reason: Aside<Option<Reason>>,
    by: Aside<Option<UserName>>,
}

impl Verdict {
    const COMMIT: Self = Self { decision: Decision::Commit, reason: Aside(None), by: Aside(None) };

    fn abort(reason: impl Into<Option<Reason>>, by: Option<UserName>) -> Self {
        Self { decision: Decision::Abort, reason: Aside(reason.into()), by: Aside(by) }
    }

    fn record(&self, txn: &TxnId) -> CoordinatorRecord {
        match self.decision {
            Decision::Commit => CoordinatorRecord::Commit { txn: txn.clone() },
            Decision::Abort => CoordinatorRecord::Abort { txn: txn.clone(), reason: self.reason.0, by: self.by.0.clone() },
        }
    }

    fn message(&self, txn: &TxnId) -> Message {
        match self.decision {
            Decision::Commit => Message::GlobalCommit { txn: txn.clone() },
            Decision::Abort => Message::GlobalAbort { txn: txn.clone(), reason: self.reason.0, by: self.by.0.clone() },
        }
    }
}

/// A vote as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Vote {
    Commit,
    Abort(Aside<Option<Reason>>),
}

type Out = Vec<Effect<Coordinator>>;

impl Machine for Coordinator {
    const ROLE: Role = Role::Coordinator;
    type Command = Command;
    type Record = CoordinatorRecord;
    type Timer = Timer;

    fn recover(me: &Identity, settings: &Settings, incarnation: u64, log: &[CoordinatorRecord]) -> (Self, Out) {
        let mut machine = Self {
            me: me.user.clone(),
            expect: settings.expect,
            incarnation,
            next_number: 1,
            link_up: false,
            room: BTreeMap::new(),
            next_lsn: 1,
            in_flight: BTreeMap::new(),
            open: BTreeMap::new(),
            waiting: 0,
            outcomes: Outcomes::default(),
            leaving: false,
        };
        for record in log {
            machine.replay(record);
            machine.next_lsn += 1;
        }
        let mut out = Out::new();
        for txn in machine.open.keys().cloned().collect::<Vec<_>>() {
            machine.resume(&txn, &mut out);
        }
        (machine, out)
    }

    fn step(&mut self, input: Input<Self>) -> Out {
        let mut out = Out::new();
        match input {
            Input::Command(Command::Request { string, timeout, alongside }) => self.on_request(string, timeout, alongside, &mut out),
            Input::Command(Command::Leave) => self.on_leave(&mut out),
            Input::Received { from, role, message } => self.on_message(from, role, message, &mut out),
            Input::Durable(lsn) => self.on_durable(lsn, &mut out),
            // A coordinator keeps no text file.
            Input::Applied(_) => {}
            Input::Refused(lsn) => self.on_refused(lsn, &mut out),
            Input::TimerFired(Timer::Votes(txn)) => self.on_votes_due(&txn, &mut out),
            Input::TimerFired(Timer::Repeat(txn)) => self.on_repeat(&txn, &mut out),
            Input::TimerFired(Timer::Space) => self.on_space(&mut out),
            Input::Link(LinkState::Up(room)) => self.on_link_up(room, &mut out),
            Input::Link(LinkState::Down) => {
                self.link_up = false;
                self.room.clear();
            }
            Input::Peer(user, presence) => self.on_peer(user, presence, &mut out),
        }
        out
    }
}

impl Coordinator {
    /// Whether no decision is on its way to the disk. A node that leaves waits for this, so that
    /// what it has decided is also said.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Whether Request means something now.
    ///
    /// # Errors
    /// What it waits for.
    pub fn can_request(&self) -> Result<(), RequestRefusal> {
        if self.waiting > 0 { Err(RequestRefusal::VoteOpen) } else { self.can_request_alongside() }
    }

    /// Whether a vote could be opened although another one is open.
    ///
    /// # Errors
    /// What it waits for.
    pub fn can_request_alongside(&self) -> Result<(), RequestRefusal> {
        let count = self.participants_here().count();
        let needed = self.expect.max(1);
        if self.leaving {
            Err(RequestRefusal::Leaving)
        } else if !self.link_up {
            Err(RequestRefusal::Offline)
        } else if count < needed {
            Err(RequestRefusal::TooFew { missing: needed - count })
        } else if count > MAX_PARTICIPANTS {
            Err(RequestRefusal::TooMany)
        } else {
            Ok(())
        }
    }

    /// The decision held for a transaction, if it is durable here.
    #[must_use]
    pub fn outcome(&self, txn: &TxnId) -> Option<Decision> {
        match self.open.get(txn) {
            Some(Txn { stage: Stage::Decided(verdict), .. }) => Some(verdict.decision),
            Some(Txn { stage: Stage::Waiting | Stage::Deciding { .. }, .. }) => None,
            None => self.outcomes.decision(txn),
        }
    }

    fn participants_here(&self) -> impl Iterator<Item = &UserName> {
        self.room.iter().filter(|(_, role)| **role == Role::Participant).map(|(user, _)| user)
    }

    /// Takes one record of the log into account.
    fn replay(&mut self, record: &CoordinatorRecord) {
        match record {
            CoordinatorRecord::Start { txn, string, participants, timeout } => {
                let entry = Txn {
                    string: string.clone(),
                    participants: participants.clone(),
                    timeout: *timeout,
                    start_logged: true,
                    stage: Stage::Waiting,
                    votes: BTreeMap::new(),
                    acks: BTreeSet::new(),
                    askers: BTreeSet::new(),
                    patience: Patience::default(),
                };
                self.open.insert(txn.clone(), entry);
            }
            CoordinatorRecord::Commit { txn } => self.replay_decision(txn, Verdict::COMMIT),
            CoordinatorRecord::Abort { txn, reason, by } => {
                self.replay_decision(txn, Verdict::abort(*reason, by.clone()));
            }
            CoordinatorRecord::End { txn } => {
                if let Some(Txn { stage: Stage::Decided(verdict), .. }) = self.open.remove(txn) {
                    self.outcomes.insert(txn, verdict.decision);
                }
            }
            CoordinatorRecord::Decided(decided) => {
                self.open.retain(|txn, _| !decided.covers(txn));
                self.outcomes.insert_all(decided);
            }
        }
    }

    fn replay_decision(&mut self, txn: &TxnId, verdict: Verdict) {
        match self.open.get_mut(txn) {
            Some(entry) => entry.stage = Stage::Decided(verdict),
            None => self.outcomes.insert(txn, verdict.decision),
        }
    }

    /// A transaction without END: undecided it is aborted, decided it is said again.
    fn resume(&mut self, txn: &TxnId, out: &mut Out) {
        let Some(entry) = self.open.get_mut(txn) else { return };
        match &entry.stage {
            Stage::Waiting => {
                notify_state(txn, State::Wait, out);
                self.waiting += 1;
                self.decide(txn, Verdict::abort(Reason::Restart, None), out);
            }
            Stage::Decided(verdict) => {
                notify_state(txn, verdict.decision.into(), out);
                let after = entry.patience.next_wait();
                out.push(Effect::SetTimer { timer: Timer::Repeat(txn.clone()), after });
            }
            Stage::Deciding { .. } => {}
        }
    }

    fn on_message(&mut self, from: UserName, role: Role, message: Message, out: &mut Out) {
        let kind = message.kind();
        let txn = message.txn().clone();
        let refused = match message {
            Message::VoteCommit { .. } => self.on_vote(&from, role, &txn, Vote::Commit, out),
            Message::VoteAbort { reason, .. } => self.on_vote(&from, role, &txn, Vote::Abort(Aside(reason)), out),
            Message::Ack { .. } => self.on_ack(&from, role, &txn, out),
            Message::DecisionRequest { participants, .. } => self.on_decision_request(&from, role, &txn, &participants, out),
            Message::VoteRequest { .. } | Message::GlobalCommit { .. } | Message::GlobalAbort { .. } | Message::DecisionReply { .. } => {
                Err(Ignored::NotForThisRole)
            }
        };
        if let Err(why) = refused {
            out.push(Effect::Notify(Notice::Ignored { from, kind, txn, why }));
        }
    }

    /// Somebody in doubt asks. Presumed abort answers for what an earlier life did not finish:
    /// sound, because no GLOBAL_COMMIT leaves before COMMIT is on the disk.
    fn on_decision_request(
        &mut self,
        from: &UserName,
        role: Role,
        txn: &TxnId,
        participants: &BTreeSet<UserName>,
        out: &mut Out,
    ) -> Result<(), Ignored> {
        if *txn.coordinator() != self.me {
            return Err(Ignored::NotConcerned);
        }
        let open = self.open.get_mut(txn);
        let names = open.as_ref().map_or(participants, |entry| &entry.participants);
        if role != Role::Participant || !names.contains(from) {
            return Err(Ignored::NotAParticipant);
        }
        let state = match open {
            Some(Txn { stage: Stage::Waiting, .. }) => PeerState::Wait,
            Some(Txn { stage: Stage::Deciding { .. }, askers, .. }) => {
                askers.insert(from.clone());
                return Ok(());
            }
            Some(Txn { stage: Stage::Decided(verdict), .. }) => verdict.decision.into(),
            None => match (self.outcomes.decision(txn), txn.numbers()) {
                (Some(decision), _) => decision.into(),
                (None, Some((incarnation, _))) if incarnation < self.incarnation => PeerState::Abort,
                (None, Some(_) | None) => return Err(Ignored::Unknown),
            },
        };
        send(from, Message::DecisionReply { txn: txn.clone(), state }, out);
        Ok(())
    }

    fn on_link_up(&mut self, room: BTreeMap<UserName, Role>, out: &mut Out) {
        self.link_up = true;
        self.room = room;
        for txn in self.open.keys().cloned().collect::<Vec<_>>() {
            let missing = self.missing(&txn);
            self.say_again(&txn, &missing, out);
        }
    }

    fn on_peer(&mut self, user: UserName, presence: Presence, out: &mut Out) {
        match presence {
            Presence::Joined(role) => {
                if role == Role::Participant {
                    for txn in self.open.keys().cloned().collect::<Vec<_>>() {
                        if self.missing(&txn).contains(&user) {
                            self.say_again(&txn, core::slice::from_ref(&user), out);
                        }
                    }
                }
                self.room.insert(user, role);
            }
            Presence::Left | Presence::NotHere => {
                self.room.remove(&user);
            }
        }
    }

    fn on_leave(&mut self, out: &mut Out) {
        self.leaving = true;
        let me = self.me.clone();
        for txn in self.open.keys().cloned().collect::<Vec<_>>() {
            if matches!(self.open[&txn].stage, Stage::Waiting) {
                self.decide(&txn, Verdict::abort(Reason::Left, Some(me.clone())), out);
            }
        }
    }

    /// The entry of a transaction that the caller has just seen to be open.
    fn open_mut(&mut self, txn: &TxnId) -> &mut Txn {
        // Invariant: handlers look the transaction up before they call anything that needs it.
        self.open.get_mut(txn).unwrap_or_else(|| unreachable!("{txn} is open"))
    }

    fn persist(&mut self, record: CoordinatorRecord, sync: Sync, out: &mut Out) -> Lsn {
        let lsn = self.next_lsn;
        self.next_lsn += 1;
        out.push(Effect::Persist { lsn, record, sync });
        lsn
    }
}

fn send(to: &UserName, message: Message, out: &mut Out) {
    out.push(Effect::Send { to: to.clone(), message });
}

fn notify_state(txn: &TxnId, state: State, out: &mut Out) {
    out.push(Effect::Notify(Notice::State { txn: txn.clone(), state }));
}
