//! Scenarios in the lab's window, and runs that were recorded: what is asked, played and told, and how
//! everybody stood at a moment.

use std::fs;
use std::path::{Path, PathBuf};

use egui::Key;
use rustix::process::Pid;
use serde_json::{Value, json};

use crate::display::Display;
use crate::lab::{Place, exists};
use crate::window::Window;

/// By keyboard and mouse: a scenario is chosen, its question answered, it is played on real processes,
/// and told; then the verdict on its files.
pub(crate) fn a_scenario_is_asked_played_told_and_judged(display: &Display) {
    let place = Place::new();
    let lab = place.opens(0, display);
    let window = &lab.window;
    window.presses_key(Key::Num6);
    window.presses("2  One says no");
    let told = scenario("02-one-says-no");
    window.shows(&told.question);
    window.withholds("Play");
    window.presses("Guess Commit");
    window.tabs_to_and_presses("Play");
    window.shows_in("Scenarios", "ABORT");
    window.shows("You thought otherwise.");
    window.shows(&told.reason);
    window.shows(&format!("The book: {}", told.book));
    window.shows("Scenario: One says no");

    window.presses_key(Key::Num5);
    window.shows_in("Verdict", "ATOMIC");
    window.shows_in("Verdict", "0 committed, 1 aborted, 0 undecided");
    for invariant in ["agreement", "validity", "stability", "exactly once", "no guessing"] {
        window.shows_in("Verdict", &format!("{invariant}: holds"));
    }
    window.presses("Back to the room");
    window.presses("Room");
    lab.ends();
}

/// None of its processes is there any more; its events, its files and the keys are enough.
pub(crate) fn a_recorded_run_shows_how_everybody_stood_at_any_moment(display: &Display) {
    let place = Place::new();
    place.prints(&["scenario", "--headless"], &scenarios().join("06-coordinator-tells-one.scenario"));
    let run = place.run();
    let recorded = fs::read_to_string(run.join("events.jsonl")).expect("the events were kept");
    let events: Vec<Value> = recorded.lines().map(|line| serde_json::from_str(line).expect("an event a line")).collect();
    let pids = events.iter().filter_map(|event| Pid::from_raw(i32::try_from(event["pid"].as_i64()?).ok()?));
    let left: Vec<Pid> = pids.filter(|pid| exists(*pid)).collect();
    assert!(left.is_empty(), "{left:?}");

    let lab = place.opens(0, display);
    let window = &lab.window;
    window.types("Folder of a run", &run.display().to_string());
    window.presses("Open run");
    window.shows(&format!("Recorded run: {}", run.display()));
    window.stands_at("Event", events.len());
    for voter in ["alice", "bob", "carol"] {
        window.shows_in(&format!("{voter} at this moment"), "#1 COMMIT “Hello”");
    }
    window.shows_in("chair at this moment", "killed");

    let place_of =
        |wanted: &Value, kind: &str| events.iter().position(|event| event["kind"] == kind && has(event, wanted)).expect("it happened");
    promise_is_scrubbed_to(window, place_of(&json!({"user": "alice", "trace": {"event": "state", "state": "READY"}}), "told"));
    death_is_stepped_over(window, place_of(&json!({"program": "chair", "stage": "ended"}), "process"));
    window.presses_key(Key::Space);
    window.stands_at("Event", events.len());
    window.withholds("On");
    // The coordinator never came back to hear who knows.
    window.shows_in("Verdict", "IN DOUBT");
    window.shows_in("Verdict", "1 committed, 0 aborted, 0 undecided");

    window.presses("Room");
    window.presses("Export");
    window.shows_part("diagram.svg and shiviz.log are in");
    for (file, part) in [("diagram.svg", "</svg>"), ("shiviz.log", "\nchair {\"chair\":1}\n")] {
        let text = fs::read_to_string(run.join(file)).expect("it was written");
        assert!(text.contains(part), "{part:?} is not in {file}");
    }
    let now = fs::read_to_string(run.join("events.jsonl")).expect("the events are kept");
    assert!(now == recorded, "to look at a run does not change it");
    window.presses("Back to the room");
    window.presses("Room");
    lab.ends();

    let mut alone = place.looks_at(&run, display);
    alone.shows(&format!("Recorded run: {}", run.display()));
    alone.shows_part("No room");
    alone.stands_at("Event", events.len());
    alone.shows_in("chair at this moment", "killed");
    assert!(alone.starts_nobody(), "a run is looked at without any program");
    display.close("twopc lab");
    alone.ends_well();
}

/// With the slider to where alice promises, and with the arrows over it and back.
fn promise_is_scrubbed_to(window: &Window, promise: usize) {
    const ALICE: &str = "alice at this moment";
    const READY: &str = "#1 READY “Hello”";
    window.slides_to("Event", promise + 1);
    window.shows_in(ALICE, READY);
    window.shows_in(ALICE, "changed just now");
    window.presses_key(Key::ArrowLeft);
    window.stands_at("Event", promise);
    window.lacks_in(ALICE, READY);
    window.presses_key(Key::ArrowRight);
    window.stands_at("Event", promise + 1);
    window.shows_in(ALICE, READY);
}

/// With the buttons over the coordinator's end. The files tell nothing of such a moment.
fn death_is_stepped_over(window: &Window, death: usize) {
    const CHAIR: &str = "chair at this moment";
    window.slides_to("Event", death);
    window.lacks_in(CHAIR, "killed");
    window.presses("On");
    window.stands_at("Event", death + 1);
    window.shows_in(CHAIR, "killed");
    window.presses("Verdict");
    window.shows_part("You look at an earlier moment.");
}

/// What a scenario's file tells people.
struct Told {
    question: String,
    reason: String,
    book: String,
}

fn scenario(file: &str) -> Told {
    let text = fs::read_to_string(scenarios().join(file).with_extension("scenario")).expect("the scenario is there");
    let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).expect("the scenario says it").trim().to_owned();
    Told { question: line("question:"), reason: line("reason:"), book: line("book:") }
}

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

/// Whether an event has all members of the pattern, and theirs.
fn has(event: &Value, pattern: &Value) -> bool {
    match pattern {
        Value::Object(pattern) => pattern.iter().all(|(name, value)| has(&event[name], value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => event == pattern,
    }
}
