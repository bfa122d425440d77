//! One run: everything that is on the agenda happens, one thing at a time, and after each the judge is
//! asked. Then faults end, and everybody must come to rest.

use std::time::Duration;

use twopc_proto::audit::Violation;
use twopc_proto::{CommittedString, Coordinator, Message, Participant, PeerState, Role, TxnId, UserName};

use super::clock::{Agenda, Time};
use super::coverage::Coverage;
use super::disk::Call;
use super::faults::Fault;
use super::judge::{Book, Judge, Outlook};
use super::network::{Network, Way, Wire};
use super::node::{Knock, Node, Press, Program};
use super::people::People;
use super::plan::{Plan, Restart};
use super::relay::{Ghost, Relay, Weather};
use super::story::Story;
use crate::chance::Chance;

/// More than this happens in no run that comes to an end.
const MOST_EVENTS: u64 = 400_000;

/// How long after everything is well again the last login, retry and acknowledgement may take.
const SETTLES: Duration = Duration::from_secs(20);

/// How long after everything is well again a decision that was made before may take to be delivered and
/// acknowledged everywhere: the longest wait for the next login, one for the next repetition, and what
/// disks and links take.
const DELIVERED: Duration = Duration::from_secs(14);

/// After this the relay knows who is gone.
const FORGOTTEN: Duration = Duration::from_secs(45);

/// How long the last vote of a run may take, all in all.
const LAST_VOTE: Duration = Duration::from_secs(30);

const COORDINATORS: [&str; 2] = ["chair", "dean"];
const PARTICIPANTS: [&str; 7] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace"];

/// Something that happens.
#[derive(Debug)]
pub(super) enum Event {
    Arrive(Wire, Way),
    Knock(usize, u64, Knock),
    Press(usize, Press),
    /// The relay looks after a connection.
    Beat(Wire),
    /// A message comes that nobody has just sent.
    Ghost(Box<Ghost>),
    Fault(usize),
    Thaw(usize),
    RelayStarts,
}

/// What nodes and relay have in common.
pub(super) struct Env {
    pub(super) now: Time,
    pub(super) agenda: Agenda<Event>,
    pub(super) network: Network,
    pub(super) judge: Judge,
    pub(super) story: Story,
    pub(super) coverage: Coverage,
    pub(super) people: People,
    pub(super) relay_is_up: bool,
}

impl Env {
    /// Adds a line to the story, if somebody reads it.
    pub(super) fn tell(&mut self, line: impl FnOnce() -> String) {
        self.story.tell(self.now, line);
    }
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// The property that does not hold, if any.
    pub violation: Option<Violation>,
    /// What happened, if somebody wanted to read it.
    pub story: String,
    /// What happened, counted.
    pub coverage: Coverage,
    /// How many things happened.
    pub events: u64,
    /// How long it took, in simulated time.
    pub until: Time,
}

/// Runs a plan. `told`: somebody wants to read the story.
#[must_use]
pub fn run(plan: &Plan, told: bool) -> Report {
    Run::new(plan, told).finish()
}

/// What a run leaves of one node.
pub(super) struct Files {
    /// Every call of its disk.
    pub(super) calls: Vec<Call>,
    pub(super) log: Vec<u8>,
}

/// A run under way.
pub(super) struct Run<'a> {
    plan: &'a Plan,
    env: Env,
    relay: Relay,
    nodes: Vec<Box<dyn Program>>,
    chance: Chance,
    events: u64,
    /// Faults are over, and so are requests.
    is_healed: bool,
}

impl<'a> Run<'a> {
    pub(super) fn new(plan: &'a Plan, told: bool) -> Self {
        let names: Vec<(UserName, Role)> = (0..plan.nodes()).map(|who| name_of(plan, who)).collect();
        let nodes = names.iter().enumerate().map(|(who, (name, role))| program(plan, who, name.clone(), *role)).collect();
        let habits = &plan.habits;
        let mut run = Self {
            plan,
            env: Env {
                now: Time::default(),
                agenda: Agenda::new(plan.seed),
                network: Network::new(plan.seed, plan.nodes(), habits.latency, habits.tick),
                judge: Judge::new(names.into_iter().map(|(name, role)| Book::new(name, role)).collect()),
                story: Story::new(told),
                coverage: Coverage::default(),
                people: People::new(plan.seed, habits),
                relay_is_up: true,
            },
            relay: Relay::new(),
            nodes,
            chance: Chance::of(plan.seed, 4),
            events: 0,
            is_healed: false,
        };
        run.fill_agenda();
        run
    }

