//! The message bench: rules for messages on their way, and what becomes of those that are held.

use std::time::{Duration, Instant};

use twopc_proto::Role;
use twopc_proto::bench::{Command, Fate, Rule, Then};
use twopc_proto::frame::{ErrorCode, FromRelay};
use twopc_server::Config;

use crate::client::{Client, LAB, Relay, frames, name};

/// A coordinator, a participant and one who watches both.
struct Room {
    relay: Relay,
    chair: Client,
    alice: Client,
    watcher: Client,
}

impl Room {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Config)) -> Self {
        let relay = Relay::start_with(|config| {
            config.lab = Some(LAB.into());
            change(config);
        });
        let (mut chair, mut alice) = (relay.login("chair", Role::Coordinator), relay.participant("alice"));
        let (watcher, rules, held) = relay.watch("watcher");
        assert!(rules.is_empty() && held.is_empty(), "a room begins without rules");
        assert_eq!(
            [chair.joined().user, chair.joined().user, alice.joined().user].map(|user| user.to_string()),
            ["alice", "watcher", "watcher"]
        );
        Self { relay, chair, alice, watcher }
    }

    /// From now on these rules hold, and every observer has been told.
    fn set<const N: usize>(&mut self, rules: [Rule; N]) {
        let rules = Vec::from(rules);
        self.watcher.ask(&Command::Rules { rules: rules.clone() });
        let told = self.watcher.fate();
        assert!(matches!(&told, Fate::Rules { rules: told, .. } if *told == rules), "{told:?}");
    }

    /// Alice sends the coordinator this; the watcher's copy of it has been read.
    fn alice_sends(&mut self, word: &str, body: &[u8]) -> u64 {
        self.alice.send(&frames().protocol(&name("chair"), word, body));
        let copy = self.watcher.protocol();
        assert_eq!((copy.word.as_str(), copy.body.as_slice()), (word, body));
        copy.seq
    }

    /// The same, and it is held.
    fn alice_sends_and_it_is_held(&mut self, word: &str, body: &[u8]) -> u64 {
        let seq = self.alice_sends(word, body);
        assert_eq!(self.watcher.fate(), Fate::Held { seq, ms: None });
        seq
    }

    /// The watcher asks for this and is told that.
    fn ask(&mut self, command: &Command, told: &Fate) {
        self.watcher.ask(command);
        assert_eq!(self.watcher.fate(), *told, "{command:?}");
    }

    fn deliver(&mut self, seq: u64) {
        self.ask(&Command::Deliver { seq }, &Fate::Delivered { seq });
    }
}

fn rule(path: &str, then: Then) -> Rule {
    Rule { path: Some(path.into()), from: None, to: None, then }
}

fn hold_all() -> Rule {
    Rule { path: None, from: None, to: None, then: Then::Hold }
}

/// The messages' numbers, in the order in which they come.
fn numbers<const N: usize>(client: &mut Client) -> [u64; N] {
    std::array::from_fn(|_| client.protocol().seq)
}

#[test]
fn held_messages_go_on_one_by_one_in_any_order() {
    let mut room = Room::new();
    room.set([rule("/2pc/VOTE_COMMIT", Then::Hold)]);
    let body = [&b"not JSON, \r\n\r\nPOST / HTTP/1.1 \0"[..], &[0xff, 0xfe]].concat();
    let held = [(); 3].map(|()| room.alice_sends_and_it_is_held("VOTE_COMMIT", &body));
    let passed = room.alice_sends("ACK", b"{}");
    assert_eq!((held, passed), ([1, 2, 3], 4));
    assert_eq!(room.chair.protocol().seq, 4, "what no rule matches overtakes");
    room.deliver(3);
    let late = room.chair.protocol();
    assert_eq!((late.from, late.role, late.seq, late.to), (name("alice"), Role::Participant, 3, name("chair")));
    assert_eq!((late.word.as_str(), late.body), ("VOTE_COMMIT", body), "it is as it was sent");
    room.ask(&Command::Drop { seq: 1 }, &Fate::Dropped { seq: 1, gone: false });
    room.deliver(2);
    assert_eq!(room.chair.protocol().seq, 2, "and the first is lost");
    room.chair.say("hi");
    assert_eq!(room.watcher.chat().seq, 5, "nothing got a second number");
    let logs = room.relay.stop();
    let record = std::fs::read_to_string(logs.path().join("room.http")).unwrap();
    let recorded: Vec<&str> = record.lines().filter_map(|line| line.strip_prefix("Seq: ")).collect();
    assert_eq!(recorded, ["1", "2", "3", "4", "5"], "the record has them as they were sent, each once");
}

