//! Golden traces: what each role does, input by input, as text that a person can read.
//!
//! A trace file has one `##` heading a trace, then lines `> input` and, under each, the effects that
//! the machine gives, all of them and in order. `TWOPC_BLESS=1 cargo test -p twopc-proto --test
//! traces` writes the effects anew; the change is then for a person to read.
//!
//! Inputs read as [`twopc_proto::story`] writes them, in a shorter form:
//! `link up: alice bob chair*` (a star marks a coordinator), `chair*: VOTE_REQUEST 1.1 “Hello” alice
//! bob`, `press Commit 1.1`, `disk 1`, `file 2`, `no space 1`, `timer Deadline 1.1`, `joined bob`,
//! `left bob`, `not here bob`, `link down`, `crash` (the node comes back on what is durable),
//! `lose unsynced` before a crash, and `compact` (it comes back on its log compacted, which is written
//! down first).

#![allow(clippy::unwrap_used)] // a test that cannot go on says where

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use twopc_proto::log::{Line, Logged, Stamp, Sum, compacted};
use twopc_proto::story::{self, Tell};
use twopc_proto::*;

#[test]
fn the_participants_traces_are_as_written() {
    run::<Participant>("participant.txt", participant_press, participant_timer);
}

#[test]
fn the_coordinators_traces_are_as_written() {
    run::<Coordinator>("coordinator.txt", coordinator_press, coordinator_timer);
}

/// Every rule of the protocol and every row of its tables of unclear cases has a trace by name.
#[test]
fn every_rule_and_every_unclear_case_has_a_trace() {
    let text = read("participant.txt") + &read("coordinator.txt");
    let titles: BTreeSet<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let covered = |prefix: &str| titles.iter().any(|title| title.starts_with(prefix));
    let mut missing: Vec<String> = (1..=13).map(|n| format!("Rule {n}:")).collect();
    missing.extend((1..=9).map(|n| format!("Participant case {n}:")));
    missing.extend((1..=6).map(|n| format!("Coordinator case {n}:")));
    missing.retain(|prefix| !covered(prefix));
    assert!(missing.is_empty(), "no trace for {missing:?}");
}

type Press<M> = fn(&str, &str) -> <M as Machine>::Command;
type TimerOf<M> = fn(&str, TxnId) -> <M as Machine>::Timer;

fn run<M: Tell>(file: &str, press: Press<M>, timer: TimerOf<M>) {
    let written = read(file);
    let played = play::<M>(&written, press, timer);
    if std::env::var_os("TWOPC_BLESS").is_some() {
        std::fs::write(path(file), &played).unwrap();
        return;
    }
    for (number, (is, should)) in played.lines().zip(written.lines()).enumerate() {
        assert_eq!(is, should, "{file}, line {}", number + 1);
    }
    assert_eq!(played.lines().count(), written.lines().count(), "{file} ends elsewhere");
}

/// Plays every trace of a file and writes it down again with the effects that came.
fn play<M: Tell>(written: &str, press: Press<M>, timer: TimerOf<M>) -> String {
    let mut out = String::new();
    let mut node: Option<Node<M>> = None;
    for line in written.lines() {
        if line.starts_with("## ") {
            node = Some(Node::new());
        }
        if line.starts_with("    ") {
            continue;
        }
        writeln!(out, "{line}").unwrap();
        let Some(input) = line.strip_prefix("> ") else { continue };
        let node = node.as_mut().expect("a trace begins with a heading");
        if input == "compact" {
            for record in node.compact() {
                writeln!(out, "    holds {}", M::record(record)).unwrap();
            }
        }
        for effect in node.take(input, press, timer) {
            writeln!(out, "    {}", story::effect(&effect)).unwrap();
        }
    }
    out
}

/// One node with a log: what is written, and how much of it is durable.
struct Node<M: Machine> {
    machine: M,
    incarnation: u64,
    log: Vec<M::Record>,
    synced: usize,
}

impl<M: Tell> Node<M> {
    fn new() -> Self {
        let (machine, _) = M::recover(&identity::<M>(), &settings(), 1, &[]);
        Self { machine, incarnation: 1, log: Vec::new(), synced: 0 }
    }

    /// Puts the compacted log in the place of the log.
    fn compact(&mut self) -> &[M::Record] {
        let stamp = |record: &M::Record| record.committed().map(|_| Stamp { at: 0, before: Sum::default() });
        let logged: Vec<Logged<M::Record>> =
            (1..).zip(&self.log).map(|(line, record)| Logged { line, record: record.clone(), stamp: stamp(record) }).collect();
        let records = compacted(&logged).into_iter().filter_map(|line| match line {
            Line::Record { record, .. } => Some(record),
            Line::Header(_) | Line::Life(_) | Line::Moved { .. } => None,
        });
        self.log = records.collect();
        self.synced = self.log.len();
        &self.log
    }

    fn take(&mut self, line: &str, press: Press<M>, timer: TimerOf<M>) -> Vec<Effect<M>> {
        let effects = match line {
            "crash" | "compact" => {
                self.incarnation += 1;
                let (machine, effects) = M::recover(&identity::<M>(), &settings(), self.incarnation, &self.log);
                self.machine = machine;
                effects
            }
            "lose unsynced" => {
                self.log.truncate(self.synced);
                Vec::new()
            }
            _ => {
                let input = input::<M>(line, press, timer);
                match input {
                    Input::Durable(lsn) => self.synced = usize::try_from(lsn).unwrap().clamp(self.synced, self.log.len()),
                    // Of a record that is durable it was its line in the text file that found no space.
                    Input::Refused(lsn) if usize::try_from(lsn).unwrap() > self.synced => {
                        self.log.truncate(usize::try_from(lsn).unwrap() - 1);
                    }
                    _ => {}
                }
                self.machine.step(input)
            }
        };
        for effect in &effects {
            if let Effect::Persist { lsn, record, .. } = effect {
                self.log.push(record.clone());
                assert_eq!(usize::try_from(*lsn).unwrap(), self.log.len(), "records are numbered without gaps");
            }
        }
        effects
    }
}

