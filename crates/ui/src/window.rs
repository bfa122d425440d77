//! A window with a node behind it: it draws the last snapshot, hands on what the person did, asks for
//! attention, keeps its place, and says goodbye.
//!
//! Deliberately absent: the protocol. It runs on the node's own threads, whether or not anything is
//! drawn, and wakes this one after each change; here nothing ever waits.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use eframe::{CreationContext, Frame, NativeOptions};
use egui::accesskit::Role as Part;
use egui::{Context, Key, Label, Modal, RichText, Ui, UserAttentionType, ViewportBuilder, ViewportCommand};
use twopc_proto::{Machine, TxnId, UserName};
use twopc_runner::cli;
use twopc_runner::node::{Ending, Front, Node, NodeConfig, NodeRole};
use twopc_runner::snapshot::{Action, Link, Snapshot};

use crate::draft::Draft;
use crate::icon::icon;
use crate::layout::SMALLEST;
use crate::leaving::{Leaving, Tell};
use crate::opened::Opened;
use crate::place::Place;
use crate::settings::{Look, Settings};
use crate::signals::Stop;
use crate::text::quoted;
use crate::theme::{self, UNIT, main_button, side_button};

/// The size of a window that has none yet.
const SIZE: [f32; 2] = [860.0, 560.0];
/// What makes a window the window of one role.
pub trait Face: 'static {
    /// The role behind it.
    type Role: NodeRole;
    /// What a person types.
    type Typed;

    /// The fields as they stand when the window opens.
    fn typed(draft: Draft, config: &NodeConfig) -> Self::Typed;

    /// Draws the window and tells what the person did.
    fn view(ui: &mut Ui, snapshot: &Shot<Self>, typed: &mut Self::Typed, now: Instant) -> Vec<Action<Press<Self>>>;

    /// The votes that wait for this person, oldest first: each calls once.
    fn waiting(snapshot: &Shot<Self>) -> Vec<(TxnId, String)>;

    /// What stays in doubt if this person leaves now: a sentence.
    fn parting(snapshot: &Shot<Self>) -> Option<String>;
}

/// What a window of this face shows.
pub type Shot<F> = Snapshot<<<F as Face>::Role as NodeRole>::View>;
/// What a person can press in a window of this face.
pub type Press<F> = <<F as Face>::Role as NodeRole>::Press;

/// Opens the window and runs until it is closed. `relay_given`: the relay's address was asked for, so
/// the last one used does not take its place.
pub fn run<F: Face>(mut config: NodeConfig, relay_given: bool) -> ExitCode {
    let role = F::Role::ROLE;
    let settings = Settings::open(role, config.user.as_ref());
    if !relay_given && config.user.is_none() && !settings.last().relay.is_empty() {
        config.server.clone_from(&settings.last().relay);
    }
    let title = title(config.user.as_ref().map(ToString::to_string).as_deref(), &role.to_string(), None);
    let options = NativeOptions { viewport: viewport(&settings, &title, &role.to_string()), ..NativeOptions::default() };
    let (tell, told) = std::sync::mpsc::channel();
    let ran = eframe::run_native(
        &title.clone(),
        options,
        Box::new(move |created| {
            let window = Window::<F>::new(created, config, settings, title);
            Ok(Box::new(Running { window, tell, opened: Opened::default() }))
        }),
    );
    match (ran, told.try_recv()) {
        (Ok(()), Ok(Some(Ending::Failed(sentence)))) => cli::failed(sentence),
        (Ok(()), _) => ExitCode::SUCCESS,
        (Err(error), _) => {
            tracing::error!(%error, "no window");
            cli::failed(without_window(&error, "run this program with --headless"))
        }
    }
}

/// Why there is no window, for a person, and what to do `instead`; the error itself is for the diary.
#[must_use]
pub fn without_window(error: &eframe::Error, instead: &str) -> String {
    let why = match error {
        eframe::Error::Winit(_) | eframe::Error::WinitEventLoop(_) => {
            "The display cannot be reached: set DISPLAY or WAYLAND_DISPLAY to one that can"
        }
        _ => "The display draws no window with OpenGL: install a driver for it (Mesa has one in software)",
    };
    format!("{why}, or {instead}.")
}

