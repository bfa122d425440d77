//! What a node tells those who watch: each place where something happens, and what is said of it.
//!
//! A trace leaves on the same connection as the messages, so the order on the wire is the order of the
//! events: that of a sending just before its message. Nothing in here steers, waits or fails; what a slow
//! link has no room for is left out. Deliberately absent: the numbers, which are the
//! [`Recorder`](super::recorder::Recorder)'s.

use std::time::Instant;

use twopc_proto::frame::{MAX_BODY, Protocol};
use twopc_proto::machine::Sync;
use twopc_proto::trace::{MOST_PEERS, Origin, Trace, What};
use twopc_proto::{Effect, Input, LogRecord, Message, Notice, State, TxnId, UserName};
use twopc_store::{Job, Outcome};

use super::core::Core;
use super::role::{NodeRole, Scene};
use super::words;
use crate::crash::die;
use crate::event::Event;

/// The doubts that an input may have changed something about.
pub(super) enum Touched {
    None,
    One(TxnId),
    All,
}

impl<R: NodeRole> Core<R> {
    /// Numbers an event, and tells it if anybody hears it: then whatever it sends can say where it comes from.
    pub(super) fn trace(&mut self, what: impl FnOnce() -> What) -> Option<Origin> {
        if self.lost.is_some() {
            self.recorder.on_loss();
        }
        if !self.recorder.is_awake() {
            self.recorder.skip();
            return None;
        }
        let trace = self.recorder.note(Instant::now(), what())?;
        self.push_trace(&trace);
        Some(Origin { life: trace.life, n: trace.n })
    }

    fn push_trace(&mut self, trace: &Trace) {
        let body = trace.body();
        if body.len() > MAX_BODY {
            return;
        }
        let frame = self.link.frames.trace(&body);
        if let Some(connection) = self.link.connection() {
            connection.push_if_room(&frame);
        }
    }

    /// The relay let this node in: what was kept comes first.
    pub(super) fn tell_welcome(&mut self, is_watched: bool, room: &str) {
        self.told_doubts.clear();
        for trace in self.recorder.on_welcome(is_watched) {
            self.push_trace(&trace);
        }
        self.trace(|| What::Online { room: room.into() });
    }

    /// The link is gone.
    pub(super) fn tell_loss(&mut self, was_in: bool) {
        self.recorder.on_loss();
        if was_in {
            self.trace(|| What::Offline);
        }
    }

    /// A message came, as the relay stamped it.
    pub(super) fn tell_received(&mut self, frame: &Protocol, message: &Message) {
        self.trace(|| What::Receive {
            from: frame.from.clone(),
            kind: message.kind(),
            txn: message.txn().clone(),
            seq: frame.seq,
            origin: Origin::read(&frame.body),
            state: match message {
                Message::DecisionReply { state, .. } => Some(*state),
                Message::VoteRequest { .. }
                | Message::VoteCommit { .. }
                | Message::VoteAbort { .. }
                | Message::GlobalCommit { .. }
                | Message::GlobalAbort { .. }
                | Message::Ack { .. }
                | Message::DecisionRequest { .. } => None,
            },
        });
    }

    /// A message is handed to the link, now.
    pub(super) fn tell_sending(&mut self, to: &UserName, message: &Message) -> Option<Origin> {
        self.trace(|| What::Send { to: to.clone(), kind: message.kind(), txn: message.txn().clone() })
    }

    /// A record is handed to the log. A line of the text file is told of when it stands there.
    pub(super) fn tell_job(&mut self, job: &Job<R::Record>) {
        if let Job::Persist { lsn, record, sync } = job {
            self.trace(|| What::Log { lsn: *lsn, record: record.kind(), txn: record.txn().clone(), forced: *sync == Sync::Now });
        }
    }

    /// Something is about to be given to the machine. A message is told by whoever has its frame, a line of
    /// the text file by [`Core::tell_applied`].
    pub(super) fn tell_input(&mut self, input: &Input<R>) {
        match input {
            Input::Command(command) => {
                let (button, txn) = R::pressed(command);
                self.trace(|| What::Press { button: button.into(), txn: txn.cloned() });
            }
            Input::TimerFired(timer) => {
                let (timer, txn) = R::timer(timer);
                self.trace(|| What::Timeout { timer: timer.into(), txn: txn.cloned() });
            }
            Input::Durable(lsn) => _ = self.trace(|| What::Durable { lsn: *lsn }),
            Input::Received { .. } | Input::Applied(_) | Input::Refused(_) | Input::Link(_) | Input::Peer(..) => {}
        }
    }

