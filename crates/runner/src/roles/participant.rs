//! A participant at its node: what is pressed, and what is shown of votes, doubts and strings.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use twopc_proto::participant::{Command, Participant, Standing, Timer};
use twopc_proto::{CommittedString, Decision, Notice, Reason, RecordKind, State, TxnId, UserName};

use super::doubts::Doubts;
use crate::node::{AutoVote, NodeConfig, NodeRole, Scene, TextFile, words};
use crate::snapshot::{DoubtView, ParticipantPress, ParticipantView, SettledView, TextFileView, VoteView};

/// The most open votes that are shown: more than anybody looks through.
const MOST_VOTES: usize = 100;

/// The most outcomes that are kept for showing.
const MOST_SETTLED: usize = 10;

/// A text file with more lines than this is shown anew at most once a second.
const LONG_FILE: usize = 10_000;

/// What a participant's window shows and its machine does not keep.
#[derive(Debug, Default)]
pub struct ParticipantBoard {
    doubts: Doubts,
    settled: VecDeque<SettledView>,
    file: TextFileView,
    /// Lines that were committed since the file was last shown.
    fresh: Vec<String>,
    shown: Option<Instant>,
}

impl NodeRole for Participant {
    type Press = ParticipantPress;
    type View = ParticipantView;
    type Board = ParticipantBoard;

    fn board(_: &NodeConfig) -> ParticipantBoard {
        ParticipantBoard::default()
    }

    fn on_opened(&self, board: &mut ParticipantBoard, file: TextFile, _: Instant) {
        board.file = TextFileView { path: file.path, lines: Arc::new(file.lines) };
    }

    fn on_text(board: &mut ParticipantBoard, lines: Vec<String>) {
        board.file.lines = Arc::new(lines);
        board.fresh.clear();
    }

    fn on_notice(&self, board: &mut ParticipantBoard, notice: &Notice, now: Instant) {
        match notice {
            Notice::Decided { txn, decision, string, reason, by } => {
                let promised = board.doubts.contain(txn);
                let why = (*decision == Decision::Abort).then(|| why_aborted(*reason, by.as_ref(), promised));
                if board.settled.len() == MOST_SETTLED {
                    board.settled.pop_front();
                }
                board.settled.push_back(SettledView { txn: txn.clone(), string: string.clone(), decision: *decision, why, at: now });
            }
            Notice::Applied { string, .. } => board.fresh.push(string.as_str().into()),
            Notice::State { .. }
            | Notice::VoteRequested { .. }
            | Notice::Asked { .. }
            | Notice::Blocked { .. }
            | Notice::Done { .. }
            | Notice::Alarm { .. }
            | Notice::NoSpace { .. }
            | Notice::RequestRefused(_)
            | Notice::PressIgnored { .. }
            | Notice::Ignored { .. } => {}
        }
    }

    fn remember(board: &mut ParticipantBoard, notice: &Notice, now: Instant) {
        board.doubts.on_notice(notice, now);
    }

    /// A participant proposes nothing.
    fn on_proposed(_: &mut ParticipantBoard, _: CommittedString) {}

    fn command(_: &ParticipantBoard, press: ParticipantPress) -> Result<Command, String> {
        Ok(match press {
            ParticipantPress::Commit(txn) => Command::Commit(txn),
            ParticipantPress::Abort(txn) => Command::Abort(txn),
            ParticipantPress::AskStatus(txn) => Command::AskStatus(txn),
        })
    }

    fn auto_vote(vote: AutoVote, notice: &Notice) -> Option<Command> {
        let Notice::VoteRequested { txn, .. } = notice else { return None };
        match vote {
            AutoVote::Commit => Some(Command::Commit(txn.clone())),
            AutoVote::Abort => Some(Command::Abort(txn.clone())),
            AutoVote::Silent | AutoVote::Ask => None,
        }
    }

    fn leave() -> Command {
        Command::Leave
    }

    fn is_at_rest(&self) -> bool {
        self.is_quiet()
    }

    fn doubts(&self) -> Vec<(TxnId, CommittedString)> {
        let in_doubt = self.standings().into_iter().filter(|standing| standing.doubt.is_some());
        in_doubt.filter_map(|standing| Some((standing.txn.clone(), standing.string?.clone()))).collect()
    }

    fn doubt(&self, board: &ParticipantBoard, txn: &TxnId, scene: &Scene<'_, Self>) -> Option<DoubtView> {
        let standing = self.standing_of(txn)?;
        standing.doubt.map(|doubt| board.doubts.view(&standing, doubt, scene))
    }

    fn string_of(&self, txn: &TxnId) -> Option<&CommittedString> {
        self.standing_of(txn)?.string
    }

    fn pressed(command: &Command) -> (&'static str, Option<&TxnId>) {
        match command {
            Command::Commit(txn) => ("Commit", Some(txn)),
            Command::Abort(txn) => ("Abort", Some(txn)),
            Command::AskStatus(txn) => ("Ask status", Some(txn)),
            Command::Leave => ("Quit", None),
        }
    }

