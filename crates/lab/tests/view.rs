//! The lab's window read as a screen reader reads it.
#![allow(clippy::unwrap_used)] // a test that cannot go on says where

use std::path::PathBuf;

use egui::accesskit::Role;
use egui::{OutputCommand, Rect, Ui};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use twopc_lab::life::{End, Life};
use twopc_lab::member::members;
use twopc_lab::room::{Program, RoomView};
use twopc_lab::run::{Deed, Event, Happening, Stage};
use twopc_lab::scenario::{Outcome, Report, shelf};
use twopc_lab::view::{Desk, Files, Judged, Playing, Shown, Source, Tab, Wish, lab_ui};
use twopc_lab::watched::Watched;
use twopc_proto::trace::{Trace, What};
use twopc_proto::{RecordKind, TxnId, UserName};
use twopc_ui::theme;

struct Seen {
    room: RoomView,
    has_no_room: bool,
    is_elsewhere: bool,
    watched: Watched,
    judged: Option<Judged>,
    playing: Option<Playing>,
    source: Source,
    desk: Desk,
    wishes: Vec<Wish>,
}

type Window = Harness<'static, Seen>;

/// The relay, alice and the chair, standing so.
fn room(lives: [Life; 3]) -> RoomView {
    let programs = members(1).into_iter().zip(lives).map(|(member, life)| Program { member, life, began_with: None });
    RoomView { relay: String::from("127.0.0.1:1337"), programs: programs.collect() }
}

fn running(pid: u32) -> Life {
    Life::Running { pid }
}

fn window_of(room: RoomView, size: [f32; 2]) -> Window {
    let files = Files { data: PathBuf::from("/room/data"), logs: PathBuf::from("/room/logs"), run: None };
    let shelf = shelf::scenarios();
    let draw = move |ui: &mut Ui, seen: &mut Seen| {
        let shown = Shown {
            room: (!seen.has_no_room).then_some(&seen.room),
            is_elsewhere: seen.is_elsewhere,
            files: &files,
            source: &seen.source,
            watched: &seen.watched,
            now_us: seen.watched.now_us(),
            judged: seen.judged.as_ref(),
            shelf: &shelf,
            playing: seen.playing.as_ref(),
            runs_on: false,
            trouble: None,
            done: None,
        };
        let wishes = lab_ui(ui, &shown, &mut seen.desk);
        seen.wishes.extend(wishes);
    };
    let builder = Harness::builder().with_size(size).with_context_setup(theme::apply).with_max_steps(20).allow_missing_glyphs();
    let seen = Seen {
        room,
        has_no_room: false,
        is_elsewhere: false,
        watched: Watched::default(),
        judged: None,
        playing: None,
        source: Source::Room,
        desk: Desk::default(),
        wishes: Vec::new(),
    };
    let mut harness = builder.build_ui_state(draw, seen);
    harness.run();
    harness
}

fn window(lives: [Life; 3]) -> Window {
    window_of(room(lives), [860.0, 560.0])
}

fn can_press(window: &Window, name: &str) -> bool {
    !window.get_by_role_and_label(Role::Button, name).accesskit_node().is_disabled()
}

fn press(window: &mut Window, name: &str) -> Vec<Wish> {
    window.get_by_role_and_label(Role::Button, name).click();
    window.run();
    std::mem::take(&mut window.state_mut().wishes)
}

#[test]
fn the_relay_the_files_and_every_program_are_named() {
    let window = window([running(101), running(102), Life::Ending { pid: 103 }]);
    for words in
        ["Relay: 127.0.0.1:1337", "/room/data", "/room/logs", "alice", "participant", "chair", "coordinator", "101", "102", "103", "ending"]
    {
        window.get_by_label(words);
    }
    assert_eq!(window.get_all_by_label("relay").count(), 3, "its row, its name and its role");
    assert_eq!(window.get_all_by_label("running").count(), 2);
    window.get_by_role_and_label(Role::Table, "Programs");
}

