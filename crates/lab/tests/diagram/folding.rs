//! What the fold makes of messages and of odd lists of events.

use twopc_lab::diagram::chart::{Kind, Loss, SpanKind};
use twopc_lab::diagram::{Axis, Chart, Lens, View, layout};
use twopc_lab::run::{Event, Happening, Stage};
use twopc_proto::bench::{Fate, Then};
use twopc_proto::{MessageKind, RecordKind, Role, UserName};

use crate::play::{Room, long_run, rule};

#[test]
fn a_chart_that_is_fed_one_by_one_is_the_chart_of_them_all() {
    let events = long_run(&["alice", "bob"], 400);
    let mut live = Chart::default();
    for (index, event) in events.iter().enumerate() {
        live.push(event);
        assert_eq!(live.heard(), index + 1);
    }
    let whole = Chart::of(&events);
    assert_eq!(live.entries(), whole.entries());
    assert_eq!(live.messages(), whole.messages());
    assert_eq!(live.spans(), whole.spans());
}

#[test]
fn every_sending_that_was_received_has_its_arrow() {
    let chart = Chart::of(&long_run(&["alice", "bob", "carol"], 2_000));
    let receipts = chart.entries().iter().filter(|entry| entry.kind == Kind::Receive);
    assert!(receipts.clone().count() > 100);
    for receipt in receipts {
        let message = chart.message(receipt.message.unwrap());
        assert_eq!(message.to, receipt.lane);
        assert!(message.sent.is_some() && message.frame.is_some());
    }
}

#[test]
fn a_message_that_was_kept_and_doubled_and_lost_says_so() {
    let mut room = Room::new(&["alice", "bob"]);
    room.rules(vec![rule(Some(MessageKind::VoteRequest), None, None, Then::Hold)]);
    room.request("Hello");
    let held = room.held();
    let course = |room: &Room, at: usize| Chart::of(&room.events).messages()[at].course();
    assert_eq!((held.len(), course(&room, 0)), (2, "held at the relay".to_owned()));
    room.duplicate(held[0]);
    room.pass(10_000);
    assert_eq!(course(&room, 0), "held at the relay, a copy delivered");
    room.deliver(held[0]);
    room.lose(held[1]);
    room.pass(10_000);
    assert_eq!((course(&room, 0).as_str(), course(&room, 1).as_str()), ("delivered 2 times", "dropped"));
    let chart = Chart::of(&room.events);
    let (first, second) = (&chart.messages()[0], &chart.messages()[1]);
    assert_eq!(first.legs.iter().map(|leg| leg.copy).collect::<Vec<_>>(), [true, false]);
    assert_eq!((first.kept.unwrap().slot, second.kept.unwrap().slot), (0, 1), "side by side while both were kept");
}

#[test]
fn what_is_on_its_way_to_a_process_dies_with_it() {
    let mut room = Room::new(&["alice"]);
    room.request("Hello");
    room.kill("alice");
    let chart = Chart::of(&room.events);
    assert_eq!(chart.messages()[0].lost.unwrap().how, Loss::ReceiverGone);
    assert_eq!(chart.messages()[0].course(), "lost with its receiver");
}

#[test]
fn last_words_that_come_after_the_end_was_seen_stand_before_it() {
    let mut room = Room::new(&["alice"]);
    room.request("Hello");
    room.pass(200_000);
    room.kill("alice");
    let is_told = |event: &Event| matches!(&event.what, Happening::Told { user, .. } if user.as_str() == "alice");
    let (ended, words) = (room.events.len() - 1, room.events.iter().rposition(is_told).unwrap());
    let last = room.events.remove(words);
    room.events.push(Event { at_us: room.events[ended - 1].at_us + 9_000, ..last });
    let chart = Chart::of(&room.events);
    let alice = chart.lanes().iter().find(|lane| lane.name == "alice").unwrap();
    let kinds: Vec<Kind> = alice.entries.iter().map(|id| chart.entry(*id).kind).filter(|kind| *kind != Kind::Superseded).collect();
    assert_eq!(*kinds.last().unwrap(), Kind::Ended { killed: true });
    assert_eq!(kinds.iter().filter(|kind| **kind == Kind::Ended { killed: true }).count(), 1);
    let down = chart.spans().iter().rfind(|span| span.kind == SpanKind::Down).unwrap();
    assert_eq!((chart.entry(down.from).kind, down.to), (Kind::Ended { killed: true }, None));
}

