//! What somebody does in the lab's window with rules, links and keys, and what the list says of who cannot be
//! reached: read as a screen reader reads it.
//!
//! Deliberately absent: processes. What was seen is made up, what is wished for is looked at.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use egui::accesskit::{Role, Toggled};
use egui::{Key, Ui};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use twopc_lab::life::{End, Life};
use twopc_lab::member::members;
use twopc_lab::room::{Program, RoomView};
use twopc_lab::run::{Deed, Event, Happening, Stage};
use twopc_lab::scenario::shelf;
use twopc_lab::verdict::{Evidence, judge};
use twopc_lab::view::{Desk, Files, Judged, Shown, Source, Tab, Wish, lab_ui};
use twopc_lab::watched::Watched;
use twopc_proto::bench::{Fate, Rule, Then};
use twopc_proto::trace::{Trace, What};
use twopc_proto::{RecordKind, Role as NodeRole, TxnId, UserName};
use twopc_ui::theme;

struct Seen {
    room: RoomView,
    watched: Watched,
    desk: Desk,
    judged: Option<Judged>,
    wishes: Vec<Wish>,
}

type Window = Harness<'static, Seen>;

fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

/// A room of two participants, of whom alice and the chair are in it, with these rules.
fn happened(rules: &[Rule]) -> Watched {
    let joined = |user: &str, role| Happening::Joined { user: name(user), role };
    let seen = vec![
        Happening::Watching { room: String::from("1") },
        joined("alice", NodeRole::Participant),
        joined("bob", NodeRole::Participant),
        Happening::Left { user: name("bob"), role: NodeRole::Participant },
        joined("chair", NodeRole::Coordinator),
        Happening::Fate { fate: Fate::Rules { rules: rules.to_vec(), held: Vec::new() } },
    ];
    Watched::of((1..).zip(seen).map(|(at_us, what)| Event { at_us, what }).collect())
}

fn window_in(rules: &[Rule], tab: Tab) -> Window {
    let shelf = shelf::scenarios();
    let files = Files::default();
    let draw = move |ui: &mut Ui, seen: &mut Seen| {
        let shown = Shown {
            room: Some(&seen.room),
            is_elsewhere: false,
            files: &files,
            source: &Source::Room,
            watched: &seen.watched,
            now_us: seen.watched.now_us(),
            judged: seen.judged.as_ref(),
            shelf: &shelf,
            playing: None,
            runs_on: false,
            trouble: None,
            done: None,
        };
        let wishes = lab_ui(ui, &shown, &mut seen.desk);
        seen.wishes.extend(wishes);
    };
    let programs = (1..).zip(members(2)).map(|(pid, member)| Program { member, life: Life::Running { pid }, began_with: None });
    let seen = Seen {
        room: RoomView { relay: String::from("127.0.0.1:1337"), programs: programs.collect() },
        watched: happened(rules),
        desk: Desk { tab, ..Desk::default() },
        judged: None,
        wishes: Vec::new(),
    };
    let builder = Harness::builder().with_size([860.0, 700.0]).with_context_setup(theme::apply).with_max_steps(20);
    let mut window = builder.allow_missing_glyphs().build_ui_state(draw, seen);
    window.run();
    window
}

fn wishes(window: &mut Window) -> Vec<Wish> {
    std::mem::take(&mut window.state_mut().wishes)
}

fn press(window: &mut Window, role: Role, label: &str) -> Vec<Wish> {
    window.get_by_role_and_label(role, label).click();
    window.run();
    wishes(window)
}

fn choose(window: &mut Window, list: &str, item: &str) {
    window.get_by_role_and_label(Role::ComboBox, list).click();
    window.run();
    window.get_by_role_and_label(Role::Button, item).click();
    window.run();
}

fn key(window: &mut Window, key: Key) -> Vec<Wish> {
    window.key_press(key);
    window.run();
    wishes(window)
}

fn rules(rules: &[Rule]) -> Vec<Wish> {
    vec![Wish::Do(Deed::Rules { rules: rules.to_vec() })]
}

fn of_all(then: Then) -> Rule {
    Rule { path: None, from: None, to: None, then }
}

fn cut(from: &str, to: &str) -> Rule {
    Rule { path: None, from: Some(name(from)), to: Some(name(to)), then: Then::Drop }
}

fn slow(ms: u64) -> Rule {
    of_all(Then::Delay { ms })
}

fn is_checked(window: &Window) -> bool {
    window.get_by_role_and_label(Role::CheckBox, "Slow motion").accesskit_node().toggled() == Some(Toggled::True)
}