#[test]
fn what_runs_can_be_stopped_and_what_has_ended_can_be_started() {
    let mut window = window([running(101), running(102), Life::Ended(End::Left)]);
    for (name, can) in [("Start relay", false), ("Stop relay", true), ("Stop alice", true), ("Restart chair", true), ("Stop chair", false)]
    {
        assert_eq!(can_press(&window, name), can, "{name}");
    }
    assert_eq!(press(&mut window, "Stop alice"), [Wish::Do(Deed::Stop { program: String::from("alice") })]);
    assert_eq!(press(&mut window, "Restart chair"), [Wish::Do(Deed::Start { program: String::from("chair"), crash_at: None })]);
    assert_eq!(press(&mut window, "Start alice"), [], "it runs");
}

#[test]
fn a_button_that_cannot_be_pressed_says_why() {
    let window = window([running(101), Life::Waiting, Life::Ending { pid: 103 }]);
    for (name, why) in [
        ("Start relay", "It runs already."),
        ("Start alice", "It starts by itself as soon as the relay listens."),
        ("Stop chair", "It is ending already."),
    ] {
        let button = window.get_by_role_and_label(Role::Button, name);
        assert_eq!(button.accesskit_node().description().as_deref(), Some(why), "{name}");
    }
}

#[test]
fn why_a_program_failed_stands_at_its_row_until_it_runs_again() {
    let taken = "The name alice is in use here: close the other window, or choose another name.";
    let failed = Life::Ended(End::Failed(String::from(taken)));
    let mut window = window([running(101), failed, Life::Ended(End::Stopped)]);
    let sentence = window.get_by_label(taken).rect();
    let row = |window: &Window, name: &str| window.get_by_role_and_label(Role::Button, name).rect();
    assert!(row(&window, "Restart alice").bottom() <= sentence.top() && sentence.bottom() <= row(&window, "Restart chair").top());
    window.get_by_label("stopped");
    window.state_mut().room.programs[1].life = running(107);
    window.run();
    assert!(window.query_by_label(taken).is_none());
}

#[test]
fn nothing_moves_sideways_when_a_state_changes() {
    let lives = [
        Life::Waiting,
        Life::Starting { pid: 1 },
        running(4_194_304),
        Life::Ending { pid: 4_194_304 },
        Life::Ended(End::Stopped),
        Life::Ended(End::Killed(9)),
    ];
    for size in [[860.0, 560.0], [426.0, 323.0]] {
        let mut window = window_of(room([running(1), running(2), running(3)]), size);
        let place = |window: &Window| window.get_by_role_and_label(Role::Button, "Stop alice").rect();
        let before = place(&window);
        for life in &lives {
            window.state_mut().room.programs[1].life = life.clone();
            window.run();
            assert_eq!(place(&window), before, "{size:?}: {life:?}");
        }
    }
}

#[test]
fn the_first_programs_fit_into_the_smallest_window() {
    let size = Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(400.0, 300.0));
    let window = window_of(room([running(101), running(102), running(103)]), [400.0, 300.0]);
    for name in ["Start relay", "Stop relay", "Start alice", "Stop alice", "Copy the relay's address"] {
        let button = window.get_by_role_and_label(Role::Button, name).rect();
        assert!(size.contains_rect(button), "{name}: {button:?}");
    }
}

#[test]
fn addresses_and_paths_are_copied_whole() {
    let mut window = window([running(101), running(102), running(103)]);
    for (name, text) in [
        ("Copy the relay's address", "127.0.0.1:1337"),
        ("Copy path of the data folder", "/room/data"),
        ("Copy path of the relay's folder", "/room/logs"),
    ] {
        window.get_by_role_and_label(Role::Button, name).click();
        window.step();
        let copied = window.output().platform_output.commands.iter().any(|command| *command == OutputCommand::CopyText(String::from(text)));
        assert!(copied, "{name}: {:?}", window.output().platform_output.commands);
        window.run();
    }
}

