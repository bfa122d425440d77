//! The shapes that stand for states, each with a colour and a word: nobody has to tell colours
//! apart, and nobody has to have a font with the right symbols, since the shapes are drawn.

use egui::accesskit::Live;
use egui::{Color32, Frame, Margin, Painter, Pos2, Response, Sense, Shape, Stroke, TextStyle, Ui, vec2};
use twopc_proto::{Decision, State};

use crate::palette::Palette;
use crate::text::width;
use crate::theme::{CONTROL, UNIT};

/// A state as a person sees it: more than the book's, since a participant in READY may wait, doubt
/// or be blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// ○ grey.
    Init,
    /// ◔ blue.
    Wait,
    /// ◐ amber.
    Ready,
    /// ◐ amber, hatched: the decision is overdue.
    InDoubt,
    /// ◐ amber, hatched: nobody who can be reached may decide.
    Blocked,
    /// ● green.
    Commit,
    /// ✕ vermilion.
    Abort,
}

impl Mark {
    /// The word that goes with the shape.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Init => "INIT",
            Self::Wait => "WAIT",
            Self::Ready => "READY",
            Self::InDoubt => "READY, in doubt",
            Self::Blocked => "READY, blocked",
            Self::Commit => "COMMIT",
            Self::Abort => "ABORT",
        }
    }

    fn colour(self, palette: &Palette) -> Color32 {
        match self {
            Self::Init => palette.grey,
            Self::Wait => palette.blue,
            Self::Ready | Self::InDoubt | Self::Blocked => palette.amber,
            Self::Commit => palette.green,
            Self::Abort => palette.vermilion,
        }
    }

    /// Draws the shape, `2 * radius` wide, around `centre`.
    pub fn paint(self, painter: &Painter, centre: Pos2, radius: f32, palette: &Palette) {
        let colour = self.colour(palette);
        let line = Stroke::new(2.0, colour);
        let ring = || painter.circle_stroke(centre, radius - 1.0, line);
        match self {
            Self::Init => {
                ring();
            }
            Self::Wait => {
                ring();
                painter.add(pie(centre, radius - 1.0, -0.25, 0.0, colour));
            }
            Self::Ready => {
                ring();
                painter.add(pie(centre, radius - 1.0, 0.25, 0.75, colour));
            }
            Self::InDoubt | Self::Blocked => {
                ring();
                hatch(painter, centre, radius - 1.0, Stroke::new(1.5, colour));
            }
            Self::Commit => {
                painter.circle_filled(centre, radius, colour);
            }
            Self::Abort => {
                let reach = radius * 0.75;
                let line = Stroke::new(3.0, colour);
                painter.line_segment([centre + vec2(-reach, -reach), centre + vec2(reach, reach)], line);
                painter.line_segment([centre + vec2(-reach, reach), centre + vec2(reach, -reach)], line);
            }
        }
    }
}

impl From<State> for Mark {
    fn from(state: State) -> Self {
        match state {
            State::Init => Self::Init,
            State::Wait => Self::Wait,
            State::Ready => Self::Ready,
            State::Commit => Self::Commit,
            State::Abort => Self::Abort,
        }
    }
}

impl From<Decision> for Mark {
    fn from(decision: Decision) -> Self {
        State::from(decision).into()
    }
}

/// The shape alone, as wide and high as a line of text; the word stands beside it.
pub fn mark_ui(ui: &mut Ui, mark: Mark) -> Response {
    shape_ui(ui, |painter, centre, palette| mark.paint(painter, centre, 7.0, palette))
}

/// Whether somebody is reachable: a full dot, or a hollow one. The word stands beside it.
pub fn dot_ui(ui: &mut Ui, here: bool) -> Response {
    shape_ui(ui, |painter, centre, palette| {
        if here {
            painter.circle_filled(centre, 5.0, palette.green);
        } else {
            painter.circle_stroke(centre, 4.0, Stroke::new(2.0, palette.grey));
        }
    })
}

