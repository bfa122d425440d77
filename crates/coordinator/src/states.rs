//! Every state that a coordinator's window has, as the snapshots that would be published in it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use twopc_proto::{CommittedString, Decision, Reason, Role, State, TxnId, UserName};
use twopc_runner::snapshot::{BallotRow, BallotView, CoordinatorView, Line, LineKind, Link, Person, Snapshot};

pub(crate) type Shot = Snapshot<CoordinatorView>;

pub(crate) fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

pub(crate) fn string(text: &str) -> CommittedString {
    CommittedString::parse(text).unwrap()
}

pub(crate) fn chat(number: u64, from: &str, text: &str) -> Line {
    let proposal = twopc_proto::text::proposal(text).map(String::from);
    let kind = LineKind::Chat { from: from.into(), text: text.into(), seq: Some(number), unsent: false, proposal, history: false };
    Line { number, kind }
}

/// Nobody has pressed Login yet.
pub(crate) fn before_login() -> Shot {
    Snapshot {
        user: None,
        relay: "127.0.0.1:1337".into(),
        link: Link::Offline,
        refusal: None,
        room: Vec::new(),
        messages: Arc::default(),
        warnings: Vec::new(),
        stopped: None,
        data_dir: PathBuf::from("data"),
        role: CoordinatorView {
            proposal: None,
            can_request: Err("Log in first.".into()),
            vote_timeout: Duration::from_secs(20),
            ballots: Vec::new(),
            recovered: Vec::new(),
        },
    }
}

pub(crate) fn asking() -> Shot {
    let question = "Enter your user name: 1 to 32 letters, digits, '-' or '_'.".into();
    Snapshot { link: Link::Asking { question }, ..before_login() }
}

/// Logged in as chair; nothing proposed.
pub(crate) fn idle() -> Shot {
    let person = |user: &str, role| Person { user: name(user), role };
    let mut shot = Snapshot {
        user: Some(name("chair")),
        link: Link::Connected,
        room: vec![
            person("alice", Role::Participant),
            person("bob", Role::Participant),
            person("carol", Role::Participant),
            person("chair", Role::Coordinator),
        ],
        messages: Arc::new(vec![Line { number: 1, kind: LineKind::Room("Client (carol) connected".into()) }, chat(2, "bob", "0:00:03:hi")]),
        ..before_login()
    };
    shot.role.can_request = Err("Send a line that begins with string: first.".into());
    shot
}

/// A string was proposed, and everybody is there.
pub(crate) fn proposed() -> Shot {
    let mut shot = idle();
    let mut lines = (*shot.messages).clone();
    lines.push(chat(3, "chair", "0:00:17:string: Hello"));
    shot.messages = Arc::new(lines);
    shot.role.proposal = Some(string("Hello"));
    shot.role.can_request = Ok(());
    shot
}

/// A string was proposed, and nobody is there to vote.
pub(crate) fn alone() -> Shot {
    let mut shot = proposed();
    shot.room.retain(|person| person.role == Role::Coordinator);
    shot.role.can_request = Err("Waiting for 1 more participant.".into());
    shot
}

pub(crate) fn row(user: &str, vote: Option<Decision>) -> BallotRow {
    BallotRow { user: name(user), here: true, vote: vote.map(|decision| (decision, None)), acknowledged: false, retrying: false }
}

pub(crate) fn ballot(n: u64, text: &str, state: State, rows: Vec<BallotRow>) -> BallotView {
    BallotView {
        txn: TxnId::numbered(&name("chair"), 2, n),
        string: string(text),
        state,
        deadline: None,
        timeout: Duration::from_secs(20),
        rows,
        why: None,
        done: false,
        trouble: None,
    }
}

