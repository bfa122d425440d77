//! The participant's window read as a screen reader reads it, in each of its states.

use std::sync::Arc;
use std::time::Duration;

use egui::accesskit::Role;
use egui::{Key, Modifiers, Pos2, Rect, ViewportId};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, Node};
use twopc_runner::snapshot::LineKind;
use twopc_ui::theme;

use super::*;
use crate::states::{self, Shot};

type Act = Action<ParticipantPress>;

struct Shown {
    shot: Shot,
    draft: Draft,
    now: Instant,
    actions: Vec<Act>,
}

fn window_of(shot: Shot, now: Instant, size: [f32; 2]) -> Harness<'static, Shown> {
    let draft = Draft::new(shot.relay.clone(), "alice");
    let draw = |ui: &mut Ui, shown: &mut Shown| {
        let actions = view(ui, &shown.shot, &mut shown.draft, shown.now);
        shown.actions.extend(actions);
    };
    let builder = Harness::builder().with_size(size).with_context_setup(theme::apply).with_max_steps(20).allow_missing_glyphs();
    let mut harness = builder.build_ui_state(draw, Shown { shot, draft, now, actions: Vec::new() });
    harness.run();
    harness
}

fn window(shot: Shot, now: Instant) -> Harness<'static, Shown> {
    window_of(shot, now, [860.0, 560.0])
}

fn button<'h>(window: &'h Harness<'static, Shown>, name: &'h str) -> Node<'h> {
    window.get_by_role_and_label(Role::Button, name)
}

fn field<'h>(window: &'h Harness<'static, Shown>, name: &'h str) -> Node<'h> {
    window.get_by_role_and_label(Role::TextInput, name)
}

fn can_press(window: &Harness<'static, Shown>, name: &str) -> bool {
    !button(window, name).accesskit_node().is_disabled()
}

fn press(window: &mut Harness<'static, Shown>, name: &str) -> Vec<Act> {
    button(window, name).click();
    window.run();
    std::mem::take(&mut window.state_mut().actions)
}

fn says(window: &Harness<'static, Shown>, words: &str) -> bool {
    window.query_all_by_label_contains(words).next().is_some()
}

/// When the window wants to be drawn again by itself.
fn wakes_after(window: &Harness<'static, Shown>) -> Duration {
    window.output().viewport_output[&ViewportId::ROOT].repaint_delay
}

#[test]
fn before_login_the_window_shows_where_it_would_go_and_can_be_told_otherwise() {
    let mut window = window(states::before_login(), Instant::now());
    for label in ["Relay: not connected", "State: INIT", "Press Login to join the room at 127.0.0.1:1337."] {
        window.get_by_label(label);
    }
    field(&window, "Relay address").focus();
    window.run();
    window.key_press(Key::Escape);
    window.run();
    field(&window, "Relay address").type_text("relay.example:7");
    window.run();
    assert_eq!(press(&mut window, "Login"), [Action::Login { address: "relay.example:7".into() }]);
}

#[test]
fn the_relays_question_stands_there_with_the_last_name_and_enter_answers_it() {
    let mut window = window(states::asking(), Instant::now());
    window.get_by_label("Enter your user name: 1 to 32 letters, digits, '-' or '_'.");
    assert_eq!(field(&window, "User name").value().as_deref(), Some("alice"));
    assert!(field(&window, "User name").is_focused(), "the answer can be typed at once");
    window.key_press(Key::Enter);
    window.run();
    assert_eq!(window.state().actions, [Action::GiveName("alice".into())]);
}

#[test]
fn a_refusal_stands_under_the_name_until_it_is_corrected() {
    let mut window = window(states::refused(), Instant::now());
    let refusal = window.get_by_label_contains("The name alice is taken.").rect();
    assert!(refusal.top() >= field(&window, "User name").rect().bottom());
    assert!(refusal.bottom() <= field(&window, "Relay address").rect().top());
    field(&window, "User name").focus();
    window.run();
    window.key_press(Key::Escape);
    window.run();
    field(&window, "User name").type_text("alicia");
    window.run();
    assert_eq!(press(&mut window, "Login"), [Action::GiveName("alicia".into())]);
}