/// Traces are told from alice's side, or from chair's.
fn identity<M: Machine>() -> Identity {
    Identity { user: name(if M::ROLE == Role::Coordinator { "chair" } else { "alice" }) }
}

fn settings() -> Settings {
    Settings { grace: Duration::from_secs(5), expect: 2 }
}

fn input<M: Machine>(line: &str, press: Press<M>, timer: TimerOf<M>) -> Input<M> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = || words.last().unwrap().parse().unwrap();
    match words.as_slice() {
        ["link", "up:", room @ ..] => Input::Link(LinkState::Up(room.iter().map(|word| person(word)).collect::<BTreeMap<_, _>>())),
        ["link", "down"] => Input::Link(LinkState::Down),
        ["disk", _] => Input::Durable(number()),
        ["file", _] => Input::Applied(number()),
        ["no", "space", _] => Input::Refused(number()),
        ["joined", who] => Input::Peer(person(who).0, Presence::Joined(person(who).1)),
        ["left", who] => Input::Peer(name(who), Presence::Left),
        ["not", "here", who] => Input::Peer(name(who), Presence::NotHere),
        ["timer", "Space"] => Input::TimerFired(timer("Space", txn("0.0"))),
        ["timer", which, id] => Input::TimerFired(timer(which, txn(id))),
        ["press", what @ ..] => Input::Command(press(what[0], what.get(1).unwrap_or(&""))),
        [who, kind, id, rest @ ..] if who.ends_with(':') => {
            let (from, role) = person(who.trim_end_matches(':'));
            Input::Received { from, role, message: message(kind, txn(id), rest) }
        }
        _ => panic!("not an input: {line}"),
    }
}

fn message(kind: &str, txn: TxnId, rest: &[&str]) -> Message {
    let names = |words: &[&str]| words.iter().map(|word| name(word)).collect::<BTreeSet<_>>();
    let first = rest.first().copied();
    let reason = || first.map(|word| serde_json::from_value(word.into()).unwrap());
    match MessageKind::parse(kind).unwrap_or_else(|| panic!("{kind}")) {
        MessageKind::VoteRequest => {
            Message::VoteRequest { txn, string: string(rest[0]), participants: names(&rest[1..]), timeout: Duration::from_secs(20) }
        }
        MessageKind::VoteCommit => Message::VoteCommit { txn },
        MessageKind::VoteAbort => Message::VoteAbort { txn, reason: reason() },
        MessageKind::GlobalCommit => Message::GlobalCommit { txn },
        MessageKind::GlobalAbort => Message::GlobalAbort { txn, reason: reason(), by: rest.get(1).map(|by| name(by)) },
        MessageKind::Ack => Message::Ack { txn },
        MessageKind::DecisionRequest => Message::DecisionRequest { txn, participants: names(rest) },
        MessageKind::DecisionReply => Message::DecisionReply { txn, state: serde_json::from_value(first.unwrap().into()).unwrap() },
    }
}

fn participant_press(what: &str, id: &str) -> participant::Command {
    match what {
        "Commit" => participant::Command::Commit(txn(id)),
        "Abort" => participant::Command::Abort(txn(id)),
        "Ask" => participant::Command::AskStatus(txn(id)),
        "Quit" => participant::Command::Leave,
        _ => panic!("{what}"),
    }
}

fn participant_timer(which: &str, txn: TxnId) -> participant::Timer {
    match which {
        "Deadline" => participant::Timer::Deadline(txn),
        "Grace" => participant::Timer::Grace(txn),
        "AskAgain" => participant::Timer::AskAgain(txn),
        "Answers" => participant::Timer::Answers(txn),
        "Space" => participant::Timer::Space,
        _ => panic!("{which}"),
    }
}

fn coordinator_press(what: &str, text: &str) -> coordinator::Command {
    match what {
        "Request" | "RequestAlongside" => {
            coordinator::Command::Request { string: string(text), timeout: Duration::from_secs(20), alongside: what == "RequestAlongside" }
        }
        "Quit" => coordinator::Command::Leave,
        _ => panic!("{what}"),
    }
}

fn coordinator_timer(which: &str, txn: TxnId) -> coordinator::Timer {
    match which {
        "Votes" => coordinator::Timer::Votes(txn),
        "Repeat" => coordinator::Timer::Repeat(txn),
        "Space" => coordinator::Timer::Space,
        _ => panic!("{which}"),
    }
}

/// `1.1` is `chair.1.1`; another coordinator's is written in full.
fn txn(id: &str) -> TxnId {
    let full = if id.starts_with(|c: char| c.is_ascii_digit()) { format!("chair.{id}") } else { id.into() };
    TxnId::parse(&full).unwrap()
}

fn name(word: &str) -> UserName {
    UserName::parse(word).unwrap_or_else(|_| panic!("no name: {word}"))
}

fn person(word: &str) -> (UserName, Role) {
    match word.strip_suffix('*') {
        Some(coordinator) => (name(coordinator), Role::Coordinator),
        None => (name(word), Role::Participant),
    }
}

fn string(quoted: &str) -> CommittedString {
    CommittedString::parse(quoted.trim_start_matches('“').trim_end_matches('”')).unwrap()
}

fn path(file: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "traces", file].iter().collect()
}

fn read(file: &str) -> String {
    std::fs::read_to_string(path(file)).unwrap()
}
