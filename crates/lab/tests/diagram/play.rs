//! A room that is played, and not run: the real machines, a clock that jumps, a relay of a few lines.
//!
//! What comes out is the list of events that a lab would have of it, the same each time. Deliberately
//! absent: files and sockets; what is durable is what a seat remembers over its death.
#![allow(dead_code)] // the benchmark plays less than the tests

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use twopc_lab::run::{Event, Happening, Stage};
use twopc_proto::bench::{Fate, Rule, Then};
use twopc_proto::coordinator::{self, Coordinator};
use twopc_proto::frame::{RelayFrames, Stamp};
use twopc_proto::participant::{self, Participant};
use twopc_proto::trace::{Origin, Trace, What};
use twopc_proto::*;

/// A message takes this long, a disk this, a person this.
const WIRE_US: u64 = 4_000;
const DISK_US: u64 = 6_000;
const PERSON_US: u64 = 150_000;
/// Lives are counted in milliseconds since 1970.
const EPOCH_MS: u64 = 1_764_000_000_000;

/// The room.
pub(crate) struct Room {
    /// What a lab saw of it.
    pub(crate) events: Vec<Event>,
    now_us: u64,
    seq: u64,
    order: u64,
    agenda: BTreeMap<(u64, u64), Due>,
    chair: Seat<Coordinator>,
    others: BTreeMap<UserName, Seat<Participant>>,
    rules: Vec<Rule>,
    kept: BTreeMap<u64, Flight>,
    frames: RelayFrames,
}

enum Due {
    Arrival(Flight),
    Durable { who: UserName, life: u64, lsn: u64 },
    Applied { who: UserName, life: u64, lsn: u64 },
    Press { who: UserName, txn: TxnId, commit: bool },
    Timer { who: UserName, life: u64, set: u64 },
    Go { seq: u64 },
}

#[derive(Clone)]
struct Flight {
    seq: u64,
    from: UserName,
    role: Role,
    to: UserName,
    message: Message,
    origin: Origin,
}

/// What a participant's person does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Votes {
    /// Presses Commit.
    Commit,
    /// Presses Abort.
    Abort,
    /// Presses nothing.
    Never,
}

struct Seat<M: Machine> {
    me: UserName,
    machine: Option<M>,
    log: Vec<M::Record>,
    durable: usize,
    starts: u64,
    life: u64,
    n: u64,
    began_us: u64,
    /// Each timer, and which setting of it counts.
    timers: Vec<(u64, M::Timer)>,
    dies_after: Option<(MessageKind, u32)>,
    votes: Votes,
}

fn user(name: &str) -> UserName {
    UserName::parse(name).unwrap()
}

trait Played: Machine {
    fn timer_words(timer: &Self::Timer) -> (&'static str, Option<TxnId>);
    fn seat<'r>(room: &'r mut Room, who: &UserName) -> Option<&'r mut Seat<Self>>;
}

impl Played for Coordinator {
    fn timer_words(timer: &coordinator::Timer) -> (&'static str, Option<TxnId>) {
        match timer {
            coordinator::Timer::Votes(txn) => ("vote", Some(txn.clone())),
            coordinator::Timer::Repeat(txn) => ("repeat", Some(txn.clone())),
            coordinator::Timer::Space => ("space", None),
        }
    }
    fn seat<'r>(room: &'r mut Room, who: &UserName) -> Option<&'r mut Seat<Self>> {
        (room.chair.me == *who).then_some(&mut room.chair)
    }
}

impl Played for Participant {
    fn timer_words(timer: &participant::Timer) -> (&'static str, Option<TxnId>) {
        match timer {
            participant::Timer::Deadline(txn) => ("vote", Some(txn.clone())),
            participant::Timer::Grace(txn) => ("grace", Some(txn.clone())),
            participant::Timer::AskAgain(txn) => ("ask again", Some(txn.clone())),
            participant::Timer::Answers(txn) => ("answers", Some(txn.clone())),
            participant::Timer::Space => ("space", None),
        }
    }
    fn seat<'r>(room: &'r mut Room, who: &UserName) -> Option<&'r mut Seat<Self>> {
        room.others.get_mut(who)
    }
}

impl<M: Machine> Seat<M> {
    fn new(name: &str) -> Self {
        let me = user(name);
        let (log, timers) = (Vec::new(), Vec::new());
        Self { me, machine: None, log, durable: 0, starts: 0, life: 0, n: 0, began_us: 0, timers, dies_after: None, votes: Votes::Commit }
    }
}

