//! One run before it begins: who takes part, what people want, and what goes wrong when. All of it is
//! drawn from the seed.
//!
//! Deliberately absent: what chance decides while the run goes on (latencies, presses, which message
//! is lost), which has streams of its own from the same seed.

use std::fmt;
use std::time::Duration;

use super::clock::Time;
use super::disk::{Call, Edit, Trouble};
use super::faults::{Damage, Fault, Planned, Point};
use crate::chance::Chance;
use crate::mutants::Mutant;
use twopc_proto::{Boundary, Role, When};

/// Everything that is settled before a run begins.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Plan {
    /// Where everything is drawn from.
    pub seed: u64,
    /// A rule that is broken; none in a run of what ships.
    pub mutant: Option<Mutant>,
    /// How many coordinators; they are the first nodes.
    pub coordinators: usize,
    /// How many participants.
    pub participants: usize,
    /// Who asks for a vote, when.
    pub requests: Vec<Request>,
    /// What goes wrong.
    pub faults: Vec<Planned>,
    /// Which of those are left out, by their places.
    pub left_out: Vec<usize>,
    /// How people behave, and the network when it is well.
    pub habits: Habits,
    /// When faults end: everybody is started, every link is up.
    pub heals: Time,
    /// This coordinator is started only long after, so that the others have to help themselves.
    pub absent: Option<usize>,
    /// Who is killed and started then, too.
    pub restart: Restart,
}

/// Somebody presses Request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// When.
    pub at: Time,
    /// Which coordinator's person.
    pub node: usize,
    /// For which string.
    pub string: String,
    /// Although another vote is open.
    pub alongside: bool,
}

/// What holds for a whole run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Habits {
    /// How long a vote may take.
    pub vote_timeout: Duration,
    /// How long a participant in doubt waits after it.
    pub grace: Duration,
    /// What people press.
    pub votes: Votes,
    /// How long people think, at most.
    pub think: Duration,
    /// Everything takes a multiple of this, so that much falls into one moment.
    pub tick: Duration,
    /// The least and the most that a message is under way to or from the relay.
    pub latency: (Duration, Duration),
    /// How long a sync takes, in microseconds.
    pub pace: (u64, u64),
    /// Nodes take one job of their disk at a time, and not all that wait.
    pub singly: bool,
    /// The log is compacted from this many bytes on.
    pub compacts_at: Option<u64>,
    /// Two transactions may commit the same string.
    pub same_strings: bool,
}

/// What people press when they are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Votes {
    /// Of a hundred presses so many are Commit, so many Abort; the rest is silence. Some press twice,
    /// some at the last moment.
    Drawn {
        /// Commit.
        commits: u64,
        /// Abort.
        aborts: u64,
    },
    /// Everybody presses Commit at once.
    AllCommit,
    /// Everybody does, but for this node's person, who presses Abort.
    OneRefuses(usize),
}

/// Who is killed and started when faults end, though it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Restart {
    /// Nobody.
    Nobody,
    /// Everybody, some of them with their power cut.
    Mixed,
    /// Everybody, and the system goes on.
    Killed,
    /// Everybody, with a power cut.
    PowerCut,
}

/// A smaller version of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Narrowing {
    /// So many participants.
    pub participants: Option<usize>,
    /// So many transactions.
    pub transactions: Option<usize>,
    /// These faults alone, by their places in the whole plan.
    pub only: Option<Vec<usize>>,
}

const SECOND: u64 = 1000;

