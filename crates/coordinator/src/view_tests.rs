//! The coordinator's window read as a screen reader reads it, in each of its states.

use std::time::Duration;

use egui::accesskit::Role;
use egui::{Key, Modifiers, ViewportId};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, Node};
use twopc_proto::{Decision, State};
use twopc_ui::theme;

use super::*;
use crate::states::{self, Shot};

type Act = Action<CoordinatorPress>;

struct Shown {
    shot: Shot,
    typed: Typed,
    now: Instant,
    actions: Vec<Act>,
}

fn window_of(shot: Shot, now: Instant, size: [f32; 2]) -> Harness<'static, Shown> {
    let typed = Typed { draft: Draft::new(shot.relay.clone(), "chair"), timeout: "20".into() };
    let draw = |ui: &mut Ui, shown: &mut Shown| {
        let actions = view(ui, &shown.shot, &mut shown.typed, shown.now);
        shown.actions.extend(actions);
    };
    let builder = Harness::builder().with_size(size).with_context_setup(theme::apply).with_max_steps(20).allow_missing_glyphs();
    let mut harness = builder.build_ui_state(draw, Shown { shot, typed, now, actions: Vec::new() });
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

/// Why a button can't be pressed; `None` if it can.
fn why_not(window: &Harness<'static, Shown>, name: &str) -> Option<String> {
    let node = button(window, name);
    let node = node.accesskit_node();
    node.is_disabled().then(|| node.description().unwrap_or_default())
}

fn press(window: &mut Harness<'static, Shown>, name: &str) -> Vec<Act> {
    button(window, name).click();
    window.run();
    std::mem::take(&mut window.state_mut().actions)
}

fn says(window: &Harness<'static, Shown>, words: &str) -> bool {
    window.query_all_by_label_contains(words).next().is_some()
}

fn wakes_after(window: &Harness<'static, Shown>) -> Duration {
    window.output().viewport_output[&ViewportId::ROOT].repaint_delay
}

/// Writes over what stands in a field.
fn write(window: &mut Harness<'static, Shown>, name: &str, text: &str) {
    field(window, name).focus();
    window.run();
    window.key_press(Key::Escape);
    window.run();
    field(window, name).type_text(text);
    window.run();
}

#[test]
fn before_login_nothing_can_be_requested() {
    let mut window = window(states::before_login(), Instant::now());
    window.get_by_label("Press Login to join the room at 127.0.0.1:1337.");
    window.get_by_label("No vote has been asked for yet.");
    assert_eq!(why_not(&window, "Request").as_deref(), Some("Log in first."));
    assert_eq!(press(&mut window, "Login"), [Action::Login { address: "127.0.0.1:1337".into() }]);
}

#[test]
fn the_relays_question_is_answered_with_enter() {
    let mut window = window(states::asking(), Instant::now());
    assert!(field(&window, "User name").is_focused());
    window.key_press(Key::Enter);
    window.run();
    assert_eq!(window.state().actions, [Action::GiveName("chair".into())]);
}

#[test]
fn connected_and_idle_it_shows_who_is_there_says_what_request_waits_for_and_sleeps() {
    let window = window(states::idle(), Instant::now());
    for (pane, role) in [("Messages", Role::Log), ("In the room", Role::List), ("Votes", Role::Table), ("Proposal", Role::Group)] {
        window.get_by_role_and_label(role, pane);
    }
    for person in ["alice", "bob", "carol", "chair"] {
        window.get_by_label(person);
    }
    assert_eq!(window.query_all_by_label("participant").count(), 3);
    window.get_by_label("Relay: connected");
    window.get_by_label("State: INIT");
    assert_eq!(why_not(&window, "Request").as_deref(), Some("Send a line that begins with string: first."));
    assert_eq!(wakes_after(&window), Duration::MAX, "nothing counts, so nothing is drawn");
}