#[test]
fn an_idle_lab_draws_nothing() {
    let mut window = window([running(101), running(102), running(103)]);
    window.step();
    let wait = window.output().viewport_output.values().map(|viewport| viewport.repaint_delay).min();
    assert_eq!(wait, Some(std::time::Duration::MAX));
}

#[test]
fn every_program_is_a_row_by_its_name_and_role() {
    let window = window([running(101), running(102), running(103)]);
    for (row, process) in [("alice, participant", "102"), ("chair, coordinator", "103")] {
        window.get_by_role_and_label(Role::Row, row).get_by_label(process);
    }
}

#[test]
fn a_menu_that_is_higher_than_the_window_scrolls_to_its_last_item() {
    const HEIGHT: f32 = 300.0;
    let mut window = window_of(room([running(101), running(102), running(103)]), [860.0, HEIGHT]);
    press(&mut window, "More for alice");
    let last = "it has asked the first one for the decision";
    let bottom = |window: &Window| window.get_by_role_and_label(Role::Button, last).rect().bottom();
    assert!(bottom(&window) > HEIGHT, "there is too much space for this test: {}", bottom(&window));
    window.get_by_role_and_label(Role::Button, last).scroll_to_me();
    window.run();
    assert!(bottom(&window) <= HEIGHT, "{} is out of sight", bottom(&window));
    let start = Wish::Do(Deed::Start { program: "alice".into(), crash_at: Some("after:send:DECISION_REQUEST".into()) });
    assert_eq!(press(&mut window, last), [start]);
}

#[test]
fn what_is_rare_stands_in_a_menu_by_what_it_means() {
    let mut window = window([running(101), running(102), running(103)]);
    assert_eq!(press(&mut window, "More for alice"), []);
    let kill = press(&mut window, "Kill now");
    assert_eq!(kill, [Wish::Do(Deed::Kill { program: String::from("alice") })]);
    press(&mut window, "More for alice");
    let crash = press(&mut window, "READY is on the disk, the vote is not sent");
    let point = Some(String::from("after:log:READY"));
    assert_eq!(crash, [Wish::Do(Deed::Start { program: String::from("alice"), crash_at: point })]);
}

#[test]
fn every_tab_has_its_pane_and_its_key() {
    let mut window = window([running(101), running(102), running(103)]);
    for (key, pane) in [
        (egui::Key::Num3, "Messages on their way"),
        (egui::Key::Num4, "In doubt"),
        (egui::Key::Num5, "Verdict"),
        (egui::Key::Num6, "Scenarios"),
    ] {
        window.key_press(key);
        window.run();
        window.get_by_role_and_label(Role::Group, pane);
    }
    window.key_press(egui::Key::Num1);
    window.run();
    assert_eq!(window.state().desk.tab, Tab::Room);
}

#[test]
fn the_diagrams_key_takes_nothing_away_where_the_diagram_is_there_anyway() {
    for (width, tab) in [(860.0, Tab::Diagram), (1_400.0, Tab::Doubt)] {
        let mut window = window_of(room([running(101), running(102), running(103)]), [width, 700.0]);
        for key in [egui::Key::Num4, egui::Key::Num2] {
            window.key_press(key);
            window.run();
        }
        assert_eq!(window.state().desk.tab, tab);
        window.get_by_label("Space-time diagram");
    }
}

#[test]
fn a_scenario_is_played_once_its_question_is_answered_and_then_says_why() {
    let mut window = window([running(101), running(102), running(103)]);
    press(&mut window, "Scenarios");
    assert!(!can_press(&window, "Play"));
    assert_eq!(press(&mut window, "Guess Commit"), []);
    assert_eq!(press(&mut window, "Play"), [Wish::Play(0)]);
    let report = Report { outcome: Some(Outcome::Commit), stands: Vec::new(), verdict: None, failures: Vec::new() };
    window.state_mut().playing = Some(Playing { index: 0, line: 12, report: Some(Ok(report)) });
    window.run();
    for words in ["COMMIT", "You were right."] {
        window.get_by_label(words);
    }
    window.get_by_label_contains("The book:");
}