impl Room {
    /// A chair and these participants, all of them here.
    pub(crate) fn new(names: &[&str]) -> Self {
        let mut room = Self {
            events: Vec::new(),
            now_us: 0,
            seq: 0,
            order: 0,
            agenda: BTreeMap::new(),
            chair: Seat::new("chair"),
            others: names.iter().map(|name| (user(name), Seat::new(name))).collect(),
            rules: Vec::new(),
            kept: BTreeMap::new(),
            frames: RelayFrames::new("127.0.0.1:1337"),
        };
        room.see(Happening::Watching { room: "r1".into() });
        for name in names {
            room.start(name);
        }
        room.start("chair");
        room
    }

    pub(crate) fn txn(&self, n: u64) -> TxnId {
        TxnId::numbered(&self.chair.me, self.chair.starts, n)
    }

    pub(crate) fn votes(&mut self, name: &str, votes: Votes) {
        self.others.get_mut(&user(name)).unwrap().votes = votes;
    }

    /// The coordinator dies when it has sent so many of these.
    pub(crate) fn dies_after(&mut self, kind: MessageKind, count: u32) {
        self.chair.dies_after = Some((kind, count));
    }

    pub(crate) fn request(&mut self, string: &str) {
        let (me, string) = (self.chair.me.clone(), CommittedString::parse(string).unwrap());
        self.tell(&me, What::Press { button: "Request".into(), txn: None });
        let command = coordinator::Command::Request { string, timeout: Duration::from_secs(20), alongside: true };
        self.input::<Coordinator>(&me, Input::Command(command));
    }

