//! The lab's window: the room behind it, the screen's size, and the end of both.
//!
//! The relay listens before the window opens, so that a port in use is said on the terminal where
//! the lab was started; the others come in once the screen's size is known. Deliberately absent:
//! what is drawn ([`crate::view`]), and any waiting: what the room does, it does on its own thread.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use eframe::{App, Frame, NativeOptions};
use egui::{Context, Rect, Ui, ViewportBuilder, ViewportCommand, pos2, vec2};
use twopc_runner::cli;
use twopc_ui::place::Place;
use twopc_ui::theme;

use crate::room::{Plan, Room};
use crate::signals;
use crate::tile::{inside, tile};
use crate::view::{Action, Files, lab_ui};

/// Opens a room and shows it until the window is closed; then everybody has ended.
pub(crate) fn run(plan: Plan) -> ExitCode {
    let files = Files { data: absolute(&plan.data_dir), logs: absolute(&plan.logs) };
    // The window comes after the room: until then there is nothing to draw again.
    let window = Arc::new(OnceLock::<Context>::new());
    let (drawn, closed) = (window.clone(), window.clone());
    let room = match Room::open(plan, move || drawn.get().into_iter().for_each(Context::request_repaint)) {
        Ok(room) => room,
        Err(sentence) => return cli::failed(sentence),
    };
    let leave = move || closed.get().into_iter().for_each(|window| window.send_viewport_cmd(ViewportCommand::Close));
    if let Err(error) = signals::watch(room.remote(), leave) {
        return cli::failed(format_args!(
            "The system lets this program watch no signals ({error}): close other programs and start it again."
        ));
    }
    let options = NativeOptions {
        viewport: ViewportBuilder::default().with_title("twopc lab").with_app_id("twopc-lab").with_inner_size([860.0, 560.0]),
        ..NativeOptions::default()
    };
    let shown = eframe::run_native(
        "twopc-lab",
        options,
        Box::new(|creation| {
            theme::apply(&creation.egui_ctx);
            // Set once: there is one window.
            let _ = window.set(creation.egui_ctx.clone());
            Ok(Box::new(Lab { room: &room, files, has_admitted: false }))
        }),
    );
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cli::failed(format_args!("The lab's window could not be opened: {error}.")),
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

struct Lab<'a> {
    room: &'a Room,
    files: Files,
    /// Everybody but the relay has been let in.
    has_admitted: bool,
}

impl App for Lab<'_> {
    fn logic(&mut self, ctx: &Context, frame: &mut Frame) {
        if !self.has_admitted {
            self.has_admitted = true;
            // The windows of the room have the first places, the lab's own the last.
            let mut frames = screen(frame).map(|screen| tile(screen, self.room.view().windows() + 1)).unwrap_or_default();
            if let Some(own) = frames.pop() {
                stand_at(ctx, inside(own));
            }
            self.room.admit(frames.into_iter().map(inside).collect());
        }
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut Frame) {
        for action in lab_ui(ui, &self.room.view(), &self.files) {
            match action {
                Action::Start(index) => self.room.start(index),
                Action::Stop(index) => self.room.stop(index),
            }
        }
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