    fn fill_agenda(&mut self) {
        for who in 0..self.nodes.len() {
            let at = Time::from_millis(self.chance.below(100));
            self.env.agenda.add(at, Event::Knock(who, 0, Knock::Start));
        }
        for request in &self.plan.requests {
            let Ok(string) = CommittedString::parse(&request.string) else { continue };
            let press = Press::Request { string, timeout: self.plan.habits.vote_timeout, alongside: request.alongside, patience: 12 };
            self.env.agenda.add(request.at, Event::Press(request.node, press));
        }
        for (place, planned) in self.plan.faults_in() {
            self.env.agenda.add(planned.at, Event::Fault(place));
        }
    }

    /// Lets everything happen until then, or until a property does not hold.
    pub(super) fn until(&mut self, until: Time) {
        while self.env.judge.violation.is_none() {
            let Some((at, event)) = self.env.agenda.next_by(until) else { break };
            self.env.now = at;
            self.events += 1;
            if self.events > MOST_EVENTS {
                self.env.judge.violated("comes to an end", format!("{MOST_EVENTS} things happened"));
            }
            self.happen(event);
        }
        self.env.now = self.env.now.max(until);
    }

    fn happen(&mut self, event: Event) {
        let env = &mut self.env;
        match event {
            Event::Arrive(wire, way) => {
                if let Some(parcel) = env.network.arrive(wire, way, env.now, &mut env.agenda) {
                    match way {
                        Way::Up => self.relay.arrive(wire, parcel, env),
                        Way::Down => self.nodes[env.network.node(wire)].arrive(wire, parcel, env),
                    }
                }
            }
            Event::Knock(who, life, knock) => self.nodes[who].knock(life, knock, env),
            Event::Press(who, press) => {
                if !self.is_healed {
                    self.nodes[who].press(press, env);
                }
            }
            Event::Beat(wire) => self.relay.beat(wire, env),
            Event::Ghost(ghost) => self.relay.pass_on(*ghost, env),
            Event::Fault(place) => {
                if !self.is_healed {
                    self.suffer(place);
                }
            }
            Event::Thaw(who) => self.nodes[who].thaw(env),
            Event::RelayStarts => {
                env.tell(|| "the relay is started".into());
                self.relay.start(env);
            }
        }
    }

    /// A fault comes.
    fn suffer(&mut self, place: usize) {
        let fault = &self.plan.faults[place].fault;
        let env = &mut self.env;
        env.coverage.note(fault.name());
        env.tell(|| format!("fault {place}: {}", self.plan.faults[place]));
        match fault {
            Fault::Weather { lost, repeated, late, lasts } => {
                self.relay.set_weather(Weather { lost: *lost, repeated: *repeated, late: *late, until: env.now + *lasts });
            }
            Fault::Relay { down } => {
                self.relay.kill(env);
                env.agenda.add(env.now + *down, Event::RelayStarts);
            }
            Fault::Ghosts { count } => self.relay.haunt(*count, env),
            Fault::Stranger { count } => self.stranger(*count),
            Fault::Contradiction { node } => self.contradict(*node),
            Fault::Cut { node, up, down, lasts } => {
                let until = env.now + *lasts;
                if *up {
                    env.network.cut(*node, Way::Up, until);
                }
                if *down {
                    env.network.cut(*node, Way::Down, until);
                }
            }
            Fault::Reset { node } => {
                if let Some(wire) = self.relay.wire_of(&name_of(self.plan, *node).0) {
                    env.network.reset(wire, env.now, &mut env.agenda);
                }
            }
            Fault::Freeze { node, lasts } => {
                env.agenda.add(env.now + *lasts, Event::Thaw(*node));
                self.nodes[*node].suffer(fault, env);
            }
            Fault::Crash { node, .. }
            | Fault::Disk { node, .. }
            | Fault::Edit { node, .. }
            | Fault::Damage { node, .. }
            | Fault::Quit { node, .. } => self.nodes[*node].suffer(fault, env),
        }
    }

