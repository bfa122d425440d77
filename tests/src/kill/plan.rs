//! What happens in a room: who is killed or frozen, when and where, how everybody votes.
//!
//! A room's plan follows from the seed and the room's number alone, so a room can be repeated without
//! the others. What really happens also depends on how fast the machine is: the plan says after how
//! many milliseconds somebody is killed, not what it is doing then. Deliberately absent: processes.

use std::fmt;
use std::time::Duration;

use twopc_proto::{Boundary, MessageKind, RecordKind, Role, When};
use twopc_runner::crash::CrashPoint;

use super::chance::Chance;

/// The cycles of a room that is not the last one.
pub const CYCLES: u64 = 10;

/// How many of them are a death at a named point.
const NAMED: usize = 6;

/// The names of the participants that there may be.
pub(super) const VOTERS: [&str; 4] = ["alice", "bob", "carol", "dave"];

/// A program of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    /// The relay.
    Relay,
    /// The coordinator.
    Chair,
    /// A participant, by its place in the alphabet.
    Voter(usize),
}

/// Everything that is to happen in one room.
#[derive(Clone, Debug)]
pub struct RoomPlan {
    /// The room's number.
    pub number: u64,
    /// How many participants there are.
    pub voters: usize,
    /// How long a vote may take.
    pub vote_timeout: Duration,
    /// How long a participant waits after that before it asks.
    pub grace: Duration,
    /// What happens, in order.
    pub cycles: Vec<Cycle>,
    /// What comes after it.
    pub closing: Closing,
}

/// Somebody is killed or frozen, and brought back.
#[derive(Clone, Debug)]
pub struct Cycle {
    /// Who is hit, and how.
    pub blow: Blow,
    /// What is voted on meanwhile, one after the other; after the last one the first again.
    pub rounds: Vec<Round>,
    /// What the others do before whoever was hit is brought back.
    pub meanwhile: Meanwhile,
    /// The point at which whoever was hit dies once more, should it come to it after its return.
    pub again: Option<CrashPoint>,
}

/// Who is hit, and how.
#[derive(Clone, Debug)]
pub enum Blow {
    /// A program kills itself at a named point.
    Point {
        /// Who.
        victim: Actor,
        /// Where.
        point: CrashPoint,
        /// How it gets there.
        setting: Setting,
    },
    /// Programs are killed from outside, each so long after a vote was requested.
    Kill(Vec<(Actor, Duration)>),
    /// A program is stopped so long after a vote was requested, and goes on so much later.
    Freeze {
        /// Who.
        victim: Actor,
        /// When.
        after: Duration,
        /// For how long.
        lasts: Duration,
    },
}

/// How a program gets to its point.
#[derive(Clone, Debug)]
pub enum Setting {
    /// By votes that nothing else disturbs.
    Votes,
    /// Everybody has voted, and the coordinator falls before the decision, or just after it.
    InDoubt {
        /// It dies at this point; killed from outside without one.
        chair_dies_at: Option<CrashPoint>,
        /// It is not brought back before the others have come as far as they can without it.
        alone: bool,
    },
    /// This participant has promised, dies, and comes back to ask while the vote is still open.
    Returning(usize),
}

/// What the others do while somebody is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meanwhile {
    /// Nothing: it is brought back at once.
    Nothing,
    /// They wait this long.
    Wait(Duration),
    /// They vote on another string, if coordinator and relay are there.
    Vote,
}

/// One string, and how everybody votes on it.
#[derive(Clone, Debug)]
pub struct Round {
    /// The string.
    pub string: String,
    /// A vote for each participant.
    pub votes: Vec<Vote>,
}

/// How a participant votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vote {
    /// Commit, as soon as it is asked.
    Commit,
    /// Abort, as soon as it is asked.
    Abort,
    /// Not at all.
    Silent,
    /// Commit, so much after it was asked: around the timeout.
    Late(Duration),
}

