//! A diagram in a window: painted, moved, zoomed, and gone through with the keyboard.
//!
//! Drag or scroll to move, Ctrl and the wheel or + and − to zoom, click to pick. With the keyboard: up and
//! down along a lane, left and right to its neighbours, Enter along an arrow, Home, End and the page
//! keys, Esc to let go. Deliberately absent: what is known of what was picked, see
//! [`super::detail`], and a clock; an idle diagram is not painted again.

mod keys;
mod shapes;

use egui::accesskit::{Live, Role};
use egui::{Color32, EventFilter, PointerButton, Pos2, Rect, Response, Sense, Ui, Vec2, pos2, vec2};
use twopc_ui::Palette;

use super::axis::{Axis, Lens, ZOOMS};
use super::chart::{Chart, EntryId};
use super::detail::sentence;
use super::layout::{self, HEAD, View, layout};
use super::scene::{Pick, Scene};

/// The width of the bars that show which part of the diagram is visible.
const BAR: f32 = 12.0;
/// What + and − do to the zoom.
const ZOOM_STEP: f32 = 1.25;

/// Where somebody looks, kept from frame to frame.
#[derive(Clone, Debug)]
pub struct Diagram {
    /// How the run is looked at; to be changed freely.
    pub lens: Lens,
    /// The window on it.
    pub view: View,
    /// What is new is brought into view, as long as the end is in view and nothing is picked.
    pub follows: bool,
    /// It followed the end until something was picked, and will again.
    resumes: bool,
    axis: Axis,
}

impl Default for Diagram {
    fn default() -> Self {
        Self { lens: Lens::default(), view: View::default(), follows: true, resumes: false, axis: Axis::default() }
    }
}

impl Diagram {
    /// What was picked.
    #[must_use]
    pub fn picked(&self) -> Option<Pick> {
        self.view.picked
    }

    /// Picks something and brings it into view.
    pub fn pick(&mut self, chart: &Chart, pick: Option<Pick>) {
        self.choose(pick.filter(|pick| chart.has(*pick)));
        self.axis.follow(chart, &self.lens);
        self.bring_pick(chart);
    }

    /// Picks something, or nothing any more. What somebody looks at stays where it is, whatever is new.
    pub fn choose(&mut self, pick: Option<Pick>) {
        if pick.is_some() {
            self.resumes |= self.follows;
            self.follows = false;
        } else if self.view.picked.is_some() {
            self.follows |= std::mem::take(&mut self.resumes);
        }
        self.view.picked = pick;
    }

    /// Brings what was picked into view.
    fn bring_pick(&mut self, chart: &Chart) {
        let entry = self.view.picked.map(|pick| entry_of(chart, pick));
        if let Some(entry) = entry.filter(|entry| !layout::is_in_view(&self.axis, *entry, &self.view)) {
            self.view.top = layout::top_for(&self.axis, entry, self.view.height);
        }
    }

    /// Lays out the visible part in a window of that size.
    pub fn scene(&mut self, chart: &Chart, size: Vec2) -> Scene {
        (self.view.width, self.view.height) = (size.x, size.y);
        self.axis.follow(chart, &self.lens);
        self.hold(chart);
        layout(chart, &self.axis, &self.view)
    }

    /// Keeps the view on the diagram, and at its end if it is to follow.
    fn hold(&mut self, chart: &Chart) {
        let (wide, high) = layout::extent(chart, &self.axis, &self.view);
        let lowest = (high - f64::from(self.view.height)).max(0.0);
        self.view.top = if self.follows { lowest } else { self.view.top.clamp(0.0, lowest) };
        self.view.left = self.view.left.clamp(0.0, (wide - self.view.width).max(0.0));
    }

    /// Moves what is seen.
    fn shift(&mut self, chart: &Chart, by: Vec2) {
        if by == Vec2::ZERO {
            return;
        }
        self.view.left -= by.x;
        if by.y == 0.0 {
            return self.hold(chart);
        }
        (self.follows, self.resumes) = (false, false);
        self.view.top -= f64::from(by.y);
        self.hold(chart);
        let (_, high) = layout::extent(chart, &self.axis, &self.view);
        self.follows = self.view.top + f64::from(self.view.height) >= high - 1.0;
    }

    /// Zooms; what is at that height of the window stays there.
    fn zoom(&mut self, chart: &Chart, by: f32, y: f32) {
        let zoom = (self.lens.zoom * by).clamp(ZOOMS.0, ZOOMS.1);
        if zoom.to_bits() == self.lens.zoom.to_bits() {
            return;
        }
        let place = self.view.top + f64::from(y - HEAD);
        let fixed = self.axis.around(place, place).map(|(entry, _)| entry);
        let before = fixed.map(|entry| self.axis.y(entry));
        self.lens.zoom = zoom;
        self.axis.follow(chart, &self.lens);
        if let (Some(entry), Some(before)) = (fixed, before) {
            self.view.top += self.axis.y(entry) - before;
        }
        self.hold(chart);
    }
}

/// Draws a diagram in all the space there is. Whether something else was picked than before.
pub fn diagram_ui(ui: &mut Ui, chart: &Chart, diagram: &mut Diagram) -> bool {
    let before = diagram.picked();
    let response = ui.allocate_response(ui.available_size_before_wrap(), Sense::click_and_drag());
    let rect = response.rect;
    let is_lower = rect.height() < diagram.view.height;
    (diagram.view.width, diagram.view.height) = (rect.width() - BAR, rect.height());
    diagram.view.picked = diagram.view.picked.filter(|pick| chart.has(*pick));
    diagram.axis.follow(chart, &diagram.lens);
    // What is known of it takes some of the height, perhaps just where it stood.
    if is_lower {
        diagram.bring_pick(chart);
    }
    steer(ui, chart, diagram, &response);
    let bars = bars(ui, chart, diagram, &response);
    let scene = diagram.scene(chart, vec2(rect.width() - BAR, rect.height()));
    let response = point(chart, diagram, &scene, response);
    if ui.is_rect_visible(rect) {
        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        shapes::paint(&painter, rect, &scene, Palette::of(ui.visuals()), response.has_focus());
        for (bar, ink) in bars {
            painter.rect_filled(bar, 4.0, ink);
        }
    }
    name(ui, chart, diagram, &response);
    diagram.picked() != before
}

