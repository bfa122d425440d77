//! The diagram in a window, as a screen reader and a mouse meet it.

use egui::accesskit::Role;
use egui::{Key, Pos2, Ui, pos2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use twopc_lab::diagram::detail::{RecordRef, detail};
use twopc_lab::diagram::{Axis, Chart, Diagram, Pick, View, diagram_ui, layout};
use twopc_lab::run::Event;
use twopc_proto::UserName;
use twopc_proto::bench::Then;
use twopc_ui::theme;

use crate::play::{Room, rule};

struct Shown {
    chart: Chart,
    diagram: Diagram,
    changes: usize,
}

type Window = Harness<'static, Shown>;

fn window(events: &[Event]) -> Window {
    let draw = |ui: &mut Ui, shown: &mut Shown| {
        shown.changes += usize::from(diagram_ui(ui, &shown.chart, &mut shown.diagram));
    };
    let builder = Harness::builder().with_size([1_100.0, 700.0]).with_context_setup(theme::apply).with_max_steps(30).allow_missing_glyphs();
    let chart = Chart::of(events);
    let mut diagram = Diagram::default();
    diagram.follows = false;
    let mut harness = builder.build_ui_state(draw, Shown { chart, diagram, changes: 0 });
    harness.run();
    harness
}

fn a_run() -> Vec<Event> {
    let mut room = Room::new(&["alice", "bob"]);
    room.request("Hello");
    room.pass(1_000_000);
    room.events
}

fn value(window: &Window) -> String {
    window.get_by_role_and_label(Role::GraphicsDocument, "Space-time diagram").accesskit_node().value().unwrap_or_default()
}

fn press(window: &mut Window, key: Key) -> String {
    window.key_press(key);
    window.run();
    value(window)
}

#[test]
fn the_keyboard_goes_along_lanes_and_arrows_and_a_screen_reader_says_where_it_is() {
    let mut window = window(&a_run());
    assert_eq!(value(&window), "Nothing picked");
    window.get_by_label("Space-time diagram").focus();
    window.run();
    let mut met = vec![press(&mut window, Key::ArrowDown)];
    assert!(met[0].starts_with("relay: lab watches"), "{met:?}");
    met.push(press(&mut window, Key::ArrowLeft));
    assert!(met[1].starts_with("chair: process"), "{met:?}");
    while !value(&window).starts_with("chair: sends VOTE_REQUEST to bob (chair.1.1)") {
        met.push(press(&mut window, Key::ArrowDown));
        assert!(met.len() < 40, "{met:?}");
    }
    assert_eq!(press(&mut window, Key::Enter), "VOTE_REQUEST from chair to bob: delivered");
    assert!(press(&mut window, Key::Enter).starts_with("bob: receives VOTE_REQUEST from chair (chair.1.1), at 0."));
    let bob = press(&mut window, Key::ArrowUp);
    assert!(bob.starts_with("bob: online"), "{bob}");
    assert_eq!(press(&mut window, Key::Escape), "Nothing picked");
}

#[test]
fn another_run_in_the_same_place_is_drawn_anew_and_what_it_lacks_is_not_picked() {
    let mut window = window(&crate::play::long_run(&["alice", "bob"], 800));
    let Shown { chart, diagram, .. } = window.state_mut();
    let last = *chart.lanes().iter().flat_map(|lane| &lane.entries).max().unwrap();
    diagram.pick(chart, Some(Pick::Entry(last)));
    window.run();
    assert_ne!(value(&window), "Nothing picked");
    let small = a_run();
    window.state_mut().chart = Chart::of(&small);
    window.run();
    assert_eq!(value(&window), "Nothing picked");
    let shown = window.state_mut();
    shown.diagram.view.top = 0.0;
    let scene = shown.diagram.scene(&shown.chart, egui::vec2(1_088.0, 2_000.0));
    let axis = Axis::of(&shown.chart, &shown.diagram.lens);
    let view = View { now_us: 0, ..shown.diagram.view.clone() };
    assert_eq!(scene, layout(&shown.chart, &axis, &view));
}

#[test]
fn what_was_picked_stays_in_view_while_more_happens_and_the_end_is_followed_again_after_it() {
    let events = crate::play::long_run(&["alice", "bob"], 800);
    let mut window = window(&events[..events.len() / 2]);
    window.state_mut().diagram.follows = true;
    window.run();
    let top = |window: &Window| window.state().diagram.view.top;
    let before = top(&window);
    let target = {
        let shown = window.state_mut();
        let scene = shown.diagram.scene(&shown.chart, egui::vec2(1_088.0, 700.0));
        let mut seen = scene.badges.iter().filter(|badge| (300.0..600.0).contains(&badge.at.y));
        let badge = seen.next_back().expect("something happened").clone();
        pos2(badge.at.x, badge.at.y)
    };
    click(&mut window, target);
    assert_ne!(value(&window), "Nothing picked");
    window.state_mut().chart = Chart::of(&events);
    window.run();
    assert!((top(&window) - before).abs() < 0.5, "{before} {}", top(&window));
    window.get_by_label("Space-time diagram").focus();
    assert_eq!(press(&mut window, Key::Escape), "Nothing picked");
    assert!(top(&window) > before + 1_000.0, "the end is far below");
}

#[test]
fn what_was_picked_is_in_view_where_what_is_known_of_it_takes_its_place() {
    let mut window = window(&crate::play::long_run(&["alice", "bob"], 800));
    let Shown { chart, diagram, .. } = window.state_mut();
    let last = *chart.lanes().iter().flat_map(|lane| &lane.entries).max().unwrap();
    diagram.follows = true;
    window.run();
    let Shown { chart, diagram, .. } = window.state_mut();
    diagram.pick(chart, Some(Pick::Entry(last)));
    window.set_size(egui::vec2(1_100.0, 300.0));
    window.run();
    let Shown { diagram, .. } = window.state();
    let view = diagram.view.clone();
    let axis = Axis::of(&window.state().chart, &diagram.lens);
    assert!(view.height < 320.0 && twopc_lab::diagram::layout::is_in_view(&axis, last, &view), "{view:?}");
}

#[test]
fn a_click_picks_what_is_under_it_and_says_so_once() {
    let mut window = window(&a_run());
    let (target, place) = {
        let shown = window.state_mut();
        let scene = shown.diagram.scene(&shown.chart, egui::vec2(1_088.0, 700.0));
        let label = scene.labels.iter().find(|label| label.text == "VOTE_REQUEST").unwrap();
        (label.of.unwrap(), pos2(label.at.x + 20.0, label.at.y))
    };
    click(&mut window, place);
    assert_eq!(window.state().diagram.picked(), Some(target));
    assert_eq!(window.state().changes, 1);
    click(&mut window, pos2(1_050.0, 690.0));
    assert_eq!(window.state().diagram.picked(), None, "nothing is there");
}

fn click(window: &mut Window, at: Pos2) {
    window.hover_at(at);
    window.run();
    window.drag_at(at);
    window.drop_at(at);
    window.run();
}

#[test]
fn zooming_keeps_what_is_in_the_middle_and_the_end_can_be_followed() {
    let mut window = window(&crate::play::long_run(&["alice", "bob"], 2_000));
    window.get_by_label("Space-time diagram").focus();
    window.run();
    let before = window.state().diagram.lens.zoom;
    press(&mut window, Key::PageDown);
    assert!(window.state().diagram.view.top > 500.0);
    press(&mut window, Key::Plus);
    assert!(window.state().diagram.lens.zoom > before);
    press(&mut window, Key::Minus);
    press(&mut window, Key::Minus);
    assert!(window.state().diagram.lens.zoom < before);
    press(&mut window, Key::End);
    let end = window.state().diagram.view.top;
    let more = a_run();
    let shown = window.state_mut();
    let last = shown.chart.last_us();
    more.into_iter().for_each(|event| shown.chart.push(&Event { at_us: last + event.at_us, ..event }));
    window.run();
    assert!(window.state().diagram.view.top > end, "what is new came into view");
    press(&mut window, Key::Home);
    assert_eq!(window.state().diagram.view.top, 0.0);
}

#[test]
fn the_bars_go_to_another_part_of_the_diagram() {
    let names = ["ann", "ben", "cas", "dan", "eve", "fay", "gil"];
    let mut window = window(&crate::play::long_run(&names, 2_000));
    click(&mut window, pos2(1_094.0, 400.0));
    let View { top, left, .. } = window.state().diagram.view;
    assert!(top > 2_000.0 && left == 0.0, "{top} {left}");
    click(&mut window, pos2(900.0, 694.0));
    let view = &window.state().diagram.view;
    assert!(view.left > 100.0 && view.top == top, "{} {}", view.left, view.top);
    assert_eq!(value(&window), "Nothing picked");
}

#[test]
fn the_details_have_the_frame_as_it_was_and_the_record_to_look_up() {
    let mut room = Room::new(&["alice"]);
    room.rules(vec![rule(None, Some("chair"), None, Then::Delay { ms: 250 })]);
    room.request("Hello");
    room.pass(2_000_000);
    let chart = Chart::of(&room.events);
    let ids = || chart.lanes().iter().flat_map(|lane| &lane.entries).copied();
    let find = |label: &str| ids().find(|id| chart.entry(*id).label == label).unwrap();
    let of = |label: &str| detail(&chart, &room.events, Pick::Entry(find(label)));

    let written = of("log READY");
    let alice = UserName::parse("alice").unwrap();
    assert_eq!(written.record, Some(RecordRef { user: alice, role: twopc_proto::Role::Participant, lsn: 1 }));
    assert!(written.facts.iter().any(|(name, fact)| *name == "Vector clock" && fact.contains("chair")), "{written}");

    let received = of("receives VOTE_REQUEST from chair");
    let frame = received.frame.as_deref().unwrap();
    assert!(frame.starts_with("POST /2pc/VOTE_REQUEST HTTP/1.1\nHost: 127.0.0.1:1337\n"), "{frame}");
    assert!(frame.contains("\nSeq: 1\n") && frame.contains("\"string\":\"Hello\""), "{frame}");
    assert!(received.facts.iter().any(|(name, fact)| *name == "Caused by" && fact.starts_with("chair, event ")), "{received}");

    let message = detail(&chart, &room.events, Pick::Message(chart.entry(find("receives VOTE_REQUEST from chair")).message.unwrap()));
    assert_eq!(message.title, "VOTE_REQUEST: chair to alice");
    assert!(message.to_string().contains("Kept for: 250 ms"), "{message}");
}
