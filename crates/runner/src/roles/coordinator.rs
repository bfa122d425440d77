//! A coordinator at its node: what is pressed, and what is shown of proposals and votes.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use twopc_proto::coordinator::{Ballot, Command, Coordinator, Timer};
use twopc_proto::{CommittedString, Decision, Notice, Reason, RecordKind, Role, State, TxnId, UserName};

use crate::node::{AutoVote, NodeConfig, NodeRole, Scene, TextFile, words};
use crate::snapshot::{BallotRow, BallotView, CoordinatorPress, CoordinatorView, DoubtView};

/// The most open votes, and the most finished ones, that are shown.
const MOST_BALLOTS: usize = 50;

/// The most transactions that the recovery is told of one by one.
const MOST_RECOVERED: usize = 20;

/// How often a decision was said to somebody who is being retried.
const RETRIED: u8 = 2;

/// What a coordinator's window shows and its machine does not keep.
#[derive(Debug)]
pub struct CoordinatorBoard {
    proposal: Option<CommittedString>,
    vote_timeout: Duration,
    recovered: Vec<String>,
    /// Decided, not acknowledged by everybody: the machine forgets them when they are.
    decided: BTreeMap<TxnId, BallotView>,
    /// Acknowledged by everybody, newest first.
    finished: VecDeque<BallotView>,
}

impl NodeRole for Coordinator {
    type Press = CoordinatorPress;
    type View = CoordinatorView;
    type Board = CoordinatorBoard;

    fn board(config: &NodeConfig) -> CoordinatorBoard {
        CoordinatorBoard {
            proposal: None,
            vote_timeout: config.vote_timeout,
            recovered: Vec::new(),
            decided: BTreeMap::new(),
            finished: VecDeque::new(),
        }
    }

    fn on_opened(&self, board: &mut CoordinatorBoard, _: TextFile, _: Instant) {
        let ballots = self.ballots();
        board.recovered = ballots.iter().take(MOST_RECOVERED).map(recovered).collect();
        if ballots.len() > MOST_RECOVERED {
            board.recovered.push(format!("And {} more.", ballots.len() - MOST_RECOVERED));
        }
        for ballot in ballots {
            board.decided.insert(ballot.txn.clone(), ballot_view(&ballot, &BTreeMap::new(), None));
        }
    }

    /// A coordinator keeps no text file.
    fn on_text(_: &mut CoordinatorBoard, _: Vec<String>) {}

    fn on_notice(&self, board: &mut CoordinatorBoard, notice: &Notice, _: Instant) {
        match notice {
            Notice::Decided { txn, .. } => {
                if let Some(ballot) = self.ballot(txn) {
                    board.decided.insert(txn.clone(), ballot_view(&ballot, &BTreeMap::new(), None));
                }
            }
            Notice::Done { txn } => {
                if let Some(ballot) = board.decided.remove(txn) {
                    board.finish(ballot);
                }
            }
            Notice::State { .. }
            | Notice::VoteRequested { .. }
            | Notice::Asked { .. }
            | Notice::Blocked { .. }
            | Notice::Applied { .. }
            | Notice::Alarm { .. }
            | Notice::NoSpace { .. }
            | Notice::RequestRefused(_)
            | Notice::PressIgnored { .. }
            | Notice::Ignored { .. } => {}
        }
    }

    /// A coordinator is never in doubt.
    fn remember(_: &mut CoordinatorBoard, _: &Notice, _: Instant) {}

    fn on_proposed(board: &mut CoordinatorBoard, string: CommittedString) {
        board.proposal = Some(string);
    }

    fn command(board: &CoordinatorBoard, press: CoordinatorPress) -> Result<Command, String> {
        match press {
            CoordinatorPress::Request { vote_timeout } => match &board.proposal {
                Some(string) => Ok(Command::Request { string: string.clone(), timeout: vote_timeout, alongside: false }),
                None => Err(words::NO_PROPOSAL.into()),
            },
            CoordinatorPress::Open { string, vote_timeout } => Ok(Command::Request { string, timeout: vote_timeout, alongside: true }),
        }
    }

    /// A coordinator is asked for no vote.
    fn auto_vote(_: AutoVote, _: &Notice) -> Option<Command> {
        None
    }

    fn leave() -> Command {
        Command::Leave
    }

    fn is_at_rest(&self) -> bool {
        self.is_quiet()
    }

    /// A coordinator decides, so it is never in doubt.
    fn doubts(&self) -> Vec<(TxnId, CommittedString)> {
        Vec::new()
    }

    fn doubt(&self, _: &CoordinatorBoard, _: &TxnId, _: &Scene<'_, Self>) -> Option<DoubtView> {
        None
    }