fn viewport(settings: &Settings, title: &str, role: &str) -> ViewportBuilder {
    let look = settings.look();
    let size = look.size.unwrap_or(SIZE);
    let mut viewport = ViewportBuilder::default()
        .with_title(title)
        .with_app_id(format!("twopc-{role}"))
        .with_icon(icon())
        .with_inner_size(size)
        .with_min_inner_size(SMALLEST / 2.0);
    if let Some(at) = look.at {
        viewport = viewport.with_position(at);
    }
    match Place::given() {
        Some(place) => viewport.with_position(place.at).with_inner_size(place.size),
        None => viewport,
    }
}

/// `alice · participant`, and before it the vote that waits behind other windows.
fn title(user: Option<&str>, role: &str, vote: Option<&str>) -> String {
    let who = user.map_or_else(|| role.to_owned(), |user| format!("{user} · {role}"));
    match vote {
        Some(string) => format!("Vote: {} · {who}", quoted(string)),
        None => who,
    }
}

struct Window<F: Face> {
    node: Node<F::Role>,
    typed: F::Typed,
    settings: Settings,
    leaving: Leaving,
    title: String,
    /// The votes that have called for attention.
    called: Vec<TxnId>,
    stop: Stop,
}

impl<F: Face> Window<F> {
    fn new(created: &CreationContext<'_>, config: NodeConfig, settings: Settings, title: String) -> Self {
        let ctx = created.egui_ctx.clone();
        theme::apply(&ctx);
        settings.look().show_in(&ctx);
        let name = config.user.as_ref().map_or(settings.last().name.as_str(), UserName::as_str);
        let draft = Draft::new(config.server.clone(), name);
        let typed = F::typed(draft, &config);
        let stop = Stop::watch(ctx.clone());
        let node = Node::start(config, Front::window(Arc::new(move || ctx.request_repaint())));
        Self { node, typed, settings, leaving: Leaving::No, title, called: Vec::new(), stop }
    }

    /// The last snapshot. A node that ended without a word has one put into its mouth.
    fn snapshot(&self) -> Arc<Shot<F>> {
        let snapshot = self.node.snapshot();
        match self.node.ended() {
            Some(Ending::Failed(sentence)) if snapshot.stopped.is_none() => {
                Arc::new(Snapshot { stopped: Some(sentence), link: Link::Offline, ..(*snapshot).clone() })
            }
            Some(Ending::Failed(_) | Ending::Replaced | Ending::Quit) | None => snapshot,
        }
    }

    /// All that goes on without anything being drawn.
    fn go_on(&mut self, ctx: &Context, snapshot: &Shot<F>, now: Instant) {
        let is_asked_to_close = ctx.input(|input| input.viewport().close_requested());
        if is_asked_to_close && self.leaving != Leaving::Done {
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            self.on_quit(snapshot, now);
        }
        if self.stop.is_asked() {
            let tell = self.leaving.on_leave(now);
            self.tell(tell);
        }
        self.leave(ctx, now);
        self.call(ctx, snapshot);
        self.note(ctx, snapshot, now);
    }

    fn on_quit(&mut self, snapshot: &Shot<F>, now: Instant) {
        let is_in_doubt = self.node.ended().is_none() && F::parting(snapshot).is_some();
        let tell = self.leaving.on_quit(is_in_doubt, now);
        self.tell(tell);
    }

    fn tell(&self, tell: Tell) {
        match tell {
            Tell::Quit => self.node.act(Action::Quit),
            Tell::Nothing => {}
        }
    }