    /// What an input may change of what is known in doubt, beside what the machine says of it.
    pub(super) fn touched(&self, input: &Input<R>) -> Touched {
        if !self.recorder.is_awake() {
            return Touched::None;
        }
        match input {
            Input::Received { message: Message::DecisionReply { txn, .. }, .. } => Touched::One(txn.clone()),
            Input::Link(_) | Input::Peer(..) => Touched::All,
            Input::Received { .. }
            | Input::Command(_)
            | Input::Durable(_)
            | Input::Applied(_)
            | Input::Refused(_)
            | Input::TimerFired(_) => Touched::None,
        }
    }

    /// The machine has taken an input, and its effects are still to be run.
    pub(super) fn tell_step(&mut self, touched: &Touched, effects: &[Effect<R>]) {
        self.tell_applied(effects);
        match touched {
            Touched::None => {}
            Touched::One(txn) => self.tell_doubt(txn),
            Touched::All => {
                let doubts = self.life.as_ref().map(|life| life.machine.doubts()).unwrap_or_default();
                doubts.iter().for_each(|(txn, _)| self.tell_doubt(txn));
            }
        }
    }

    /// A string stands in the text file. The machine says whose it is among the effects, behind the ACK.
    fn tell_applied(&mut self, effects: &[Effect<R>]) {
        for effect in effects {
            if let Effect::Notify(Notice::Applied { txn, .. }) = effect {
                self.trace(|| What::Applied { txn: txn.clone() });
            }
        }
    }

    /// The machine says something.
    pub(super) fn tell_notice(&mut self, notice: &Notice) {
        match notice {
            Notice::State { txn, state } => {
                self.tell_state(txn, *state);
                if *state == State::Ready {
                    self.tell_doubt(txn);
                }
            }
            Notice::Asked { txn, .. } | Notice::Blocked { txn, .. } => self.tell_doubt(txn),
            Notice::Decided { txn, decision, .. } => {
                if self.told_doubts.remove(txn).is_some() {
                    self.trace(|| What::Settled { txn: txn.clone(), decision: *decision });
                }
            }
            Notice::Done { txn } => _ = self.trace(|| What::Done { txn: txn.clone() }),
            Notice::Alarm { txn, from, said, held } => self.tell_oddity(&words::alarm(txn, from, *said, *held)),
            Notice::NoSpace { .. } | Notice::RequestRefused(_) | Notice::PressIgnored { .. } => {
                if let Some(Event::Notice { message } | Event::RequestRefused { message }) = words::event(notice) {
                    self.tell_oddity(&message);
                }
            }
            // The state says the first, the file the second; what was not obeyed is counted before it is told.
            Notice::VoteRequested { .. } | Notice::Applied { .. } | Notice::Ignored { .. } => {}
        }
    }

    fn tell_state(&mut self, txn: &TxnId, state: State) {
        if !self.recorder.is_awake() {
            return self.recorder.skip();
        }
        let string = self.life.as_ref().and_then(|life| life.machine.string_of(txn)).map(|string| string.as_str().to_owned());
        self.trace(|| What::State { txn: txn.clone(), state: state.as_str().into(), string });
    }

    /// Anything odd that a person is told.
    pub(super) fn tell_oddity(&mut self, sentence: &str) {
        self.trace(|| What::Notice { message: sentence.into() });
    }

    /// What is known of a doubt, if that has changed since it was last told.
    fn tell_doubt(&mut self, txn: &TxnId) {
        let Some(life) = self.life.as_ref().filter(|_| self.recorder.is_awake()) else { return };
        let scene = Scene { me: Some(&life.user), timers: &life.timers, room: &self.room, now: self.now };
        let Some(mut doubt) = life.machine.doubt(&self.board, txn, &scene) else { return };
        doubt.peers.truncate(MOST_PEERS);
        let what = What::Doubt {
            txn: txn.clone(),
            since_us: self.recorder.micros(doubt.since),
            asked_us: doubt.asked_at.map(|asked| self.recorder.micros(asked)),
            blocked: doubt.blocked,
            peers: doubt.peers,
        };
        if self.told_doubts.get(txn) != Some(&what) {
            self.told_doubts.insert(txn.clone(), what.clone());
            self.trace(|| what);
        }
    }

    /// The log's thread has come to the crash point, just after its effect: that the effect has happened is
    /// told, nothing else is done, and the process dies.
    pub(super) async fn die_after(&mut self, outcomes: Vec<Outcome>) -> ! {
        for outcome in outcomes {
            match outcome {
                Outcome::Durable(lsn) => _ = self.trace(|| What::Durable { lsn }),
                Outcome::Applied { lsn } => {
                    // The machine alone knows whose line that is; what it asks for is not done any more.
                    let effects = self.life.as_mut().map(|life| life.machine.step(Input::Applied(lsn))).unwrap_or_default();
                    self.tell_applied(&effects);
                }
                Outcome::Refused(_) | Outcome::Report(_) => {}
            }
        }
        self.flush_whole().await;
        die()
    }
}