/// Nothing has come yet: a small dot.
pub fn waiting_ui(ui: &mut Ui) -> Response {
    shape_ui(ui, |painter, centre, palette| {
        painter.circle_filled(centre, 2.0, palette.grey);
    })
}

/// Something is wrong: a triangle with an exclamation mark.
pub fn trouble_ui(ui: &mut Ui) -> Response {
    shape_ui(ui, |painter, centre, palette| {
        let corners = vec![centre + vec2(0.0, -7.0), centre + vec2(8.0, 7.0), centre + vec2(-8.0, 7.0)];
        painter.add(Shape::convex_polygon(corners, palette.error, Stroke::NONE));
        let line = Stroke::new(2.0, palette.surface);
        painter.line_segment([centre + vec2(0.0, -2.5), centre + vec2(0.0, 2.0)], line);
        painter.circle_filled(centre + vec2(0.0, 4.5), 1.2, palette.surface);
    })
}

fn shape_ui(ui: &mut Ui, paint: impl FnOnce(&Painter, Pos2, &Palette)) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(2.0 * UNIT, 2.0 * UNIT), Sense::hover());
    paint(ui.painter(), rect.center(), Palette::of(ui.visuals()));
    response
}

/// The state in the head of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chip {
    /// The state now.
    pub mark: Mark,
    /// All that it can be in this window: nothing moves when it changes.
    pub among: &'static [Mark],
}

impl Chip {
    /// What it takes of a row, whatever the state is.
    pub(crate) fn width(self, ui: &Ui) -> f32 {
        let widths = self.among.iter().map(|mark| width(ui, &label(*mark), &TextStyle::Body));
        (widths.fold(0.0, f32::max) + 2.0 * UNIT + ui.spacing().item_spacing.x + 2.0 * f32::from(PADDING) + 2.0).ceil()
    }
}

/// On the left and the right of a chip's contents.
const PADDING: i8 = 12;

fn label(mark: Mark) -> String {
    format!("State: {}", mark.word())
}

/// A state as a chip: shape, colour, and a label that begins with `State: `. A change is announced
/// to a screen reader when it has nothing else to say.
pub(crate) fn chip_ui(ui: &mut Ui, mark: Mark) -> Response {
    let palette = Palette::of(ui.visuals());
    let frame = Frame::new()
        .fill(palette.surface)
        .stroke(Stroke::new(1.0, mark.colour(palette)))
        .corner_radius(CONTROL / 2.0)
        .inner_margin(Margin::symmetric(PADDING, 0));
    let chip = frame.show(ui, |ui| {
        ui.set_height(CONTROL - 2.0);
        mark_ui(ui, mark);
        let words = ui.add(egui::Label::new(label(mark)).extend());
        announce(&words);
        words
    });
    chip.inner
}

/// A screen reader says this label when its text changes, without interrupting.
pub fn announce(label: &Response) {
    label.ctx.accesskit_node_builder(label.id, |node| node.set_live(Live::Polite));
}

/// A slice of a disc, `from` and `to` in turns clockwise from three o'clock.
fn pie(centre: Pos2, radius: f32, from: f32, to: f32, colour: Color32) -> Shape {
    let steps = 16;
    let rim = (0..=steps).map(|step| {
        let turn = from + (to - from) * step as f32 / steps as f32;
        let angle = turn * std::f32::consts::TAU;
        centre + radius * vec2(angle.cos(), angle.sin())
    });
    Shape::convex_polygon(std::iter::once(centre).chain(rim).collect(), colour, Stroke::NONE)
}

/// Level lines over the left half of a disc.
fn hatch(painter: &Painter, centre: Pos2, radius: f32, line: Stroke) {
    for step in -1..=1 {
        let y = step as f32 * radius * 0.5;
        let reach = (radius * radius - y * y).sqrt();
        painter.line_segment([centre + vec2(-reach, y), centre + vec2(0.0, y)], line);
    }
    painter.line_segment([centre + vec2(0.0, -radius), centre + vec2(0.0, radius)], line);
}