#[test]
fn a_life_whose_clock_was_set_back_is_a_life_all_the_same() {
    let mut room = Room::new(&["alice"]);
    room.kill("alice");
    room.pass(1_000_000);
    let second = room.events.len();
    room.start("alice");
    for event in &mut room.events[second..] {
        if let Happening::Told { user, trace, .. } = &mut event.what
            && user.as_str() == "alice"
        {
            trace.life -= 3_600_000;
        }
    }
    let late = room.events.iter().find(|event| matches!(&event.what, Happening::Told { user, .. } if user.as_str() == "alice")).unwrap();
    room.events.push(late.clone());
    let chart = Chart::of(&room.events);
    let starts = chart.entries().iter().filter(|entry| entry.kind == Kind::Start && chart.lane(entry.lane).name == "alice");
    assert_eq!(starts.count(), 2, "and the first life says nothing after the second has spoken");
}

#[test]
fn what_is_out_of_sight_sideways_is_not_laid_out() {
    let names = ["ann", "ben", "cas", "dan", "eve", "fay", "gil", "hal", "ida", "jon"];
    let chart = Chart::of(&long_run(&names, 1_000));
    let axis = Axis::of(&chart, &Lens::default());
    let whole = layout(&chart, &axis, &View { width: 3_000.0, ..View::default() });
    let part = layout(&chart, &axis, &View { width: 700.0, left: 600.0, ..View::default() });
    assert_eq!(whole.heads.len(), names.len() + 2);
    assert!(part.heads.len() <= 6 && part.badges.len() < whole.badges.len() / 2, "{} {}", part.heads.len(), part.badges.len());
}

#[test]
fn a_doubt_is_measured_by_the_clock_of_who_is_in_doubt() {
    let mut room = Room::new(&["alice"]);
    room.request("Hello");
    room.pass(1_000_000);
    let late: Vec<Event> = room.events.iter().map(|event| Event { at_us: 5_000_000, what: event.what.clone() }).collect();
    let lengths = |events: &[Event]| {
        let chart = Chart::of(events);
        chart.spans().iter().filter(|span| span.kind == SpanKind::InDoubt).map(|span| chart.length_us(span, 0)).collect::<Vec<_>>()
    };
    assert_eq!(lengths(&late), lengths(&room.events));
    assert!(lengths(&late)[0] > 10_000);
}

#[test]
fn what_a_relay_keeps_dies_with_it_and_another_life_of_it_has_its_own_numbers() {
    let mut room = Room::new(&["alice"]);
    room.rules(vec![rule(None, None, None, Then::Hold)]);
    room.request("Hello");
    let held = room.held()[0];
    let at_us = room.events.last().unwrap().at_us;
    let more = [Happening::Blind, Happening::Watching { room: "r2".into() }, Happening::Fate { fate: Fate::Delivered { seq: held } }];
    room.events.extend(more.map(|what| Event { at_us, what }));
    let chart = Chart::of(&room.events);
    assert_eq!(chart.messages()[0].lost.unwrap().how, Loss::RelayGone);
    assert!(chart.messages()[0].legs.is_empty(), "the number was that of another life");
    let blind: Vec<_> = chart.spans().iter().filter(|span| span.kind == SpanKind::Blind).collect();
    assert!(blind.len() == 1 && blind[0].to.is_some());
}