impl Plan {
    /// The plan of a seed.
    #[must_use]
    pub fn of(seed: u64, mutant: Option<Mutant>) -> Self {
        let mut chance = Chance::of(seed, 0);
        let nodes = chance.between(2, 8) as usize;
        let coordinators = if nodes > 3 && chance.percent(15) { 2 } else { 1 };
        let transactions = if chance.percent(70) { chance.between(1, 5) } else { chance.between(6, 20) };
        let habits = Habits::draw(&mut chance);
        let requests = requests(&mut chance, coordinators, transactions, &habits);
        let last = requests.iter().map(|request| request.at).max().unwrap_or_default();
        let is_calm = chance.percent(6);
        let span = last + habits.vote_timeout + Duration::from_millis(chance.below(8 * SECOND));
        let faults = if is_calm { Vec::new() } else { draw_faults(&mut chance, coordinators, nodes, span, &habits) };
        let hung = faults.iter().filter(|planned| is_hang(&planned.fault)).map(|planned| planned.at + Duration::from_secs(61)).max();
        Self {
            seed,
            mutant,
            coordinators,
            participants: nodes - coordinators,
            requests,
            faults,
            left_out: Vec::new(),
            habits,
            heals: span.max(hung.unwrap_or_default()),
            absent: (!is_calm && chance.percent(25)).then(|| chance.index(coordinators)),
            restart: if !is_calm && chance.percent(40) { Restart::Mixed } else { Restart::Nobody },
        }
    }

    /// Three nodes and one transaction, with these faults.
    #[must_use]
    pub fn of_three(votes: Votes, faults: Vec<Fault>, restart: Restart) -> Self {
        let habits = Habits {
            vote_timeout: Duration::from_secs(3),
            grace: Duration::from_secs(1),
            votes,
            think: Duration::ZERO,
            tick: Duration::from_micros(1),
            latency: (Duration::from_micros(50), Duration::from_micros(500)),
            pace: (100, 1_000),
            singly: false,
            compacts_at: None,
            same_strings: false,
        };
        let hangs = faults.iter().any(is_hang);
        Self {
            seed: 3,
            mutant: None,
            coordinators: 1,
            participants: 2,
            requests: vec![Request { at: Time::from_millis(400), node: 0, string: "Hello".into(), alongside: false }],
            faults: faults.into_iter().map(|fault| Planned { at: Time::default(), fault }).collect(),
            left_out: Vec::new(),
            habits,
            heals: Time::from_millis(if hangs { 75_000 } else { 12_000 }),
            absent: None,
            restart,
        }
    }

    /// This plan with less in it.
    #[must_use]
    pub fn narrowed(&self, narrowing: &Narrowing) -> Self {
        let mut plan = self.clone();
        if let Some(participants) = narrowing.participants {
            plan.participants = participants.clamp(1, plan.participants);
        }
        if let Some(transactions) = narrowing.transactions {
            plan.requests.truncate(transactions.max(1));
        }
        let nodes = plan.coordinators + plan.participants;
        let is_left_out = |place: usize, planned: &Planned| {
            narrowing.only.as_ref().is_some_and(|only| !only.contains(&place)) || planned.fault.node().is_some_and(|node| node >= nodes)
        };
        plan.left_out =
            plan.faults.iter().enumerate().filter(|(place, planned)| is_left_out(*place, planned)).map(|(place, _)| place).collect();
        plan
    }

    /// The faults that are not left out, with their places.
    pub fn faults_in(&self) -> impl Iterator<Item = (usize, &Planned)> {
        self.faults.iter().enumerate().filter(|(place, _)| !self.left_out.contains(place))
    }

    /// How many nodes there are.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.coordinators + self.participants
    }

    /// Whether nothing goes wrong.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        self.faults_in().next().is_none()
    }
}

impl Habits {
    fn draw(chance: &mut Chance) -> Self {
        let tick = *chance.pick(&[1, 1, 1, 100_000]);
        let slow = chance.percent(15);
        let sync = *chance.pick(&[(100, 2_000), (500, 10_000), (10, 50), (20_000, 400_000)]);
        Self {
            vote_timeout: Duration::from_millis(*chance.pick(&[300, 1_000, 3_000, 8_000, 20_000])),
            grace: Duration::from_millis(*chance.pick(&[200, 1_000, 5_000])),
            votes: Votes::Drawn { commits: *chance.pick(&[100, 100, 95, 85, 60]), aborts: *chance.pick(&[0, 2, 5]) },
            think: Duration::from_millis(*chance.pick(&[0, 50, 400, 2_500])),
            tick: Duration::from_micros(tick),
            latency: if slow {
                (Duration::from_millis(5), Duration::from_millis(600))
            } else {
                (Duration::from_micros(50), Duration::from_millis(4))
            },
            pace: sync,
            singly: chance.percent(10),
            compacts_at: chance.percent(30).then(|| chance.between(200, 3_000)),
            same_strings: chance.percent(20),
        }
    }
}

