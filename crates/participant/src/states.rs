//! Every state that a participant's window has, as the snapshots that would be published in it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use twopc_proto::trace::Peer;
use twopc_proto::{CommittedString, Decision, PeerState, Role, State, TxnId, UserName};
use twopc_runner::snapshot::{DoubtView, Line, LineKind, Link, ParticipantView, Person, SettledView, Snapshot, TextFileView, VoteView};

pub(crate) type Shot = Snapshot<ParticipantView>;

pub(crate) fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

pub(crate) fn txn(n: u64) -> TxnId {
    TxnId::numbered(&name("chair"), 1, n)
}

pub(crate) fn string(text: &str) -> CommittedString {
    CommittedString::parse(text).unwrap()
}

pub(crate) fn chat(number: u64, from: &str, text: &str) -> Line {
    let proposal = twopc_proto::text::proposal(text).map(String::from);
    let kind = LineKind::Chat { from: from.into(), text: text.into(), seq: Some(number), unsent: false, proposal, history: false };
    Line { number, kind }
}

pub(crate) fn notice(number: u64, text: &str) -> Line {
    Line { number, kind: LineKind::Room(text.into()) }
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
        role: ParticipantView::default(),
    }
}

pub(crate) fn asking() -> Shot {
    let question = "Enter your user name: 1 to 32 letters, digits, '-' or '_'.".into();
    Snapshot { link: Link::Asking { question }, ..before_login() }
}

pub(crate) fn refused() -> Shot {
    let refusal = "The name alice is taken. Choose another, or free it with twopc-server --forget alice.".into();
    Snapshot { refusal: Some(refusal), ..asking() }
}

/// Logged in as alice, with something said and something committed.
pub(crate) fn idle() -> Shot {
    let person = |user: &str, role| Person { user: name(user), role };
    let lines = vec![
        notice(1, "Client (bob) connected"),
        notice(2, "Client (carol) connected"),
        notice(3, "Coordinator discovered"),
        chat(4, "chair", "0:00:17:string: Hello"),
        chat(5, "bob", "0:00:03:hi"),
        chat(6, "carol", "0:01:12:வணக்கம், مرحبا بالعالم, नमस्ते, 你好, こんにちは, 안녕하세요 🎉"),
    ];
    Snapshot {
        user: Some(name("alice")),
        link: Link::Connected,
        room: vec![
            person("alice", Role::Participant),
            person("bob", Role::Participant),
            person("carol", Role::Participant),
            person("chair", Role::Coordinator),
        ],
        messages: Arc::new(lines),
        role: ParticipantView {
            strings: TextFileView {
                path: PathBuf::from("data/alice.txt"), lines: Arc::new(vec!["Hello".into(), "தமிழ்".into()])
            },
            ..ParticipantView::default()
        },
        ..before_login()
    }
}

pub(crate) fn vote(n: u64, text: &str, now: Instant) -> VoteView {
    VoteView {
        txn: txn(n),
        string: string(text),
        participants: ["alice", "bob", "carol"].map(name).into(),
        state: State::Init,
        writing: None,
        deadline: Some(now + Duration::from_secs(14)),
        timeout: Duration::from_secs(20),
        can_vote: Ok(()),
        can_ask: Err("Vote first."),
        doubt: None,
        trouble: None,
    }
}

pub(crate) fn with_votes(votes: Vec<VoteView>) -> Shot {
    let mut shot = idle();
    shot.role.votes = votes;
    shot
}

pub(crate) fn asked(now: Instant) -> Shot {
    with_votes(vec![vote(3, "Hello", now)])
}

fn peer(user: &str, here: bool, asked: bool, answer: Option<PeerState>) -> Peer {
    let role = if user == "chair" { Role::Coordinator } else { Role::Participant };
    Peer { user: name(user), role, here, asked, answer }
}

pub(crate) fn ready_vote(n: u64, text: &str, now: Instant) -> VoteView {
    VoteView {
        state: State::Ready,
        can_vote: Err("You have voted commit."),
        can_ask: Err("The vote is still open."),
        doubt: Some(DoubtView { since: now, asked_at: None, blocked: false, peers: vec![peer("chair", true, false, None)] }),
        ..vote(n, text, now)
    }
}

pub(crate) fn ready(now: Instant) -> Shot {
    with_votes(vec![ready_vote(3, "Hello", now)])
}

