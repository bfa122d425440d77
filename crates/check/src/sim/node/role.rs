//! What a simulated node needs to know of its role beside the machine: what people press, and what a
//! window would show.

use std::time::Duration;

use twopc_proto::participant::Participant;
use twopc_proto::story::Tell;
use twopc_proto::{CommittedString, Coordinator, Notice, State, TxnId, coordinator, participant};

use crate::mutants::Twist;
use crate::sim::judge::{Booked, OpenVote};

/// Something that a person presses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Press {
    /// Request, and how often it is pressed again if it is refused.
    Request {
        string: CommittedString,
        timeout: Duration,
        alongside: bool,
        patience: u8,
    },
    Commit(TxnId),
    Abort(TxnId),
    AskStatus(TxnId),
    Quit,
}

/// A machine that a simulated node can run.
pub(crate) trait Inhabitant: Twist<Record: Booked> + Tell + 'static {
    /// What a press asks of the machine; `None` if this role has no such button.
    fn pressed(press: &Press) -> Option<Self::Command>;
    /// The transaction that a timer is about.
    fn txn_of(timer: &Self::Timer) -> Option<&TxnId>;
    /// Whether this timer ends the time for a vote.
    fn ends_vote(timer: &Self::Timer) -> bool;
    /// Whether nothing is on its way to the disk that has something to say.
    fn is_at_rest(&self) -> bool;
    /// The transactions that are not over.
    fn open_votes(&self) -> Vec<OpenVote>;
    /// What the person does about a notice: a vote is wanted on this, or this is in doubt.
    fn wanted(notice: &Notice) -> Option<Wanted>;
}

/// What a notice moves a person to.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    Vote(TxnId),
    Question(TxnId),
}

impl Inhabitant for Coordinator {
    fn pressed(press: &Press) -> Option<coordinator::Command> {
        match press {
            Press::Request { string, timeout, alongside, patience: _ } => {
                Some(coordinator::Command::Request { string: string.clone(), timeout: *timeout, alongside: *alongside })
            }
            Press::Quit => Some(coordinator::Command::Leave),
            Press::Commit(_) | Press::Abort(_) | Press::AskStatus(_) => None,
        }
    }

    fn txn_of(timer: &coordinator::Timer) -> Option<&TxnId> {
        match timer {
            coordinator::Timer::Votes(txn) | coordinator::Timer::Repeat(txn) => Some(txn),
            coordinator::Timer::Space => None,
        }
    }

    fn ends_vote(timer: &coordinator::Timer) -> bool {
        matches!(timer, coordinator::Timer::Votes(_))
    }

    fn is_at_rest(&self) -> bool {
        self.is_quiet()
    }

    fn open_votes(&self) -> Vec<OpenVote> {
        let open = self.ballots();
        open.iter()
            .map(|ballot| OpenVote {
                txn: ballot.txn.clone(),
                state: ballot.state,
                is_blocked: false,
                unacknowledged: ballot.participants.difference(ballot.acknowledged).cloned().collect(),
            })
            .collect()
    }

    fn wanted(_: &Notice) -> Option<Wanted> {
        None
    }
}

impl Inhabitant for Participant {
    fn pressed(press: &Press) -> Option<participant::Command> {
        match press {
            Press::Commit(txn) => Some(participant::Command::Commit(txn.clone())),
            Press::Abort(txn) => Some(participant::Command::Abort(txn.clone())),
            Press::AskStatus(txn) => Some(participant::Command::AskStatus(txn.clone())),
            Press::Quit => Some(participant::Command::Leave),
            Press::Request { .. } => None,
        }
    }

    fn txn_of(timer: &participant::Timer) -> Option<&TxnId> {
        match timer {
            participant::Timer::Deadline(txn)
            | participant::Timer::Grace(txn)
            | participant::Timer::AskAgain(txn)
            | participant::Timer::Answers(txn) => Some(txn),
            participant::Timer::Space => None,
        }
    }

    fn ends_vote(timer: &participant::Timer) -> bool {
        matches!(timer, participant::Timer::Deadline(_))
    }

    fn is_at_rest(&self) -> bool {
        self.is_quiet()
    }

    fn open_votes(&self) -> Vec<OpenVote> {
        let open = self.standings();
        open.iter()
            .map(|standing| OpenVote {
                txn: standing.txn.clone(),
                state: standing.state,
                is_blocked: standing.doubt.is_some_and(|doubt| doubt.blocked),
                unacknowledged: Vec::new(),
            })
            .collect()
    }

    fn wanted(notice: &Notice) -> Option<Wanted> {
        match notice {
            Notice::VoteRequested { txn, .. } => Some(Wanted::Vote(txn.clone())),
            Notice::State { txn, state: State::Ready } => Some(Wanted::Question(txn.clone())),
            Notice::State { .. }
            | Notice::Asked { .. }
            | Notice::Blocked { .. }
            | Notice::Decided { .. }
            | Notice::Applied { .. }
            | Notice::Done { .. }
            | Notice::Alarm { .. }
            | Notice::NoSpace { .. }
            | Notice::RequestRefused(_)
            | Notice::PressIgnored { .. }
            | Notice::Ignored { .. } => None,
        }
    }
}