fn requests(chance: &mut Chance, coordinators: usize, transactions: u64, habits: &Habits) -> Vec<Request> {
    let gap = *chance.pick(&[5, 100, 700, 2_000]);
    let alongside = *chance.pick(&[0, 30, 100]);
    let mut at = 300;
    let mut requests = Vec::new();
    for n in 1..=transactions {
        at += chance.below(gap);
        let string = if habits.same_strings { format!("string {}", n % 2) } else { format!("string {n}") };
        let at = Time::from_millis(at);
        requests.push(Request { at, node: chance.index(coordinators), string, alongside: chance.percent(alongside) });
    }
    requests
}

fn is_hang(fault: &Fault) -> bool {
    matches!(fault, Fault::Disk { trouble: Trouble::Hangs(_), .. })
}

/// Draws the faults of one run: a few kinds of them, in the time between the first request and the
/// end of the last.
fn draw_faults(chance: &mut Chance, coordinators: usize, nodes: usize, span: Time, habits: &Habits) -> Vec<Planned> {
    let count = chance.between(1, 8);
    let gentle = chance.percent(70);
    let mut faults: Vec<Planned> = (0..count)
        .map(|_| {
            let at = Time::from_millis(200 + chance.below(span.0 / 1000));
            let fault = draw_fault(chance, coordinators, nodes, habits, gentle);
            // Some disks are bad before anybody starts.
            let is_early = matches!(fault, Fault::Disk { .. }) && chance.percent(15);
            Planned { at: if is_early { Time::default() } else { at }, fault }
        })
        .collect();
    faults.sort_by_key(|planned| planned.at);
    faults
}

fn draw_fault(chance: &mut Chance, coordinators: usize, nodes: usize, habits: &Habits, gentle: bool) -> Fault {
    let node = chance.index(nodes);
    let participant = coordinators + chance.index(nodes - coordinators);
    let seconds = |chance: &mut Chance, most: u64| Duration::from_millis(chance.between(50, most * SECOND));
    match chance.below(100) {
        0..36 => {
            let point = match chance.below(10) {
                0..2 => Point::Now,
                2..8 => Point::Effect(when(chance), boundary(chance, node < coordinators)),
                _ => Point::Call(chance.below(30), when(chance)),
            };
            let down = seconds(chance, 12);
            Fault::Crash { node, point, power: chance.percent(50), down, again: chance.percent(30).then(|| chance.below(30)) }
        }
        36..50 => draw_disk_fault(chance, node),
        50..58 => Fault::Weather { lost: chance.below(40), repeated: chance.below(40), late: chance.below(50), lasts: seconds(chance, 20) },
        58..66 => {
            let (up, down) = *chance.pick(&[(true, true), (true, false), (false, true)]);
            Fault::Cut { node, up, down, lasts: seconds(chance, 45) }
        }
        66..71 => Fault::Reset { node },
        71..75 => Fault::Relay { down: seconds(chance, 8) },
        75..80 => Fault::Freeze { node, lasts: seconds(chance, 40) },
        80..84 => Fault::Ghosts { count: chance.between(1, 20) },
        84..88 => Fault::Stranger { count: chance.between(1, 10) },
        88..91 => Fault::Contradiction { node },
        91..93 => Fault::Quit { node, down: seconds(chance, 6) },
        93..97 if habits.same_strings => Fault::Reset { node },
        93..97 => Fault::Edit { node: participant, edit: draw_edit(chance) },
        _ if gentle => Fault::Freeze { node, lasts: seconds(chance, 3) },
        _ => {
            let which = chance.number();
            let how =
                *chance.pick(&[Damage::FlipLog(which), Damage::CutLog(which), Damage::LoseLog, Damage::FlipKey(which), Damage::LoseFolder]);
            Fault::Damage { node, how }
        }
    }
}

