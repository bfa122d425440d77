//! Small runs as text: what a person would see of each.

use twopc_lab::diagram::{Axis, Chart, Filter, Lens, View, layout, plain};
use twopc_lab::run::Event;
use twopc_proto::MessageKind;
use twopc_proto::bench::Then;

use crate::play::{Room, Votes, rule};

/// Compares a text with the one that stands in the folder.
pub(crate) fn check(file: &str, is: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagram/golden").join(file);
    if std::env::var_os("TWOPC_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, is).unwrap();
        return;
    }
    let should = std::fs::read_to_string(&path).unwrap();
    for (number, (is, should)) in is.lines().zip(should.lines()).enumerate() {
        assert_eq!(is, should, "{file}, line {}", number + 1);
    }
    assert_eq!(is.lines().count(), should.lines().count(), "{file} ends elsewhere");
}

pub(crate) fn drawn(events: &[Event], filter: Filter) -> String {
    let chart = Chart::of(events);
    let axis = Axis::of(&chart, &Lens { filter, ..Lens::default() });
    let mut view = View::whole(&chart, &axis, 1_000.0);
    view.now_us = chart.last_us();
    plain::text(&layout(&chart, &axis, &view))
}

fn check_run(file: &str, room: &Room) {
    check(file, &drawn(&room.events, Filter::default()));
}

#[test]
fn all_commit() {
    let mut room = Room::new(&["alice", "bob"]);
    room.pass(500_000);
    room.request("Hello");
    room.pass(1_000_000);
    check_run("all_commit.txt", &room);
}

#[test]
fn one_aborts() {
    let mut room = Room::new(&["alice", "bob"]);
    room.votes("bob", Votes::Abort);
    room.request("Hello");
    room.pass(1_000_000);
    check_run("one_aborts.txt", &room);
}

#[test]
fn the_coordinator_dies_after_telling_one_and_the_others_are_blocked_until_it_is_back() {
    let mut room = Room::new(&["alice", "bob", "carol"]);
    // Alice knows the decision and is gone before anybody can ask her.
    room.dies_after(MessageKind::GlobalCommit, 1);
    room.request("Hello");
    room.pass(165_000);
    room.pass(20_000);
    room.kill("alice");
    room.pass(23_000_000);
    room.start("chair");
    room.pass(2_000_000);
    check_run("blocked.txt", &room);
}

#[test]
fn a_message_is_held_and_delivered_by_hand_and_one_is_dropped() {
    let mut room = Room::new(&["alice", "bob"]);
    room.rules(vec![
        rule(Some(MessageKind::VoteCommit), Some("alice"), None, Then::Hold),
        rule(Some(MessageKind::GlobalCommit), None, Some("bob"), Then::Drop),
    ]);
    room.request("Hello");
    room.pass(900_000);
    let held = room.held();
    room.deliver(held[0]);
    room.pass(100_000);
    room.rules(Vec::new());
    room.pass(1_000_000);
    check_run("held_and_dropped.txt", &room);
}

#[test]
fn a_message_arrives_twice() {
    let mut room = Room::new(&["alice"]);
    room.rules(vec![rule(Some(MessageKind::GlobalCommit), None, None, Then::Hold)]);
    room.request("Hello");
    room.pass(300_000);
    let held = room.held();
    room.duplicate(held[0]);
    room.pass(100_000);
    room.deliver(held[0]);
    room.pass(300_000);
    check_run("duplicate.txt", &room);
}

#[test]
fn a_participant_is_killed_after_its_promise_and_restarted() {
    let mut room = Room::new(&["alice", "bob"]);
    room.votes("bob", Votes::Never);
    room.request("Hello");
    room.pass(300_000);
    room.kill("alice");
    room.pass(5_000_000);
    room.start("alice");
    room.pass(20_000_000);
    check_run("restart.txt", &room);
}

#[test]
fn a_link_is_cut_both_ways() {
    let mut room = Room::new(&["alice", "bob"]);
    room.rules(vec![rule(None, Some("alice"), Some("chair"), Then::Drop), rule(None, Some("chair"), Some("alice"), Then::Drop)]);
    room.request("Hello");
    room.pass(20_000_000);
    room.rules(Vec::new());
    room.pass(3_000_000);
    check_run("cut.txt", &room);
}

#[test]
fn one_transaction_of_two_is_looked_at_without_one_lane() {
    let mut room = Room::new(&["alice", "bob"]);
    room.request("Hello");
    room.pass(10_000);
    room.request("World");
    room.pass(1_000_000);
    let bob = Chart::of(&room.events);
    let bob = *bob.order().iter().find(|lane| bob.lane(**lane).name == "bob").unwrap();
    let filter = Filter { txn: Some(room.txn(2)), hidden: [bob].into() };
    check("filtered.txt", &drawn(&room.events, filter));
    check("unfiltered.txt", &drawn(&room.events, Filter::default()));
}