    /// Goes on with leaving: nothing here waits, the node's end or the time wakes it.
    fn leave(&mut self, ctx: &Context, now: Instant) {
        if self.leaving == Leaving::Done {
            return;
        }
        let ended = self.node.ended();
        let tell = self.leaving.go_on(ended.is_some(), ended == Some(Ending::Quit), now);
        self.tell(tell);
        if let Some(at) = self.leaving.wakes_at() {
            ctx.request_repaint_after(at.saturating_duration_since(now));
        }
        if self.leaving == Leaving::Done {
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
    }

    /// A vote that waits behind other windows calls once, and stands in the title until it is seen.
    fn call(&mut self, ctx: &Context, snapshot: &Shot<F>) {
        let waiting = F::waiting(snapshot);
        let is_in_front = ctx.input(|input| input.viewport().focused) == Some(true);
        let is_new = waiting.iter().any(|(txn, _)| !self.called.contains(txn));
        if is_new && !is_in_front {
            ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(UserAttentionType::Informational));
        }
        let vote = waiting.first().filter(|_| !is_in_front).map(|(_, string)| string.as_str());
        let title = title(snapshot.user.as_ref().map(ToString::to_string).as_deref(), &F::Role::ROLE.to_string(), vote);
        if title != self.title {
            ctx.send_viewport_cmd(ViewportCommand::Title(title.clone()));
            self.title = title;
        }
        self.called = waiting.into_iter().map(|(txn, _)| txn).collect();
    }

    /// Keeps what the window remembers.
    fn note(&mut self, ctx: &Context, snapshot: &Shot<F>, now: Instant) {
        if let (Link::Connected, Some(user)) = (&snapshot.link, &snapshot.user) {
            self.settings.on_login(user, &snapshot.relay, now);
        }
        self.settings.on_look(Look::of(ctx, self.settings.look()), now);
        if let Some(wait) = self.settings.keep(now) {
            ctx.request_repaint_after(wait);
        }
    }

    fn draw(&mut self, ui: &mut Ui, snapshot: &Shot<F>, now: Instant) {
        for action in F::view(ui, snapshot, &mut self.typed, now) {
            match action {
                Action::Quit => {
                    self.on_quit(snapshot, now);
                    ui.ctx().request_repaint();
                }
                Action::Login { .. } | Action::GiveName(_) | Action::Say(_) | Action::Press(_) => self.node.act(action),
            }
        }
        if let Leaving::Warned { .. } = self.leaving {
            let answer = match F::parting(snapshot) {
                Some(sentence) => parting_ui(ui, &sentence),
                // It was settled while that stood there.
                None => Some(Parting::Leave),
            };
            match answer {
                Some(Parting::Leave) => {
                    let tell = self.leaving.on_leave(now);
                    self.tell(tell);
                    ui.ctx().request_repaint();
                }
                Some(Parting::Stay) => self.leaving.on_stay(),
                None => {}
            }
        }
    }
}

/// What a person answers who is told what stays in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parting {
    Leave,
    Stay,
}

/// Says what stays in doubt, in front of everything else.
fn parting_ui(ui: &Ui, sentence: &str) -> Option<Parting> {
    let frame = egui::Frame::popup(ui.style()).inner_margin(2.0 * UNIT);
    let shown = Modal::new(egui::Id::unique("parting")).frame(frame).show(ui.ctx(), |ui| {
        ui.set_width(360.0_f32.min(ui.ctx().content_rect().width() - 64.0));
        ui.ctx().accesskit_node_builder(ui.unique_id(), |node| node.set_role(Part::AlertDialog));
        ui.add(Label::new(sentence).wrap());
        ui.add(Label::new(RichText::new("This window closes by itself in a few seconds.").weak()).wrap());
        let mut answer = None;
        ui.horizontal(|ui| {
            if ui.add(main_button(ui, "Leave now")).clicked() {
                answer = Some(Parting::Leave);
            }
            if ui.add(side_button("Stay")).clicked() || ui.input(|input| input.key_pressed(Key::Escape)) {
                answer = Some(Parting::Stay);
            }
        });
        answer
    });
    shown.inner
}

/// A window that eframe runs, and what tells how its node ended.
struct Running<F: Face> {
    window: Window<F>,
    tell: std::sync::mpsc::Sender<Option<Ending>>,
    opened: Opened,
}

impl<F: Face> eframe::App for Running<F> {
    fn logic(&mut self, ctx: &Context, _frame: &mut Frame) {
        let snapshot = self.window.snapshot();
        self.window.go_on(ctx, &snapshot, Instant::now());
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut Frame) {
        let snapshot = self.window.snapshot();
        self.window.draw(ui, &snapshot, Instant::now());
        self.opened.on_draw(ui.ctx());
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.window.settings.write();
        // Whoever waits for it has gone only if the window never opened.
        let _ = self.tell.send(self.window.node.ended());
    }
}