    /// A transaction that somebody was asked about, and whom.
    fn any_transaction(&mut self) -> Option<(TxnId, Vec<UserName>)> {
        let known: Vec<_> = self.env.judge.transactions().map(|(txn, names)| (txn.clone(), names.iter().cloned().collect())).collect();
        if known.is_empty() { None } else { Some(known[self.chance.index(known.len())].clone()) }
    }

    /// Somebody who is no part of a transaction, or not in that role, speaks about it.
    fn stranger(&mut self, count: u64) {
        for _ in 0..count {
            let Some((txn, names)) = self.any_transaction() else { return };
            let Ok(from) = UserName::parse("mallory") else { return };
            let role = *self.chance.pick(&[Role::Participant, Role::Coordinator]);
            let to_coordinator = self.chance.percent(40) || names.is_empty();
            let to = if to_coordinator { txn.coordinator().clone() } else { self.chance.pick(&names).clone() };
            let state = *self.chance.pick(&[PeerState::Commit, PeerState::Abort]);
            let message = if to_coordinator {
                self.chance
                    .pick(&[
                        Message::VoteCommit { txn: txn.clone() },
                        Message::Ack { txn: txn.clone() },
                        Message::VoteAbort { txn, reason: None },
                    ])
                    .clone()
            } else {
                let settled = Message::DecisionReply { txn: txn.clone(), state };
                self.chance
                    .pick(&[Message::GlobalCommit { txn: txn.clone() }, Message::GlobalAbort { txn, reason: None, by: None }, settled])
                    .clone()
            };
            self.send_as(from, role, to, &message);
        }
    }

    /// A participant that has decided is told the contrary in its coordinator's name.
    fn contradict(&mut self, node: usize) {
        let book = &self.env.judge.books[node];
        let decided: Vec<_> = book.transactions().filter_map(|txn| Some((txn.clone(), book.decision(txn)?))).collect();
        if book.role != Role::Participant || decided.is_empty() {
            return;
        }
        let to = book.user.clone();
        let (txn, decision) = decided[self.chance.index(decided.len())].clone();
        let from = txn.coordinator().clone();
        let message = match decision {
            twopc_proto::Decision::Commit => Message::GlobalAbort { txn, reason: None, by: None },
            twopc_proto::Decision::Abort => Message::GlobalCommit { txn },
        };
        self.send_as(from, Role::Coordinator, to, &message);
    }

    fn send_as(&mut self, from: UserName, role: Role, to: UserName, message: &Message) {
        self.env.tell(|| format!("in the name of {from} ({role}), to {to}: {}", twopc_proto::story::message(message)));
        let ghost = Ghost { from, role, to, word: message.kind().as_str().into(), body: message.body() };
        self.relay.pass_on(ghost, &mut self.env);
    }

    /// What each node's disk was asked, and its log, when everything is over.
    pub(super) fn files_at_the_end(mut self) -> Vec<Files> {
        self.course();
        self.nodes.iter().map(|node| Files { calls: node.disk().calls(), log: node.log().unwrap_or_default() }).collect()
    }

    fn finish(mut self) -> Report {
        self.course();
        let Self { env, events, .. } = self;
        let Env { now, judge, story, coverage, .. } = env;
        let story = story.into_text();
        Report { violation: judge.violation, story, coverage, events, until: now }
    }