#[test]
fn another_relay_can_be_chosen_while_the_first_one_asks() {
    let mut window = window(states::asking(), Instant::now());
    window.state_mut().draft.address = "other:1".into();
    window.run();
    assert_eq!(press(&mut window, "Login"), [Action::Login { address: "other:1".into() }]);
}

#[test]
fn connected_and_idle_shows_the_conversation_and_the_strings_and_sleeps() {
    let window = window(states::idle(), Instant::now());
    for label in ["Relay: connected", "State: INIT", "[bob]: 0:00:03:hi", "Client (bob) connected", "In the room: alice, bob, carol, chair"]
    {
        window.get_by_label(label);
    }
    for (pane, role) in [("Messages", Role::Log), ("Committed strings", Role::List)] {
        window.get_by_role_and_label(role, pane);
    }
    window.get_by_label("தமிழ்");
    window.get_by_label("data/alice.txt");
    assert!(window.query_by_label("Commit").is_none(), "there is nothing to vote on");
    assert_eq!(wakes_after(&window), Duration::MAX, "nothing counts, so nothing is drawn");
}

#[test]
fn enter_sends_escape_clears_and_nothing_is_not_sent() {
    let mut window = window(states::idle(), Instant::now());
    assert!(!can_press(&window, "Send"));
    field(&window, "Message").focus();
    window.run();
    field(&window, "Message").type_text("hi all");
    window.run();
    assert!(can_press(&window, "Send"));
    window.key_press(Key::Enter);
    window.run();
    assert_eq!(window.state().actions, [Action::Say("hi all".into())]);
    assert!(field(&window, "Message").is_focused(), "the next message can be typed at once");
    field(&window, "Message").type_text("no");
    window.run();
    window.key_press(Key::Escape);
    window.run();
    window.key_press(Key::Enter);
    window.run();
    assert_eq!((window.state().draft.message.as_str(), window.state().actions.len()), ("", 1));
}

#[test]
fn a_vote_is_asked_with_its_countdown_and_either_answer_can_be_pressed() {
    let now = Instant::now();
    let mut window = window(states::asked(now), now);
    for label in ["Store “Hello”?", "chair asks alice, bob, carol", "Time left: 14 s", "State: INIT"] {
        window.get_by_label(label);
    }
    assert!(wakes_after(&window) <= Duration::from_millis(100), "the countdown is seen to run");
    assert!(!can_press(&window, "Ask status"));
    assert_eq!(press(&mut window, "Commit"), [Action::Press(ParticipantPress::Commit(states::txn(3)))]);
    assert_eq!(press(&mut window, "Abort"), [Action::Press(ParticipantPress::Abort(states::txn(3)))]);
    window.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    window.run();
    assert_eq!(window.state().actions, [Action::Press(ParticipantPress::Commit(states::txn(3)))]);
}

#[test]
fn the_countdown_runs_down() {
    let now = Instant::now();
    let mut window = window(states::asked(now), now);
    for (later, label) in [(1, "Time left: 13 s"), (9, "Time left: 5 s"), (14, "Time left: 0 s")] {
        window.state_mut().now = now + Duration::from_secs(later);
        window.run();
        window.get_by_label(label);
    }
}

#[test]
fn in_ready_nothing_can_be_pressed_and_each_button_says_why() {
    let now = Instant::now();
    let window = window(states::ready(now), now);
    window.get_by_label("State: READY");
    window.get_by_label("You voted commit on “Hello”");
    for (name, why) in
        [("Commit", "You have voted commit."), ("Abort", "You have voted commit."), ("Ask status", "The vote is still open.")]
    {
        assert!(!can_press(&window, name), "{name}");
        assert_eq!(button(&window, name).accesskit_node().description().as_deref(), Some(why), "{name}");
    }
}

#[test]
fn in_doubt_it_says_whom_it_asked_and_what_would_settle_it() {
    let now = Instant::now();
    let mut window = window(states::in_doubt(now), now);
    window.get_by_label("State: READY, in doubt");
    window.get_by_label("In doubt about “Hello”");
    window.get_by_label(
        "You voted commit; the decision has not arrived. In doubt for 30 s. Asked 4 s ago: chair (offline), bob READY, carol no answer. \
         The table's row for READY: ask another participant. Any of them that knows the decision, or a participant that has not voted, settles it.",
    );
    assert_eq!(press(&mut window, "Ask status"), [Action::Press(ParticipantPress::AskStatus(states::txn(3)))]);
    window.state_mut().now = now + Duration::from_secs(3);
    window.run();
    assert!(says(&window, "In doubt for 33 s. Asked 7 s ago"));
}

