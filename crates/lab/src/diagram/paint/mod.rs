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

/// The width of the bar that shows which part of the run is visible.
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
    /// What is new is brought into view, as long as the end is in view.
    pub follows: bool,
    axis: Axis,
}

impl Default for Diagram {
    fn default() -> Self {
        Self { lens: Lens::default(), view: View::default(), follows: true, axis: Axis::default() }
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
        let pick = pick.filter(|pick| chart.has(*pick));
        self.view.picked = pick;
        self.axis.follow(chart, &self.lens);
        let entry = pick.map(|pick| entry_of(chart, pick));
        if let Some(entry) = entry.filter(|entry| !layout::is_in_view(&self.axis, *entry, &self.view)) {
            self.view.top = layout::top_for(&self.axis, entry, self.view.height);
            self.follows = false;
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
        self.follows = false;
        self.view.left -= by.x;
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
    (diagram.view.width, diagram.view.height) = (rect.width() - BAR, rect.height());
    diagram.view.picked = diagram.view.picked.filter(|pick| chart.has(*pick));
    diagram.axis.follow(chart, &diagram.lens);
    steer(ui, chart, diagram, &response);
    let thumb = bar(ui, chart, diagram, &response);
    let scene = diagram.scene(chart, vec2(rect.width() - BAR, rect.height()));
    let response = point(chart, diagram, &scene, response);
    if ui.is_rect_visible(rect) {
        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        shapes::paint(&painter, rect, &scene, Palette::of(ui.visuals()), response.has_focus());
        if let Some((thumb, ink)) = thumb {
            painter.rect_filled(thumb, 4.0, ink);
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

/// The bar on the right, a handle to go to another part of the run: where it stands and its colour, if
/// not all of the run is visible.
fn bar(ui: &Ui, chart: &Chart, diagram: &mut Diagram, response: &Response) -> Option<(Rect, Color32)> {
    let track = Rect::from_min_max(pos2(response.rect.right() - BAR, response.rect.top() + HEAD), response.rect.max);
    let (_, high) = layout::extent(chart, &diagram.axis, &diagram.view);
    if high <= f64::from(diagram.view.height) || track.height() <= 0.0 {
        return None;
    }
    let handle = ui.interact(track, response.id.with("bar"), Sense::click_and_drag());
    if let Some(pointer) = handle.interact_pointer_pos().filter(|_| handle.dragged() || handle.clicked()) {
        let part = f64::from((pointer.y - track.top()) / track.height());
        let wanted = part * high - f64::from(diagram.view.height) / 2.0;
        diagram.shift(chart, vec2(0.0, (diagram.view.top - wanted) as f32));
    }
    let scale = f64::from(track.height()) / high;
    let top = track.top() + (diagram.view.top * scale) as f32;
    let long = ((f64::from(diagram.view.height) * scale) as f32).max(24.0);
    let thumb = Rect::from_min_size(pos2(track.left() + 2.0, top.min(track.bottom() - long)), vec2(BAR - 4.0, long));
    let palette = Palette::of(ui.visuals());
    let ink = if handle.hovered() || handle.dragged() { palette.accent } else { palette.outline };
    Some((thumb, ink))
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
        diagram.view.picked = response.interact_pointer_pos().and_then(under);
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