    fn timer(timer: &Timer) -> (&'static str, Option<&TxnId>) {
        match timer {
            Timer::Deadline(txn) => ("vote", Some(txn)),
            Timer::Grace(txn) => ("grace", Some(txn)),
            Timer::AskAgain(txn) => ("ask again", Some(txn)),
            Timer::Answers(txn) => ("answers", Some(txn)),
            Timer::Space => ("space", None),
        }
    }

    fn view(machine: Option<&Self>, board: &mut ParticipantBoard, scene: &Scene<'_, Self>) -> ParticipantView {
        board.show_fresh_lines(scene.now);
        let standings = machine.map(Self::standings).unwrap_or_default();
        ParticipantView {
            votes: standings.iter().filter_map(|standing| vote_view(standing, board, scene)).take(MOST_VOTES).collect(),
            settled: board.settled.iter().cloned().collect(),
            strings: board.file.clone(),
        }
    }
}

impl ParticipantBoard {
    /// Adds the lines that were committed since. The whole list is copied for that while a window
    /// holds the last one, so a long file waits for its turn.
    fn show_fresh_lines(&mut self, now: Instant) {
        let is_turn =
            self.file.lines.len() < LONG_FILE || self.shown.is_none_or(|shown| now.duration_since(shown) >= Duration::from_secs(1));
        if !self.fresh.is_empty() && is_turn {
            Arc::make_mut(&mut self.file.lines).append(&mut self.fresh);
            self.shown = Some(now);
        }
    }
}

/// One open transaction; `None` for one of which nothing is known but that it is being aborted.
fn vote_view(standing: &Standing<'_>, board: &ParticipantBoard, scene: &Scene<'_, Participant>) -> Option<VoteView> {
    let txn = standing.txn;
    Some(VoteView {
        txn: txn.clone(),
        string: standing.string?.clone(),
        participants: standing.participants.iter().cloned().collect(),
        state: standing.state,
        writing: standing.writing.filter(|_| !standing.no_space).map(writing),
        deadline: scene.timers.at(&Timer::Deadline(txn.clone())).filter(|_| !standing.overdue),
        timeout: standing.timeout,
        can_vote: if standing.may_vote { Ok(()) } else { Err(why_no_vote(standing)) },
        can_ask: if standing.may_ask { Ok(()) } else { Err(why_no_question(standing)) },
        doubt: standing.doubt.map(|doubt| board.doubts.view(standing, doubt, scene)),
        trouble: standing.writing.filter(|_| standing.no_space).map(|record| words::no_space(txn, record)),
    })
}

/// What the disk is at work on.
fn writing(record: RecordKind) -> &'static str {
    match record {
        RecordKind::Ready => "Writing your vote …",
        RecordKind::Commit => "Writing the decision to commit …",
        RecordKind::Abort => "Writing the decision to abort …",
        RecordKind::Applied => "Writing the string to the text file …",
        RecordKind::Start | RecordKind::End | RecordKind::Decided => "Writing …",
    }
}

fn why_no_vote(standing: &Standing<'_>) -> &'static str {
    match (standing.state, standing.writing) {
        (State::Init, Some(RecordKind::Abort)) => "It is being aborted.",
        (State::Init, Some(_)) => "You voted commit; it is being written.",
        (State::Ready, _) => "You voted commit; a promise stands until the decision arrives.",
        (State::Init | State::Wait | State::Commit | State::Abort, _) => "It is decided.",
    }
}

fn why_no_question(standing: &Standing<'_>) -> &'static str {
    match (standing.state, &standing.doubt) {
        (State::Init, _) => "You have not voted.",
        (State::Ready, Some(_)) => "The coordinator is there and the vote's time is not over.",
        (State::Ready | State::Wait | State::Commit | State::Abort, _) => "The decision is known.",
    }
}

/// Why a transaction was aborted. `promised`: this participant was in READY, so somebody else
/// brought it about.
fn why_aborted(reason: Option<Reason>, by: Option<&UserName>, promised: bool) -> String {
    match (reason, by) {
        (Some(Reason::Pressed), Some(by)) => format!("{by} voted abort"),
        (Some(Reason::Pressed), None) if promised => "somebody voted abort".into(),
        (Some(Reason::Pressed), None) => "you voted abort".into(),
        (Some(Reason::Timeout), Some(by)) => format!("{by} did not vote in time"),
        (Some(Reason::Timeout), None) if promised => "somebody did not vote in time".into(),
        (Some(Reason::Timeout), None) => "you did not vote in time".into(),
        (Some(Reason::Asked), _) => "a participant in doubt asked before everybody had voted".into(),
        (Some(Reason::Disk), Some(by)) => format!("the disk of {by} had no space"),
        (Some(Reason::Disk), None) => "the disk had no space".into(),
        (Some(Reason::Restart), _) => "the coordinator was restarted before it had decided".into(),
        (Some(Reason::Left), Some(by)) => format!("{by} left"),
        (Some(Reason::Left), None) => "you left".into(),
        (None, Some(by)) => format!("{by} brought it about"),
        (None, None) => "another participant knew it".into(),
    }
}