#[test]
fn blocked_it_says_who_would_free_it() {
    let now = Instant::now();
    let window = window(states::blocked(now), now);
    window.get_by_label("State: READY, blocked");
    assert!(says(
        &window,
        "Blocked: nobody here may decide. It ends when chair or carol (offline) is back; starting another coordinator does not help."
    ));
    assert!(says(&window, "In doubt for 30 s.") && says(&window, "The table's row for READY: ask another participant."));
    assert!(says(&window, "What frees it: the decision of chair, or COMMIT, ABORT or INIT from carol."));
}

#[test]
fn in_doubt_without_the_relay_it_does_not_say_that_anybody_was_asked() {
    let now = Instant::now();
    let mut shot = states::relay_lost(now);
    shot.role.votes = states::blocked(now).role.votes;
    let window = window(shot, now);
    assert!(says(&window, "Without the relay nobody can be asked; that is done as soon as it is back."));
    assert!(!says(&window, "Asked 4 s ago"));
}

#[test]
fn a_string_that_leaves_no_room_for_the_reason_has_it_below() {
    let now = Instant::now();
    let mut shot = states::aborted(now);
    shot.role.settled[0].string = Some(states::string(&"long ".repeat(200)));
    let window = window(shot, now);
    let (what, why) = (window.get_by_label_contains("Aborted “long"), window.get_by_label("carol did not vote in time"));
    assert!(why.rect().top() >= what.rect().bottom() - 1.0 && why.rect().right() <= 860.0);
}

#[test]
fn in_a_low_window_what_is_asked_now_has_the_room_of_what_was_decided_before() {
    let now = Instant::now();
    let mut shot = states::committed(now);
    shot.role.votes = states::asked(now).role.votes;
    for (size, shows_both) in [([860.0, 560.0], true), ([400.0, 300.0], false)] {
        let window = window_of(shot.clone(), now, size);
        assert_eq!(says(&window, "Committed “Hello”"), shows_both);
        assert!(says(&window, "Time left: 14 s"));
    }
}

#[test]
fn who_asks_before_the_time_is_over_reads_what_came_of_it() {
    let now = Instant::now();
    let mut shot = states::blocked(now);
    shot.role.votes[0].deadline = Some(now + Duration::from_secs(14));
    let window = window(shot, now);
    assert!(says(&window, "bob READY") && says(&window, "Blocked: nobody here may decide."));
    assert!(!says(&window, "Time left: "));
}

#[test]
fn an_outcome_stands_there_for_some_seconds_and_in_the_chip_until_the_next_vote() {
    let now = Instant::now();
    for (shot, chip, words) in [
        (states::committed(now), "State: COMMIT", "Committed “Hello”"),
        (states::aborted(now), "State: ABORT", "Aborted “Hello”: carol did not vote in time"),
    ] {
        let mut window = window(shot, now);
        window.get_by_label(chip);
        window.get_by_label(words);
        assert!(wakes_after(&window) <= Duration::from_secs(8), "it goes by itself");
        window.state_mut().now = now + Duration::from_secs(9);
        window.run();
        assert!(!says(&window, words));
        window.get_by_label(chip);
    }
}

#[test]
fn when_the_relay_is_lost_everything_stays_and_what_was_never_sent_says_so() {
    let now = Instant::now();
    let mut window = window(states::relay_lost(now), now);
    window.get_by_label("Relay: reconnecting in 2 s");
    window.get_by_label("[bob]: 0:00:03:hi");
    window.get_by_label("not sent");
    window.state_mut().draft.message = "later".into();
    window.run();
    assert!(!can_press(&window, "Send"), "what is typed stays until the relay is back");
    assert!(window.query_by_label("Relay address").is_none(), "who was let in is not asked again");
}