/// The end of a room: several transactions at once, by a coordinator that ends by itself and says
/// with its exit status what came of them.
#[derive(Clone, Debug)]
pub struct Closing {
    /// How many.
    pub count: u64,
    /// How many of them are open at a time.
    pub concurrency: u64,
    /// What is voted on: all of them are one string, or each is another.
    pub string: String,
    /// The votes.
    pub round: Round,
    /// A participant that is killed meanwhile.
    pub victim: Option<(usize, Duration)>,
}

impl RoomPlan {
    /// The plan of this room.
    #[must_use]
    pub fn new(seed: u64, number: u64, cycles: u64) -> Self {
        let mut chance = Chance::new(seed, number);
        let voters = 2 + chance.below(3);
        let vote_timeout = Duration::from_millis(chance.pick(&[200, 300, 450]));
        let grace = Duration::from_millis(chance.pick(&[50, 100, 200]));
        let mut is_named: Vec<bool> = (0..CYCLES as usize).map(|index| index < NAMED).collect();
        chance.shuffle(&mut is_named);
        let mut named = number as usize * NAMED;
        let mut author = Author { number, voters, vote_timeout, grace, chance, line: 0 };
        let mut planned = Vec::new();
        for is_named in is_named {
            planned.push(if is_named {
                named += 1;
                author.named(dealt(seed, named - 1))
            } else {
                author.unnamed()
            });
        }
        planned.truncate(usize::try_from(cycles).unwrap_or(usize::MAX));
        let closing = author.closing();
        Self { number, voters, vote_timeout, grace, cycles: planned, closing }
    }
}

/// The point of the how-manieth named death of the whole trial: all points are dealt like cards, so
/// that none comes up oftener than another.
fn dealt(seed: u64, index: usize) -> (Role, CrashPoint) {
    let mut deck = points();
    let (shuffled, place) = (index / deck.len(), index % deck.len());
    Chance::new(!seed, shuffled as u64).shuffle(&mut deck);
    deck[place]
}

/// Every named point there is, with its role.
#[must_use]
pub fn points() -> Vec<(Role, CrashPoint)> {
    let of = |role| CrashPoint::all(role).into_iter().map(move |point| (role, point));
    of(Role::Participant).chain(of(Role::Coordinator)).collect()
}

/// What a string's votes are to come to.
#[derive(Clone, Copy)]
enum Wanted {
    Commit,
    Abort,
    /// This participant says yes, the others anything.
    Yes(usize),
    /// This participant says no.
    No(usize),
    /// Another one than this says no, the rest yes.
    OneNo(usize),
    Anything,
}

/// Whoever writes a room's plan.
struct Author {
    number: u64,
    voters: usize,
    vote_timeout: Duration,
    grace: Duration,
    chance: Chance,
    line: u64,
}

impl Author {
    fn voter(&mut self) -> usize {
        self.chance.below(self.voters)
    }

    fn node(&mut self) -> Actor {
        if self.chance.percent(40) { Actor::Chair } else { Actor::Voter(self.voter()) }
    }

    /// A death at this point.
    fn named(&mut self, (role, point): (Role, CrashPoint)) -> Cycle {
        let victim = if role == Role::Coordinator { Actor::Chair } else { Actor::Voter(self.voter()) };
        let (setting, wanted) = self.way_to(victim, point.boundary);
        let nth = match (&setting, point.boundary) {
            // So many votes are needed.
            (Setting::Votes, _) => self.chance.pick(&[1, 1, 1, 1, 1, 1, 2, 2, 3]),
            (_, Boundary::Send(MessageKind::DecisionRequest)) => self.chance.pick(&[1, 1, 2]),
            (_, _) => 1,
        };
        let point = CrashPoint { nth, ..point };
        let rounds = (0..nth + 2).map(|_| self.round(wanted)).collect();
        Cycle { blow: Blow::Point { victim, point, setting }, rounds, meanwhile: self.meanwhile(), again: self.again(victim, Some(point)) }
    }

