//! Cause: an abort needs a No, a timeout, an answer given from INIT, a departure, a crash or a disk's
//! refusal before it, a commit the last vote or the word of somebody who has decided.
//!
//! Source: Bernstein, Hadzilacos, Goodman, *Concurrency Control and Recovery*, 7.3, AC4 (no abort
//! without a failure or a No) and AC2; Tanenbaum and van Steen, 8.5, the figures of both roles.

use twopc_proto::audit::{Log, Violation};
use twopc_proto::story;
use twopc_proto::{
    Coordinator, CoordinatorRecord, Effect, Input, LogRecord, Machine, Message, Participant, ParticipantRecord, PeerState, RecordKind,
    coordinator, participant,
};

use super::Step;

/// A role of which it is known what a decision may follow.
pub trait Cause: Machine {
    /// Its records, as the audit reads them.
    fn log(records: &[Self::Record], incarnation: u64) -> Log<'_>;
    /// Whether an ABORT record may follow this input (`None`: a recovery).
    fn may_abort(input: Option<&Input<Self>>) -> bool;
    /// Whether a COMMIT record may follow this input.
    fn may_commit(input: Option<&Input<Self>>) -> bool;
    /// An input in the protocol's words.
    fn told(input: &Input<Self>) -> String;
}

pub(super) fn decisions_have_a_cause<M: Cause>(step: &Step<'_, M>) -> Result<(), Violation> {
    for effect in step.effects {
        let Effect::Persist { record, .. } = effect else { continue };
        let kind = record.kind();
        let is_caused =
            (kind != RecordKind::Abort || M::may_abort(step.input)) && (kind != RecordKind::Commit || M::may_commit(step.input));
        if !is_caused {
            let cause = step.input.map_or("its recovery".into(), M::told);
            let evidence = format!("{} wrote {kind} of {} after “{cause}”", step.holding.user, record.txn());
            return Err(Violation { property: "cause", evidence });
        }
    }
    Ok(())
}

impl Cause for Coordinator {
    fn told(input: &Input<Self>) -> String {
        story::input(input)
    }

    fn log(records: &[CoordinatorRecord], incarnation: u64) -> Log<'_> {
        Log::Coordinator { records, incarnation }
    }

    fn may_abort(input: Option<&Input<Self>>) -> bool {
        match input {
            None | Some(Input::Command(coordinator::Command::Leave)) => true,
            Some(Input::TimerFired(timer)) => matches!(timer, coordinator::Timer::Votes(_) | coordinator::Timer::Space),
            Some(Input::Received { message, .. }) => matches!(message, Message::VoteAbort { .. }),
            Some(
                Input::Command(coordinator::Command::Request { .. })
                | Input::Durable(_)
                | Input::Applied(_)
                | Input::Refused(_)
                | Input::Link(_)
                | Input::Peer(..),
            ) => false,
        }
    }

    fn may_commit(input: Option<&Input<Self>>) -> bool {
        match input {
            Some(Input::Received { message, .. }) => matches!(message, Message::VoteCommit { .. }),
            Some(Input::TimerFired(timer)) => matches!(timer, coordinator::Timer::Space),
            None
            | Some(Input::Command(_) | Input::Durable(_) | Input::Applied(_) | Input::Refused(_) | Input::Link(_) | Input::Peer(..)) => {
                false
            }
        }
    }
}

impl Cause for Participant {
    fn told(input: &Input<Self>) -> String {
        story::input(input)
    }

    fn log(records: &[ParticipantRecord], _: u64) -> Log<'_> {
        Log::Participant(records)
    }

    fn may_abort(input: Option<&Input<Self>>) -> bool {
        match input {
            Some(Input::Command(command)) => matches!(command, participant::Command::Abort(_) | participant::Command::Leave),
            Some(Input::TimerFired(timer)) => matches!(timer, participant::Timer::Deadline(_) | participant::Timer::Space),
            Some(Input::Received { message, .. }) => match message {
                Message::GlobalAbort { .. } | Message::DecisionRequest { .. } => true,
                Message::DecisionReply { state, .. } => *state == PeerState::Abort,
                // Of somebody who is on the way out.
                Message::VoteRequest { .. } => true,
                Message::VoteCommit { .. } | Message::VoteAbort { .. } | Message::GlobalCommit { .. } | Message::Ack { .. } => false,
            },
            None | Some(Input::Durable(_) | Input::Applied(_) | Input::Refused(_) | Input::Link(_) | Input::Peer(..)) => false,
        }
    }

    fn may_commit(input: Option<&Input<Self>>) -> bool {
        match input {
            Some(Input::Received { message, .. }) => match message {
                Message::GlobalCommit { .. } => true,
                Message::DecisionReply { state, .. } => *state == PeerState::Commit,
                Message::VoteRequest { .. }
                | Message::VoteCommit { .. }
                | Message::VoteAbort { .. }
                | Message::GlobalAbort { .. }
                | Message::Ack { .. }
                | Message::DecisionRequest { .. } => false,
            },
            Some(Input::TimerFired(timer)) => matches!(timer, participant::Timer::Space),
            None
            | Some(Input::Command(_) | Input::Durable(_) | Input::Applied(_) | Input::Refused(_) | Input::Link(_) | Input::Peer(..)) => {
                false
            }
        }
    }
}