#[test]
fn a_relay_that_was_never_reached_can_be_corrected() {
    let now = Instant::now();
    let mut shot = states::relay_lost(now);
    shot.user = None;
    let mut window = window(shot, now);
    assert!(says(&window, "No relay answers at 127.0.0.1:1337 (nothing listens there). It is tried again by itself"));
    assert_eq!(press(&mut window, "Login"), [Action::Login { address: "127.0.0.1:1337".into() }]);
}

#[test]
fn a_node_that_stopped_says_why_and_the_window_stays() {
    let mut window = window(states::stopped(), Instant::now());
    assert!(says(&window, "is damaged in line 7"));
    window.get_by_label("தமிழ்");
    assert!(!can_press(&window, "Login") && !can_press(&window, "Send"));
    assert_eq!(press(&mut window, "Quit"), [Action::Quit]);
}

#[test]
fn a_name_that_logged_in_elsewhere_leaves_this_window_standing() {
    let window = window(states::replaced(), Instant::now());
    window.get_by_label("Relay: taken over");
    assert!(says(&window, "This name logged in from another window"));
    window.get_by_label("தமிழ்");
    assert!(!can_press(&window, "Login") && !can_press(&window, "Send"));
}

#[test]
fn of_many_warnings_the_newest_stand_there() {
    let window = window(states::troubled(), Instant::now());
    for (warning, is_shown) in [("Warning 5", true), ("Warning 3", true), ("Warning 2", false)] {
        assert_eq!(says(&window, warning), is_shown, "{warning}");
    }
    window.get_by_label("and 2 earlier");
}

#[test]
fn while_the_disk_is_at_work_it_says_so_and_neither_answer_can_be_pressed_again() {
    let now = Instant::now();
    let window = window(states::writing(now), now);
    window.get_by_label("Writing your vote …");
    assert!(!can_press(&window, "Commit") && !can_press(&window, "Abort"));
}

#[test]
fn the_path_is_copied_whole() {
    let mut window = window(states::idle(), Instant::now());
    button(&window, "Copy path").click();
    // The press, and then its release, which is the click.
    window.step();
    let copied = window.output().platform_output.commands.iter().find_map(|command| match command {
        egui::OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    });
    let path = std::env::current_dir().unwrap().join("data").join("alice.txt");
    assert_eq!(copied.as_deref(), path.to_str());
}

#[test]
fn several_votes_are_a_list_and_each_has_its_own_buttons() {
    let now = Instant::now();
    let mut window = window_of(states::several(now), now, [860.0, 1000.0]);
    window.get_by_label("State: INIT");
    let top = |words: &str| window.get_by_label(words).rect().top();
    assert!(top("In doubt about “Hello”") < top("Store “Second”?") && top("Store “Second”?") < top("You voted commit on “a full disk”"));
    assert!(says(&window, "The disk is full"));
    let commits: Vec<Node<'_>> = window.query_all_by_role_and_label(Role::Button, "Commit").collect();
    assert_eq!(commits.iter().map(|node| !node.accesskit_node().is_disabled()).collect::<Vec<_>>(), [false, true, false]);
    commits[1].click();
    window.run();
    assert_eq!(window.state().actions, [Action::Press(ParticipantPress::Commit(states::txn(4)))]);
}

/// The names that tests and screen readers find controls by.
#[test]
fn every_control_has_its_name() {
    let now = Instant::now();
    for (shot, buttons, fields) in [
        (states::before_login(), &["Login", "Quit", "Send"][..], &["Relay address", "Message"][..]),
        (states::asking(), &["Login", "Quit", "Send"], &["User name", "Relay address", "Message"]),
        (states::idle(), &["Login", "Quit", "Send", "Copy path"], &["Message"]),
        (states::asked(now), &["Login", "Quit", "Send", "Copy path", "Commit", "Abort", "Ask status"], &["Message"]),
        (states::in_doubt(now), &["Login", "Quit", "Send", "Copy path", "Commit", "Abort", "Ask status"], &["Message"]),
    ] {
        for size in [[860.0, 560.0], [400.0, 300.0], [1600.0, 1000.0]] {
            let window = window_of(shot.clone(), now, size);
            for name in buttons {
                // A pane that is scrolled out of a small window is not drawn.
                if size[1] >= 560.0 || *name != "Copy path" {
                    button(&window, name);
                }
            }
            for name in fields {
                field(&window, name);
            }
            for start in ["State: ", "Relay: "] {
                assert_eq!(window.query_all_by_label_contains(start).count(), 1, "{start}");
            }
        }
    }
}

