//! A real window and the person in front of it: presses, types, and waits until something can be read.
//!
//! Every wait has a deadline; while it runs the window is read again and again, with a breath in
//! between. Deliberately absent: any other way to make a program do something.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::fmt::Display as Words;
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, MouseWheelSource, MouseWheelUnit, PointerButton, Pos2, TouchPhase, pos2, vec2};
use egui_inspection::protocol::{read_handshake, read_message, write_message};
use egui_inspection::{PROTOCOL_VERSION, Request, Response};
use rustix::process::Signal;
use twopc_tests::Process;

use crate::display::Display;
use crate::tree::{Control, Tree};

/// How long a person waits here. Generous: it is only ever waited out by a failure.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at a window, so that the programs have the processor.
const BREATH: Duration = Duration::from_millis(30);
/// How far one turn of the wheel goes, in points.
const TURN: f32 = 40.0;
/// As near as a mouse comes to a place on a slider.
const NEAR: usize = 8;
/// More turns than the highest window needs.
const MOST_TURNS: usize = 60;
/// More presses of Tab than any window has controls.
const MOST_TABS: usize = 60;

/// A window. Dropping it kills its program, if it was opened here.
pub(crate) struct Window {
    name: String,
    process: Option<Process>,
    link: RefCell<TcpStream>,
}

impl Window {
    /// Starts a program whose window listens on this port, and waits for the window.
    pub(crate) fn open(name: &str, command: &mut Command, port: u16, display: &Display) -> Self {
        display.show(command.env("EGUI_INSPECTION", format!("127.0.0.1:{port}")));
        let process = Process::start(name, command);
        Self { process: Some(process), ..Self::of(name, port) }
    }

    /// The window of a program that somebody else has started.
    pub(crate) fn of(name: &str, port: u16) -> Self {
        let deadline = Instant::now() + PATIENCE;
        let link = loop {
            match TcpStream::connect(("127.0.0.1", port)) {
                Ok(link) => break link,
                Err(error) => assert!(Instant::now() < deadline, "{name} opened no window: {error}"),
            }
            thread::sleep(BREATH);
        };
        link.set_read_timeout(Some(PATIENCE)).expect("a deadline can be set");
        let version = read_handshake(&link).unwrap_or_else(|error| panic!("{name} opened no window: {error}"));
        assert_eq!(version, PROTOCOL_VERSION, "both ends are of the same version of egui");
        Self { name: String::from(name), process: None, link: RefCell::new(link) }
    }

    /// Waits for a label with exactly these words.
    pub(crate) fn shows(&self, words: &str) {
        self.wait(words, |tree| tree.labels().iter().any(|label| label == words).then_some(()));
    }

    /// Waits for a label with these words in it, and gives all of it.
    pub(crate) fn shows_part(&self, part: &str) -> String {
        self.wait(part, |tree| tree.labels().into_iter().find(|label| label.contains(part)))
    }

    /// Waits until a pane has a label with exactly these words.
    pub(crate) fn shows_in(&self, pane: &str, words: &str) {
        self.shows_all_in(pane, &[words]);
    }

    /// Waits until a pane has such labels for all of these words, as many as there are of each.
    pub(crate) fn shows_all_in(&self, pane: &str, words: &[&str]) {
        let has_all = |labels: &[String]| words.iter().all(|word| count(labels, word) >= count(words, word));
        self.wait(format_args!("{words:?} in {pane}"), |tree| has_all(&tree.labels_in(pane)).then_some(()));
    }

    /// Waits until a pane is there, and no label in it has exactly these words.
    pub(crate) fn lacks_in(&self, pane: &str, words: &str) {
        let lacks = |labels: &[String]| !labels.is_empty() && labels.iter().all(|label| label != words);
        self.wait(format_args!("{pane} without {words:?}"), |tree| lacks(&tree.labels_in(pane)).then_some(()));
    }

    /// The words that stand in a pane now.
    pub(crate) fn labels_in(&self, pane: &str) -> Vec<String> {
        self.wait(pane, |tree| Some(tree.labels_in(pane)))
    }

    /// Waits until this stands in a field.
    pub(crate) fn has_typed(&self, field: &str, text: &str) {
        self.wait(format_args!("{text} in {field}"), |tree| (tree.typed(field)? == text).then_some(()));
    }

    /// Waits until a slider is at this place.
    pub(crate) fn stands_at(&self, slider: &str, place: usize) {
        self.wait(format_args!("{slider} at {place}"), |tree| (tree.number(slider)? == place).then_some(()));
    }

    /// Waits until there is a button that can be pressed.
    pub(crate) fn offers(&self, button: &str) {
        self.control(Role::Button, button, |control| control.is_enabled);
    }