#[test]
fn a_copy_goes_on_and_the_message_stays_held() {
    let mut room = Room::new();
    room.set([hold_all()]);
    let seq = room.alice_sends_and_it_is_held("ACK", b"{}");
    for _ in 0..2 {
        room.ask(&Command::Duplicate { seq }, &Fate::Duplicated { seq });
    }
    room.deliver(seq);
    assert_eq!(numbers(&mut room.chair), [seq; 3]);
    room.watcher.ask(&Command::Duplicate { seq });
    assert_eq!(room.watcher.refused(), ErrorCode::BadRequest, "it is held no longer");
}

#[test]
fn all_that_is_held_goes_on_in_the_order_of_the_numbers_and_the_rules_stay() {
    let mut room = Room::new();
    room.set([Rule { then: Then::Delay { ms: 600_000 }, ..rule("/2pc/ACK", Then::Hold) }, hold_all()]);
    let first = room.alice_sends_and_it_is_held("VOTE_COMMIT", b"{}");
    let second = room.alice_sends("ACK", b"{}");
    assert_eq!(room.watcher.fate(), Fate::Held { seq: second, ms: Some(600_000) });
    let third = room.alice_sends_and_it_is_held("VOTE_ABORT", b"{}");
    room.watcher.ask(&Command::Release);
    for seq in [first, second, third] {
        assert_eq!(room.watcher.fate(), Fate::Delivered { seq });
    }
    assert_eq!(numbers(&mut room.chair), [first, second, third]);
    room.alice_sends_and_it_is_held("VOTE_COMMIT", b"{}");
}

#[test]
fn what_a_rule_drops_is_lost_and_its_sender_hears_nothing_of_it() {
    let mut room = Room::new();
    room.set([rule("/2pc/VOTE_COMMIT", Then::Drop)]);
    let seq = room.alice_sends("VOTE_COMMIT", b"{}");
    assert_eq!(room.watcher.fate(), Fate::Dropped { seq, gone: false });
    let next = room.alice_sends("ACK", b"{}");
    assert_eq!(room.chair.protocol().seq, next);
    assert!(room.alice.is_open(), "her line is the next that she hears");
    room.watcher.chat();
    room.watcher.ask(&Command::Deliver { seq });
    assert_eq!(room.watcher.refused(), ErrorCode::BadRequest);
}

#[test]
fn a_cut_link_is_two_rules_and_can_be_cut_one_way() {
    let mut room = Room::new();
    let cut = |from: &str, to: &str| Rule { path: None, from: Some(name(from)), to: Some(name(to)), then: Then::Drop };
    let ask = frames().protocol(&name("alice"), "VOTE_REQUEST", b"{}");
    let (there, back) = (cut("chair", "alice"), cut("alice", "chair"));
    room.set([there.clone(), back.clone()]);
    let seq = room.alice_sends("ACK", b"{}");
    assert_eq!(room.watcher.fate(), Fate::Dropped { seq, gone: false });
    room.chair.send(&ask);
    let seq = room.watcher.protocol().seq;
    assert_eq!(room.watcher.fate(), Fate::Dropped { seq, gone: false });
    room.chair.say("chat is not cut");
    assert_eq!(room.alice.chat().text, "chat is not cut");
    assert_eq!([room.chair.chat().seq, room.watcher.chat().seq], [3, 3]);

    room.set([back]);
    room.chair.send(&ask);
    let seq = room.watcher.protocol().seq;
    assert_eq!(room.alice.protocol().seq, seq);
    let seq = room.alice_sends("ACK", b"{}");
    assert_eq!(room.watcher.fate(), Fate::Dropped { seq, gone: false });
    room.set([there]);
    let seq = room.alice_sends("ACK", b"{}");
    assert_eq!(room.chair.protocol().seq, seq, "the link was never cut for anything else");
}