#[test]
fn the_bench_says_what_it_waits_for_where_there_is_no_relay() {
    let mut window = window([running(101), running(102), running(103)]);
    press(&mut window, "Messages");
    let button = window.get_by_role_and_label(Role::Button, "Hold all");
    assert_eq!(button.accesskit_node().description().as_deref(), Some("There is no relay now."));
}

#[test]
fn the_keys_are_shown_and_put_away() {
    let mut window = window([running(101), running(102), running(103)]);
    press(&mut window, "Keys");
    window.get_by_label("Deliver the next message that is held");
    window.key_press(egui::Key::Escape);
    window.run();
    assert!(window.query_by_label("Deliver the next message that is held").is_none());
}

#[test]
fn whoever_is_here_for_the_first_time_is_offered_the_first_scenario() {
    let mut window = window([running(101), running(102), running(103)]);
    window.state_mut().desk.is_first = true;
    window.run();
    press(&mut window, "First scenario");
    assert_eq!(window.state().desk.tab, Tab::Scenarios);
}

#[test]
fn an_earlier_moment_shows_how_everybody_stood_and_what_had_changed() {
    let started = |at_us, program: &str| {
        let stage = Stage::Started { pid: 7, crash_at: None };
        Event { at_us, what: Happening::Process { program: program.into(), stage } }
    };
    let killed = Stage::Ended { killed: true, how: String::from("killed") };
    let mut window = window([running(101), running(102), running(103)]);
    let died = Event { at_us: 3, what: Happening::Process { program: String::from("alice"), stage: killed } };
    window.state_mut().watched = Watched::of(vec![started(1, "alice"), started(2, "bob"), died]);
    window.state_mut().source = Source::Recorded(PathBuf::from("/runs/one"));
    window.run();
    assert!(window.query_by_label("killed").is_some() && window.query_by_label("changed just now").is_some());
    assert_eq!(press(&mut window, "Back"), [Wish::Step(-1)]);
    window.state_mut().watched.step(-1);
    window.run();
    assert!(window.query_by_label("killed").is_none());
    window.key_press(egui::Key::ArrowLeft);
    window.run();
    assert_eq!(std::mem::take(&mut window.state_mut().wishes), [Wish::Step(-1)]);
}

#[test]
fn a_moment_beyond_the_first_minute_reads_as_it_does_in_the_diagram() {
    let mut window = window([running(101), running(102), running(103)]);
    let stage = Stage::Started { pid: 7, crash_at: None };
    let what = Happening::Process { program: String::from("alice"), stage };
    window.state_mut().watched = Watched::of(vec![Event { at_us: 185_250_999, what }]);
    window.run();
    assert!(window.query_by_label("3:05.250").is_some());
    assert!(window.query_by_label("alice: process 7, at 3:05.250").is_some());
}

#[test]
fn in_the_smallest_window_the_diagram_has_room_and_lies_on_nothing() {
    let mut window = window_of(room([running(101), running(102), running(103)]), [400.0, 300.0]);
    let started = |at_us, program: &str| {
        let stage = Stage::Started { pid: 7, crash_at: None };
        Event { at_us, what: Happening::Process { program: program.into(), stage } }
    };
    window.state_mut().watched = Watched::of(vec![started(1, "relay"), started(2, "alice"), started(3, "bob"), started(4, "chair")]);
    window.state_mut().source = Source::Recorded(PathBuf::from("/runs/one"));
    window.state_mut().desk.tab = Tab::Diagram;
    window.run();
    let filter = window.get_by_label("Fold idle time").rect();
    let drawing = window.get_by_label("Space-time diagram").rect();
    let foot = window.get_by_role_and_label(Role::Button, "Back").rect();
    assert!(drawing.height() >= 150.0, "{drawing:?}");
    assert!(filter.bottom() <= drawing.top() && drawing.bottom() <= foot.top(), "{filter:?} {drawing:?} {foot:?}");
}

