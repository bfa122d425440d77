//! The suite in real windows: what a person presses is pressed, and what a person reads is read.
//!
//! Built with the feature `inspection`, each window tells what stands in it, as it tells a screen
//! reader, and takes clicks and keys. The windows stand on a virtual display that is started here,
//! so no screen is needed. Where the feature or the display is missing, each test is left out by
//! name; where `CI` is set and the feature is on, a test that could not run has failed.
//!
//! - [`votes`]: all commit, one aborts, nobody presses, a window is opened again.
//! - [`doubt`]: the coordinator is gone; who is blocked, and who decides without it.
//! - [`front_door`]: one command opens a room, and closing it ends it.
//! - [`steering`]: a message held; a program killed, frozen, or dead at a point; the relay stopped: by the
//!   lab's buttons.
//! - [`watching`]: a scenario from its question to its verdict; a recorded run, moment by moment.
//! - [`smallest`]: every control in the smallest window, by mouse and by keyboard.
//! - [`display`], [`lab`], [`room`], [`window`], [`tree`], [`ports`]: what the tests stand on.

mod display;
mod doubt;
mod front_door;
mod lab;
mod ports;
mod room;
mod smallest;
mod steering;
mod tree;
mod votes;
mod watching;
mod window;

use std::env;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Completion, Trial};

use crate::display::Display;

type Test = (&'static str, fn(&Display));

const TESTS: [Test; 15] = [
    ("a_string_typed_by_hand_is_found_in_three_text_files", votes::a_string_typed_by_hand_is_found_in_three_text_files),
    ("one_abort_aborts_for_all", votes::one_abort_aborts_for_all),
    ("nothing_is_committed_that_nobody_pressed_commit_for", votes::nothing_is_committed_that_nobody_pressed_commit_for),
    ("a_window_opened_again_shows_its_strings", votes::a_window_opened_again_shows_its_strings),
    ("all_ready_are_blocked_until_the_coordinator_is_back", doubt::all_ready_are_blocked_until_the_coordinator_is_back),
    ("one_who_has_not_voted_settles_it_without_the_coordinator", doubt::one_who_has_not_voted_settles_it_without_the_coordinator),
    ("one_command_opens_a_room_and_closing_it_ends_it", front_door::one_command_opens_a_room_and_closing_it_ends_it),
    ("a_scenario_is_asked_played_told_and_judged", watching::a_scenario_is_asked_played_told_and_judged),
    ("a_recorded_run_shows_how_everybody_stood_at_any_moment", watching::a_recorded_run_shows_how_everybody_stood_at_any_moment),
    ("a_vote_that_is_held_arrives_when_it_is_delivered_by_hand", steering::a_vote_that_is_held_arrives_when_it_is_delivered_by_hand),
    (
        "a_program_that_was_killed_goes_on_from_its_file_as_another_process",
        steering::a_program_that_was_killed_goes_on_from_its_file_as_another_process,
    ),
    ("a_program_dies_at_the_point_that_was_chosen_by_its_meaning", steering::a_program_dies_at_the_point_that_was_chosen_by_its_meaning),
    ("whoever_is_frozen_is_waited_for_and_the_relay_comes_back", steering::whoever_is_frozen_is_waited_for_and_the_relay_comes_back),
    ("every_control_is_reached_in_the_smallest_window", smallest::every_control_is_reached_in_the_smallest_window),
    ("every_control_is_reached_with_the_keyboard_alone", smallest::every_control_is_reached_with_the_keyboard_alone),
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A room of windows that are drawn without a graphics card keeps a small machine busy.
    arguments.test_threads.get_or_insert(1);
    // Started by the first test that runs, ended behind the last one.
    let display = Arc::new(OnceLock::new());
    let trial = |(name, test): Test| {
        let display = display.clone();
        Trial::ignorable_test(name, move || match what_is_missing() {
            None => {
                test(display.get_or_init(Display::start));
                Ok(Completion::Completed)
            }
            Some(missing) if cfg!(feature = "inspection") && env::var_os("CI").is_some() => {
                Err(format!("it did not run: {missing}").into())
            }
            Some(missing) => Ok(Completion::ignored_with(format!("left out: {missing}"))),
        })
    };
    libtest_mimic::run(&arguments, TESTS.map(trial).into()).exit_code()
}

/// Why no window can be tested here.
fn what_is_missing() -> Option<String> {
    if !cfg!(feature = "inspection") {
        return Some(String::from("built without --features inspection"));
    }
    let missing = display::PROGRAMS.into_iter().find(|program| !display::is_installed(program));
    missing.map(|program| format!("no display, since {program} is not installed"))
}