    /// Waits until there is a button that can't be pressed.
    pub(crate) fn withholds(&self, button: &str) {
        self.control(Role::Button, button, |control| !control.is_enabled);
    }

    /// Fails if there is such a button, pressable or not.
    pub(crate) fn has_no(&self, button: &str) {
        let buttons = self.wait(button, |tree| Some(tree.controls(Role::Button, button)));
        assert!(buttons.is_empty(), "{} must not have {button}", self.name);
    }

    /// Presses a button with the mouse, once it can be pressed.
    pub(crate) fn presses(&self, button: &str) {
        self.clicks(Role::Button, button);
    }

    /// Brings a slider to this place: with the mouse about there, and with the arrows the rest.
    pub(crate) fn slides_to(&self, slider: &str, place: usize) {
        let Control { rect, .. } = self.standing(Role::Slider, slider);
        let most = self.wait(slider, |tree| tree.most(slider));
        // The middle of its handle stays on the rail.
        let rail = rect.shrink2(vec2(rect.height() / 2.5, 0.0));
        let at = pos2(rail.left() + rail.width() * place as f32 / most.max(1) as f32, rail.center().y);
        let button = |pressed| Event::PointerButton { pos: at, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE };
        // Held for longer than a frame: it is drawn, not clicked.
        self.does(vec![Event::PointerMoved(at), button(true)]);
        self.wait(format_args!("{slider} near {place}"), |tree| (tree.number(slider)?.abs_diff(place) <= NEAR).then_some(()));
        self.does(vec![button(false), Event::PointerGone]);
        loop {
            // A value that nobody asks for again stands still.
            self.asks(&Request::Settle { max_steps: 20 });
            let now = self.wait(slider, |tree| tree.number(slider));
            let (key, next) = match now.cmp(&place) {
                Ordering::Less => (Key::ArrowRight, now + 1),
                Ordering::Equal => return,
                Ordering::Greater => (Key::ArrowLeft, now - 1),
            };
            self.presses_key(key);
            self.stands_at(slider, next);
        }
    }

    /// Presses a button with the mouse, and waits until the program that it ends is gone.
    pub(crate) fn presses_as_its_last(self, button: &str) {
        let events = click(self.brings_into_sight(Role::Button, button));
        let mut link = self.link.borrow_mut();
        // It may be gone before it has answered; then nothing can be read any more.
        let answer = write_message(&mut *link, &Request::ApplyEvents { events }).and_then(|()| read_message::<_, Response>(&mut *link));
        let gone = answer.and_then(|_| read_message::<_, Response>(&mut *link));
        assert!(gone.is_err(), "{} answers more than it was asked", self.name);
    }

    /// Clicks into a field, empties it, and types.
    pub(crate) fn types(&self, field: &str, text: &str) {
        self.clicks(Role::TextInput, field);
        self.control(Role::TextInput, field, |control| control.is_focused);
        if !self.wait(field, |tree| tree.typed(field)).is_empty() {
            self.presses_key(Key::Escape);
        }
        self.types_here(text);
        self.has_typed(field, text);
    }

    /// Types where the keyboard is.
    pub(crate) fn types_here(&self, text: &str) {
        self.does(vec![Event::Text(String::from(text))]);
    }

    /// Presses and releases a key.
    pub(crate) fn presses_key(&self, key: Key) {
        let event = |pressed| Event::Key { key, physical_key: None, pressed, repeat: false, modifiers: Modifiers::NONE };
        self.does(vec![event(true), event(false)]);
    }

    /// Presses Tab until the keyboard is in this control.
    fn tabs_to(&self, role: Role, name: &str) {
        self.control(role, name, |control| control.is_enabled);
        for _ in 0..MOST_TABS {
            self.presses_key(Key::Tab);
            if self.tree().is_some_and(|tree| tree.controls(role, name).iter().any(|control| control.is_focused)) {
                self.control(role, name, |control| control.is_focused && control.pane.contains(control.rect.center()));
                return;
            }
        }
        panic!("{}: Tab does not reach {name}", self.name);
    }

    /// Presses a button with the keyboard alone.
    pub(crate) fn tabs_to_and_presses(&self, button: &str) {
        self.tabs_to(Role::Button, button);
        self.presses_key(Key::Space);
    }

    /// Goes to a field with the keyboard alone.
    pub(crate) fn tabs_to_field(&self, field: &str) {
        self.tabs_to(Role::TextInput, field);
    }

    /// Waits until what is typed goes into this field.
    pub(crate) fn has_keyboard_in(&self, field: &str) {
        self.control(Role::TextInput, field, |control| control.is_focused);
    }

    /// Presses **Quit**, and waits for the good end of the program.
    pub(crate) fn quits(mut self) {
        self.presses("Quit");
        self.ends_well();
    }