#[test]
fn whoever_is_in_doubt_and_cannot_act_is_listed_with_the_reason() {
    let alice = UserName::parse("alice").unwrap();
    let txn = TxnId::parse("chair.1.3").unwrap();
    let at = |at_us, what| Event { at_us, what };
    let stage = |stage| Happening::Process { program: String::from("alice"), stage };
    let told = |what| {
        let trace = Trace { life: 1, n: 1, at_us: 1, what };
        Happening::Told { user: alice.clone(), role: twopc_proto::Role::Participant, trace }
    };
    let log = told(What::Log { lsn: 1, record: RecordKind::Ready, txn: txn.clone(), forced: true });
    let doubt = told(What::Doubt { txn: txn.clone(), since_us: 1, asked_us: None, blocked: false, peers: Vec::new() });
    let mut window = window([running(101), running(102), running(103)]);
    window.state_mut().desk.tab = Tab::Doubt;

    // It died between its promise and the word that it had made it.
    let ended = Stage::Ended { killed: true, how: String::from("It was killed.") };
    let started = stage(Stage::Started { pid: 102, crash_at: None });
    let asked = told(What::State { txn: txn.clone(), state: String::from("INIT"), string: Some(String::from("Hello")) });
    let promised = [started.clone(), asked.clone(), log.clone(), told(What::Durable { lsn: 1 })];
    let events = [&promised[..], &[stage(ended)]].concat();
    window.state_mut().watched = Watched::of((1..).zip(events).map(|(us, what)| at(us, what)).collect());
    window.run();
    assert!(window.query_by_label_contains("alice: not running “Hello” chair.1.3").is_some());
    assert!(window.query_by_label_contains("alice voted commit, and ended before it heard the decision.").is_some());

    // What it knew when it was stopped may be long over.
    let events = [&promised[..], &[doubt, stage(Stage::Frozen)]].concat();
    window.state_mut().watched = Watched::of((1..).zip(events).map(|(us, what)| at(us, what)).collect());
    window.run();
    assert!(window.query_by_label_contains("alice: frozen “Hello” chair.1.3").is_some());
    assert!(window.query_by_label_contains("it neither asks nor hears").is_some());
}

#[test]
fn a_recorded_run_without_a_room_is_looked_at_and_nothing_can_be_started() {
    let mut window = window([running(101), running(102), running(103)]);
    let state = window.state_mut();
    (state.has_no_room, state.source) = (true, Source::Recorded(PathBuf::from("/runs/one")));
    window.run();
    assert!(window.query_by_label_contains("Recorded run: /runs/one").is_some());
    assert!(window.query_by_label_contains("No room").is_some());
    for gone in ["Back to the room", "Back to the first run", "Start", "Kill now", "Copy the relay's address"] {
        assert!(window.query_by_label(gone).is_none(), "{gone}");
    }
    // A scenario is played meanwhile: what was opened first is a press away.
    let state = window.state_mut();
    (state.is_elsewhere, state.source) = (true, Source::Scenario(String::from("One says no")));
    window.run();
    assert_eq!(press(&mut window, "Back to the first run"), [Wish::Home]);
}

#[test]
fn in_the_smallest_window_the_introduction_can_be_closed_and_the_programs_are_below_it() {
    let mut window = window_of(room([running(101), running(102), running(103)]), [400.0, 300.0]);
    window.state_mut().desk.is_first = true;
    window.run();
    let close = window.get_by_label("Close the introduction");
    let programs = window.get_by_role_and_label(Role::Table, "Programs").rect();
    assert!(close.rect().bottom() <= programs.top(), "{:?} {programs:?}", close.rect());
    close.scroll_to_me();
    window.run();
    press(&mut window, "Close the introduction");
    assert!(window.query_by_label("Close the introduction").is_none());
}