    /// How this program gets to this effect, and by which votes.
    fn way_to(&mut self, victim: Actor, boundary: Boundary) -> (Setting, Wanted) {
        let me = if let Actor::Voter(me) = victim { Some(me) } else { None };
        let wanted = match (boundary, me) {
            (Boundary::Send(MessageKind::DecisionRequest), _) | (Boundary::Send(MessageKind::DecisionReply), Some(_)) => {
                let (chair_dies_at, alone) = (self.how_the_chair_falls(), self.chance.percent(50));
                let somebody_refuses = chair_dies_at.is_none() && self.voters > 2 && self.chance.percent(50);
                let wanted = if somebody_refuses { Wanted::OneNo(me.unwrap_or(0)) } else { Wanted::Commit };
                return (Setting::InDoubt { chair_dies_at, alone }, wanted);
            }
            (Boundary::Send(MessageKind::DecisionReply), None) => {
                let asker = self.voter();
                return (Setting::Returning(asker), Wanted::Yes(asker));
            }
            (Boundary::Apply | Boundary::Log(RecordKind::Commit | RecordKind::Applied), _)
            | (Boundary::Send(MessageKind::GlobalCommit), _) => Wanted::Commit,
            (Boundary::Log(RecordKind::Ready) | Boundary::Send(MessageKind::VoteCommit), Some(me)) => Wanted::Yes(me),
            (Boundary::Send(MessageKind::VoteAbort), Some(me)) => Wanted::No(me),
            (Boundary::Log(RecordKind::Abort), Some(me)) if self.chance.percent(50) => Wanted::No(me),
            (Boundary::Log(RecordKind::Abort) | Boundary::Send(MessageKind::GlobalAbort), _) => Wanted::Abort,
            (Boundary::Send(MessageKind::Ack), _) if self.chance.percent(70) => Wanted::Commit,
            (Boundary::Log(_) | Boundary::Send(_), _) => Wanted::Anything,
        };
        (Setting::Votes, wanted)
    }

    fn how_the_chair_falls(&mut self) -> Option<CrashPoint> {
        let at = |when, boundary| Some(CrashPoint { when, boundary, nth: 1 });
        let choices = [
            None,
            None,
            at(When::Before, Boundary::Log(RecordKind::Commit)),
            at(When::After, Boundary::Log(RecordKind::Commit)),
            at(When::Before, Boundary::Send(MessageKind::GlobalCommit)),
            at(When::After, Boundary::Send(MessageKind::GlobalCommit)),
        ];
        self.chance.pick(&choices)
    }

    /// A blow from outside.
    fn unnamed(&mut self) -> Cycle {
        let blow = match self.chance.below(10) {
            0 | 1 => Blow::Kill(vec![(Actor::Relay, self.moment())]),
            2 | 3 => Blow::Kill(vec![(Actor::Chair, self.moment())]),
            4 | 5 => Blow::Kill(vec![(Actor::Voter(self.voter()), self.moment())]),
            6 => Blow::Freeze { victim: Actor::Chair, after: self.moment(), lasts: self.frost() },
            7 => {
                let victim = self.chance.pick(&[Actor::Relay, Actor::Voter(0), Actor::Voter(self.voters - 1)]);
                Blow::Freeze { victim, after: self.moment(), lasts: self.frost() }
            }
            _ => Blow::Kill(self.two()),
        };
        let again = match &blow {
            Blow::Kill(victims) => self.again(victims[0].0, None),
            Blow::Freeze { .. } | Blow::Point { .. } => None,
        };
        Cycle { blow, rounds: vec![self.round(Wanted::Anything), self.round(Wanted::Anything)], meanwhile: self.meanwhile(), again }
    }

    /// Two different programs, one soon after the other.
    fn two(&mut self) -> Vec<(Actor, Duration)> {
        let first = self.node();
        let mut others: Vec<Actor> = [Actor::Relay, Actor::Chair].into_iter().chain((0..self.voters).map(Actor::Voter)).collect();
        others.retain(|other| *other != first);
        let (second, moment) = (self.chance.pick(&others), self.moment());
        vec![(first, moment), (second, moment + self.chance.time(Duration::from_millis(5)))]
    }

    /// How long after a request something happens: mostly while the vote is under way, sometimes much
    /// later.
    fn moment(&mut self) -> Duration {
        let most = match self.chance.below(10) {
            0..=5 => Duration::from_millis(12),
            6 | 7 => Duration::from_millis(60),
            _ => self.vote_timeout + self.grace + Duration::from_millis(100),
        };
        self.chance.time(most)
    }