    /// The same with the keyboard alone.
    pub(crate) fn quits_with_the_keyboard(mut self) {
        self.tabs_to_and_presses("Quit");
        self.ends_well();
    }

    /// Waits for the good end of the program.
    pub(crate) fn ends_well(&mut self) {
        self.program().ends_with(0);
    }

    /// Asks the program to end as the system does it, and waits for its good end.
    pub(crate) fn is_told_to_end(&mut self) {
        self.program().signal(Signal::TERM);
        self.ends_well();
    }

    /// Waits until the program has died by its own kill.
    pub(crate) fn dies(mut self) {
        self.program().dies_by_its_own_kill();
    }

    /// Kills the program, as a power cut does.
    pub(crate) fn loses_power(mut self) {
        self.program().kill();
    }

    /// Whether its program has started no other one.
    pub(crate) fn starts_nobody(&mut self) -> bool {
        self.program().children().is_empty()
    }

    /// Gives the window this size, in points.
    pub(crate) fn becomes(&self, (width, height): (u32, u32)) {
        self.asks(&Request::Resize { width, height });
    }

    fn program(&mut self) -> &mut Process {
        self.process.as_mut().expect("the program was started here")
    }

    /// Clicks on a control once it can be used, and turns the wheel first if it is out of sight.
    fn clicks(&self, role: Role, name: &str) {
        self.clicks_at(self.brings_into_sight(role, name));
    }

    fn clicks_at(&self, at: Pos2) {
        self.does(click(at));
        // A pointer that stays makes a tooltip sooner or later.
        self.does(vec![Event::PointerGone]);
    }

    /// Turns the wheel until the middle of a control can be seen, and gives the place.
    fn brings_into_sight(&self, role: Role, name: &str) -> Pos2 {
        for _ in 0..MOST_TURNS {
            let Control { rect, pane, .. } = self.standing(role, name);
            let (at, wheel) = (rect.center(), pane.clamp(rect.center()));
            if at == wheel {
                return at;
            }
            let delta = TURN * (wheel - at).normalized();
            let turn = Event::MouseWheel {
                unit: MouseWheelUnit::Point,
                delta,
                phase: TouchPhase::Move,
                source: MouseWheelSource::Wheel,
                modifiers: Modifiers::NONE,
            };
            self.does(vec![Event::PointerMoved(pane.center()), turn]);
            // Scrolling takes a few frames.
            self.asks(&Request::Settle { max_steps: 20 });
        }
        let Control { rect, pane, .. } = self.standing(role, name);
        panic!("{}: {name} can't be brought into sight: it is at {rect}, and {pane} is what can be seen", self.name);
    }

    /// A control that can be used, once it stands still: what was drawn first and shown to nobody may
    /// be read as well.
    fn standing(&self, role: Role, name: &str) -> Control {
        let before = Cell::new(None);
        let stands = |control: &Control| before.replace(Some(control.rect)) == Some(control.rect);
        self.control(role, name, |control| control.is_enabled && stands(control))
    }

    fn control(&self, role: Role, name: &str, wanted: impl Fn(&Control) -> bool) -> Control {
        self.wait(name, |tree| tree.controls(role, name).into_iter().find(&wanted))
    }

    fn wait<T>(&self, what: impl Words, look: impl Fn(&Tree) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let tree = self.tree();
            if let Some(found) = tree.as_ref().and_then(&look) {
                return found;
            }
            let there = || tree.as_ref().map(Tree::describe).unwrap_or_default();
            assert!(Instant::now() < deadline, "{} did not show {what} within {PATIENCE:?}, but\n{}", self.name, there());
            thread::sleep(BREATH);
        }
    }

    /// What stands in the window now; nothing if it is too busy to tell.
    fn tree(&self) -> Option<Tree> {
        match self.asks(&Request::GetTree) {
            Response::Tree { accesskit, .. } => accesskit.and_then(Tree::new),
            Response::Error { .. } => None,
            other => panic!("{} answers {other:?}", self.name),
        }
    }

    fn does(&self, events: Vec<Event>) {
        let response = self.asks(&Request::ApplyEvents { events });
        assert!(matches!(response, Response::Done), "{} answers {response:?}", self.name);
    }

    fn asks(&self, request: &Request) -> Response {
        let mut link = self.link.borrow_mut();
        let answer = write_message(&mut *link, request).and_then(|()| read_message(&mut *link));
        answer.unwrap_or_else(|error| panic!("the window of {} is gone: {error}", self.name))
    }
}

/// What a mouse does that clicks there.
fn click(at: Pos2) -> Vec<Event> {
    let button = |pressed| Event::PointerButton { pos: at, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE };
    vec![Event::PointerMoved(at), button(true), button(false)]
}

fn count<S: AsRef<str>>(all: &[S], one: &str) -> usize {
    all.iter().filter(|other| other.as_ref() == one).count()
}
