//! The lab's window: the room behind it, the screen's size, and the end of both.
//!
//! The relay listens before the window opens, so that a port in use is said on the terminal where
//! the lab was started; the others come in once the screen's size is known. Deliberately absent:
//! what is drawn ([`crate::view`]), and any waiting: what the room does, it does on its own thread.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use eframe::{App, Frame, NativeOptions};
use egui::{Context, Rect, Ui, ViewportBuilder, ViewportCommand, pos2, vec2};
use twopc_proto::{Role, UserName};
use twopc_runner::cli;
use twopc_ui::icon::icon;
use twopc_ui::layout::SMALLEST;
use twopc_ui::place::Place;
use twopc_ui::settings::{Look, Settings};
use twopc_ui::theme;
use twopc_ui::window::without_window;

use crate::diagram::{Filter, shiviz, svg};
use crate::room::{Pace, Plan, Room};
use crate::run::Deed;
use crate::scenario::play::Theatre;
use crate::scenario::{Scenario, shelf};
use crate::signals;
use crate::stage::{Stage, Wake};
use crate::tile::{BEST, arrange, inside, overlap};
use crate::view::{Desk, Files, Shown, Tab, Wish, lab_ui};

/// How often the seconds of a doubt are counted.
const SECOND: Duration = Duration::from_secs(1);

/// What there is for whoever has no display.
pub(crate) const INSTEAD: &str = "start each program by itself (twopc-lab server, twopc-lab participant --headless --user alice, \
                                  twopc-lab coordinator --headless --user chair)";

/// Opens a room and shows it until the window is closed; then everybody has ended. These scenarios stand on
/// the shelf; if somebody brought them, they are what is shown first.
pub(crate) fn run(plan: Plan, brought: Option<Vec<Scenario>>) -> ExitCode {
    let tab = if brought.is_some() { Tab::Scenarios } else { Tab::Room };
    let shelf = brought.unwrap_or_else(shelf::scenarios);
    let program = plan.program.clone();
    let runs = plan.logs.join("runs");
    let mut files = Files { data: absolute(&plan.data_dir), logs: absolute(&plan.logs), run: None };
    let (window, wake) = window_to_come();
    let is_first = std::fs::read_dir(&runs).map_or(true, |mut entries| entries.next().is_none());
    let room = match Room::open(plan, std::io::stdout(), {
        let wake = wake.clone();
        move || wake()
    }) {
        Ok(room) => room,
        Err(error) => return cli::failed(error),
    };
    let is_leaving = Arc::new(AtomicBool::new(false));
    files.run = room.run().map(absolute);
    let leave = {
        let (is_leaving, wake) = (is_leaving.clone(), wake.clone());
        move || {
            is_leaving.store(true, Ordering::Release);
            wake();
        }
    };
    if let Err(error) = signals::watch(room.remote(), leave) {
        return cli::failed(format_args!(
            "The system lets this program watch no signals ({error}): close other programs and start it again."
        ));
    }
    let stage = Stage::of_room(&room, &files.data);
    let lab = Lab {
        room: Some(&room),
        files,
        is_leaving,
        desk: Desk { is_first, tab, ..Desk::default() },
        ..Lab::new(stage, shelf, Theatre { program, runs, wake })
    };
    show(lab, &window)
}

/// Shows a recorded run until the window is closed; no program is started. Scenarios that are played
/// meanwhile are kept in `runs`.
pub(crate) fn look_at(run: &Path, program: PathBuf, runs: PathBuf) -> ExitCode {
    let stage = match Stage::of_recorded(run) {
        Ok(stage) => stage,
        Err(sentence) => return cli::failed(sentence),
    };
    let (window, wake) = window_to_come();
    show(Lab::new(stage, shelf::scenarios(), Theatre { program, runs, wake }), &window)
}

/// The place of a window that is not there yet, and what draws it again once it is.
fn window_to_come() -> (Arc<OnceLock<Context>>, Wake) {
    let window = Arc::new(OnceLock::<Context>::new());
    let wake: Wake = {
        let window = window.clone();
        Arc::new(move || window.get().into_iter().for_each(Context::request_repaint))
    };
    (window, wake)
}