pub(crate) fn earlier() -> Vec<BallotView> {
    let acknowledged = |user: &str| BallotRow { acknowledged: true, ..row(user, Some(Decision::Commit)) };
    let everybody = ["alice", "bob", "carol"].map(acknowledged).to_vec();
    let mut hi = ballot(7, "Hi", State::Commit, everybody.clone());
    hi.done = true;
    let mut oops = ballot(6, "Oops", State::Abort, everybody);
    oops.why = Some("carol voted abort".into());
    oops.rows[1] = BallotRow { here: false, acknowledged: false, retrying: true, ..row("bob", None) };
    vec![hi, oops]
}

/// A vote is open: alice has voted.
pub(crate) fn waiting(now: Instant) -> Shot {
    let mut shot = proposed();
    let rows = vec![row("alice", Some(Decision::Commit)), row("bob", None), row("carol", None)];
    let mut open = ballot(8, "Hello", State::Wait, rows);
    open.deadline = Some(now + Duration::from_secs(14));
    shot.role.ballots = vec![open];
    shot.role.ballots.extend(earlier());
    shot.role.can_request = Err("A vote is open.".into());
    shot
}

pub(crate) fn committed() -> Shot {
    let mut shot = proposed();
    let mut rows = ["alice", "bob", "carol"].map(|user| row(user, Some(Decision::Commit))).to_vec();
    rows[0].acknowledged = true;
    rows[2].acknowledged = true;
    shot.role.ballots = vec![ballot(8, "Hello", State::Commit, rows)];
    shot.role.ballots.extend(earlier());
    shot
}

pub(crate) fn aborted() -> Shot {
    let mut shot = proposed();
    let mut rows = vec![row("alice", Some(Decision::Commit)), row("bob", None), row("carol", None)];
    rows[0].acknowledged = true;
    rows[1] = BallotRow { here: false, retrying: true, ..row("bob", None) };
    rows[2] = BallotRow { acknowledged: true, vote: Some((Decision::Abort, Some(Reason::Pressed))), ..row("carol", None) };
    let mut vote = ballot(8, "Hello", State::Abort, rows);
    vote.why = Some("carol voted abort".into());
    shot.role.ballots = vec![vote];
    shot.role.ballots.extend(earlier());
    shot
}

pub(crate) fn recovered() -> Shot {
    let mut shot = aborted();
    shot.role.recovered =
        vec!["Recovered: “Hello” was undecided when this program stopped, so it is aborted; telling alice, bob, carol.".into()];
    shot.role.ballots[0].why = Some("chair was started again".into());
    shot.role.proposal = None;
    shot.role.can_request = Err("Send a line that begins with string: first.".into());
    shot
}

pub(crate) fn disk_full(now: Instant) -> Shot {
    let mut shot = waiting(now);
    shot.role.ballots[0].deadline = None;
    shot.role.ballots[0].trouble = Some("The disk is full: the decision cannot be written. Nobody is told anything until it is.".into());
    shot
}

pub(crate) fn relay_lost(now: Instant) -> Shot {
    let mut shot = waiting(now);
    shot.link = Link::Reconnecting {
        at: now + Duration::from_millis(1_900),
        why: "no relay answers at 127.0.0.1:1337 (nothing listens there)".into(),
    };
    shot
}

/// Everything that others write, written by somebody hostile.
pub(crate) fn hostile(now: Instant) -> Shot {
    let evil = "\u{202e}evil\u{202c} zero\u{200b}width \u{feff}".to_owned() + &"long ".repeat(700);
    let stacked = "Z".to_owned() + &"\u{301}".repeat(1_000) + "algo";
    let mut shot = waiting(now);
    shot.role.proposal = Some(string(&evil));
    shot.role.ballots[0].string = string(&evil);
    shot.role.ballots[1].string = string(&stacked);
    shot.refusal = Some(evil.clone());
    shot.warnings = vec![stacked.clone()];
    let lines = [evil, stacked, "x".repeat(1_000_000), "a\u{1b}[2J\n\u{2028}b".into()];
    shot.messages = Arc::new(lines.iter().zip(1..).map(|(line, number)| chat(number, "mallory (guest)", line)).collect());
    shot
}
