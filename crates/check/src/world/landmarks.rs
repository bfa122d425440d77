//! What a search must have seen, or it has seen less than it should.
//!
//! Each landmark is a bit beside the model: counted in the state, it would make states of its own.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use twopc_proto::{MessageKind, RecordKind, Role, State};

use super::Scope;

/// An effect before and after which a node may crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Point {
    /// A record of this kind goes into the log.
    Log(RecordKind),
    /// The disk syncs what is written.
    Sync,
    /// A message of this kind leaves.
    Send(MessageKind),
    /// A line goes into the text file.
    Apply,
}

/// Something that a search must have seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landmark {
    /// A node of this role crashed before this effect, or left the same behind by crashing elsewhere.
    Before(Role, Point),
    /// The same, right after it.
    After(Role, Point),
    /// A node of this role passed from one state of the book's diagram to another.
    Passage(Role, State, State),
    /// A coordinator wrote END.
    End,
    /// A participant said to be blocked.
    Blocked,
    /// A node refused what contradicts its decision.
    Alarm,
    /// This action of Lamport and Gray's TwoPhase explained something; by its place in their order.
    Abstract(usize),
}

/// How many actions TwoPhase has.
pub(crate) const ABSTRACT_ACTIONS: usize = 7;

const POINTS: [(Role, Point); 18] = [
    (Role::Coordinator, Point::Log(RecordKind::Start)),
    (Role::Coordinator, Point::Log(RecordKind::Commit)),
    (Role::Coordinator, Point::Log(RecordKind::Abort)),
    (Role::Coordinator, Point::Log(RecordKind::End)),
    (Role::Coordinator, Point::Send(MessageKind::VoteRequest)),
    (Role::Coordinator, Point::Send(MessageKind::GlobalCommit)),
    (Role::Coordinator, Point::Send(MessageKind::GlobalAbort)),
    (Role::Coordinator, Point::Send(MessageKind::DecisionReply)),
    (Role::Participant, Point::Log(RecordKind::Ready)),
    (Role::Participant, Point::Log(RecordKind::Commit)),
    (Role::Participant, Point::Log(RecordKind::Abort)),
    (Role::Participant, Point::Log(RecordKind::Applied)),
    (Role::Participant, Point::Send(MessageKind::VoteCommit)),
    (Role::Participant, Point::Send(MessageKind::VoteAbort)),
    (Role::Participant, Point::Send(MessageKind::Ack)),
    (Role::Participant, Point::Send(MessageKind::DecisionRequest)),
    (Role::Participant, Point::Send(MessageKind::DecisionReply)),
    (Role::Participant, Point::Apply),
];

const PASSAGES: [(Role, State, State); 7] = [
    (Role::Coordinator, State::Init, State::Wait),
    (Role::Coordinator, State::Wait, State::Commit),
    (Role::Coordinator, State::Wait, State::Abort),
    (Role::Participant, State::Init, State::Ready),
    (Role::Participant, State::Init, State::Abort),
    (Role::Participant, State::Ready, State::Commit),
    (Role::Participant, State::Ready, State::Abort),
];

impl Landmark {
    /// Every one, in a fixed order.
    pub fn all() -> impl Iterator<Item = Self> {
        let sides = POINTS.into_iter().flat_map(|(role, point)| [Self::Before(role, point), Self::After(role, point)]);
        let passages = PASSAGES.into_iter().map(|(role, from, to)| Self::Passage(role, from, to));
        sides.chain(passages).chain([Self::End, Self::Blocked, Self::Alarm]).chain((0..ABSTRACT_ACTIONS).map(Self::Abstract))
    }

    /// Whether a search of this scope must come by.
    #[must_use]
    pub fn is_due(self, scope: &Scope) -> bool {
        let faults = scope.crashes > 0;
        let alone = scope.participants == 1;
        // In a world where every string is committed in time nobody asks, and nobody aborts.
        let calm = scope.end == Some(super::End::Committed);
        match self {
            Self::Before(role, point) | Self::After(role, point) => {
                let answers = role == Role::Participant && point == Point::Send(MessageKind::DecisionReply);
                let stays_up = role == Role::Participant && scope.end == Some(super::End::Orphaned);
                let asks = matches!(point, Point::Send(MessageKind::DecisionRequest | MessageKind::DecisionReply));
                let never = stays_up || (answers && alone) || (asks && scope.patient);
                faults && !never
            }
            Self::Passage(_, _, State::Abort) => !calm,
            Self::Passage(..) | Self::End => true,
            Self::Blocked => scope.hints && faults && !scope.patient,
            Self::Alarm => scope.contradiction,
            // A vote that is counted, and a decision that is taken and obeyed, are in every world.
            Self::Abstract(_) => !calm,
        }
    }

    fn bit(self) -> u64 {
        Self::all().position(|landmark| landmark == self).map_or(0, |place| 1 << place)
    }
}

/// A set of landmarks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Landmarks(u64);

impl Landmarks {
    pub(crate) fn add(&mut self, landmark: Landmark) {
        self.0 |= landmark.bit();
    }

    pub(crate) fn add_all(&mut self, others: Self) {
        self.0 |= others.0;
    }

    /// Without those that only a crash makes.
    fn without_crashes(self) -> Self {
        Self(self.0 & !((1 << (2 * POINTS.len())) - 1))
    }

    /// Whether it holds none.
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether it holds this one.
    #[must_use]
    pub fn holds(self, landmark: Landmark) -> bool {
        self.0 & landmark.bit() != 0
    }
}

/// What a search has come by so far.
#[derive(Debug, Default)]
pub struct Seen(AtomicU64);

impl Seen {
    /// Adds what somebody came by, in a world that may still see a crash or not.
    pub(crate) fn add(&self, landmarks: Landmarks, crashes_left: u8) {
        let landmarks = if crashes_left > 0 { landmarks } else { landmarks.without_crashes() };
        if landmarks.0 & !self.0.load(Ordering::Relaxed) != 0 {
            self.0.fetch_or(landmarks.0, Ordering::Relaxed);
        }
    }

    /// All of it.
    #[must_use]
    pub fn landmarks(&self) -> Landmarks {
        Landmarks(self.0.load(Ordering::Relaxed))
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(kind) => write!(f, "log:{kind}"),
            Self::Sync => f.write_str("the sync"),
            Self::Send(kind) => write!(f, "send:{kind}"),
            Self::Apply => f.write_str("apply"),
        }
    }
}

impl fmt::Display for Landmark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before(role, point) => write!(f, "a {role} crashes before {point}"),
            Self::After(role, point) => write!(f, "a {role} crashes after {point}"),
            Self::Passage(role, from, to) => write!(f, "a {role} passes from {from} to {to}"),
            Self::End => f.write_str("a coordinator writes END"),
            Self::Blocked => f.write_str("a participant says to be blocked"),
            Self::Alarm => f.write_str("a node refuses what contradicts its decision"),
            Self::Abstract(place) => write!(f, "{} of TwoPhase explains a step", crate::refinement::ACTIONS[*place]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_landmark_has_a_bit_of_its_own() {
        let mut all = Landmarks::default();
        for landmark in Landmark::all() {
            assert!(!all.holds(landmark), "{landmark}");
            all.add(landmark);
            assert!(all.holds(landmark), "{landmark}");
        }
        assert!(Landmark::all().count() <= 64);
    }
}