    /// Longer than every timeout; now and then long enough for the others to find out that nobody may
    /// decide.
    fn frost(&mut self) -> Duration {
        let more = if self.chance.percent(25) { 1_150 } else { 20 };
        self.vote_timeout + self.grace + Duration::from_millis(more) + self.chance.time(Duration::from_millis(150))
    }

    fn meanwhile(&mut self) -> Meanwhile {
        match self.chance.below(10) {
            0..=4 => Meanwhile::Nothing,
            5 | 6 => Meanwhile::Wait(self.chance.time(Duration::from_millis(80))),
            7 => Meanwhile::Wait(self.vote_timeout + self.grace + self.chance.time(Duration::from_millis(100))),
            _ => Meanwhile::Vote,
        }
    }

    /// Sometimes whoever comes back is to die again, most likely of what its recovery does.
    fn again(&mut self, victim: Actor, died_at: Option<CrashPoint>) -> Option<CrashPoint> {
        use MessageKind::{Ack, DecisionRequest, GlobalAbort, GlobalCommit, VoteCommit};
        use RecordKind::{Abort, Applied, Commit, End, Ready, Start};
        if !self.chance.percent(30) {
            return None;
        }
        let log = Boundary::Log;
        let send = Boundary::Send;
        let likely: &[Boundary] = match (victim, died_at.map(|point| (point.when, point.boundary))) {
            (Actor::Relay, _) => return None,
            (Actor::Voter(_), Some((When::After, Boundary::Log(Commit)) | (_, Boundary::Apply))) => {
                &[Boundary::Apply, log(Applied), send(Ack)]
            }
            (Actor::Voter(_), Some((When::After, Boundary::Log(Ready)) | (_, Boundary::Send(VoteCommit)))) => {
                &[send(VoteCommit), send(DecisionRequest), log(Commit), log(Abort), Boundary::Apply]
            }
            (Actor::Voter(_), _) => {
                &[send(VoteCommit), send(DecisionRequest), log(Commit), log(Abort), Boundary::Apply, log(Applied), send(Ack)]
            }
            (Actor::Chair, Some((When::After, Boundary::Log(Start)) | (_, Boundary::Send(MessageKind::VoteRequest)))) => {
                &[log(Abort), send(GlobalAbort), log(End)]
            }
            (Actor::Chair, Some((When::After, Boundary::Log(Commit)) | (_, Boundary::Send(GlobalCommit)))) => {
                &[send(GlobalCommit), log(End)]
            }
            (Actor::Chair, _) => &[log(Abort), log(End), send(GlobalCommit), send(GlobalAbort)],
        };
        let boundary = self.chance.pick(likely);
        Some(CrashPoint { when: self.chance.pick(&[When::Before, When::After]), boundary, nth: 1 })
    }

    fn round(&mut self, wanted: Wanted) -> Round {
        self.line += 1;
        // The same string again and again is as good a string as any.
        let string =
            if self.chance.percent(25) { String::from("the same again") } else { format!("line {} of room {}", self.line, self.number) };
        let mut votes: Vec<Vote> = (0..self.voters).map(|_| Vote::Commit).collect();
        match wanted {
            Wanted::Commit => {}
            Wanted::Abort => {
                let who = self.voter();
                votes[who] = self.no();
            }
            Wanted::OneNo(me) => {
                let who = (me + 1 + self.chance.below(self.voters - 1)) % self.voters;
                votes[who] = self.no();
            }
            Wanted::No(me) => {
                votes.fill_with(|| self.any());
                votes[me] = self.no();
            }
            Wanted::Yes(me) => {
                votes.fill_with(|| self.any());
                votes[me] = Vote::Commit;
            }
            Wanted::Anything if self.chance.percent(50) => {}
            Wanted::Anything => votes.fill_with(|| self.any()),
        }
        Round { string, votes }
    }

    fn no(&mut self) -> Vote {
        if self.chance.percent(70) { Vote::Abort } else { Vote::Silent }
    }

