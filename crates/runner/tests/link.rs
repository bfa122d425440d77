//! A node and a relay that is a script: what a node does when a relay is slow, odd, gone, or silent.

#![allow(clippy::unwrap_used)] // a test may fail where it stands

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use support::{PATIENCE, Watched, config};
use twopc_proto::participant::Participant;
use twopc_proto::trace::{Origin, Trace, What};
use twopc_proto::{Decision, PeerState, TxnId};
use twopc_runner::event::Event;
use twopc_runner::node::Ending;
use twopc_runner::snapshot::{Action, Link, ParticipantPress};

const QUESTION: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 21\r\n\r\nEnter your user name:";
const UPGRADE: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: twopc/1\r\n\r\n";

/// A relay that does what a test says.
struct Script {
    listener: TcpListener,
}

/// One connection to it.
struct Visitor {
    stream: BufReader<TcpStream>,
}

impl Script {
    fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").unwrap() }
    }

    fn address(&self) -> String {
        self.listener.local_addr().unwrap().to_string()
    }

    fn accept(&self) -> Visitor {
        let (stream, _) = self.listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Visitor { stream: BufReader::new(stream) }
    }
}

impl Visitor {
    /// The next message: its request line and its body.
    fn read(&mut self) -> (String, String) {
        let (mut first, mut length) = (String::new(), 0);
        self.stream.read_line(&mut first).unwrap();
        loop {
            let mut line = String::new();
            assert!(self.stream.read_line(&mut line).unwrap() > 0, "the connection ended within {first:?}");
            if let Some(digits) = line.strip_prefix("Content-Length: ") {
                length = digits.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        (first.trim_end().into(), String::from_utf8(body).unwrap())
    }

    fn expect(&mut self, path: &str) -> String {
        let (first, body) = self.read();
        assert_eq!(first, format!("POST {path} HTTP/1.1"));
        body
    }

    fn say(&mut self, text: &str) {
        self.stream.get_mut().write_all(text.as_bytes()).unwrap();
    }

    fn frame(&mut self, path: &str, headers: &str, body: &str) {
        self.say(&format!("POST {path} HTTP/1.1\r\nHost: relay\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()));
    }

    /// Lets alice in, alone.
    fn welcome(&mut self) {
        self.expect("/login");
        self.say(UPGRADE);
        self.frame("/welcome", "", &welcome());
    }

    /// The same where somebody watches.
    fn welcome_watched(&mut self) {
        self.expect("/login");
        self.say(UPGRADE);
        self.frame("/welcome", "", &welcome().replace(r#""trace":false"#, r#""trace":true"#));
    }

    /// The next message is a trace: its number, and what happened.
    fn trace(&mut self) -> (u64, What) {
        let trace = Trace::read(self.expect("/trace").as_bytes()).unwrap();
        (trace.n, trace.what)
    }
}

fn welcome() -> String {
    r#"{"user":"alice","role":"participant","room":"r","users":[{"user":"alice","role":"participant"}],"seq":0,"trace":false}"#.into()
}

fn notice(event: &Event) -> Option<String> {
    match event {
        Event::Notice { message } => Some(message.clone()),
        _ => None,
    }
}

#[test]
fn a_ping_is_answered_and_what_came_with_the_101_counts() {
    let (relay, dir) = (Script::new(), tempfile::tempdir().unwrap());
    let mut alice = Watched::<Participant>::headless(config(&relay.address(), Some("alice"), dir.path()));
    let mut visitor = relay.accept();
    let body = visitor.expect("/login");
    assert!(body.starts_with(r#"{"user":"alice","role":"participant","key":""#), "{body}");
    let welcome = welcome();
    // All in one packet, as a fast relay may send it.
    visitor.say(&format!(
        "{UPGRADE}POST /welcome HTTP/1.1\r\nContent-Length: {}\r\n\r\n{welcome}POST /ping HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        welcome.len()
    ));
    alice.wait_for_login();
    visitor.expect("/pong");
    alice.act(Action::Quit);
    visitor.expect("/logout");
    drop(visitor);
    assert_eq!(alice.wait(), Ending::Quit);
}

#[test]
fn a_relay_that_is_not_there_is_tried_again_and_the_waits_double() {
    let relay = Script::new();
    let address = relay.address();
    drop(relay);
    let dir = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let mut alice = Watched::<Participant>::window(config(&address, Some("alice"), dir.path()));
    alice.wait_until_said(&Event::Disconnected);
    // Attempts at 0, 0.25, 0.75, 1.75 s: the next one comes 2 s after the fourth.
    alice.wait_to_see("a long wait", |seen| match &seen.link {
        Link::Reconnecting { at, why } => {
            assert!(why.contains("nothing listens there"), "{why}");
            (*at >= started + Duration::from_millis(3_700)).then_some(())
        }
        _ => None,
    });
    assert!(started.elapsed() >= Duration::from_millis(1_750));
    let relay = Script { listener: TcpListener::bind(&address).unwrap() };
    let mut visitor = relay.accept();
    visitor.welcome();
    alice.wait_for_login();
    assert_eq!(alice.said.iter().filter(|event| **event == Event::Disconnected).count(), 1);
}

#[test]
fn a_connection_that_the_relay_closed_while_the_person_typed_is_replaced_unseen() {
    let (relay, dir) = (Script::new(), tempfile::tempdir().unwrap());
    let window = Watched::<Participant>::window(config(&relay.address(), None, dir.path()));
    window.act(Action::Login { address: relay.address() });
    let mut visitor = relay.accept();
    let (first, _) = visitor.read();
    assert_eq!(first, "GET /login HTTP/1.1");
    visitor.say(QUESTION);
    window.wait_to_see("the question", |seen| (seen.link == Link::Asking { question: "Enter your user name:".into() }).then_some(()));
    drop(visitor);
    window.act(Action::GiveName("alice".into()));
    let mut visitor = relay.accept();
    visitor.welcome();
    window.wait_to_see("the room", |seen| (seen.link == Link::Connected && seen.refusal.is_none()).then_some(()));
}

#[test]
fn another_name_is_tried_on_the_connection_that_the_relay_kept_open() {
    let (relay, dir) = (Script::new(), tempfile::tempdir().unwrap());
    let window = Watched::<Participant>::window(config(&relay.address(), None, dir.path()));
    window.act(Action::Login { address: relay.address() });
    let mut visitor = relay.accept();
    visitor.read();
    visitor.say(QUESTION);
    window.wait_to_see("the question", |seen| matches!(seen.link, Link::Asking { .. }).then_some(()));
    window.act(Action::GiveName("carol".into()));
    visitor.expect("/login");
    let refusal = r#"{"error":"name_taken","message":"no"}"#;
    visitor.say(&format!("HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{refusal}", refusal.len()));
    window.wait_to_see("the refusal", |seen| (matches!(seen.link, Link::Asking { .. }) && seen.refusal.is_some()).then_some(()));
    window.act(Action::GiveName("alice".into()));
    visitor.welcome();
    window.wait_to_see("the room", |seen| (seen.link == Link::Connected).then_some(()));
}

#[test]
fn what_is_no_relay_is_said_and_tried_again() {
    let (relay, dir) = (Script::new(), tempfile::tempdir().unwrap());
    let window = Watched::<Participant>::window(config(&relay.address(), Some("alice"), dir.path()));
    let mut last = Instant::now();
    for answer in ["SSH-2.0-OpenSSH_9.9\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"] {
        let mut visitor = relay.accept();
        visitor.expect("/login");
        visitor.say(answer);
        last = window.wait_to_see("what is wrong", |seen| match &seen.link {
            Link::Reconnecting { at, why } => (*at > last && why.contains("is not a relay")).then_some(*at),
            _ => None,
        });
    }
    let mut visitor = relay.accept();
    visitor.welcome();
    window.wait_to_see("the room", |seen| (seen.link == Link::Connected).then_some(()));
}

#[test]
fn noise_after_the_upgrade_ends_the_link_and_not_the_node() {
    let (relay, dir) = (Script::new(), tempfile::tempdir().unwrap());
    let mut alice = Watched::<Participant>::headless(config(&relay.address(), Some("alice"), dir.path()));
    let mut visitor = relay.accept();
    visitor.welcome();
    alice.wait_for_login();
    visitor.say("\x16\x03\x01 noise\r\n\r\n");
    alice.wait_until_said(&Event::Disconnected);
    let mut visitor = relay.accept();
    visitor.welcome();
    alice.wait_for_login();
}

#[test]
fn messages_that_do_not_parse_are_ignored_counted_and_said() {
    let (relay, dir) = (Script::new(), tempfile::tempdir().unwrap());
    let mut alice = Watched::<Participant>::headless(config(&relay.address(), Some("alice"), dir.path()));
    let mut visitor = relay.accept();
    visitor.welcome();
    alice.wait_for_login();
    let stamp = "From: chair\r\nRole: coordinator\r\nSeq: 1\r\nTo: alice\r\n";
    for n in 1..=100 {
        visitor.frame("/2pc/VOTE_REQUEST", stamp, &format!(r#"{{"txn":"chair.1.{n}"}}"#));
        visitor.frame("/2pc/HELLO_THERE", stamp, "nothing that nodes know");
    }
    let stranger = "From: bob\r\nRole: participant\r\nSeq: 2\r\nTo: alice\r\n";
    visitor.frame("/2pc/GLOBAL_COMMIT", stranger, r#"{"txn":"chair.1.1"}"#);
    visitor.frame("/2pc/ACK", "From: no name\r\nRole: participant\r\nSeq: 2\r\nTo: alice\r\n", r#"{"txn":"chair.1.1"}"#);
    visitor.frame("/2pc/VOTE_REQUEST", stamp, r#"{"txn":"chair.1.7","string":"x","participants":["alice"],"timeout_ms":60000}"#);
    let txn = alice.wait_for("the one that parses", |event| match event {
        Event::VoteRequest { txn, .. } => Some(txn.to_string()),
        _ => None,
    });
    assert_eq!(txn, "chair.1.7");
    let notices: Vec<String> = alice.said.iter().filter_map(notice).collect();
    assert_eq!(notices.len(), 5, "{notices:#?}");
    assert!(notices[..3].iter().all(|said| said.starts_with("chair sent a VOTE_REQUEST whose body does not parse")), "{notices:#?}");
    assert!(notices[3].starts_with("bob sent a GLOBAL_COMMIT of chair.1.1, but only chair"), "{notices:#?}");
    assert!(notices[4].contains("From header is no user name"), "{notices:#?}");
}

#[test]
fn a_vote_on_its_way_from_the_disk_is_said_on_the_next_link() {
    let (relay, dir) = (Script::new(), tempfile::tempdir().unwrap());
    let mut alice = Watched::<Participant>::headless(support::committing(config(&relay.address(), Some("alice"), dir.path())));
    let mut visitor = relay.accept();
    visitor.welcome();
    alice.wait_for_login();
    let stamp = "From: chair\r\nRole: coordinator\r\nSeq: 1\r\nTo: alice\r\n";
    visitor.frame("/2pc/VOTE_REQUEST", stamp, r#"{"txn":"chair.1.1","string":"x","participants":["alice"],"timeout_ms":60000}"#);
    drop(visitor);
    let mut visitor = relay.accept();
    visitor.welcome();
    assert_eq!(visitor.expect("/2pc/VOTE_COMMIT"), r#"{"txn":"chair.1.1"}"#);
}

#[test]
fn a_trace_comes_in_order_before_its_message_and_what_a_link_missed_comes_first_on_the_next() {
    let (relay, dir) = (Script::new(), tempfile::tempdir().unwrap());
    let mut alice = Watched::<Participant>::headless(support::committing(config(&relay.address(), Some("alice"), dir.path())));
    let mut visitor = relay.accept();
    visitor.welcome_watched();
    assert_eq!(visitor.trace(), (1, What::Start { records: 0 }));
    assert_eq!(visitor.trace(), (2, What::Online { room: "r".into() }));
    let stamp = "From: chair\r\nRole: coordinator\r\nSeq: 9\r\nTo: alice\r\n";
    let request = r#"{"txn":"chair.1.1","string":"x","participants":["alice"],"timeout_ms":60000,"life":5,"n":3}"#;
    visitor.frame("/2pc/VOTE_REQUEST", stamp, request);
    let (n, what) = visitor.trace();
    assert_eq!(n, 3);
    assert!(matches!(what, What::Receive { seq: 9, origin: Some(Origin { life: 5, n: 3 }), .. }), "{what:?}");
    let mut last = (n, what);
    while !matches!(last.1, What::Send { .. }) {
        let next = visitor.trace();
        assert_eq!(next.0, last.0 + 1);
        last = next;
    }
    let origin = Origin::read(visitor.expect("/2pc/VOTE_COMMIT").as_bytes()).unwrap();
    assert_eq!(origin.n, last.0);

    drop(visitor);
    alice.wait_until_said(&Event::Disconnected);
    let mut visitor = relay.accept();
    visitor.welcome_watched();
    assert_eq!(visitor.trace(), (last.0 + 1, What::Offline));
    let (mut online, mut what) = visitor.trace();
    while !matches!(what, What::Online { .. }) {
        assert!(matches!(what, What::Doubt { .. }), "{what:?}");
        (online, what) = visitor.trace();
    }
    while !matches!(what, What::Send { .. }) {
        (_, what) = visitor.trace();
    }
    let again = Origin::read(visitor.expect("/2pc/VOTE_COMMIT").as_bytes()).unwrap();
    assert!(again.life == origin.life && again.n > online, "{origin:?} {again:?}");

    // Where nobody watches, nothing is said of it.
    drop(visitor);
    let mut visitor = relay.accept();
    visitor.welcome();
    assert_eq!(visitor.expect("/2pc/VOTE_COMMIT"), r#"{"txn":"chair.1.1"}"#);
    alice.act(Action::Quit);
    visitor.expect("/logout");
}

#[test]
fn what_is_odd_and_what_the_clock_does_are_told_as_well() {
    let (relay, dir) = (Script::new(), tempfile::tempdir().unwrap());
    let alice = Watched::<Participant>::headless(config(&relay.address(), Some("alice"), dir.path()));
    let mut visitor = relay.accept();
    visitor.welcome_watched();
    assert_eq!([visitor.trace().0, visitor.trace().0], [1, 2]);
    let stamp = "From: chair\r\nRole: coordinator\r\nSeq: 1\r\nTo: alice\r\n";
    visitor.frame("/2pc/VOTE_REQUEST", stamp, "{}");
    let (n, what) = visitor.trace();
    assert!(n == 3 && matches!(&what, What::Notice { message } if message.starts_with("chair sent a VOTE_REQUEST whose body")), "{what:?}");

    let request = r#"{"txn":"chair.1.1","string":"x","participants":["alice"],"timeout_ms":1}"#;
    visitor.frame("/2pc/VOTE_REQUEST", stamp, request);
    let story: Vec<String> = (0..6).map(|_| support::observer::line(&visitor.trace().1)).collect();
    let expected =
        ["receive VOTE_REQUEST from chair", "state INIT x", "timeout vote", "log 1 ABORT, forced", "durable 1", "send VOTE_ABORT to chair"];
    assert_eq!(story, expected);
    assert!(visitor.expect("/2pc/VOTE_ABORT").contains(r#""reason":"timeout","life":"#));
    assert!(matches!(visitor.trace().1, What::State { state, string: None, .. } if state == "ABORT"));

    let txn = TxnId::parse("chair.1.1").unwrap();
    alice.press(ParticipantPress::Commit(txn.clone()));
    assert_eq!(visitor.trace().1, What::Press { button: "Commit".into(), txn: Some(txn) });
    assert!(matches!(visitor.trace().1, What::Notice { message } if message.contains("chair.1.1")));
}

#[test]
fn a_doubt_shows_whom_it_asked_who_answered_what_and_that_it_is_blocked() {
    let (relay, dir) = (Script::new(), tempfile::tempdir().unwrap());
    let alice = Watched::<Participant>::window(config(&relay.address(), Some("alice"), dir.path()));
    let mut visitor = relay.accept();
    visitor.expect("/login");
    visitor.say(UPGRADE);
    let users = r#"[{"user":"alice","role":"participant"},{"user":"bob","role":"participant"},{"user":"chair","role":"coordinator"}]"#;
    let welcome = format!(r#"{{"user":"alice","role":"participant","room":"r","users":{users},"seq":0,"trace":false}}"#);
    visitor.frame("/welcome", "", &welcome);
    let from_chair = "From: chair\r\nRole: coordinator\r\nSeq: 1\r\nTo: alice\r\n";
    let request = r#"{"txn":"chair.1.1","string":"Hello","participants":["alice","bob"],"timeout_ms":60000}"#;
    visitor.frame("/2pc/VOTE_REQUEST", from_chair, request);
    let vote = alice.wait_to_see("the vote", |seen| seen.role.votes.first().cloned());
    alice.press(ParticipantPress::Commit(vote.txn.clone()));
    visitor.expect("/2pc/VOTE_COMMIT");
    let doubt = alice.wait_to_see("the doubt", |seen| seen.role.votes.first()?.doubt.clone());
    assert!(!doubt.blocked && doubt.asked_at.is_none());
    assert_eq!(alice.snapshot().role.votes[0].can_ask, Err("The coordinator is there and the vote's time is not over."));

    visitor.frame("/left", "", r#"{"user":"chair","role":"coordinator"}"#);
    alice.wait_to_see("that asking means something", |seen| seen.role.votes.first()?.can_ask.ok());
    alice.press(ParticipantPress::AskStatus(vote.txn.clone()));
    for _ in ["chair", "bob"] {
        visitor.expect("/2pc/DECISION_REQUEST");
    }
    visitor.frame("/error", "", r#"{"error":"not_here","message":"chair is not here","to":"chair"}"#);
    let from_bob = "From: bob\r\nRole: participant\r\nSeq: 2\r\nTo: alice\r\n";
    visitor.frame("/2pc/DECISION_REPLY", from_bob, r#"{"txn":"chair.1.1","state":"READY"}"#);
    let doubt = alice.wait_to_see("that it is blocked", |seen| seen.role.votes.first()?.doubt.clone().filter(|doubt| doubt.blocked));
    let peers: Vec<_> = doubt.peers.iter().map(|peer| (peer.user.as_str(), peer.here, peer.asked, peer.answer)).collect();
    assert_eq!(peers, [("chair", false, true, None), ("bob", true, true, Some(PeerState::Ready))]);
    assert!(doubt.asked_at.is_some());

    visitor.frame("/2pc/DECISION_REPLY", from_bob, r#"{"txn":"chair.1.1","state":"ABORT"}"#);
    let settled = alice.wait_to_see("the outcome", |seen| seen.role.settled.last().cloned());
    assert_eq!((settled.decision, settled.why.as_deref()), (Decision::Abort, Some("another participant knew it")));
}

#[test]
fn nonsense_for_an_address_is_said_in_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let window = Watched::<Participant>::window(config("127.0.0.1:1", None, dir.path()));
    window.act(Action::Login { address: "nowhere to go".into() });
    window.wait_to_see("the sentence", |seen| seen.refusal.as_ref()?.contains("is no address of a relay").then_some(()));
    assert_eq!(window.snapshot().link, Link::Offline);

    let headless = Watched::<Participant>::headless(config("nowhere to go", Some("alice"), dir.path()));
    assert!(matches!(headless.wait(), Ending::Failed(sentence) if sentence.contains("is no address of a relay")));
}

#[test]
fn a_folder_that_cannot_be_made_is_said_in_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let alice = Watched::<Participant>::headless(config("127.0.0.1:1", Some("alice"), &file.join("data")));
    assert!(matches!(alice.wait(), Ending::Failed(sentence) if sentence.contains("data")));
}

#[test]
fn lines_said_without_a_link_are_shown_as_not_sent() {
    let (relay, dir) = (Script::new(), tempfile::tempdir().unwrap());
    let alice = Watched::<Participant>::window(config(&relay.address(), Some("alice"), dir.path()));
    let mut visitor = relay.accept();
    visitor.welcome();
    alice.wait_to_see("the room", |seen| (seen.link == Link::Connected).then_some(()));
    alice.act(Action::Say("pending".into()));
    assert!(visitor.expect("/client.http").ends_with(":pending"));
    drop((visitor, relay));
    alice.wait_to_see("the loss", |seen| matches!(seen.link, Link::Reconnecting { .. }).then_some(()));
    alice.act(Action::Say("in vain".into()));
    alice.act(Action::Say("a\u{7}".into()));
    let shown = alice.wait_to_see("both lines and the sentence", |seen| {
        (seen.messages.len() == 2 && seen.warnings.last()?.contains("control character")).then(|| format!("{:?}", seen.messages))
    });
    assert!(shown.contains("pending") && shown.contains("unsent: true"), "{shown}");
}