#[test]
fn a_doubt_lasts_over_death_from_the_promise_on_the_disk_to_the_decision() {
    let mut room = Room::new(&["alice", "bob"]);
    room.rules(vec![rule(Some(MessageKind::GlobalCommit), None, None, Then::Drop)]);
    room.request("Hello");
    room.pass(400_000);
    room.kill("alice");
    room.pass(1_000_000);
    room.rules(Vec::new());
    room.start("alice");
    room.pass(2_000_000);
    let chart = Chart::of(&room.events);
    let alice = |lane| chart.lane(lane).name == "alice";
    let doubts: Vec<_> = chart.spans().iter().filter(|span| span.kind == SpanKind::InDoubt && alice(span.lane)).collect();
    assert_eq!(doubts.len(), 1);
    let (from, to) = (chart.entry(doubts[0].from), chart.entry(doubts[0].to.unwrap()));
    assert_eq!((from.label.as_ref(), from.kind), ("READY on disk", Kind::Durable));
    assert_eq!((to.label.as_ref(), to.kind), ("COMMIT on disk", Kind::Durable));
    assert!(chart.length_us(doubts[0], 0) > 1_200_000);
}

#[test]
fn a_record_that_was_found_begins_the_doubt_that_nobody_told_of() {
    let mut room = Room::new(&["alice"]);
    room.kill("alice");
    let (user, txn) = (UserName::parse("alice").unwrap(), room.txn(1));
    let found = Happening::Found { user, role: Role::Participant, lsn: 1, record: RecordKind::Ready, txn };
    room.events.push(Event { at_us: 9_000_000, what: found });
    let chart = Chart::of(&room.events);
    let last = chart.spans().last().unwrap();
    assert_eq!((last.kind, chart.entry(last.from).label.as_ref()), (SpanKind::InDoubt, "READY found on disk"));
}

#[test]
fn frozen_time_ends_when_it_goes_on() {
    let mut room = Room::new(&["alice"]);
    room.stage("alice", Stage::Frozen);
    room.pass(3_000_000);
    room.stage("alice", Stage::Thawed);
    let chart = Chart::of(&room.events);
    let span = chart.spans().iter().find(|span| span.kind == SpanKind::Frozen).unwrap();
    assert!(span.to.is_some() && chart.length_us(span, 0) >= 3_000_000);
}

#[test]
fn a_node_that_tells_nothing_is_drawn_from_what_the_relay_says() {
    let mut room = Room::new(&["alice", "bob"]);
    room.request("Hello");
    room.pass(1_000_000);
    let is_bobs = |event: &Event| match &event.what {
        Happening::Told { user, .. } => user.as_str() == "bob",
        Happening::Process { program, .. } => program == "bob",
        _ => false,
    };
    room.events.retain(|event| !is_bobs(event));
    let chart = Chart::of(&room.events);
    let bob = chart.lanes().iter().find(|lane| lane.name == "bob").unwrap();
    let labels: Vec<&str> = bob.entries.iter().map(|id| chart.entry(*id).label.as_ref()).collect();
    assert_eq!(labels, ["joined", "sends VOTE_COMMIT to chair", "sends ACK to chair"]);
    let to_bob = chart.messages().iter().find(|message| chart.lane(message.to).name == "bob").unwrap();
    assert_eq!(to_bob.course(), "on its way", "nobody said that it arrived");
}

#[test]
fn frames_that_are_none_and_lanes_without_a_part_break_nothing() {
    let odd = [
        Happening::Frame { frame: "nonsense\u{0}".into() },
        Happening::Frame { frame: "POST /2pc/X HTTP/1.1\r\nContent-Length: 0\r\n\r\n".into() },
        Happening::Frame {
            frame: "POST /2pc/ODD HTTP/1.1\r\nFrom: eve\r\nRole: participant\r\nSeq: 7\r\nTo: bob\r\nContent-Length: 2\r\n\r\n{}".into(),
        },
        Happening::Fate { fate: Fate::Delivered { seq: 99 } },
        Happening::Process { program: "not a name".into(), stage: Stage::Ready },
        Happening::Left { user: UserName::parse("watcher").unwrap(), role: Role::Observer },
    ];
    let events: Vec<Event> = odd.into_iter().map(|what| Event { at_us: 1, what }).collect();
    let chart = Chart::of(&events);
    assert_eq!((chart.heard(), chart.messages().len()), (6, 1));
    assert_eq!(chart.messages()[0].label, "ODD");
    let drawn = crate::golden::drawn(&events, twopc_lab::diagram::Filter::default());
    assert!(drawn.contains("ODD") && drawn.contains("bob"), "{drawn}");
}