    fn any(&mut self) -> Vote {
        match self.chance.below(10) {
            0..=6 => Vote::Commit,
            7 => Vote::Abort,
            8 => Vote::Silent,
            _ => Vote::Late((self.vote_timeout + self.chance.time(Duration::from_millis(20))).saturating_sub(Duration::from_millis(10))),
        }
    }

    fn closing(&mut self) -> Closing {
        let count = 1 + self.chance.below(6) as u64;
        let string = if self.chance.percent(25) { "the same again" } else { "closing {n}" };
        let wanted = if self.chance.percent(80) { Wanted::Commit } else { Wanted::Abort };
        let round = self.round(wanted);
        let victim = if self.chance.percent(30) { Some((self.voter(), self.moment())) } else { None };
        Closing { count, concurrency: 1 + self.chance.below(3) as u64, string: String::from(string), round, victim }
    }
}

impl Actor {
    /// The name that it goes by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Chair => "chair",
            Self::Voter(index) => VOTERS[index],
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A number that stands for the plan of the whole trial: the same seed and the same count of cycles
/// give the same number.
#[must_use]
pub fn fingerprint(seed: u64, rooms: &[u64]) -> u64 {
    // FNV-1a.
    rooms.iter().zip(0..).fold(0xcbf2_9ce4_8422_2325, |sum, (cycles, number)| {
        let plan = format!("{:?}", RoomPlan::new(seed, number, *cycles));
        plan.bytes().fold(sum, |sum: u64, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_seed_gives_one_plan_and_another_seed_another() {
        assert_eq!(fingerprint(1, &[10, 10, 10]), fingerprint(1, &[10, 10, 10]));
        assert_ne!(fingerprint(1, &[10, 10, 10]), fingerprint(2, &[10, 10, 10]));
        assert_ne!(fingerprint(1, &[10, 10, 10]), fingerprint(1, &[10, 10, 9]));
    }

    #[test]
    fn a_shorter_room_begins_like_the_whole_one() {
        let (short, whole) = (RoomPlan::new(5, 7, 3), RoomPlan::new(5, 7, CYCLES));
        assert_eq!(short.cycles.len(), 3);
        assert_eq!(format!("{:?}", short.cycles), format!("{:?}", &whole.cycles[..3]));
    }

    #[test]
    fn ten_thousand_cycles_plan_every_point_over_160_times() {
        let mut planned: BTreeMap<String, u32> = BTreeMap::new();
        for number in 0..1_000 {
            for cycle in RoomPlan::new(3, number, CYCLES).cycles {
                if let Blow::Point { victim, point, .. } = cycle.blow {
                    let role = if victim == Actor::Chair { "coordinator" } else { "participant" };
                    *planned.entry(format!("{role} {}", CrashPoint { nth: 1, ..point })).or_default() += 1;
                }
            }
        }
        assert_eq!(planned.len(), points().len());
        assert!(planned.values().all(|count| *count >= 160), "{planned:?}");
    }

    #[test]
    fn every_kind_of_blow_is_planned() {
        let cycles: Vec<Cycle> = (0..100).flat_map(|number| RoomPlan::new(1, number, CYCLES).cycles).collect();
        let count = |wanted: &dyn Fn(&Blow) -> bool| cycles.iter().filter(|cycle| wanted(&cycle.blow)).count();
        assert_eq!(count(&|blow| matches!(blow, Blow::Point { .. })), 100 * NAMED);
        for actor in [Actor::Relay, Actor::Chair, Actor::Voter(1)] {
            assert!(count(&|blow| matches!(blow, Blow::Kill(victims) if victims.len() == 1 && victims[0].0 == actor)) > 5, "{actor}");
            assert!(
                count(&|blow| matches!(blow, Blow::Kill(victims) if victims.len() == 2 && victims.iter().any(|(who, _)| *who == actor)))
                    > 5
            );
            assert!(count(&|blow| matches!(blow, Blow::Freeze { victim, .. } if *victim == actor)) > 1, "{actor}");
        }
        assert!(cycles.iter().filter(|cycle| cycle.again.is_some()).count() > 100);
    }
}