fn show(lab: Lab<'_>, window: &OnceLock<Context>) -> ExitCode {
    let viewport = ViewportBuilder::default().with_title("twopc lab").with_app_id("twopc-lab").with_icon(icon());
    let options =
        NativeOptions { viewport: viewport.with_inner_size(BEST).with_min_inner_size(SMALLEST / 2.0), ..NativeOptions::default() };
    let shown = eframe::run_native(
        "twopc-lab",
        options,
        Box::new(|creation| {
            theme::apply(&creation.egui_ctx);
            lab.settings.look().show_in(&creation.egui_ctx);
            // Set once: there is one window.
            let _ = window.set(creation.egui_ctx.clone());
            Ok(Box::new(lab))
        }),
    );
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cli::failed(without_window(&error, INSTEAD)),
    }
}

/// What this window remembers: its theme, its zoom, and its place, if that is on the screen still. In the
/// room it is an observer, so that is whose settings they are.
fn settings() -> Settings {
    Settings::open(Role::Observer, UserName::parse("lab").ok().as_ref())
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

struct Lab<'a> {
    /// The room; none where only a recorded run is looked at.
    room: Option<&'a Room>,
    files: Files,
    settings: Settings,
    /// A signal has closed the room; the window follows.
    is_leaving: Arc<AtomicBool>,
    /// The window has found its place, and everybody but the relay has been let in.
    has_come: bool,
    /// Where this window stood when it was closed last.
    kept: Option<Place>,
    theatre: Theatre,
    shelf: Vec<Scenario>,
    /// The room, or the run that the window was opened for.
    stage: Stage,
    /// What is looked at instead, if something is.
    other: Option<Stage>,
    desk: Desk,
    /// Since when the run is played on by itself, and from which time of its own.
    runs_on: Option<(Instant, u64)>,
    /// Something that went wrong, in a sentence.
    said: Option<String>,
    /// Something that was done, in a sentence.
    done: Option<String>,
}

impl App for Lab<'_> {
    fn logic(&mut self, ctx: &Context, frame: &mut Frame) {
        if !std::mem::replace(&mut self.has_come, true) {
            self.come(ctx, screen(frame));
        }
        if self.is_leaving.load(Ordering::Acquire) {
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
        let now = Instant::now();
        self.settings.on_look(Look::of(ctx, self.settings.look()), now);
        if let Some(wait) = self.settings.keep(now) {
            ctx.request_repaint_after(wait);
        }
        self.stage.follow();
        let stage = self.other.as_mut().unwrap_or(&mut self.stage);
        stage.follow();
        let again = stage.judge(now);
        // Whoever is in doubt waits, and the seconds are counted; nobody else is drawn again for time alone.
        let counts = stage.is_live() && stage.watched.moment().counts();
        let waits = [again, counts.then_some(SECOND), self.run_on(now)];
        if let Some(wait) = waits.into_iter().flatten().min() {
            ctx.request_repaint_after(wait);
        }
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut Frame) {
        let view = self.room.map(Room::view);
        let stage = self.other.as_ref().unwrap_or(&self.stage);
        let trouble = self.said.clone().or_else(|| stage.trouble());
        let shown = Shown {
            room: view.as_deref(),
            files: &self.files,
            source: &stage.source,
            is_elsewhere: self.other.is_some(),
            watched: &stage.watched,
            now_us: stage.now_us(),
            judged: stage.judged.as_ref(),
            shelf: &self.shelf,
            playing: stage.playing.as_ref(),
            runs_on: self.runs_on.is_some(),
            trouble: trouble.as_deref(),
            done: self.done.as_deref(),
        };
        let wishes = lab_ui(ui, &shown, &mut self.desk);
        let is_new = !wishes.is_empty();
        for wish in wishes {
            self.grant(wish);
        }
        if is_new {
            ui.ctx().request_repaint();
        }
    }

    fn on_exit(&mut self, _: Option<&eframe::glow::Context>) {
        self.settings.write();
    }
}