#[test]
fn slow_motion_takes_the_time_that_is_set_and_the_same_box_ends_it() {
    let mut window = window_in(&[cut("alice", "chair")], Tab::Messages);
    assert!(!is_checked(&window));
    let time = "How long every message takes in slow motion";
    window.get_by_role_and_label(Role::SpinButton, time).focus();
    window.run();
    window.key_press(Key::ArrowUp);
    window.run();
    let ms: u64 = window.get_by_role_and_label(Role::SpinButton, time).accesskit_node().numeric_value().unwrap() as u64;
    assert_ne!(ms, 1_000, "it was changed");
    assert_eq!(wishes(&mut window), [], "it is off");
    let on = [cut("alice", "chair"), slow(ms)];
    assert_eq!(press(&mut window, Role::CheckBox, "Slow motion"), rules(&on));
    window.state_mut().watched = happened(&on);
    window.run();
    assert!(is_checked(&window));
    window.get_by_label(&format!("2  Slow motion: every message takes {ms} ms"));
    assert_eq!(key(&mut window, Key::S), rules(&[cut("alice", "chair")]), "the key is the box");
    assert_eq!(press(&mut window, Role::CheckBox, "Slow motion"), rules(&[cut("alice", "chair")]));
}

#[test]
fn another_time_holds_at_once_while_slow_motion_is_on() {
    let mut window = window_in(&[slow(700)], Tab::Messages);
    let field = window.get_by_role_and_label(Role::SpinButton, "How long every message takes in slow motion");
    assert_eq!(field.accesskit_node().numeric_value(), Some(700.0), "whoever has set it");
    window.get_by_role_and_label(Role::SpinButton, "How long every message takes in slow motion").focus();
    window.run();
    window.key_press(Key::ArrowUp);
    window.run();
    let asked = wishes(&mut window);
    let [Wish::Do(Deed::Rules { rules })] = asked.as_slice() else { panic!("{asked:?}") };
    assert!(matches!(rules.as_slice(), [Rule { then: Then::Delay { ms }, .. }] if (701..1_000).contains(ms)), "{rules:?}");
}

#[test]
fn a_link_is_cut_one_way_or_both_once_its_ends_are_chosen() {
    let mut window = window_in(&[], Tab::Messages);
    let why = "Choose the two names first.";
    window.get_by_label(why);
    let button = window.get_by_role_and_label(Role::Button, "Cut link").accesskit_node();
    assert_eq!((button.is_disabled(), button.description().as_deref()), (true, Some(why)));
    choose(&mut window, "One end of the link", "alice");
    choose(&mut window, "Other end of the link", "alice");
    window.get_by_label("Choose two different names: nobody has a link to itself.");
    choose(&mut window, "Other end of the link", "chair");
    assert_eq!(press(&mut window, Role::Button, "Cut link"), rules(&[cut("alice", "chair"), cut("chair", "alice")]));
    choose(&mut window, "Which way the link is cut", "only from alice to chair");
    assert_eq!(press(&mut window, Role::Button, "Cut link"), rules(&[cut("alice", "chair")]));
}

#[test]
fn where_nothing_can_be_done_to_messages_it_says_why() {
    let mut window = window_in(&[], Tab::Messages);
    let why = "There is no relay now.";
    assert!(window.query_by_label(why).is_none());
    window.state_mut().watched = Watched::default();
    window.run();
    window.get_by_label(why);
    let switch = window.get_by_role_and_label(Role::CheckBox, "Slow motion").accesskit_node();
    assert_eq!((switch.is_disabled(), switch.description().as_deref()), (true, Some(why)));
}

#[test]
fn every_rule_in_force_stands_in_words_and_can_be_taken_away() {
    let all = [cut("alice", "chair"), of_all(Then::Hold), cut("chair", "alice")];
    let mut window = window_in(&all, Tab::Messages);
    for words in [
        "1  Cut: nothing passes from alice to chair",
        "2  Hold every message",
        "3  Cut: nothing passes from chair to alice",
        "(not while rule 2 takes every message)",
    ] {
        window.get_by_label(words);
    }
    assert_eq!(press(&mut window, Role::Button, "Remove rule 2"), rules(&[all[0].clone(), all[2].clone()]));
    assert_eq!(press(&mut window, Role::Button, "Remove all rules"), rules(&[]));
    window.state_mut().watched = happened(&[]);
    window.run();
    window.get_by_label_contains("None: every message goes straight on.");
}

#[test]
fn who_runs_and_cannot_be_reached_is_said_to_be_offline_or_without_a_relay() {
    let mut window = window_in(&[], Tab::Room);
    assert_eq!(window.get_all_by_label("running").count(), 3, "the relay, alice, the chair");
    window.get_by_label("running, offline");
    window.state_mut().room.programs[0].life = Life::Ended(End::KilledHere);
    window.run();
    assert_eq!(window.get_all_by_label("running, no relay").count(), 3);
    assert!(window.query_by_label("running").is_none());
}

