//! What is seen: lines, shaded stretches, badges and labels, each at its place in a window.
//!
//! A scene knows no protocol and no colours; an [`Ink`] is given its colour by whoever paints. What
//! matters is said by a shape and a word as well. Deliberately absent: anything outside the window.

use super::chart::{EntryId, LaneId, MessageId};

/// A place in the window, in pixels from its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

/// A place.
#[must_use]
pub(super) fn at(x: f32, y: f32) -> Point {
    Point { x, y }
}

/// What somebody can point at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pick {
    /// Something that happened.
    Entry(EntryId),
    /// A message.
    Message(MessageId),
}

/// The visible part of a diagram.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// The window's size.
    pub size: (f32, f32),
    /// The size of the whole diagram, the heads of the lanes included.
    pub whole: (f32, f64),
    /// The height of the heads of the lanes, which stand still.
    pub head: f32,
    /// Shaded stretches, behind everything.
    pub bands: Vec<Band>,
    /// Lanes and arrows.
    pub lines: Vec<Line>,
    /// What happened.
    pub badges: Vec<Badge>,
    /// Words.
    pub labels: Vec<Label>,
    /// The lanes' names.
    pub heads: Vec<Head>,
}

/// A colour by its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ink {
    /// What is read.
    Text,
    /// What is read second.
    Muted,
    /// What only guides the eye.
    Faint,
    /// Lanes.
    Lane,
    /// Nothing promised; nothing special.
    Grey,
    /// Votes are awaited.
    Blue,
    /// A promise; a doubt.
    Amber,
    /// Commit.
    Green,
    /// Abort.
    Vermilion,
    /// What went wrong.
    Error,
    /// What was picked.
    Accent,
}

/// A line.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// From here.
    pub from: Point,
    /// To here.
    pub to: Point,
    /// Its colour.
    pub ink: Ink,
    /// Its width.
    pub width: f32,
    /// Its look.
    pub dash: Dash,
    /// How it ends.
    pub tip: Tip,
    /// What it belongs to.
    pub of: Option<Pick>,
}

/// A line's look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dash {
    /// Whole.
    Solid,
    /// A message that is kept; a process that cannot act.
    Dashed,
    /// Nothing is there.
    Dotted,
}

/// A line's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tip {
    /// None.
    Plain,
    /// It arrived.
    Arrow,
    /// It is on its way.
    Open,
    /// It is lost.
    Cross,
    /// It was refused: there was nobody to receive it.
    Nobody,
}

/// A shaded stretch of a lane.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    /// Upper left corner.
    pub min: Point,
    /// Lower right corner.
    pub max: Point,
    /// Its colour.
    pub ink: Ink,
    /// Hatched, and not only tinted.
    pub hatched: bool,
}

/// A shape that stands for something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Badge {
    /// Its middle.
    pub at: Point,
    /// Which.
    pub glyph: Glyph,
    /// Its colour.
    pub ink: Ink,
    /// What it belongs to.
    pub of: Pick,
    /// It was picked.
    pub picked: bool,
}

/// The shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Glyph {
    /// A small dot: an arrow's end.
    Dot,
    /// ○ INIT.
    Ring,
    /// ◔ WAIT.
    Quarter,
    /// ◐ READY.
    Half,
    /// ◐ hatched: in doubt.
    Doubt,
    /// ● COMMIT.
    Disc,
    /// ✕ ABORT.
    Cross,
    /// □ a record is written.
    Square,
    /// ■ it is on the disk.
    Block,
    /// ▣ it was found on the disk.
    Found,
    /// ◆ the text file.
    Diamond,
    /// A clock: a timer ran out.
    Clock,
    /// ▷ somebody pressed something, or something goes on.
    Play,
    /// ‖ held; frozen.
    Pause,
    /// ▷▷ a copy.
    Twice,
    /// ▬ a process begins or ends; a link.
    Bar,
    /// A heavy ✕: a process was killed.
    Death,
    /// ≡ rules at the relay.
    Rules,
    /// △ something odd.
    Warning,
}