impl Lab<'_> {
    /// A window for this, without a room.
    fn new(stage: Stage, shelf: Vec<Scenario>, theatre: Theatre) -> Self {
        let settings = settings();
        let Look { at, size, .. } = settings.look();
        let kept = at.zip(*size).map(|(at, size)| Place { at: at.into(), size: size.into() });
        Self {
            room: None,
            files: Files::default(),
            settings,
            is_leaving: Arc::default(),
            has_come: false,
            kept,
            theatre,
            shelf,
            stage,
            other: None,
            desk: Desk::default(),
            runs_on: None,
            said: None,
            done: None,
        }
    }

    /// Does what somebody wishes for.
    fn grant(&mut self, wish: Wish) {
        (self.said, self.done) = (None, None);
        let stage = self.other.as_mut().unwrap_or(&mut self.stage);
        match wish {
            Wish::Do(deed @ (Deed::Rules { .. } | Deed::Bench { .. })) => stage.act(deed),
            // The list is the room's, whatever else is looked at.
            Wish::Do(deed) => {
                if let Some(room) = self.room {
                    room.act(deed);
                }
            }
            Wish::Play(index) => {
                if let Some(scenario) = self.shelf.get(index) {
                    self.look_at(Stage::of_scenario(index, scenario.clone(), self.theatre.clone()));
                }
            }
            Wish::Seek(place) => {
                self.runs_on = None;
                stage.watched.seek(place);
                self.desk.diagram.follows |= stage.watched.is_at_end();
            }
            Wish::Step(by) => {
                self.runs_on = None;
                stage.watched.step(by);
            }
            Wish::Run(false) => self.runs_on = None,
            Wish::Run(true) => {
                if stage.watched.is_at_end() {
                    stage.watched.seek(0);
                }
                self.runs_on = Some((Instant::now(), stage.watched.now_us()));
            }
            Wish::Open(dir) => match Stage::of_recorded(&dir) {
                Ok(stage) => self.look_at(stage),
                Err(sentence) => self.said = Some(sentence),
            },
            Wish::Home => {
                self.other = None;
                self.desk.look_anew();
            }
            Wish::Export => match export(stage) {
                Ok(sentence) => self.done = Some(sentence),
                Err(sentence) => self.said = Some(sentence),
            },
        }
    }

    fn look_at(&mut self, stage: Stage) {
        (self.other, self.runs_on) = (Some(stage), None);
        self.desk.look_anew();
    }

    /// Goes on in a run that is played on by itself; how long until the next event.
    fn run_on(&mut self, now: Instant) -> Option<Duration> {
        let (since, from_us) = self.runs_on?;
        let watched = &mut self.other.as_mut().unwrap_or(&mut self.stage).watched;
        let passed = u64::try_from(now.duration_since(since).as_micros()).unwrap_or(u64::MAX);
        let until = from_us.saturating_add(passed);
        let place = watched.events().partition_point(|event| event.at_us <= until);
        watched.seek(place);
        if watched.is_at_end() {
            self.runs_on = None;
            return None;
        }
        let next = watched.events().get(place).map_or(0, |event| event.at_us.saturating_sub(until));
        Some(Duration::from_micros(next))
    }

    /// Takes the window to its place and lets everybody in, now that it is known where windows can stand.
    fn come(&self, ctx: &Context, screen: Option<Rect>) {
        let others = self.room.map_or(0, |room| room.view().windows());
        let (own, frames) = screen.map(|screen| arrange(screen, self.kept, others)).unzip();
        if let Some(place) = own {
            stand_at(ctx, place);
        }
        let frames: Vec<Rect> = frames.unwrap_or_default();
        let pace = if overlap(&frames) { Pace::OneByOne } else { Pace::Together };
        if let Some(room) = self.room {
            room.admit(frames.into_iter().map(inside).collect(), pace);
        }
    }
}

/// Writes the diagram and the events into the run's folder; what was written, in a sentence.
fn export(stage: &Stage) -> Result<String, String> {
    let Some(dir) = &stage.dir else { return Err(String::from("This run has no folder to write into.")) };
    let chart = stage.watched.chart();
    let files =
        [("diagram.svg", svg::whole(chart, &Filter::default(), "A run of two-phase commit")), ("shiviz.log", shiviz::of_chart(chart))];
    for (name, text) in files {
        let path = dir.join(name);
        std::fs::write(&path, text).map_err(|error| format!("{} cannot be written: {error}.", path.display()))?;
    }
    Ok(format!("diagram.svg and shiviz.log are in {}.", dir.display()))
}

/// The screen that this window is on, in points before any zoom.
fn screen(frame: &Frame) -> Option<Rect> {
    let monitor = frame.winit_window()?.current_monitor()?;
    let (at, size, scale) = (monitor.position(), monitor.size(), monitor.scale_factor());
    let (at, size) = (at.to_logical::<f32>(scale), size.to_logical::<f32>(scale));
    (size.width >= 1.0 && size.height >= 1.0).then(|| Rect::from_min_size(pos2(at.x, at.y), vec2(size.width, size.height)))
}

/// Moves this window to its own place.
fn stand_at(ctx: &Context, place: Place) {
    let zoom = ctx.zoom_factor();
    ctx.send_viewport_cmd(ViewportCommand::InnerSize(place.size / zoom));
    ctx.send_viewport_cmd(ViewportCommand::OuterPosition((place.at.to_vec2() / zoom).to_pos2()));
}