    fn string_of(&self, txn: &TxnId) -> Option<&CommittedString> {
        self.ballot(txn).map(|ballot| ballot.string)
    }

    fn pressed(command: &Command) -> (&'static str, Option<&TxnId>) {
        match command {
            Command::Request { .. } => ("Request", None),
            Command::Leave => ("Quit", None),
        }
    }

    fn timer(timer: &Timer) -> (&'static str, Option<&TxnId>) {
        match timer {
            Timer::Votes(txn) => ("vote", Some(txn)),
            Timer::Repeat(txn) => ("repeat", Some(txn)),
            Timer::Space => ("space", None),
        }
    }

    fn view(machine: Option<&Self>, board: &mut CoordinatorBoard, scene: &Scene<'_, Self>) -> CoordinatorView {
        let can_request = match machine {
            None => Err("Log in first.".into()),
            Some(machine) => machine.can_request().map_err(words::request_refused).and_then(|()| match board.proposal {
                Some(_) => Ok(()),
                None => Err(words::NO_PROPOSAL.into()),
            }),
        };
        let open = machine.map(Self::ballots).unwrap_or_default();
        let open = open.iter().rev().take(MOST_BALLOTS).map(|ballot| {
            let deadline = scene.timers.at(&Timer::Votes(ballot.txn.clone()));
            ballot_view(ballot, scene.room, deadline)
        });
        CoordinatorView {
            proposal: board.proposal.clone(),
            can_request,
            vote_timeout: board.vote_timeout,
            ballots: open.chain(board.finished.iter().cloned()).collect(),
            recovered: board.recovered.clone(),
        }
    }
}

impl CoordinatorBoard {
    /// Everybody has acknowledged.
    fn finish(&mut self, mut ballot: BallotView) {
        ballot.done = true;
        ballot.trouble = None;
        for row in &mut ballot.rows {
            row.acknowledged = true;
            row.retrying = false;
        }
        self.finished.push_front(ballot);
        self.finished.truncate(MOST_BALLOTS);
    }
}

fn ballot_view(ballot: &Ballot<'_>, room: &BTreeMap<UserName, Role>, deadline: Option<Instant>) -> BallotView {
    let rows = ballot.participants.iter().map(|user| {
        let acknowledged = ballot.acknowledged.contains(user);
        BallotRow {
            user: user.clone(),
            here: room.get(user) == Some(&Role::Participant),
            vote: ballot.votes.get(user).copied(),
            acknowledged,
            retrying: !acknowledged && ballot.tries >= RETRIED,
        }
    });
    let record = match ballot.decision {
        Some(Decision::Commit) => RecordKind::Commit,
        Some(Decision::Abort) => RecordKind::Abort,
        None => RecordKind::Start,
    };
    BallotView {
        txn: ballot.txn.clone(),
        string: ballot.string.clone(),
        state: ballot.state,
        deadline,
        timeout: ballot.timeout,
        rows: rows.collect(),
        why: (ballot.decision == Some(Decision::Abort)).then(|| why_aborted(ballot.reason, ballot.by)),
        done: false,
        trouble: ballot.no_space.then(|| words::no_space(ballot.txn, record)),
    }
}

/// Why a transaction was aborted, as its coordinator knows it.
fn why_aborted(reason: Option<Reason>, by: Option<&UserName>) -> String {
    match (reason, by) {
        (Some(Reason::Pressed) | None, Some(by)) => format!("{by} voted abort"),
        (Some(Reason::Timeout), Some(by)) => format!("{by} did not vote in time"),
        (Some(Reason::Asked), Some(by)) => format!("{by} was asked by a participant in doubt before it had voted"),
        (Some(Reason::Disk), Some(by)) => format!("the disk of {by} had no space"),
        (Some(Reason::Left), Some(by)) => format!("{by} left"),
        (Some(Reason::Restart), _) => "this program was restarted before it had decided".into(),
        (Some(Reason::Pressed | Reason::Timeout | Reason::Asked | Reason::Disk | Reason::Left) | None, None) => "a vote was missing".into(),
    }
}

/// What a start found unfinished, and what it does about it.
fn recovered(ballot: &Ballot<'_>) -> String {
    let string = words::quoted(ballot.string);
    let whom = words::listed(ballot.participants);
    match ballot.state {
        State::Commit => format!("Recovered: {string} was committed, and not everybody is known to know; telling {whom} again."),
        State::Abort => format!("Recovered: {string} was aborted, and not everybody is known to know; telling {whom} again."),
        State::Init | State::Wait | State::Ready => {
            format!("Recovered: {string} was undecided when this program stopped, so it is aborted; telling {whom}.")
        }
    }
}