    fn course(&mut self) {
        self.until(self.plan.heals);
        self.heal();
        let patience = self.plan.habits.vote_timeout + self.plan.habits.grace + SETTLES;
        if let Some(absent) = self.plan.absent {
            self.rest(patience, Some(absent));
            self.env.tell(|| "the one who stayed away comes back".into());
            self.nodes[absent].start(&mut self.env);
        }
        self.rest(patience, None);
        if self.plan.is_calm() && self.env.judge.violation.is_none() {
            self.env.judge.on_calm_end();
        }
        self.vote_once_more();
        if self.env.judge.violation.is_none() {
            for node in &self.nodes {
                node.judge_files(&mut self.env);
            }
        }
    }

    /// Life goes on: whatever has happened, the next vote is a commit if all want it.
    fn vote_once_more(&mut self) {
        if self.outlooks(None).iter().any(|outlook| outlook.is_away) {
            // The relay may not know yet that somebody is gone for good.
            self.until(self.env.now + FORGOTTEN);
        }
        let outlooks = self.outlooks(None);
        let Some(chair) = (0..self.plan.coordinators).find(|chair| outlooks[*chair].is_up) else { return };
        let voters: Vec<usize> = (self.plan.coordinators..self.nodes.len()).filter(|who| outlooks[*who].is_up).collect();
        if voters.is_empty() || self.env.judge.violation.is_some() {
            return;
        }
        let Ok(string) = CommittedString::parse("after all.") else { return };
        let known = self.env.judge.transactions().count();
        self.env.people.want_commit();
        let press = Press::Request { string, timeout: LAST_VOTE, alongside: true, patience: 0 };
        self.env.tell(|| "one more vote, and all want it".into());
        self.nodes[chair].press(press, &mut self.env);
        self.until(self.env.now + LAST_VOTE);
        self.env.judge.on_last_vote(known, chair, &voters);
    }

    /// Faults end: links are up, disks are well, everybody is started but the one who stays away.
    fn heal(&mut self) {
        if self.env.judge.violation.is_some() {
            return;
        }
        let env = &mut self.env;
        env.tell(|| "faults end".into());
        self.is_healed = true;
        env.network.heal(env.now, &mut env.agenda);
        self.relay.set_weather(Weather::default());
        self.relay.start(env);
        for (who, node) in self.nodes.iter_mut().enumerate() {
            if self.plan.absent == Some(who) {
                node.heal(Restart::Nobody, env);
                node.stay_away(env);
            } else {
                node.heal(self.plan.restart, env);
                node.start(env);
            }
        }
    }

    /// Waits until everything has had its time, and judges who still waits. `away`: this one is not
    /// started.
    fn rest(&mut self, patience: Duration, away: Option<usize>) {
        let busy = self.nodes.iter().filter_map(|node| node.rests_at()).max().unwrap_or(self.env.now);
        let well = busy.max(self.env.now);
        self.until(well);
        let decided = self.env.judge.decided_by_coordinators();
        self.until(well + DELIVERED);
        if self.env.judge.violation.is_none() {
            let outlooks = self.outlooks(away);
            self.env.judge.on_delivery(&decided, &outlooks);
        }
        self.until(well + patience);
        if self.env.judge.violation.is_none() {
            let outlooks = self.outlooks(away);
            self.env.judge.on_rest(&outlooks);
        }
    }

    fn outlooks(&self, away: Option<usize>) -> Vec<Outlook> {
        let mut outlooks: Vec<Outlook> = self.nodes.iter().map(|node| node.outlook()).collect();
        if let Some(away) = away {
            outlooks[away].is_away = true;
        }
        outlooks
    }
}

/// A node's name and role.
pub(super) fn name_of(plan: &Plan, who: usize) -> (UserName, Role) {
    let (name, role) = match who.checked_sub(plan.coordinators) {
        None => (COORDINATORS[who], Role::Coordinator),
        Some(place) => (PARTICIPANTS[place], Role::Participant),
    };
    (UserName::parse(name).unwrap_or_else(|error| panic!("{name}: {error}")), role)
}

fn program(plan: &Plan, who: usize, name: UserName, role: Role) -> Box<dyn Program> {
    match role {
        Role::Coordinator => Box::new(Node::<Coordinator>::new(plan, who, name)),
        Role::Participant | Role::Observer | Role::Guest => Box::new(Node::<Participant>::new(plan, who, name)),
    }
}
