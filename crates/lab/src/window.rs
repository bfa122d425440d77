//! The lab's window: the room behind it, the screen's size, and the end of both.
//!
//! The relay listens before the window opens, so that a port in use is said on the terminal where
//! the lab was started; the others come in once the screen's size is known. Deliberately absent:
//! what is drawn ([`crate::view`]), and any waiting: what the room does, it does on its own thread.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

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

use crate::room::{Pace, Plan, Room};
use crate::signals;
use crate::tile::{BEST, inside, overlap, tile};
use crate::view::{Files, lab_ui};

/// What there is for whoever has no display.
pub(crate) const INSTEAD: &str = "start each program by itself (twopc-lab server, twopc-lab participant --headless --user alice, \
                                  twopc-lab coordinator --headless --user chair)";

/// Opens a room and shows it until the window is closed; then everybody has ended.
pub(crate) fn run(plan: Plan) -> ExitCode {
    let files = Files { data: absolute(&plan.data_dir), logs: absolute(&plan.logs) };
    // The window comes after the room: until then there is nothing to draw again.
    let window = Arc::new(OnceLock::<Context>::new());
    let draw_again = {
        let window = window.clone();
        move || window.get().into_iter().for_each(Context::request_repaint)
    };
    let room = match Room::open(plan, std::io::stdout(), draw_again.clone()) {
        Ok(room) => room,
        Err(error) => return cli::failed(error),
    };
    let is_leaving = Arc::new(AtomicBool::new(false));
    let leave = {
        let is_leaving = is_leaving.clone();
        move || {
            is_leaving.store(true, Ordering::Release);
            draw_again();
        }
    };
    if let Err(error) = signals::watch(room.remote(), leave) {
        return cli::failed(format_args!(
            "The system lets this program watch no signals ({error}): close other programs and start it again."
        ));
    }
    let viewport = ViewportBuilder::default().with_title("twopc lab").with_app_id("twopc-lab").with_icon(icon());
    let options =
        NativeOptions { viewport: viewport.with_inner_size(BEST).with_min_inner_size(SMALLEST / 2.0), ..NativeOptions::default() };
    let shown = eframe::run_native(
        "twopc-lab",
        options,
        Box::new(|creation| {
            theme::apply(&creation.egui_ctx);
            let settings = settings();
            settings.look().show_in(&creation.egui_ctx);
            // Set once: there is one window.
            let _ = window.set(creation.egui_ctx.clone());
            Ok(Box::new(Lab { room: &room, files, settings, is_leaving, has_admitted: false }))
        }),
    );
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cli::failed(without_window(&error, INSTEAD)),
    }
}

/// What this window remembers: its theme and its zoom. Its place goes with those of the room's
/// windows. In the room it is an observer, so that is whose settings they are.
fn settings() -> Settings {
    Settings::open(Role::Observer, UserName::parse("lab").ok().as_ref())
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

struct Lab<'a> {
    room: &'a Room,
    files: Files,
    settings: Settings,
    /// A signal has closed the room; the window follows.
    is_leaving: Arc<AtomicBool>,
    /// Everybody but the relay has been let in.
    has_admitted: bool,
}

impl App for Lab<'_> {
    fn logic(&mut self, ctx: &Context, frame: &mut Frame) {
        if !self.has_admitted {
            self.has_admitted = true;
            self.admit(ctx, screen(frame));
        }
        if self.is_leaving.load(Ordering::Acquire) {
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
        let now = Instant::now();
        self.settings.on_look(Look::of(ctx, self.settings.look()), now);
        if let Some(wait) = self.settings.keep(now) {
            ctx.request_repaint_after(wait);
        }
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut Frame) {
        for deed in lab_ui(ui, &self.room.view(), &self.files) {
            self.room.act(deed);
        }
    }

    fn on_exit(&mut self, _: Option<&eframe::glow::Context>) {
        self.settings.write();
    }
}

impl Lab<'_> {
    /// Lets everybody in, now that it is known where their windows can stand.
    fn admit(&self, ctx: &Context, screen: Option<Rect>) {
        let mut frames = screen.map(|screen| tile(screen, self.room.view().windows() + 1)).unwrap_or_default();
        let is_cascade = overlap(&frames);
        // This window is there already, so behind each other it stands behind all others.
        let own = if is_cascade { Some(frames.remove(0)) } else { frames.pop() };
        if let Some(own) = own {
            stand_at(ctx, inside(own));
        }
        let pace = if is_cascade { Pace::OneByOne } else { Pace::Together };
        self.room.admit(frames.into_iter().map(inside).collect(), pace);
    }
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