    /// Lets so much time pass.
    pub(crate) fn pass(&mut self, us: u64) {
        let until = self.now_us + us;
        while let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= until) {
            let ((at, _), due) = entry.remove_entry();
            self.now_us = self.now_us.max(at);
            self.happen(due);
        }
        self.now_us = until;
    }

    pub(crate) fn start(&mut self, name: &str) {
        let who = user(name);
        self.see(Happening::Process {
            program: name.into(),
            stage: Stage::Started { pid: 100 + self.chair.starts as u32, crash_at: None },
        });
        self.now_us += 1_000;
        if who == self.chair.me { self.recover::<Coordinator>(&who) } else { self.recover::<Participant>(&who) }
    }

    pub(crate) fn kill(&mut self, name: &str) {
        let who = user(name);
        let role = self.role(&who);
        if who == self.chair.me {
            Self::die(&mut self.chair);
        } else {
            Self::die(self.others.get_mut(&who).unwrap());
        }
        self.see(Happening::Left { user: who.clone(), role });
        self.see(Happening::Process { program: name.into(), stage: Stage::Ended { killed: true, how: "killed".into() } });
        self.everybody(&who, Presence::Left);
    }

    pub(crate) fn stage(&mut self, name: &str, stage: Stage) {
        self.see(Happening::Process { program: name.into(), stage });
    }

    pub(crate) fn rules(&mut self, rules: Vec<Rule>) {
        self.rules.clone_from(&rules);
        let held = self.kept.keys().copied().collect();
        self.see(Happening::Fate { fate: Fate::Rules { rules, held } });
    }

    pub(crate) fn held(&self) -> Vec<u64> {
        self.kept.keys().copied().collect()
    }

    pub(crate) fn deliver(&mut self, seq: u64) {
        self.happen(Due::Go { seq });
    }

    pub(crate) fn duplicate(&mut self, seq: u64) {
        let copy = self.kept[&seq].clone();
        self.see(Happening::Fate { fate: Fate::Duplicated { seq } });
        self.due(WIRE_US, Due::Arrival(copy));
    }

    pub(crate) fn lose(&mut self, seq: u64) {
        self.kept.remove(&seq).unwrap();
        self.see(Happening::Fate { fate: Fate::Dropped { seq, gone: false } });
    }

    fn die<M: Machine>(seat: &mut Seat<M>) {
        seat.machine = None;
        seat.log.truncate(seat.durable);
        seat.timers.clear();
        seat.dies_after = None;
    }

    fn role(&self, who: &UserName) -> Role {
        if *who == self.chair.me { Role::Coordinator } else { Role::Participant }
    }

    fn see(&mut self, what: Happening) {
        self.events.push(Event { at_us: self.now_us, what });
        self.now_us += 50;
    }

    fn due(&mut self, after: u64, due: Due) {
        self.order += 1;
        self.agenda.insert((self.now_us + after, self.order), due);
    }

    /// A node says what happened to it; its number.
    fn tell(&mut self, who: &UserName, what: What) -> Origin {
        let role = self.role(who);
        let now = self.now_us;
        let count = |life: u64, n: &mut u64, began: u64| {
            *n += 1;
            (life, *n, now - began)
        };
        let (life, n, at_us) = if *who == self.chair.me {
            count(self.chair.life, &mut self.chair.n, self.chair.began_us)
        } else {
            let seat = self.others.get_mut(who).unwrap();
            count(seat.life, &mut seat.n, seat.began_us)
        };
        self.see(Happening::Told { user: who.clone(), role, trace: Trace { life, n, at_us, what } });
        Origin { life, n }
    }

    fn here(&self) -> BTreeMap<UserName, Role> {
        let others = self.others.values().filter(|seat| seat.machine.is_some()).map(|seat| (seat.me.clone(), Role::Participant));
        let chair = self.chair.machine.is_some().then(|| (self.chair.me.clone(), Role::Coordinator));
        others.chain(chair).collect()
    }

    fn recover<M: Played>(&mut self, who: &UserName) {
        let now = self.now_us;
        let seat = M::seat(self, who).unwrap();
        seat.starts += 1;
        (seat.life, seat.n, seat.began_us) = (EPOCH_MS + now / 1_000, 0, now);
        let settings = Settings { grace: Duration::from_secs(2), ..Settings::default() };
        let (machine, effects) = M::recover(&Identity { user: who.clone() }, &settings, seat.starts, &seat.log);
        let records = seat.log.len() as u64;
        seat.machine = Some(machine);
        self.tell(who, What::Start { records });
        self.run::<M>(who, effects);
        let role = self.role(who);
        self.see(Happening::Joined { user: who.clone(), role });
        self.tell(who, What::Online { room: "r1".into() });
        let here = self.here();
        self.input::<M>(who, Input::Link(LinkState::Up(here)));
        self.everybody(who, Presence::Joined(role));
    }

    fn everybody(&mut self, but: &UserName, presence: Presence) {
        for other in self.here().into_keys().filter(|other| other != but).collect::<Vec<_>>() {
            if other == self.chair.me {
                self.input::<Coordinator>(&other, Input::Peer(but.clone(), presence));
            } else {
                self.input::<Participant>(&other, Input::Peer(but.clone(), presence));
            }
        }
    }

    fn input<M: Played>(&mut self, who: &UserName, input: Input<M>) {
        let Some(machine) = M::seat(self, who).and_then(|seat| seat.machine.as_mut()) else { return };
        let effects = machine.step(input);
        self.run::<M>(who, effects);
    }

    fn run<M: Played>(&mut self, who: &UserName, effects: Vec<Effect<M>>) {
        let mut effects = VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            if M::seat(self, who).unwrap().machine.is_none() {
                return;
            }
            match effect {
                Effect::Persist { lsn, record, sync } => {
                    let (kind, txn, forced) = (record.kind(), record.txn().clone(), sync == Sync::Now);
                    let seat = M::seat(self, who).unwrap();
                    seat.log.push(record);
                    let life = seat.life;
                    self.tell(who, What::Log { lsn, record: kind, txn, forced });
                    if forced {
                        self.due(DISK_US, Due::Durable { who: who.clone(), life, lsn });
                    }
                }
                Effect::Apply { lsn, .. } => {
                    let life = M::seat(self, who).unwrap().life;
                    self.due(DISK_US, Due::Applied { who: who.clone(), life, lsn });
                }
                Effect::Send { to, message } => self.send::<M>(who, to, message),
                Effect::SetTimer { timer, after } => {
                    self.order += 1;
                    let set = self.order;
                    let seat = M::seat(self, who).unwrap();
                    let life = seat.life;
                    seat.timers.retain(|(_, known)| *known != timer);
                    seat.timers.push((set, timer));
                    self.due(after.as_micros() as u64, Due::Timer { who: who.clone(), life, set });
                }
                Effect::CancelTimer(timer) => M::seat(self, who).unwrap().timers.retain(|(_, known)| *known != timer),
                Effect::Notify(notice) => self.notice::<M>(who, notice),
            }
        }
    }

    fn send<M: Played>(&mut self, who: &UserName, to: UserName, message: Message) {
        let (kind, txn) = (message.kind(), message.txn().clone());
        let origin = self.tell(who, What::Send { to: to.clone(), kind, txn });
        self.seq += 1;
        let (seq, role) = (self.seq, self.role(who));
        let body = String::from_utf8(message.body()).unwrap();
        let body = format!("{},\"life\":{},\"n\":{}}}", body.strip_suffix('}').unwrap(), origin.life, origin.n);
        let frame = self.frames.protocol(&Stamp { from: who, role, seq }, &to, kind.as_str(), body.as_bytes());
        if self.here().contains_key(&to) {
            self.see(Happening::Frame { frame: String::from_utf8(frame).unwrap() });
            self.route(Flight { seq, from: who.clone(), role, to, message, origin });
        }
        // A relay refuses what goes to nobody, and tells its sender alone.
        let seat = M::seat(self, who).unwrap();
        let mut dies = false;
        if let Some((dreaded, left)) = seat.dies_after.as_mut().filter(|(dreaded, _)| *dreaded == kind) {
            debug_assert_eq!(*dreaded, kind);
            *left -= 1;
            dies = *left == 0;
        }
        if dies {
            self.kill(who.as_str());
        }
    }

    fn route(&mut self, flight: Flight) {
        let path = format!("/2pc/{}", flight.message.kind());
        let matches = |rule: &&Rule| {
            rule.path.as_ref().is_none_or(|wanted| *wanted == path)
                && rule.from.as_ref().is_none_or(|wanted| *wanted == flight.from)
                && rule.to.as_ref().is_none_or(|wanted| *wanted == flight.to)
        };
        let then = self.rules.iter().find(matches).map_or(Then::Pass, |rule| rule.then);
        let seq = flight.seq;
        match then {
            Then::Pass => self.due(WIRE_US, Due::Arrival(flight)),
            Then::Drop => self.see(Happening::Fate { fate: Fate::Dropped { seq, gone: false } }),
            Then::Hold => {
                self.see(Happening::Fate { fate: Fate::Held { seq, ms: None } });
                self.kept.insert(seq, flight);
            }
            Then::Delay { ms } => {
                self.see(Happening::Fate { fate: Fate::Held { seq, ms: Some(ms) } });
                self.kept.insert(seq, flight);
                self.due(ms * 1_000, Due::Go { seq });
            }
        }
    }

    fn notice<M: Played>(&mut self, who: &UserName, notice: Notice) {
        let doubt = |txn: TxnId, blocked: bool, at: u64| What::Doubt { txn, since_us: 0, asked_us: Some(at), blocked, peers: Vec::new() };
        let at = self.now_us;
        match notice {
            Notice::VoteRequested { txn, .. } => {
                let votes = M::seat(self, who).unwrap().votes;
                if votes != Votes::Never {
                    self.due(PERSON_US, Due::Press { who: who.clone(), txn, commit: votes == Votes::Commit });
                }
            }
            Notice::State { txn, state } => drop(self.tell(who, What::State { txn, state: state.to_string(), string: None })),
            Notice::Asked { txn, .. } | Notice::Blocked { txn, .. } => {
                let blocked = self.is_blocked(who, &txn);
                self.tell(who, doubt(txn, blocked, at));
            }
            Notice::Done { txn } => drop(self.tell(who, What::Done { txn })),
            Notice::Applied { .. }
            | Notice::Decided { .. }
            | Notice::Alarm { .. }
            | Notice::NoSpace { .. }
            | Notice::RequestRefused(_)
            | Notice::PressIgnored { .. }
            | Notice::Ignored { .. } => {}
        }
    }

    fn is_blocked(&self, who: &UserName, txn: &TxnId) -> bool {
        let standings = self.others[who].machine.iter().flat_map(Participant::standings);
        standings.filter(|standing| standing.txn == txn).any(|standing| standing.doubt.is_some_and(|doubt| doubt.blocked))
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Arrival(flight) => {
                let to = flight.to.clone();
                if to == self.chair.me { self.arrive::<Coordinator>(&to, flight) } else { self.arrive::<Participant>(&to, flight) }
            }
            Due::Durable { who, life, lsn } => {
                if who == self.chair.me {
                    self.durable::<Coordinator>(&who, life, lsn);
                } else {
                    self.durable::<Participant>(&who, life, lsn);
                }
            }
            Due::Applied { who, life, lsn } => {
                let Some(seat) = Participant::seat(self, &who).filter(|seat| seat.machine.is_some() && seat.life == life) else { return };
                let txn = seat.log[lsn as usize - 1].txn().clone();
                self.tell(&who, What::Applied { txn });
                self.input::<Participant>(&who, Input::Applied(lsn));
            }
            Due::Press { who, txn, commit } => {
                if self.others[&who].machine.is_none() {
                    return;
                }
                let button = if commit { "Commit" } else { "Abort" };
                self.tell(&who, What::Press { button: button.into(), txn: Some(txn.clone()) });
                let command = if commit { participant::Command::Commit(txn) } else { participant::Command::Abort(txn) };
                self.input::<Participant>(&who, Input::Command(command));
            }
            Due::Timer { who, life, set } => {
                if who == self.chair.me {
                    self.timer::<Coordinator>(&who, life, set);
                } else {
                    self.timer::<Participant>(&who, life, set);
                }
            }
            Due::Go { seq } => {
                if let Some(flight) = self.kept.remove(&seq) {
                    self.see(Happening::Fate { fate: Fate::Delivered { seq } });
                    self.due(WIRE_US, Due::Arrival(flight));
                }
            }
        }
    }

    fn arrive<M: Played>(&mut self, to: &UserName, flight: Flight) {
        if M::seat(self, to).is_none_or(|seat| seat.machine.is_none()) {
            return;
        }
        let (kind, txn) = (flight.message.kind(), flight.message.txn().clone());
        let state = match &flight.message {
            Message::DecisionReply { state, .. } => Some(*state),
            _ => None,
        };
        self.tell(to, What::Receive { from: flight.from.clone(), kind, txn, seq: flight.seq, origin: Some(flight.origin), state });
        self.input::<M>(to, Input::Received { from: flight.from, role: flight.role, message: flight.message });
    }

    fn durable<M: Played>(&mut self, who: &UserName, life: u64, lsn: u64) {
        let Some(seat) = M::seat(self, who).filter(|seat| seat.machine.is_some() && seat.life == life) else { return };
        if seat.durable >= lsn as usize {
            return;
        }
        seat.durable = lsn as usize;
        self.tell(who, What::Durable { lsn });
        self.input::<M>(who, Input::Durable(lsn));
    }

    fn timer<M: Played>(&mut self, who: &UserName, life: u64, set: u64) {
        let Some(seat) = M::seat(self, who).filter(|seat| seat.machine.is_some() && seat.life == life) else { return };
        let Some(at) = seat.timers.iter().position(|(known, _)| *known == set) else { return };
        let (_, timer) = seat.timers.remove(at);
        let (words, txn) = M::timer_words(&timer);
        self.tell(who, What::Timeout { timer: words.into(), txn });
        self.input::<M>(who, Input::TimerFired(timer));
    }
}