#[test]
fn delayed_messages_keep_their_order_and_others_overtake_them() {
    const MS: u64 = 300;
    let mut room = Room::new();
    room.set([rule("/2pc/VOTE_COMMIT", Then::Delay { ms: MS })]);
    let start = Instant::now();
    let delayed = [(); 20].map(|()| {
        let seq = room.alice_sends("VOTE_COMMIT", b"{}");
        assert_eq!(room.watcher.fate(), Fate::Held { seq, ms: Some(MS) });
        seq
    });
    let passed = room.alice_sends("ACK", b"{}");
    assert_eq!(room.chair.protocol().seq, passed);
    assert_eq!(numbers(&mut room.chair), delayed);
    assert!(start.elapsed() >= Duration::from_millis(MS), "they came after {:?}", start.elapsed());
    for seq in delayed {
        assert_eq!(room.watcher.fate(), Fate::Delivered { seq });
    }
}

#[test]
fn a_shorter_delay_that_begins_later_ends_earlier_and_a_delayed_message_can_be_delivered_at_once() {
    let mut room = Room::new();
    room.set([rule("/2pc/ACK", Then::Delay { ms: 1 }), rule("/2pc/VOTE_COMMIT", Then::Delay { ms: 600_000 })]);
    let long = room.alice_sends("VOTE_COMMIT", b"{}");
    assert_eq!(room.watcher.fate(), Fate::Held { seq: long, ms: Some(600_000) });
    let short = room.alice_sends("ACK", b"{}");
    assert_eq!([room.watcher.fate(), room.watcher.fate()], [Fate::Held { seq: short, ms: Some(1) }, Fate::Delivered { seq: short }]);
    assert_eq!(room.chair.protocol().seq, short);
    room.deliver(long);
    assert_eq!(room.chair.protocol().seq, long);
}

#[test]
fn every_observer_hears_of_rules_and_fates_and_a_new_one_what_holds_before_anything_else() {
    let mut room = Room::new();
    let rules = [rule("/2pc/ACK", Then::Pass), hold_all()];
    room.set(rules.clone());
    let seq = room.alice_sends_and_it_is_held("VOTE_COMMIT", b"{}");
    assert!(room.alice.is_open());
    room.watcher.chat();
    let (mut other, told, held) = room.relay.watch("other");
    assert_eq!((told, held), (rules.to_vec(), vec![seq]));
    assert!(other.chat().history, "what was said before comes after that");
    assert_eq!(room.watcher.joined().user, name("other"));
    other.ask(&Command::Rules { rules: vec![] });
    other.ask(&Command::Deliver { seq });
    for client in [&mut room.watcher, &mut other] {
        assert_eq!(client.fate(), Fate::Rules { rules: vec![], held: vec![seq] }, "what is held stays held");
        assert_eq!(client.fate(), Fate::Delivered { seq });
    }
    assert_eq!((room.chair.chat().seq, room.chair.joined().user, room.chair.protocol().seq), (2, name("other"), seq));
}

#[test]
fn only_protocol_messages_are_held_and_none_to_who_sees_it_anyway() {
    let mut room = Room::new();
    room.set([hold_all()]);
    room.alice.send(&frames().trace(b"{}"));
    assert!(matches!(room.watcher.next(), FromRelay::Trace { .. }));
    assert!(room.alice.is_open(), "chat goes on");
    room.watcher.chat();
    room.alice.send(&frames().protocol(&name("watcher"), "ACK", b"{}"));
    let seq = room.watcher.protocol().seq;
    room.watcher.ask(&Command::Deliver { seq });
    assert_eq!(room.watcher.refused(), ErrorCode::BadRequest, "it has come, once, and is not held");
}

