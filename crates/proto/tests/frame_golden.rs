//! Every frame that this project writes, as text that a person can read, and what the other end
//! reads in it.
#![allow(clippy::unwrap_used)] // the helpers are tests too

use twopc_proto::bench::{Command, Fate, Rule, Then};
use twopc_proto::frame::{
    Answer, Answers, Chat, ClientFrames, Decoder, ErrorBody, ErrorCode, FromRelay, Login, Person, Protocol, Refusal, RelayFrames, Side,
    Stamp, Welcome, with_history,
};
use twopc_proto::trace::{Trace, What};
use twopc_proto::{Message, Role, TxnId, UserName};

const DATE: &str = "Sat, 31 Jan 2026 22:34:52 GMT";

fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

/// Compares a frame with its text, line ends written as such.
#[track_caller]
fn check(frame: &[u8], golden: &str) {
    let shown = String::from_utf8(frame.to_vec()).unwrap().replace("\r\n", "\n");
    assert_eq!(shown, golden);
}

/// What a client makes of a relay's frame.
#[track_caller]
fn read(frame: &[u8]) -> FromRelay {
    let mut decoder = Decoder::new(Side::Client);
    decoder.feed(frame);
    let read = FromRelay::read(&decoder.next_frame().unwrap().unwrap()).unwrap();
    assert_eq!(decoder.next_frame(), Ok(None), "one frame is one frame");
    read
}

fn client() -> ClientFrames {
    ClientFrames::new("127.0.0.1:1337", "twopc-participant/0.1.0")
}

fn relay() -> RelayFrames {
    RelayFrames::new("127.0.0.1:1337")
}

#[test]
fn a_client_asks_for_the_question() {
    check(&client().question(), "GET /login HTTP/1.1\nHost: 127.0.0.1:1337\nUser-Agent: twopc-participant/0.1.0\n\n");
}