fn draw_disk_fault(chance: &mut Chance, node: usize) -> Fault {
    let skip = chance.below(25);
    let writes = Some(Call::Append);
    let any = if chance.percent(50) { None } else { Some(*chance.pick(&Call::ALL)) };
    let (call, trouble, for_good) = match chance.below(9) {
        0 => (if chance.percent(30) { None } else { writes }, Trouble::NoSpace, true),
        1 => (writes, Trouble::ShortNoSpace, false),
        2 => (writes, Trouble::Quota, chance.percent(50)),
        3 => (any, Trouble::Broken, chance.percent(20)),
        4 => (Some(Call::Sync), Trouble::Broken, chance.percent(30)),
        5 => (any, Trouble::ReadOnly, chance.percent(50)),
        6 => (any, Trouble::TooManyOpen, chance.percent(30)),
        7 => (writes, Trouble::ShortBroken, false),
        _ => (Some(*chance.pick(&[Call::Sync, Call::Append])), Trouble::Hangs(Duration::from_secs(60)), false),
    };
    Fault::Disk { node, call, skip, trouble, for_good }
}

fn draw_edit(chance: &mut Chance) -> Edit {
    let n = chance.below(60_000) as u16;
    *chance.pick(&[
        Edit::AddLine(n),
        Edit::AddOpenLine(n),
        Edit::InsertFirst(n),
        Edit::RemoveFirst,
        Edit::OtherLineEnds,
        Edit::Replace,
        Edit::Delete,
    ])
}

fn when(chance: &mut Chance) -> When {
    if chance.percent(50) { When::Before } else { When::After }
}

/// An effect that a node of that role has.
fn boundary(chance: &mut Chance, is_coordinator: bool) -> Boundary {
    let all = Boundary::of(role(is_coordinator));
    all[chance.index(all.len())]
}

/// Which role that is.
pub(super) fn role(is_coordinator: bool) -> Role {
    if is_coordinator { Role::Coordinator } else { Role::Participant }
}

impl Fault {
    /// Whose fault it is, if it is one node's.
    #[must_use]
    pub fn node(&self) -> Option<usize> {
        match self {
            Self::Crash { node, .. }
            | Self::Disk { node, .. }
            | Self::Edit { node, .. }
            | Self::Damage { node, .. }
            | Self::Freeze { node, .. }
            | Self::Cut { node, .. }
            | Self::Reset { node }
            | Self::Contradiction { node }
            | Self::Quit { node, .. } => Some(*node),
            Self::Weather { .. } | Self::Relay { .. } | Self::Ghosts { .. } | Self::Stranger { .. } => None,
        }
    }
}

/// The command that runs it again.
impl Plan {
    /// `twopc-check sim --seed 17 --only 2,5`.
    #[must_use]
    pub fn command(&self) -> String {
        let whole = Self::of(self.seed, self.mutant);
        let mut command = format!("twopc-check sim --seed {}", self.seed);
        if let Some(mutant) = self.mutant {
            command += &format!(" --mutant {mutant}");
        }
        if self.participants != whole.participants {
            command += &format!(" --participants {}", self.participants);
        }
        if self.requests.len() != whole.requests.len() {
            command += &format!(" --transactions {}", self.requests.len());
        }
        if !self.left_out.is_empty() {
            let only: Vec<String> = self.faults_in().map(|(place, _)| place.to_string()).collect();
            command += &format!(" --only {}", if only.is_empty() { "none".into() } else { only.join(",") });
        }
        command
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { coordinators, participants, requests, habits, heals, .. } = self;
        writeln!(f, "{coordinators} coordinators, {participants} participants, {} transactions; {habits:?}", requests.len())?;
        for (place, planned) in self.faults_in() {
            writeln!(f, "  fault {place}: {planned}")?;
        }
        let absent = self.absent.map_or(String::new(), |node| format!("; node {node} stays away for longer"));
        writeln!(f, "  faults end at {heals}, then started again: {:?}{absent}", self.restart)
    }
}