#[test]
fn who_is_gone_when_a_message_is_sent_is_not_here_whatever_the_rules_say() {
    let mut room = Room::new();
    room.set([hold_all()]);
    room.alice.send(&frames().protocol(&name("bob"), "ACK", b"{}"));
    let error = room.alice.error();
    assert_eq!((error.code(), error.to), (Some(ErrorCode::NotHere), Some(name("bob"))));
    assert_eq!(room.alice_sends_and_it_is_held("ACK", b"{}"), 1, "what was not relayed got no number");
}

#[test]
fn a_message_to_who_has_gone_since_is_lost_and_one_to_who_has_come_back_arrives() {
    let mut room = Room::new();
    room.set([hold_all()]);
    let [lost, kept] = [(); 2].map(|()| room.alice_sends_and_it_is_held("ACK", b"{}"));
    room.chair.send(&frames().logout());
    assert!(room.chair.try_next().is_none());
    assert_eq!([room.watcher.left().user, room.alice.left().user], [name("chair"), name("chair")]);
    room.watcher.ask(&Command::Duplicate { seq: kept });
    let error = room.watcher.error();
    assert_eq!((error.code(), error.to), (Some(ErrorCode::NotHere), Some(name("chair"))), "a copy to nobody");
    room.ask(&Command::Deliver { seq: lost }, &Fate::Dropped { seq: lost, gone: true });
    let mut chair = room.relay.login("chair", Role::Coordinator);
    assert_eq!(room.watcher.joined().user, name("chair"));
    assert!(chair.is_open(), "nothing waited for it");
    room.watcher.chat();
    room.watcher.ask(&Command::Deliver { seq: kept });
    assert_eq!(room.watcher.fate(), Fate::Delivered { seq: kept });
    assert_eq!(chair.protocol().seq, kept);
}

#[test]
fn a_message_outlives_its_sender() {
    let mut room = Room::new();
    room.set([hold_all()]);
    let seq = room.alice_sends_and_it_is_held("VOTE_COMMIT", b"{}");
    room.alice.send(&frames().logout());
    assert!(room.alice.try_next().is_none());
    assert_eq!([room.watcher.left().user, room.chair.left().user], [name("alice"), name("alice")]);
    room.deliver(seq);
    let late = room.chair.protocol();
    assert_eq!((late.from, late.role, late.seq), (name("alice"), Role::Participant, seq));
}

#[test]
fn when_the_last_observer_leaves_the_rules_go_and_what_is_held_goes_on() {
    let mut room = Room::new();
    let (other, ..) = room.relay.watch("other");
    assert_eq!([room.watcher.joined().user, room.chair.joined().user, room.alice.joined().user], [(); 3].map(|()| name("other")));
    room.set([rule("/2pc/ACK", Then::Delay { ms: 600_000 }), hold_all()]);
    let first = room.alice_sends_and_it_is_held("VOTE_COMMIT", b"{}");
    let second = room.alice_sends("ACK", b"{}");
    assert_eq!(room.watcher.fate(), Fate::Held { seq: second, ms: Some(600_000) });
    let third = room.alice_sends_and_it_is_held("VOTE_COMMIT", b"{}");
    room.watcher.hang_up();
    assert_eq!([room.chair.left().user, room.alice.left().user], [name("watcher"), name("watcher")]);
    room.chair.say("one is left");
    assert_eq!(room.chair.chat().text, "one is left", "while anybody watches, all stays as it is");
    drop(other);
    assert_eq!(room.chair.left().user, name("other"));
    assert_eq!(numbers(&mut room.chair), [first, second, third]);
    room.alice.send(&frames().protocol(&name("chair"), "VOTE_COMMIT", b"{}"));
    assert_eq!(room.chair.protocol().seq, 5, "no rule is left");
    let (_, rules, held) = room.relay.watch("watcher");
    assert!(rules.is_empty() && held.is_empty(), "nor for who comes next");
}

