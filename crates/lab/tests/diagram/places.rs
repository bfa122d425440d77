//! Words and ends of lines: what can be read from the back of a room.

use twopc_lab::diagram::chart::{Loss, Part};
use twopc_lab::diagram::detail::detail;
use twopc_lab::diagram::scene::{Label, Point, Scene, Tip};
use twopc_lab::diagram::{Axis, Chart, Filter, Lens, Pick, View, layout};
use twopc_lab::run::{Event, Happening, Stage};
use twopc_proto::trace::{Trace, What};
use twopc_proto::{MessageKind, Role, UserName};

use crate::play::{Room, long_run};

/// The whole of a run, with or without the relay's lane.
fn scene(chart: &Chart, has_relay: bool) -> Scene {
    let hidden = chart.relay().filter(|_| !has_relay).into_iter().collect();
    let axis = Axis::of(chart, &Lens { filter: Filter { hidden, ..Filter::default() }, ..Lens::default() });
    layout(chart, &axis, &View::whole(chart, &axis, 1_000.0))
}

#[test]
fn no_words_lie_on_other_words_on_shapes_or_on_the_ends_of_arrows() {
    let chart = Chart::of(&long_run(&["alice", "bob", "carol"], 1_500));
    for has_relay in [true, false] {
        let scene = scene(&chart, has_relay);
        let covers = |label: &Label, point: Point, margin: f32| {
            (label.at.x - margin..label.at.x + label.width + margin).contains(&point.x) && (label.at.y - point.y).abs() < 9.0 + margin
        };
        for (index, label) in scene.labels.iter().enumerate() {
            let other = scene.labels[index + 1..].iter().find(|other| {
                let is_beside = other.at.x >= label.at.x + label.width || label.at.x >= other.at.x + other.width;
                !is_beside && (other.at.y - label.at.y).abs() < 18.0
            });
            assert_eq!(other, None, "on {label:?}");
            let badge = scene.badges.iter().find(|badge| covers(label, badge.at, 2.0));
            assert_eq!(badge, None, "under {label:?}");
            // Words beside a shape stand where they belong; what arrives there is painted on them.
            let is_moved = !matches!(label.of, Some(Pick::Entry(_)));
            let tip = scene.lines.iter().find(|line| is_moved && line.tip != Tip::Plain && covers(label, line.to, 2.0));
            assert_eq!(tip, None, "under {label:?}");
        }
    }
}

#[test]
fn no_length_of_time_is_cut_off_at_the_right_edge() {
    let mut room = Room::new(&["alice", "bob", "carol"]);
    // A first transaction is over, so that words name theirs and are longer; in the second one carol stays blocked.
    room.request("Hello");
    room.pass(1_000_000);
    room.dies_after(MessageKind::GlobalCommit, 1);
    room.request("Again");
    room.pass(165_000);
    room.pass(20_000);
    room.kill("alice");
    room.pass(23_000_000);
    let chart = Chart::of(&room.events);
    let axis = Axis::of(&chart, &Lens::default());
    let now_us = chart.last_us() + 1_000_000;
    let mut lengths = 0;
    for step in 0..200 {
        let view = View { width: 900.0, height: 600.0, top: f64::from(step) * 50.0, now_us, ..View::default() };
        let scene = layout(&chart, &axis, &view);
        let right = scene.whole.0;
        let timed = |label: &&Label| label.of.is_none() && label.text.contains(" so far");
        lengths += scene.labels.iter().filter(timed).count();
        let cut = scene.labels.iter().filter(timed).find(|label| label.at.x + label.width > right);
        assert_eq!(cut, None, "beyond {right}, from {} on", view.top);
    }
    assert!(lengths > 100, "{lengths}");
}

#[test]
fn a_length_of_time_does_not_read_as_the_lane_befores() {
    let mut room = Room::new(&["alice", "bob"]);
    room.kill("alice");
    let chart = Chart::of(&room.events);
    let axis = Axis::of(&chart, &Lens::default());
    let view = View { width: 1_000.0, height: 600.0, now_us: chart.last_us() + 13_000_000, ..View::default() };
    let scene = layout(&chart, &axis, &view);
    let alice = scene.heads.iter().find(|head| head.name == "alice").unwrap();
    let down = scene.labels.iter().find(|label| label.text.starts_with("down 13")).unwrap();
    assert!(down.at.x > alice.x, "the relay's lane is near: {down:?}, {alice:?}");
}