#[test]
fn the_relays_lane_is_shown_once_it_has_rules_and_then_as_somebody_chooses() {
    let is_shown = |window: &Window| {
        let drawn = |seen: &Seen| seen.watched.chart().relay().is_some_and(|relay| !seen.desk.diagram.lens.filter.hidden.contains(&relay));
        drawn(window.state())
    };
    let mut window = window_in(&[], Tab::Diagram);
    assert!(!is_shown(&window), "it only passes on");
    window.state_mut().watched = happened(&[of_all(Then::Hold)]);
    window.run();
    assert!(is_shown(&window));
    window.state_mut().watched.step(-1);
    window.run();
    assert!(is_shown(&window), "no lane comes and goes while somebody looks at another moment");
    press(&mut window, Role::Button, "relay");
    assert!(!is_shown(&window));
    window.state_mut().watched = happened(&[]);
    press(&mut window, Role::Button, "relay");
    assert!(is_shown(&window), "it was chosen");
}

#[test]
fn whose_process_is_gone_is_in_doubt_again_once_it_is_started() {
    let told = |what| Happening::Told { user: name("alice"), role: NodeRole::Participant, trace: Trace { life: 1, n: 1, at_us: 1, what } };
    let txn = || TxnId::parse("chair.1.1").unwrap();
    let doubt = What::Doubt { txn: txn(), since_us: 0, asked_us: None, blocked: false, peers: Vec::new() };
    let killed = Happening::Process { program: String::from("alice"), stage: Stage::Ended { killed: true, how: String::from("Killed.") } };
    for (record, is_listed) in [(RecordKind::Ready, true), (RecordKind::Commit, false)] {
        let log = What::Log { lsn: 1, record, txn: txn(), forced: true };
        let seen = [told(doubt.clone()), told(log), told(What::Durable { lsn: 1 }), killed.clone()];
        let mut window = window_in(&[], Tab::Doubt);
        window.state_mut().watched = Watched::of((1..).zip(seen).map(|(at_us, what)| Event { at_us, what }).collect());
        window.run();
        assert_eq!(window.query_by_label_contains("Once started, it is in doubt again").is_some(), is_listed, "{record:?}");
    }
}

#[test]
fn logs_without_a_transaction_are_no_verdict() {
    let mut window = window_in(&[], Tab::Verdict);
    let empty = "As soon as a transaction stands in a log, the files are judged here.";
    window.get_by_label_contains(empty);
    let mut verdict = judge(&Evidence::default());
    window.state_mut().judged = Some(Ok(verdict.clone()));
    window.run();
    window.get_by_label_contains(empty);
    assert!(window.query_by_label("ATOMIC").is_none());
    verdict.committed = 1;
    window.state_mut().judged = Some(Ok(verdict));
    window.run();
    window.get_by_label("ATOMIC");
    assert!(window.query_by_label_contains(empty).is_none());
}

#[test]
fn escape_closes_what_is_on_top_and_the_focus_returns() {
    let mut window = window_in(&[], Tab::Room);
    let stop = |window: &Window| window.get_by_role_and_label(Role::Button, "Stop alice").is_focused();
    window.get_by_role_and_label(Role::Button, "Stop alice").focus();
    window.run();
    key(&mut window, Key::Questionmark);
    assert!(window.state().desk.shows_keys);
    key(&mut window, Key::Escape);
    assert!(!window.state().desk.shows_keys && stop(&window));
    window.get_by_role_and_label(Role::Button, "More for alice").focus();
    window.run();
    key(&mut window, Key::Enter);
    window.get_by_role_and_label(Role::Button, "Kill now");
    key(&mut window, Key::Escape);
    assert!(window.query_by_role_and_label(Role::Button, "Kill now").is_none());
    assert!(window.get_by_role_and_label(Role::Button, "More for alice").is_focused());
}

#[test]
fn keys_are_a_fields_while_it_is_typed_into_and_the_windows_else() {
    let mut window = window_in(&[], Tab::Room);
    window.get_by_role_and_label(Role::TextInput, "Folder of a run").focus();
    window.run();
    for pressed in [Key::H, Key::S, Key::Num3, Key::Space, Key::Questionmark] {
        assert_eq!(key(&mut window, pressed), [], "{pressed:?}");
    }
    assert_eq!((window.state().desk.tab, window.state().desk.shows_keys), (Tab::Room, false));
    window.state_mut().desk.path = String::from("logs/runs/one");
    assert_eq!(key(&mut window, Key::Escape), []);
    assert_eq!(window.state().desk.path, "", "Esc empties a field");
    assert_eq!(key(&mut window, Key::H), [], "and it is the field's still");
    assert_eq!(key(&mut window, Key::Escape), []);
    assert_eq!(key(&mut window, Key::H), rules(&[of_all(Then::Hold)]), "the field has let go");
    assert_eq!(key(&mut window, Key::S), rules(&[slow(1_000)]));
    key(&mut window, Key::Num3);
    assert_eq!(window.state().desk.tab, Tab::Messages);
}