#[test]
fn an_observer_that_takes_its_own_place_over_leaves_everything_as_it_is() {
    let mut room = Room::new();
    room.set([hold_all()]);
    let seq = room.alice_sends_and_it_is_held("ACK", b"{}");
    let (mut again, rules, held) = room.relay.watch("watcher");
    assert_eq!((rules, held), (vec![hold_all()], vec![seq]));
    again.ask(&Command::Deliver { seq });
    assert_eq!(again.fate(), Fate::Delivered { seq });
}

/// A claim on a sender, as for a message that nobody has taken, would stop it after 256 KiB.
#[test]
fn whoever_has_much_held_goes_on_sending() {
    let mut room = Room::new();
    room.set([hold_all()]);
    let body = vec![b'x'; 60_000];
    for _ in 0..50 {
        room.alice_sends_and_it_is_held("ACK", &body);
    }
    assert!(room.alice.is_open());
}

#[test]
fn of_more_messages_than_are_held_the_oldest_goes_on() {
    const MOST: u64 = 4096;
    const TOGETHER: u64 = 64;
    let mut room = Room::new();
    room.set([hold_all()]);
    let some = frames().protocol(&name("chair"), "ACK", b"{}").repeat(TOGETHER as usize);
    for first in (1..=MOST).step_by(TOGETHER as usize) {
        room.alice.send(&some);
        for seq in first..first + TOGETHER {
            assert_eq!(room.watcher.protocol().seq, seq);
            assert_eq!(room.watcher.fate(), Fate::Held { seq, ms: None });
        }
    }
    for (seq, oldest) in [(MOST + 1, 1), (MOST + 2, 2)] {
        assert_eq!(room.alice_sends_and_it_is_held("ACK", b"{}"), seq);
        assert_eq!(room.watcher.fate(), Fate::Delivered { seq: oldest });
        assert_eq!(room.chair.protocol().seq, oldest);
    }
    room.watcher.ask(&Command::Release);
    for seq in 3..=MOST + 2 {
        assert_eq!(room.chair.protocol().seq, seq, "none is lost");
    }
}

#[test]
fn of_larger_messages_than_are_held_together_the_oldest_goes_on() {
    let mut room = Room::with(|config| config.limits.waiting = 1024 * 1024);
    room.set([hold_all()]);
    let body = vec![b'x'; 60 * 1024];
    // Half of what may wait for one client: eight of these, and not nine.
    for seq in 1..=9 {
        assert_eq!(room.alice_sends_and_it_is_held("ACK", &body), seq);
    }
    assert_eq!(room.watcher.fate(), Fate::Delivered { seq: 1 });
    assert_eq!(room.chair.protocol().seq, 1);
    room.watcher.ask(&Command::Release);
    let rest: [u64; 8] = numbers(&mut room.chair);
    assert!(rest.into_iter().eq(2..=9), "{rest:?}");
}