/// Words at a place.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// The middle of its left edge.
    pub at: Point,
    /// How wide it is at most.
    pub width: f32,
    /// What it says.
    pub text: String,
    /// Its colour.
    pub ink: Ink,
    /// It stands on lines, and covers them.
    pub covers: bool,
    /// What it belongs to.
    pub of: Option<Pick>,
}

/// A lane's name.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Whose.
    pub lane: LaneId,
    /// Where the lane's line is.
    pub x: f32,
    /// From here to there is its column.
    pub column: (f32, f32),
    /// Its name, safe to show.
    pub name: String,
    /// What it is there for.
    pub part: &'static str,
}

impl Ink {
    /// Every ink.
    pub const ALL: [Self; 11] = [
        Self::Text,
        Self::Muted,
        Self::Faint,
        Self::Lane,
        Self::Grey,
        Self::Blue,
        Self::Amber,
        Self::Green,
        Self::Vermilion,
        Self::Error,
        Self::Accent,
    ];

    /// Its colour in that palette.
    #[must_use]
    pub fn colour(self, palette: &twopc_ui::Palette) -> egui::Color32 {
        match self {
            Self::Text => palette.text,
            Self::Muted => palette.muted,
            Self::Faint => palette.line,
            Self::Lane => palette.outline,
            Self::Grey => palette.grey,
            Self::Blue => palette.blue,
            Self::Amber => palette.amber,
            Self::Green => palette.green,
            Self::Vermilion => palette.vermilion,
            Self::Error => palette.error,
            Self::Accent => palette.accent,
        }
    }
}

impl Line {
    /// The corners of the arrow at its end.
    #[must_use]
    pub fn arrow(&self) -> [Point; 3] {
        const LONG: f32 = 11.0;
        const HALF: f32 = 4.5;
        let (dx, dy) = (self.to.x - self.from.x, self.to.y - self.from.y);
        let length = dx.hypot(dy).max(0.001);
        let (x, y) = (dx / length, dy / length);
        let foot = at(self.to.x - LONG * x, self.to.y - LONG * y);
        [self.to, at(foot.x - HALF * y, foot.y + HALF * x), at(foot.x + HALF * y, foot.y - HALF * x)]
    }
}

/// How near to a shape, and to a line, somebody must point.
const NEAR_BADGE: f32 = 13.0;
const NEAR_LINE: f32 = 6.0;

impl Scene {
    /// What stands at that place: a shape before a word, a word before a line, the nearest of each.
    #[must_use]
    pub fn pick(&self, x: f32, y: f32) -> Option<Pick> {
        if y < self.head {
            return None;
        }
        let badges = self.badges.iter().map(|badge| (distance(badge.at, at(x, y)), badge.of));
        let badge = nearest(badges.filter(|(far, _)| *far <= NEAR_BADGE));
        let on = |label: &&Label| (label.at.x..=label.at.x + label.width).contains(&x) && (label.at.y - y).abs() <= 10.0;
        let label = || self.labels.iter().filter(on).find_map(|label| label.of);
        let lines = || {
            let lines = self.lines.iter().filter_map(|line| Some((from_line(line, at(x, y)), line.of?)));
            nearest(lines.filter(|(far, _)| *far <= NEAR_LINE))
        };
        badge.or_else(label).or_else(lines)
    }
}

fn nearest(found: impl Iterator<Item = (f32, Pick)>) -> Option<Pick> {
    found.min_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, pick)| pick)
}

fn distance(a: Point, b: Point) -> f32 {
    (a.x - b.x).hypot(a.y - b.y)
}

fn from_line(line: &Line, point: Point) -> f32 {
    let (dx, dy) = (line.to.x - line.from.x, line.to.y - line.from.y);
    let length = dx * dx + dy * dy;
    let part = if length > 0.0 { (((point.x - line.from.x) * dx + (point.y - line.from.y) * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
    distance(point, at(line.from.x + part * dx, line.from.y + part * dy))
}