#[test]
fn a_proposal_is_shown_and_requested_with_the_timeout_beside_it() {
    let mut window = window(states::proposed(), Instant::now());
    window.get_by_label("“Hello”");
    assert_eq!(why_not(&window, "Request"), None);
    let request = |millis| Action::Press(CoordinatorPress::Request { vote_timeout: Duration::from_millis(millis) });
    assert_eq!(press(&mut window, "Request"), [request(20_000)]);
    write(&mut window, "Vote timeout", "1.5");
    assert_eq!(press(&mut window, "Request"), [request(1_500)]);
    window.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    window.run();
    assert_eq!(window.state().actions, [request(1_500)]);
}

#[test]
fn a_timeout_that_is_none_is_said_beside_it() {
    let mut window = window(states::proposed(), Instant::now());
    write(&mut window, "Vote timeout", "soon");
    assert!(says(&window, "A time is a number of seconds"));
    assert_eq!(why_not(&window, "Request").as_deref(), Some("Correct the vote timeout first."));
}

#[test]
fn request_says_what_it_waits_for() {
    let now = Instant::now();
    for (shot, why) in [
        (states::idle(), "Send a line that begins with string: first."),
        (states::alone(), "Waiting for 1 more participant."),
        (states::waiting(now), "A vote is open."),
    ] {
        assert_eq!(why_not(&window(shot, now), "Request").as_deref(), Some(why));
    }
}

#[test]
fn a_proposal_without_a_string_is_not_sent() {
    let mut window = window(states::idle(), Instant::now());
    write(&mut window, "Message", "String:  ");
    assert_eq!(why_not(&window, "Send").as_deref(), Some("Write the string to be stored after the colon."));
    write(&mut window, "Message", "String: Hello");
    assert_eq!(press(&mut window, "Send"), [Action::Say("String: Hello".into())]);
    window.state_mut().typed.draft.message = format!("string: {}", "x".repeat(5_000));
    window.run();
    assert!(says(&window, "The string is longer than 4,096 bytes; please shorten it."));
    assert!(why_not(&window, "Send").is_some());
}

#[test]
fn while_votes_come_in_the_table_fills_and_the_countdown_runs() {
    let now = Instant::now();
    let mut window = window(states::waiting(now), now);
    for label in ["State: WAIT", "Time left: 14 s", "#8 “Hello”", "commit"] {
        window.get_by_label(label);
    }
    assert_eq!(window.query_all_by_label("waiting").count(), 2);
    assert!(wakes_after(&window) <= Duration::from_millis(100), "the countdown is seen to run");
    window.state_mut().now = now + Duration::from_secs(3);
    window.state_mut().shot.role.ballots[0].rows[1].vote = Some((Decision::Commit, None));
    window.run();
    window.get_by_label("Time left: 11 s");
    assert_eq!(window.query_all_by_label("commit").count(), 2);
}

#[test]
fn a_commit_is_said_large_with_who_has_acknowledged() {
    let window = window(states::committed(), Instant::now());
    window.get_by_label("State: COMMIT");
    window.get_by_label("GLOBAL COMMIT");
    window.get_by_label("2 of 3");
    assert_eq!(window.query_all_by_label("acknowledged").count(), 2);
    assert_eq!(window.query_all_by_label("told").count(), 1);
}

#[test]
fn after_a_restart_a_commit_still_means_that_all_voted_for_it() {
    let mut shot = states::committed();
    shot.role.ballots.truncate(1);
    shot.role.ballots[0].rows.iter_mut().for_each(|row| row.vote = None);
    let window = window(shot, Instant::now());
    assert_eq!(window.query_all_by_label("commit").count(), 3);
    assert!(!says(&window, "no vote"));
}