#[test]
fn a_command_that_is_none_is_refused_and_changes_nothing() {
    let mut room = Room::new();
    room.set([hold_all()]);
    let seq = room.alice_sends_and_it_is_held("ACK", b"{}");
    let many = format!(r#"{{"do":"rules","rules":[{}]}}"#, [r#"{"then":"drop"}"#; 257].join(","));
    let long = format!(r#"{{"do":"rules","rules":[{{"path":"/2pc/{}","then":"drop"}}]}}"#, "A".repeat(60));
    for (body, sentence) in [
        ("", "A command is one JSON object"),
        (r#"{"do":"stop"}"#, "The member do says what to do: rules, deliver, drop, duplicate or release; \"stop\" is none of them"),
        (r#"{"do":"deliver"}"#, "The command deliver needs the member seq"),
        (r#"{"do":"deliver","sec":1}"#, "The command deliver needs the member seq"),
        (r#"{"do":"release","seq":1}"#, "The command release has no member seq"),
        (r#"{"do":"rules"}"#, "The command rules needs the member rules"),
        (r#"{"do":"rules","rules":[{"then":"pass"},{"form":"alice","then":"drop"}]}"#, "Rule 2 has the member form, which no rule has"),
        (r#"{"do":"rules","rules":[{"from":"alice"}]}"#, "Rule 1 needs the member then"),
        (r#"{"do":"rules","rules":[{"then":"drop","from":"a b"}]}"#, "The member from of rule 1 is no user name"),
        (&many, "There may be 256 rules at a time, and here are 257"),
        (&long, "The path of rule 1 is none of a protocol message"),
        (r#"{"do":"rules","rules":[{"path":"/client.http","then":"drop"}]}"#, "The path of rule 1 is none of a protocol message"),
        (r#"{"do":"rules","rules":[{"then":"pass"},{"then":"delay","ms":0}]}"#, "The delay of rule 2 is out of bounds"),
        (r#"{"do":"rules","rules":[{"then":"delay","ms":600001}]}"#, "The delay of rule 1 is out of bounds"),
        (r#"{"do":"deliver","seq":2}"#, "No message with the number 2 is held"),
        (r#"{"do":"drop","seq":2}"#, "No message with the number 2 is held"),
        (r#"{"do":"duplicate","seq":18446744073709551615}"#, "No message with the number 18446744073709551615 is held"),
    ] {
        room.watcher.send(format!("POST /lab HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
        let error = room.watcher.error();
        assert_eq!(error.code(), Some(ErrorCode::BadRequest), "{body}");
        assert!(error.message.starts_with(sentence) && error.message.ends_with('.'), "{body}: {}", error.message);
    }
    room.deliver(seq);
    room.alice_sends_and_it_is_held("ACK", b"{}");
}

#[test]
fn what_is_about_nothing_that_is_held_is_refused_by_its_number() {
    let mut room = Room::new();
    for (command, sentence) in [
        (Command::Release, "Nothing is held, so there is nothing to release"),
        (Command::Deliver { seq: 7 }, "No message with the number 7 is held"),
        (Command::Drop { seq: 8 }, "No message with the number 8 is held"),
        (Command::Duplicate { seq: 9 }, "No message with the number 9 is held"),
    ] {
        room.watcher.ask(&command);
        let error = room.watcher.error();
        assert_eq!(error.code(), Some(ErrorCode::BadRequest), "{command:?}");
        assert!(error.message.starts_with(sentence), "{command:?}: {}", error.message);
    }
    room.set([hold_all()]);
    let seq = room.alice_sends_and_it_is_held("ACK", b"{}");
    room.ask(&Command::Release, &Fate::Delivered { seq });
    room.watcher.ask(&Command::Release);
    assert_eq!(room.watcher.refused(), ErrorCode::BadRequest, "it has gone on");
}

#[test]
fn who_is_no_observer_has_no_say_and_without_a_lab_nobody_has() {
    let mut room = Room::new();
    room.set([hold_all()]);
    let seq = room.alice_sends_and_it_is_held("ACK", b"{}");
    room.alice.ask(&Command::Release);
    room.chair.ask(&Command::Drop { seq });
    assert_eq!([room.alice.refused(), room.chair.refused()], [ErrorCode::Forbidden; 2]);
    assert!(room.alice.is_open());
    assert_eq!(room.chair.chat().seq, room.watcher.chat().seq, "both are still in the room, and nothing has happened");
    room.deliver(seq);

    let relay = Relay::start();
    let mut alice = relay.participant("alice");
    alice.ask(&Command::Release);
    assert_eq!(alice.refused(), ErrorCode::NotFound);
    assert!(alice.is_open());
}

#[test]
fn a_command_before_the_upgrade_is_for_nobody() {
    let room = Room::new();
    let body = r#"{"do":"release"}"#;
    let request = format!("POST /lab HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    assert_eq!(room.relay.ask(&request).status(), 404);
}