#[test]
fn nothing_covers_anything_in_a_low_window() {
    let now = Instant::now();
    for shot in [states::idle(), states::asked(now), states::blocked(now), states::aborted(now)] {
        for [width, height] in [[400.0, 300.0], [424.0, 330.0], [636.0, 330.0], [636.0, 459.0]] {
            // The harness keeps 8 points on each side for itself.
            let size = [width + 16.0, height + 16.0];
            let window = window_of(shot.clone(), now, size);
            let pane = |name, role| window.get_by_role_and_label(role, name).rect();
            let (messages, strings) = (pane("Messages", Role::Log), pane("Committed strings", Role::List));
            let below = match window.query_by_role_and_label(Role::Button, "Commit") {
                Some(commit) => commit.rect().top(),
                None => field(&window, "Message").rect().top(),
            };
            assert!(messages.right() <= strings.left(), "{size:?}: {messages} and {strings}");
            assert!(messages.bottom() <= below && strings.bottom() <= below, "{size:?}: {messages} and {strings} over {below}");
            assert!(strings.right() <= size[0], "{size:?}: {strings}");
        }
    }
}

#[test]
fn a_tooltip_fits_into_a_narrow_window() {
    let now = Instant::now();
    let question = "long ".repeat(100);
    let mut window = window_of(states::with_votes(vec![states::vote(3, &question, now)]), now, [424.0, 330.0]);
    window.get_by_label_contains("Store “long").hover();
    window.run();
    let labels: Vec<Rect> = window.query_all_by_label_contains("Store “long").map(|label| label.rect()).collect();
    assert_eq!(labels.len(), 2, "the clipped one and the whole one");
    assert!(labels.iter().all(|rect| rect.left() >= 0.0 && rect.right() <= 424.0), "{labels:?}");
}

#[test]
fn what_the_keyboard_goes_to_comes_into_sight() {
    let now = Instant::now();
    let size = [400.0, 200.0];
    let mut window = window_of(states::asked(now), now, size);
    let sight = Rect::from_min_size(Pos2::ZERO, size.into());
    assert!(sight.contains_rect(field(&window, "Message").rect()), "that is where the keyboard is");
    assert!(!sight.contains_rect(button(&window, "Quit").rect()), "it is a small window");
    for name in ["Quit", "Commit", "Abort", "Quit"] {
        for _ in 0..20 {
            window.key_press(Key::Tab);
            window.run();
            if button(&window, name).is_focused() {
                break;
            }
        }
        assert!(button(&window, name).is_focused(), "{name}");
        assert!(sight.contains_rect(button(&window, name).rect()), "{name} is at {}", button(&window, name).rect());
    }
}

#[test]
fn the_tab_key_goes_round_in_the_order_of_reading() {
    let now = Instant::now();
    let mut window = window(states::asked(now), now);
    window.state_mut().draft.message = "hi".into();
    window.run();
    let mut order = Vec::new();
    assert!(field(&window, "Message").is_focused(), "whoever is let in can write at once");
    for _ in 0..8 {
        window.key_press(Key::Tab);
        window.run();
        let focused = window.root().children_recursive().find(Node::is_focused);
        order.extend(focused.and_then(|node| node.accesskit_node().label()));
    }
    assert_eq!(order, ["Send", "Theme: dark", "Quit", "Copy path", "Commit", "Abort", "Message", "Send"]);
}

#[test]
fn nothing_jumps_when_the_state_changes() {
    let now = Instant::now();
    let places = |shot: Shot| -> Vec<Rect> {
        let window = window(shot, now);
        let panes = [window.get_by_role_and_label(Role::Log, "Messages"), window.get_by_role_and_label(Role::List, "Committed strings")];
        let controls = ["Login", "Quit", "Send"].map(|name| button(&window, name));
        panes.iter().chain(&controls).map(egui_kittest::Node::rect).collect()
    };
    let asked = places(states::asked(now));
    for shot in [states::ready(now), states::committed(now), states::aborted(now)] {
        assert_eq!(places(shot), asked);
    }
}