/// A rule for everything of that type, from and to anybody.
pub(crate) fn rule(kind: Option<MessageKind>, from: Option<&str>, to: Option<&str>, then: Then) -> Rule {
    Rule { path: kind.map(|kind| format!("/2pc/{kind}")), from: from.map(user), to: to.map(user), then }
}

/// A long run with something of everything, of at least so many events.
pub(crate) fn long_run(participants: &[&str], events: usize) -> Vec<Event> {
    let mut room = Room::new(participants);
    let mut round = 0_u64;
    while room.events.len() < events {
        round += 1;
        let name = participants[round as usize % participants.len()];
        room.votes(name, if round.is_multiple_of(5) { Votes::Abort } else { Votes::Commit });
        match round % 7 {
            2 => room.rules(vec![rule(Some(MessageKind::VoteCommit), Some(name), None, Then::Delay { ms: 300 })]),
            4 => room.rules(vec![rule(Some(MessageKind::Ack), None, None, Then::Hold)]),
            _ => room.rules(Vec::new()),
        }
        room.request(&format!("string {round}"));
        room.pass(1_000_000);
        for seq in room.held() {
            room.duplicate(seq);
            room.deliver(seq);
        }
        if round.is_multiple_of(6) {
            room.kill(name);
            room.pass(400_000);
            room.start(name);
        }
        if round.is_multiple_of(11) {
            room.kill("chair");
            room.pass(700_000);
            room.start("chair");
        }
        room.pass(1_500_000);
    }
    room.events
}

/// The names of everybody who is played, in their order.
pub(crate) fn everybody(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).chain([String::from("chair")]).collect()
}
