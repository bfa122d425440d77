//! The wall clock of every program is thrown ten years while a vote is under way, forwards for some and
//! back for others: no vote times out early or late, who is in doubt asks as soon as ever, and every name
//! is kept.
//!
//! Only the wall clock is: the clock that only runs forwards, and every wait, stay the system's, as
//! they do where somebody sets a clock.

#![cfg(target_os = "linux")]

mod thrown;

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use twopc_tests::room::is_in;
use twopc_tests::{Process, Room};

use crate::thrown::WallClock;

/// What nobody waits out.
const LONG: &str = "3600";

/// A room whose programs have a wall clock each.
struct Scene {
    room: Room,
    clocks: [WallClock; 4],
}

/// The places of the clocks.
const RELAY: usize = 0;
const NAMES: [&str; 3] = ["chair", "alice", "bob"];

impl Scene {
    fn new() -> Self {
        let clocks = [0; 4].map(|_| WallClock::right());
        let room = Room::open_with(env!("CARGO_BIN_EXE_twopc-suite"), &clocks[RELAY].variables());
        Self { room, clocks }
    }

    fn starts(&self, who: usize, role: &str, more: &[&str]) -> Process {
        let name = NAMES[who];
        let mut command = self.room.node_command(role, name, name);
        let mut node = Process::start(name, command.args(more).envs(self.clocks[1 + who].variables()));
        is_in(&mut node);
        node
    }

    fn chair(&self, vote_timeout: &str) -> Process {
        self.starts(0, "coordinator", &["--vote-timeout", vote_timeout, "--expect", "2"])
    }

    /// Both take as long as they like for their vote, and ask half a second after they are in doubt.
    fn voters(&self) -> [Process; 2] {
        [1, 2].map(|who| self.starts(who, "participant", &["--vote", "ask", "--grace", "0.5"]))
    }

    /// Throws every clock, one this way and the next the other way.
    fn throws(&self, years: [i8; 4]) {
        for (clock, years) in self.clocks.iter().zip(years) {
            clock.throw(years);
        }
    }

    /// That the relay has seen this year, and so that its clock was thrown at all.
    fn was_recorded_in(&self, years: i8) {
        let year = thrown::year(years).to_string();
        let record = self.room.logs().join("room.http");
        let has_it = || fs::read_to_string(&record).is_ok_and(|text| dates(&text).any(|date| date.contains(&year)));
        let since = Instant::now();
        while !has_it() {
            assert!(since.elapsed() < Duration::from_secs(10), "no message of {year} in {}", record.display());
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// When each message of a record passed the relay.
fn dates(record: &str) -> impl Iterator<Item = &str> {
    record.lines().filter_map(|line| line.strip_prefix("Date: "))
}

fn asks_for(chair: &mut Process, string: &str) {
    chair.types(&format!("string: {string}"));
    chair.types("request");
}

fn is_asked(voter: &mut Process) {
    voter.event(&json!({"event": "vote_request"}));
}

fn decides(node: &mut Process, decision: &str) {
    node.event(&json!({"event": "decision", "decision": decision}));
}

fn ends_well(mut nodes: [Process; 3]) {
    nodes.iter_mut().for_each(Process::quits);
}

#[test]
fn a_vote_that_has_time_left_is_not_cut_short() {
    let scene = Scene::new();
    let [mut alice, mut bob] = scene.voters();
    let mut chair = scene.chair(LONG);
    asks_for(&mut chair, "Hello");
    for voter in [&mut alice, &mut bob] {
        is_asked(voter);
    }

    for years in [[10, 10, 10, 10], [-10, 10, -10, 10], [10, -10, 10, -10]] {
        scene.throws(years);
        // Something to do for everybody, so that a timer that believes the clock would fire now.
        bob.types(&format!("say it is {}", thrown::year(years[RELAY])));
        for node in [&mut chair, &mut alice] {
            node.event(&json!({"event": "chat", "from": "bob"}));
        }
        for node in [&mut chair, &mut alice, &mut bob] {
            node.has_not_said(&json!({"event": "decision"}));
        }
        scene.was_recorded_in(years[RELAY]);
    }

    for voter in [&mut alice, &mut bob] {
        voter.types("commit");
    }
    for node in [&mut chair, &mut alice, &mut bob] {
        decides(node, "commit");
    }
    chair.event(&json!({"event": "done"}));
    ends_well([chair, alice, bob]);
    assert_eq!(scene.room.audit("chair", &["alice", "bob"]), ["Hello"]);
}

#[test]
fn a_vote_that_nobody_answers_ends_when_it_would_have() {
    const TIMEOUT: Duration = Duration::from_secs(2);
    let scene = Scene::new();
    let [mut alice, mut bob] = scene.voters();
    let mut chair = scene.chair("2");
    for (string, years) in [("Hello", [-10, -10, -10, -10]), ("again", [10, 10, 10, 10])] {
        let asked = Instant::now();
        asks_for(&mut chair, string);
        for voter in [&mut alice, &mut bob] {
            is_asked(voter);
        }
        scene.throws(years);
        decides(&mut chair, "abort");
        let took = asked.elapsed();
        assert!(took >= TIMEOUT, "the vote ended after {took:?}");
        assert!(took < 3 * TIMEOUT, "the vote ended after {took:?}");
        for voter in [&mut alice, &mut bob] {
            decides(voter, "abort");
        }
        chair.event(&json!({"event": "done"}));
        // The relay stamps a date on what people say.
        chair.types("say that was it");
        scene.was_recorded_in(years[RELAY]);
    }
    ends_well([chair, alice, bob]);
    assert_eq!(scene.room.audit("chair", &["alice", "bob"]), Vec::<String>::new());
}

#[test]
fn who_is_in_doubt_asks_when_it_would_have_and_a_relay_that_is_back_knows_everybody() {
    const TIMEOUT: Duration = Duration::from_secs(1);
    let mut scene = Scene::new();
    let [mut alice, mut bob] = scene.voters();
    let mut chair = scene.chair("1");
    asks_for(&mut chair, "Hello");
    for voter in [&mut alice, &mut bob] {
        is_asked(voter);
    }
    scene.throws([-10, 10, -10, 10]);
    for voter in [&mut alice, &mut bob] {
        voter.types("commit");
    }
    chair.event(&json!({"event": "done"}));

    // The relay dies and is back in another decade: the names stand under their keys.
    scene.room.kill_relay();
    scene.throws([10, -10, 10, -10]);
    scene.room.start_relay();
    for node in [&mut chair, &mut alice, &mut bob] {
        is_in(node);
    }
    let asked = Instant::now();
    asks_for(&mut chair, "again");
    for voter in [&mut alice, &mut bob] {
        is_asked(voter);
    }
    alice.types("commit");
    alice.event(&json!({"event": "state", "txn": "chair.1.2", "state": "READY"}));
    chair.kill();
    scene.throws([-10, 10, -10, 10]);
    alice.event(&json!({"event": "decision", "txn": "chair.1.2", "decision": "abort"}));
    let took = asked.elapsed();
    assert!(took >= TIMEOUT, "she was told after {took:?}");
    assert!(took < 5 * TIMEOUT, "she was told after {took:?}");
    decides(&mut bob, "abort");
    scene.was_recorded_in(10);

    let mut chair = scene.chair("1");
    chair.event(&json!({"event": "done", "txn": "chair.1.2"}));
    ends_well([chair, alice, bob]);
    assert_eq!(scene.room.audit("chair", &["alice", "bob"]), ["Hello"]);
}