/// Everything that a screen reader would say.
fn said(window: &Harness<'static, Shown>) -> Vec<String> {
    let of = |node: Node<'_>| {
        let node = node.accesskit_node();
        [node.value(), node.label(), node.description()]
    };
    window.root().children_recursive().flat_map(of).flatten().collect()
}

#[test]
fn what_somebody_hostile_wrote_is_shown_and_not_obeyed_and_costs_no_time() {
    let now = Instant::now();
    let mut window = window(states::hostile(now), now);
    let said = said(&window);
    assert!(said.iter().any(|text| text.contains("Store “<U+202E>evil<U+202C> zero<U+200B>width")));
    assert!(said.iter().any(|text| text.contains("Z\u{301}")));
    assert!(said.iter().any(|text| text.contains("a<U+001B>[2J<U+000A><U+2028>b")));
    for text in said {
        assert!(text.len() < 20_000, "a line of a megabyte is not laid out");
        let unseen: Vec<char> = text.chars().filter(|c| twopc_proto::text::is_unseen(*c) && *c != '\n').collect();
        assert!(unseen.is_empty() && !text.contains(&"\u{301}".repeat(9)), "{unseen:?}");
    }
    // The quickest of several, so that what else the computer does is left out of it.
    let frame = |window: &mut Harness<'static, Shown>| {
        let start = Instant::now();
        window.step();
        start.elapsed()
    };
    let quickest = (0..10).map(|_| frame(&mut window)).min().unwrap();
    assert!(quickest < Duration::from_millis(100), "a frame takes {quickest:?}");
}

#[test]
fn of_thousands_of_lines_only_those_in_sight_are_drawn() {
    let now = Instant::now();
    let window = window(states::hostile(now), now);
    let drawn = window.query_all_by_label_contains("0:00:00:line ").count();
    assert!((5..40).contains(&drawn), "{drawn} lines");
    assert!(says(&window, "line 5000"), "the newest are in sight");
}

#[test]
fn new_lines_do_not_pull_away_who_reads_the_old_ones() {
    let now = Instant::now();
    let mut window = window(states::hostile(now), now);
    let at = window.get_by_role_and_label(Role::Log, "Messages").rect().center();
    window.hover_at(at);
    window.run();
    window.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, 2_000.0),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Wheel,
        modifiers: Modifiers::NONE,
    });
    window.run();
    let in_sight = |window: &Harness<'static, Shown>| -> Vec<String> {
        window.query_all_by_label_contains("0:00:00:line ").filter_map(|node| node.value()).collect()
    };
    let before = in_sight(&window);
    assert!(!before.is_empty() && !before.iter().any(|line| line.ends_with("line 5000")), "{before:?}");
    let mut lines = (*window.state().shot.messages).clone();
    lines.extend((5_004..5_007).map(|n| states::chat(n, "carol", "0:00:01:new")));
    window.state_mut().shot.messages = Arc::new(lines.clone());
    window.run();
    assert_eq!(in_sight(&window), before);

    // The list is bounded: when the oldest are dropped, what is read still stays.
    lines.drain(..100);
    window.state_mut().shot.messages = Arc::new(lines);
    window.run();
    assert_eq!(in_sight(&window), before);

    let go = window.get_by_role_and_label(Role::Button, "↓ 3");
    go.click();
    window.run();
    assert!(says(&window, "[carol]: 0:00:01:new"));
    assert!(window.query_by_label("↓ 3").is_none());
}

#[test]
fn a_line_on_its_way_is_there_before_the_relay_has_it() {
    let now = Instant::now();
    let mut shot = states::relay_lost(now);
    shot.link = twopc_runner::snapshot::Link::Connected;
    let waiting = shot.messages.iter().filter(|line| matches!(line.kind, LineKind::Chat { seq: None, unsent: false, .. })).count();
    assert_eq!(waiting, 1);
    let window = window(shot, now);
    assert_eq!(window.query_all_by_label("[alice]: 0:00:09:is anybody there?").count(), 2);
}