/// Mouse, wheel and keyboard.
fn steer(ui: &Ui, chart: &Chart, diagram: &mut Diagram, response: &Response) {
    if response.dragged() {
        diagram.shift(chart, response.drag_delta());
    }
    if let Some(pointer) = response.hover_pos() {
        let (zoom, scroll) = ui.input(|input| (input.zoom_delta(), input.smooth_scroll_delta()));
        diagram.zoom(chart, zoom, pointer.y - response.rect.top());
        diagram.shift(chart, scroll);
    }
    if response.has_focus() {
        let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, escape: diagram.picked().is_some(), tab: false };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        let pressed = ui.input(keys::pressed);
        for key in pressed {
            keys::obey(chart, diagram, key);
        }
    }
}

/// The bars on the right and below, handles to go to another part of the diagram: where they stand and
/// their colours, if not all of it is visible.
fn bars(ui: &Ui, chart: &Chart, diagram: &mut Diagram, response: &Response) -> Vec<(Rect, Color32)> {
    let (wide, high) = layout::extent(chart, &diagram.axis, &diagram.view);
    let inner = Rect::from_min_max(response.rect.min + vec2(0.0, HEAD), response.rect.max - Vec2::splat(BAR));
    let View { left, top, width, height, .. } = diagram.view;
    let upright = Track { from: pos2(inner.right(), inner.top()), long: inner.height(), upright: true };
    let (thumb, wanted) = upright.bar(ui, response.id.with("down"), top, f64::from(height), high);
    if let Some(wanted) = wanted {
        diagram.shift(chart, vec2(0.0, (top - wanted) as f32));
    }
    let level = Track { from: inner.left_bottom(), long: inner.width(), upright: false };
    let (other, wanted) = level.bar(ui, response.id.with("across"), f64::from(left), f64::from(width), f64::from(wide));
    if let Some(wanted) = wanted {
        diagram.shift(chart, vec2(left - wanted as f32, 0.0));
    }
    [thumb, other].into_iter().flatten().collect()
}

/// Where a bar can be.
struct Track {
    from: Pos2,
    long: f32,
    upright: bool,
}

impl Track {
    /// The bar of a window that shows so much of the whole, from `at` on: its place and colour, and where
    /// the window is wanted.
    fn bar(&self, ui: &Ui, id: egui::Id, at: f64, shown: f64, whole: f64) -> (Option<(Rect, Color32)>, Option<f64>) {
        if whole <= shown || self.long <= 0.0 {
            return (None, None);
        }
        let along = |from: f32, long: f32, inset: f32| {
            let (way, size) = if self.upright {
                (vec2(inset, from), vec2(BAR - 2.0 * inset, long))
            } else {
                (vec2(from, inset), vec2(long, BAR - 2.0 * inset))
            };
            Rect::from_min_size(self.from + way, size)
        };
        let handle = ui.interact(along(0.0, self.long, 0.0), id, Sense::click_and_drag());
        let pointer = handle.interact_pointer_pos().filter(|_| handle.dragged() || handle.clicked());
        let wanted = pointer.map(|pointer| {
            let reach = if self.upright { pointer.y - self.from.y } else { pointer.x - self.from.x };
            f64::from(reach / self.long) * whole - shown / 2.0
        });
        let scale = f64::from(self.long) / whole;
        let long = ((shown * scale) as f32).clamp(24.0_f32.min(self.long), self.long);
        let from = ((at * scale) as f32).min(self.long - long);
        let palette = Palette::of(ui.visuals());
        let ink = if handle.hovered() || handle.dragged() { palette.accent } else { palette.outline };
        (Some((along(from, long, 2.0), ink)), wanted)
    }
}

/// What is pointed at, and what is clicked.
fn point(chart: &Chart, diagram: &mut Diagram, scene: &Scene, response: Response) -> Response {
    let under = |pointer: Pos2| {
        let place = pointer - response.rect.min;
        scene.pick(place.x, place.y)
    };
    // Enter counts as a click as well, and has a meaning of its own here.
    if response.clicked_by(PointerButton::Primary) {
        response.request_focus();
        diagram.choose(response.interact_pointer_pos().and_then(under));
    }
    match response.hover_pos().and_then(under) {
        Some(pick) => response.on_hover_text_at_pointer(sentence(chart, pick)),
        None => response,
    }
}

/// What a screen reader says: the diagram's name, and the event that was picked.
fn name(ui: &Ui, chart: &Chart, diagram: &Diagram, response: &Response) {
    response.widget_info(|| egui::WidgetInfo::labeled(Role::GraphicsDocument, true, "Space-time diagram"));
    let picked = diagram.picked().map_or_else(|| "Nothing picked".to_owned(), |pick| sentence(chart, pick));
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_label("Space-time diagram");
        node.set_description(super::svg::description(chart));
        node.set_value(picked);
        node.set_live(Live::Polite);
    });
}

/// The entry that a pick is about.
fn entry_of(chart: &Chart, pick: Pick) -> EntryId {
    match pick {
        Pick::Entry(entry) => entry,
        Pick::Message(message) => chart.message(message).start,
    }
}