#[test]
fn a_message_to_somebody_who_is_not_there_says_so_at_its_end() {
    let mut room = Room::new(&["alice", "bob"]);
    room.dies_after(MessageKind::VoteRequest, 2);
    room.request("Hello");
    room.pass(30_000_000);
    let chart = Chart::of(&room.events);
    let lost: Vec<_> = chart.messages().iter().filter(|message| chart.lane(message.to).part == Part::Coordinator).collect();
    assert!(!lost.is_empty());
    for message in lost {
        assert_eq!(message.lost.map(|lost| lost.how), Some(Loss::NobodyThere), "{}", message.label);
        assert_eq!(message.course(), "nobody there");
    }
    for has_relay in [true, false] {
        let scene = scene(&chart, has_relay);
        let ends: Vec<_> = scene.lines.iter().filter(|line| line.tip == Tip::Nobody).collect();
        assert!(!ends.is_empty());
        for end in ends {
            let words: Vec<&str> = scene.labels.iter().filter(|label| label.of == end.of).map(|label| label.text.as_str()).collect();
            assert!(words.contains(&"nobody there"), "{words:?}");
        }
    }
}

#[test]
fn what_the_relay_does_with_a_message_is_said_where_its_lane_is_hidden() {
    let mut room = Room::new(&["alice", "bob"]);
    let to_bob = |kind, then| crate::play::rule(Some(kind), None, Some("bob"), then);
    room.rules(vec![
        to_bob(MessageKind::GlobalCommit, twopc_proto::bench::Then::Drop),
        to_bob(MessageKind::VoteRequest, twopc_proto::bench::Then::Delay { ms: 200 }),
    ]);
    room.request("Hello");
    room.pass(800_000);
    let chart = Chart::of(&room.events);
    let said = |has_relay: bool, words: &str| scene(&chart, has_relay).labels.iter().filter(|label| label.text == words).count();
    assert_eq!((said(false, "dropped"), said(true, "dropped")), (1, 1));
    assert_eq!((said(false, "delayed 200 ms"), said(true, "delayed 200 ms")), (1, 1));
}

fn told(at_us: u64, own_us: u64, n: u64, what: What) -> Event {
    let trace = Trace { life: 7, n, at_us: own_us, what };
    Event { at_us, what: Happening::Told { user: UserName::parse("alice").unwrap(), role: Role::Participant, trace } }
}

#[test]
fn offline_stands_where_the_link_went_and_says_when_it_was_told() {
    let alice = UserName::parse("alice").unwrap();
    let joined = |at_us| Event { at_us, what: Happening::Joined { user: alice.clone(), role: Role::Participant } };
    let relay_ends = Stage::Ended { killed: true, how: String::from("killed") };
    let timeout = What::Timeout { timer: String::from("vote"), txn: None };
    let events = [
        told(1_000, 500, 1, What::Start { records: 0 }),
        joined(2_000),
        told(2_500, 2_000, 2, What::Online { room: String::from("r") }),
        Event { at_us: 300_000, what: Happening::Process { program: String::from("relay"), stage: relay_ends } },
        Event { at_us: 300_100, what: Happening::Blind },
        joined(900_000),
        told(900_100, 299_400, 3, What::Offline),
        told(900_200, 500_000, 4, timeout),
        told(900_300, 899_000, 5, What::Online { room: String::from("s") }),
    ];
    let chart = Chart::of(&events);
    let lane = chart.lanes().iter().find(|lane| lane.name == "alice").unwrap();
    let shown: Vec<_> = lane.entries.iter().map(|entry| (*entry, chart.entry(*entry))).collect();
    let words: Vec<(&str, u64)> = shown.iter().map(|(_, entry)| (&*entry.label, entry.at_us)).collect();
    let expected = [("starts, log empty", 1_000), ("online", 2_500), ("offline", 300_000), ("timeout: vote", 900_200), ("online", 900_300)];
    assert_eq!(words, expected);
    let numbers: Vec<u64> = shown.iter().map(|(_, entry)| entry.number.unwrap().n).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    let fact = |at: usize| {
        let known = detail(&chart, &events, Pick::Entry(shown[at].0));
        known.facts.iter().find(|(name, _)| *name == "Told").map(|(_, fact)| fact.clone())
    };
    assert_eq!(fact(1), None, "what comes at once is not late");
    assert_eq!(fact(2).as_deref(), Some("at 0.900 s, about 600 ms after it happened: it had no link"));
    assert_eq!(fact(3).as_deref(), Some("at 0.900 s, about 399 ms after it happened: it had no link"));
}