pub(crate) fn doubtful_vote(n: u64, text: &str, now: Instant) -> VoteView {
    let peers = vec![peer("chair", false, true, None), peer("bob", true, true, Some(PeerState::Ready)), peer("carol", true, true, None)];
    VoteView {
        deadline: None,
        can_ask: Ok(()),
        doubt: Some(DoubtView {
            since: now - Duration::from_secs(30),
            asked_at: Some(now - Duration::from_secs(4)),
            blocked: false,
            peers,
        }),
        ..ready_vote(n, text, now)
    }
}

pub(crate) fn in_doubt(now: Instant) -> Shot {
    with_votes(vec![doubtful_vote(3, "Hello", now)])
}

pub(crate) fn blocked(now: Instant) -> Shot {
    let peers = vec![peer("chair", false, true, None), peer("bob", true, true, Some(PeerState::Ready)), peer("carol", false, true, None)];
    let mut shot = in_doubt(now);
    if let Some(doubt) = &mut shot.role.votes[0].doubt {
        doubt.blocked = true;
        doubt.peers = peers;
    }
    shot
}

fn settled(decision: Decision, why: Option<&str>, now: Instant) -> Shot {
    let mut shot = idle();
    shot.role.settled = vec![SettledView { txn: txn(3), string: Some(string("Hello")), decision, why: why.map(Into::into), at: now }];
    shot
}

pub(crate) fn committed(now: Instant) -> Shot {
    settled(Decision::Commit, None, now)
}

pub(crate) fn aborted(now: Instant) -> Shot {
    settled(Decision::Abort, Some("carol did not vote in time"), now)
}

pub(crate) fn relay_lost(now: Instant) -> Shot {
    let mut shot = Snapshot {
        link: Link::Reconnecting {
            at: now + Duration::from_millis(1_900),
            why: "no relay answers at 127.0.0.1:1337 (nothing listens there)".into(),
        },
        ..idle()
    };
    let mut lines = (*shot.messages).clone();
    let unsent = |number, unsent| Line {
        number,
        kind: LineKind::Chat {
            from: "alice".into(),
            text: "0:00:09:is anybody there?".into(),
            seq: None,
            unsent,
            proposal: None,
            history: false,
        },
    };
    lines.extend([unsent(7, false), unsent(8, true)]);
    shot.messages = Arc::new(lines);
    shot
}

pub(crate) fn stopped() -> Shot {
    let sentence = "The stable log data/alice.participant.dtlog is damaged in line 7. Nothing was changed; restore the file from a copy.";
    Snapshot { stopped: Some(sentence.into()), link: Link::Offline, ..idle() }
}

/// The same name logged in elsewhere.
pub(crate) fn replaced() -> Shot {
    Snapshot { link: Link::Replaced, ..idle() }
}

/// More went wrong than has room.
pub(crate) fn troubled() -> Shot {
    let warning = |n: usize| format!("Warning {n}: chair says ABORT of #3, which is committed here. Nothing was changed.");
    Snapshot { warnings: (1..=5).map(warning).collect(), ..idle() }
}

/// Commit was pressed, and the disk is at work.
pub(crate) fn writing(now: Instant) -> Shot {
    let mut shot = asked(now);
    shot.role.votes[0].writing = Some("Writing your vote …");
    shot.role.votes[0].can_vote = Err("You voted commit; it is being written.");
    shot
}

pub(crate) fn several(now: Instant) -> Shot {
    let mut full = ready_vote(5, "a full disk", now);
    full.trouble = Some("The disk is full: the decision to commit cannot be written. It is tried again every 5 s.".into());
    with_votes(vec![doubtful_vote(3, "Hello", now), vote(4, "Second", now), full])
}

/// What somebody might type to do harm, and more of it than fits.
pub(crate) fn hostile(now: Instant) -> Shot {
    let evil = "\u{202e}evil\u{202c} zero\u{200b}width ".to_owned() + &"long ".repeat(700);
    let mut shot = with_votes(vec![vote(9, &evil, now)]);
    let stacked = "a\u{1b}[2J\n\u{2028}bZ".to_owned() + &"\u{301}".repeat(1_000) + "algo";
    let mut lines: Vec<Line> = (1..=5_000).map(|n| chat(n, "bob", &format!("0:00:00:line {n}"))).collect();
    lines.push(chat(5_001, "mallory (guest)", &evil));
    lines.push(chat(5_002, "mallory (guest)", &stacked));
    lines.push(chat(5_003, "mallory (guest)", &"x".repeat(1_000_000)));
    shot.messages = Arc::new(lines);
    shot
}