#[test]
fn in_a_low_window_nothing_covers_anything_and_the_decision_comes_into_sight() {
    let now = Instant::now();
    let mut window = window_of(states::waiting(now), now, [652.0, 346.0]);
    let message = field(&window, "Message").rect();
    for (pane, role) in [("Messages", Role::Log), ("In the room", Role::List), ("Proposal", Role::Group), ("Votes", Role::Table)] {
        let rect = window.get_by_role_and_label(role, pane).rect();
        assert!(rect.bottom() <= message.top(), "{pane} is at {rect}, and the message's field at {message}");
    }
    window.state_mut().shot = states::committed();
    window.run();
    let decision = window.get_by_label("GLOBAL COMMIT").rect();
    let votes = window.get_by_role_and_label(Role::Table, "Votes").rect();
    assert!(votes.contains_rect(decision), "{decision} in {votes}");
}

#[test]
fn an_abort_says_why_and_who_is_being_told_again() {
    let window = window(states::aborted(), Instant::now());
    for label in ["State: ABORT", "GLOBAL ABORT", "carol voted abort", "abort", "no vote", "retrying (offline)"] {
        window.get_by_label(label);
    }
}

#[test]
fn earlier_votes_have_a_line_each() {
    let window = window(states::committed(), Instant::now());
    for label in ["Earlier", "#7 “Hi”", "committed", "3 of 3", "#6 “Oops”", "aborted", "2 of 3, retrying bob (offline)"] {
        window.get_by_label(label);
    }
}

#[test]
fn opened_again_it_says_what_it_recovered_and_what_it_does_about_it() {
    let window = window(states::recovered(), Instant::now());
    window.get_by_label("Recovered: “Hello” was undecided when this program stopped, so it is aborted; telling alice, bob, carol.");
}

#[test]
fn a_disk_that_takes_nothing_is_said_where_the_vote_is() {
    let now = Instant::now();
    let window = window(states::disk_full(now), now);
    assert!(says(&window, "The disk is full"));
}

#[test]
fn when_the_relay_is_lost_the_vote_stays_in_sight() {
    let now = Instant::now();
    let window = window(states::relay_lost(now), now);
    window.get_by_label("Relay: reconnecting in 2 s");
    window.get_by_label("#8 “Hello”");
    assert!(window.query_by_label("Relay address").is_none());
}

/// The names that tests and screen readers find controls by.
#[test]
fn every_control_has_its_name() {
    let now = Instant::now();
    for (shot, fields) in [
        (states::before_login(), &["Relay address", "Message"][..]),
        (states::asking(), &["User name", "Relay address", "Message"]),
        (states::proposed(), &["Message"]),
        (states::waiting(now), &["Message"]),
        (states::recovered(), &["Message"]),
    ] {
        for size in [[860.0, 560.0], [400.0, 300.0], [1600.0, 1000.0]] {
            let window = window_of(shot.clone(), now, size);
            for name in ["Login", "Quit", "Send"] {
                button(&window, name);
            }
            // A pane that is scrolled out of a small window is not drawn.
            if size[1] >= 560.0 {
                button(&window, "Request");
                field(&window, "Vote timeout");
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
fn the_tab_key_goes_round_in_the_order_of_reading() {
    let mut window = window(states::proposed(), Instant::now());
    let mut order = Vec::new();
    for _ in 0..6 {
        window.key_press(Key::Tab);
        window.run();
        let focused = window.root().children_recursive().find(Node::is_focused);
        order.extend(focused.and_then(|node| node.accesskit_node().label()));
    }
    assert_eq!(order, ["Theme: dark", "Quit", "Vote timeout", "Request", "Message", "Theme: dark"]);
}

#[test]
fn a_thousand_voters_are_drawn_as_far_as_they_are_in_sight() {
    let now = Instant::now();
    let mut shot = states::waiting(now);
    let rows = (0..1_000).map(|n| states::row(&format!("voter-{n}"), None)).collect();
    shot.role.ballots = vec![states::ballot(9, "Many", State::Wait, rows)];
    let window = window(shot, now);
    let drawn = window.query_all_by_label_contains("voter-").count();
    assert!((5..40).contains(&drawn), "{drawn} rows");
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
    assert!(said.iter().any(|text| text.contains("<U+202E>evil<U+202C> zero<U+200B>width")));
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