#[test]
fn a_client_logs_in_with_an_upgrade() {
    let login = Login { user: "alice".into(), role: Role::Participant, key: "0123456789abcdef".into(), lab: None };
    check(
        &client().login(&login),
        "\
POST /login HTTP/1.1
Host: 127.0.0.1:1337
User-Agent: twopc-participant/0.1.0
Content-Type: application/json
Content-Length: 62
Connection: Upgrade
Upgrade: twopc/1

{\"user\":\"alice\",\"role\":\"participant\",\"key\":\"0123456789abcdef\"}",
    );
    let shown = format!("{login:?}");
    assert!(shown.contains("alice") && !shown.contains("0123456789"), "a key was shown: {shown}");
}

#[test]
fn a_client_chats_on_the_path_of_its_role() {
    let golden = |path: &str| {
        format!(
            "POST {path} HTTP/1.1\nHost: 127.0.0.1:1337\nUser-Agent: twopc-participant/0.1.0\nContent-Type: text/plain; charset=utf-8\n\
             Content-Length: 10\nDate: {DATE}\n\n0:00:17:hi"
        )
    };
    check(&client().chat(Role::Participant, "0:00:17:hi", DATE), &golden("/client.http"));
    check(&client().chat(Role::Coordinator, "0:00:17:hi", DATE), &golden("/coordinator.http"));
}

#[test]
fn a_client_sends_protocol_messages_to_one_user() {
    let commit = Message::VoteCommit { txn: TxnId::parse("chair.1.1").unwrap() };
    check(
        &client().message(&name("chair"), &commit),
        "\
POST /2pc/VOTE_COMMIT HTTP/1.1
Host: 127.0.0.1:1337
User-Agent: twopc-participant/0.1.0
Content-Type: application/json
Content-Length: 19
To: chair

{\"txn\":\"chair.1.1\"}",
    );
}

#[test]
fn a_client_answers_pings_and_says_goodbye() {
    let golden =
        |path: &str| format!("POST {path} HTTP/1.1\nHost: 127.0.0.1:1337\nUser-Agent: twopc-participant/0.1.0\nContent-Length: 0\n\n");
    check(&client().pong(), &golden("/pong"));
    check(&client().logout(), &golden("/logout"));
}

#[test]
fn a_client_says_what_it_does_and_an_observer_what_is_to_become_of_messages() {
    let golden = |path: &str, length: usize, body: &str| {
        format!(
            "POST {path} HTTP/1.1\nHost: 127.0.0.1:1337\nUser-Agent: twopc-participant/0.1.0\nContent-Type: application/json\n\
             Content-Length: {length}\n\n{body}"
        )
    };
    let trace = Trace { life: 1_769_898_892_000, n: 1, at_us: 5, what: What::Start { records: 2 } };
    check(&client().trace(&trace.body()), &golden("/trace", 66, r#"{"life":1769898892000,"n":1,"at_us":5,"event":"start","records":2}"#));
    let rule = Rule { path: Some("/2pc/VOTE_COMMIT".into()), from: None, to: Some(name("chair")), then: Then::Hold };
    check(
        &client().lab(&Command::Rules { rules: vec![rule] }),
        &golden("/lab", 79, r#"{"do":"rules","rules":[{"path":"/2pc/VOTE_COMMIT","to":"chair","then":"hold"}]}"#),
    );
    check(&client().lab(&Command::Deliver { seq: 7 }), &golden("/lab", 24, r#"{"do":"deliver","seq":7}"#));
}

#[test]
fn what_would_break_a_header_does_not_get_into_one() {
    let client = ClientFrames::new("ho st\r\nX: y", "agent\u{e9}\n");
    check(&client.question(), "GET /login HTTP/1.1\nHost: hostX:y\nUser-Agent: agent\n\n");
}

#[test]
fn the_relay_welcomes() {
    let welcome = Welcome {
        user: name("alice"),
        role: Role::Participant,
        room: "5f3a".into(),
        users: vec![Person { user: name("alice"), role: Role::Participant }, Person { user: name("chair"), role: Role::Coordinator }],
        seq: 7,
        trace: false,
    };
    let frame = relay().welcome(&welcome);
    check(
        &frame,
        "\
POST /welcome HTTP/1.1
Host: 127.0.0.1:1337
Content-Type: application/json
Content-Length: 159

{\"user\":\"alice\",\"role\":\"participant\",\"room\":\"5f3a\",\"users\":[{\"user\":\"alice\",\"role\":\"participant\"},\
{\"user\":\"chair\",\"role\":\"coordinator\"}],\"seq\":7,\"trace\":false}",
    );
    assert_eq!(read(&frame), FromRelay::Welcome(welcome));
}

#[test]
fn the_relay_says_who_comes_and_goes() {
    let bob = Person { user: name("bob"), role: Role::Participant };
    let golden = |path: &str| {
        format!(
            "POST {path} HTTP/1.1\nHost: 127.0.0.1:1337\nContent-Type: application/json\nContent-Length: 35\n\n\
             {{\"user\":\"bob\",\"role\":\"participant\"}}"
        )
    };
    check(&relay().joined(&bob), &golden("/joined"));
    check(&relay().left(&bob), &golden("/left"));
    assert_eq!(read(&relay().joined(&bob)), FromRelay::Joined(bob.clone()));
    assert_eq!(read(&relay().left(&bob)), FromRelay::Left(bob));
}

#[test]
fn the_relay_pings() {
    check(&relay().ping(), "POST /ping HTTP/1.1\nHost: 127.0.0.1:1337\nContent-Length: 0\n\n");
    assert_eq!(read(&relay().ping()), FromRelay::Ping);
}

#[test]
fn the_relay_says_what_it_refused() {
    let frame = relay().error(&Refusal::not_here(name("bob")));
    check(
        &frame,
        "\
POST /error HTTP/1.1
Host: 127.0.0.1:1337
Content-Type: application/json
Content-Length: 108

{\"error\":\"not_here\",\"message\":\"Nobody called bob is in the room; the message was not delivered.\",\"to\":\"bob\"}",
    );
    let FromRelay::Error(body) = read(&frame) else { panic!("no error") };
    assert_eq!((body.code(), body.to), (Some(ErrorCode::NotHere), Some(name("bob"))));
    let unknown = ErrorBody { error: "tea_time".into(), message: "Later.".into(), to: None };
    assert_eq!(unknown.code(), None);
}

#[test]
fn the_relay_stamps_chat() {
    let stamp = Stamp { from: &name("chair"), role: Role::Coordinator, seq: 8 };
    let frame = relay().chat(&stamp, true, DATE, "0:00:17:string: தமிழ்".as_bytes());
    let golden = |mark: &str| {
        format!(
            "POST /coordinator.http HTTP/1.1\nHost: 127.0.0.1:1337\nContent-Type: text/plain; charset=utf-8\nContent-Length: 31\n\
             From: chair\nRole: coordinator\nSeq: 8\nDate: {DATE}\n{mark}\n0:00:17:string: தமிழ்"
        )
    };
    check(&frame, &golden(""));
    check(&with_history(&frame), &golden("History: 1\n"));
    let chat = |history| {
        FromRelay::Chat(Chat {
            from: name("chair"),
            role: Role::Coordinator,
            seq: 8,
            date: DATE.into(),
            history,
            coordinator: true,
            text: "0:00:17:string: தமிழ்".into(),
        })
    };
    assert_eq!(read(&frame), chat(false));
    assert_eq!(read(&with_history(&frame)), chat(true));
}

#[test]
fn a_guest_is_stamped_as_one() {
    let frame = relay().chat(&Stamp { from: &name("zoe"), role: Role::Guest, seq: 9 }, false, DATE, b"hi");
    check(
        &frame,
        &format!(
            "POST /client.http HTTP/1.1\nHost: 127.0.0.1:1337\nContent-Type: text/plain; charset=utf-8\nContent-Length: 2\n\
             From: zoe (guest)\nRole: guest\nSeq: 9\nDate: {DATE}\n\nhi"
        ),
    );
    let FromRelay::Chat(chat) = read(&frame) else { panic!("no chat") };
    assert_eq!((chat.from, chat.role), (name("zoe"), Role::Guest));
}

#[test]
fn the_relay_stamps_protocol_messages_and_leaves_their_bodies_alone() {
    let stamp = Stamp { from: &name("alice"), role: Role::Participant, seq: 10 };
    let frame = relay().protocol(&stamp, &name("chair"), "VOTE_COMMIT", b"{ \"txn\" : \"chair.1.1\" }");
    check(
        &frame,
        "\
POST /2pc/VOTE_COMMIT HTTP/1.1
Host: 127.0.0.1:1337
Content-Type: application/json
Content-Length: 23
From: alice
Role: participant
Seq: 10
To: chair

{ \"txn\" : \"chair.1.1\" }",
    );
    let FromRelay::Protocol(protocol) = read(&frame) else { panic!("no protocol message") };
    assert_eq!(protocol.message().unwrap().unwrap(), Message::VoteCommit { txn: TxnId::parse("chair.1.1").unwrap() });
    let Protocol { from, role, seq, to, .. } = protocol;
    assert_eq!((from, role, seq, to), (name("alice"), Role::Participant, 10, name("chair")));
}

#[test]
fn the_relay_tells_observers_what_nodes_do_and_what_becomes_of_messages() {
    let trace = Trace { life: 1_769_898_892_000, n: 1, at_us: 5, what: What::Offline };
    let frame = relay().trace(&name("alice"), Role::Participant, &trace.body());
    check(
        &frame,
        "\
POST /trace HTTP/1.1
Host: 127.0.0.1:1337
Content-Type: application/json
Content-Length: 56
From: alice
Role: participant

{\"life\":1769898892000,\"n\":1,\"at_us\":5,\"event\":\"offline\"}",
    );
    let FromRelay::Trace { from, role, body } = read(&frame) else { panic!("no trace") };
    assert_eq!((from, role, Trace::read(&body).unwrap()), (name("alice"), Role::Participant, trace));
    let fate = Fate::Held { seq: 7, ms: Some(500) };
    let frame = relay().lab(&fate);
    check(
        &frame,
        "\
POST /lab HTTP/1.1
Host: 127.0.0.1:1337
Content-Type: application/json
Content-Length: 32

{\"fate\":\"held\",\"seq\":7,\"ms\":500}",
    );
    assert_eq!(read(&frame), FromRelay::Lab(fate));
}

#[test]
fn types_and_paths_that_nobody_knows_are_read_as_such() {
    let stamp = Stamp { from: &name("alice"), role: Role::Participant, seq: 1 };
    let FromRelay::Protocol(protocol) = read(&relay().protocol(&stamp, &name("bob"), "PRE_COMMIT", b"")) else { panic!() };
    assert!(protocol.kind().is_none() && protocol.message().is_none());
    assert_eq!(read(b"POST /tomorrow HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), FromRelay::Unknown);
}

#[test]
fn a_frame_that_no_relay_sends_is_an_error_that_says_what_is_wrong() {
    for (frame, why) in [
        (&b"POST /welcome HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"[..], "welcome does not parse"),
        (b"POST /lab HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", "lab does not parse"),
        (b"POST /client.http HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "From header is missing"),
        (b"POST /client.http HTTP/1.1\r\nContent-Length: 0\r\nFrom: a\r\nFrom: b\r\n\r\n", "From header is missing"),
        (b"POST /client.http HTTP/1.1\r\nContent-Length: 0\r\nFrom: a b\r\n\r\n", "From header is no user name"),
        (b"POST /client.http HTTP/1.1\r\nContent-Length: 0\r\nFrom: a\r\nRole: king\r\n\r\n", "Role header is no role"),
        (b"POST /client.http HTTP/1.1\r\nContent-Length: 0\r\nFrom: a\r\nRole: guest\r\nSeq: x\r\n\r\n", "Seq header is no number"),
        (b"POST /client.http HTTP/1.1\r\nContent-Length: 1\r\nFrom: a\r\nRole: guest\r\nSeq: 1\r\n\r\n\xff", "chat line is not UTF-8"),
        (b"POST /2pc/ACK HTTP/1.1\r\nContent-Length: 0\r\nFrom: a\r\nRole: participant\r\nSeq: 1\r\n\r\n", "To header is no user name"),
    ] {
        let mut decoder = Decoder::new(Side::Client);
        decoder.feed(frame);
        let error = FromRelay::read(&decoder.next_frame().unwrap().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), format!("the relay sent a frame whose {why}"));
    }
}

#[test]
fn the_relay_answers_plain_http() {
    check(
        &Answer::text(200, "Enter your user name.").write(DATE, false),
        &format!(
            "HTTP/1.1 200 OK\nDate: {DATE}\nContent-Type: text/plain; charset=utf-8\nContent-Length: 21\n\
             X-Content-Type-Options: nosniff\nCache-Control: no-store\n\nEnter your user name."
        ),
    );
    let refusal = Refusal::not_allowed("GET, HEAD, POST");
    check(
        &Answer::refusal(&refusal).write(DATE, false),
        &format!(
            "HTTP/1.1 405 Method Not Allowed\nDate: {DATE}\nContent-Type: application/json\nContent-Length: 93\n\
             X-Content-Type-Options: nosniff\nCache-Control: no-store\nAllow: GET, HEAD, POST\n\n\
             {{\"error\":\"not_allowed\",\"message\":\"This path does not have that method; use GET, HEAD, POST.\"}}"
        ),
    );
    let head = String::from_utf8(Answer::refusal(&refusal).write(DATE, true)).unwrap();
    assert!(head.contains("Content-Length: 93\r\n") && head.ends_with("\r\n\r\n"), "HEAD is answered like GET, without the body: {head}");
    let upgrade = String::from_utf8(Answer::refusal(&Answer::upgrade_required()).write(DATE, false)).unwrap();
    assert!(upgrade.contains("\r\nUpgrade: twopc/1\r\nConnection: Upgrade\r\n"), "{upgrade}");
}

#[test]
fn the_upgrade_is_read_and_frames_may_follow_at_once() {
    let switching = Answer::switching();
    check(&switching, "HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: twopc/1\n\n");
    let mut answers = Answers::new();
    answers.feed(&[Answer::refusal(&Answer::upgrade_required()).write(DATE, false), switching, relay().ping()].concat());
    let refused = answers.next_answer().unwrap().unwrap();
    assert_eq!((refused.status(), refused.is_upgrade()), (426, false));
    assert!(answers.next_answer().unwrap().unwrap().is_upgrade());
    let mut frames = answers.into_frames();
    assert_eq!(FromRelay::read(&frames.next_frame().unwrap().unwrap()), Ok(FromRelay::Ping));
    assert_eq!(frames.next_frame(), Ok(None));
}
