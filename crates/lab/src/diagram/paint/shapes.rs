//! A scene as shapes, in the colours of a palette.

use egui::{Align2, Color32, FontId, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, Vec2, pos2, vec2};
use twopc_ui::theme::BODY;
use twopc_ui::{Mark, Palette};

use crate::diagram::scene::{Badge, Band, Dash, Glyph, Ink, Label, Line, Point, Scene, Tip};

/// What is drawn with.
struct Brush<'a> {
    painter: &'a Painter,
    palette: &'a Palette,
    /// Where the scene's corner is.
    corner: Vec2,
    shapes: Vec<Shape>,
}

/// Paints a scene; `focused` if the keyboard goes to it.
pub(super) fn paint(painter: &Painter, rect: Rect, scene: &Scene, palette: &Palette, focused: bool) {
    let mut brush = Brush { painter, palette, corner: rect.min.to_vec2(), shapes: Vec::with_capacity(4 * scene.badges.len()) };
    brush.shapes.push(Shape::rect_filled(rect, 0.0, palette.surface));
    scene.bands.iter().for_each(|band| brush.band(band));
    scene.lines.iter().for_each(|line| brush.line(line));
    painter.extend(std::mem::take(&mut brush.shapes));
    scene.badges.iter().for_each(|badge| brush.badge(badge));
    scene.labels.iter().for_each(|label| brush.label(label));
    scene.lines.iter().for_each(|line| brush.tip(line));
    brush.heads(rect, scene);
    if focused {
        brush.shapes.push(Shape::rect_stroke(rect, 0.0, Stroke::new(2.0, palette.accent), StrokeKind::Inside));
    }
    painter.extend(brush.shapes);
}

impl Brush<'_> {
    fn to(&self, point: Point) -> Pos2 {
        pos2(point.x, point.y) + self.corner
    }

    fn ink(&self, ink: Ink) -> Color32 {
        ink.colour(self.palette)
    }

    fn band(&mut self, band: &Band) {
        let rect = Rect::from_min_max(self.to(band.min), self.to(band.max));
        let ink = self.ink(band.ink);
        self.shapes.push(Shape::rect_filled(rect, 0.0, ink.gamma_multiply(0.3)));
        if band.hatched {
            self.shapes.push(Shape::rect_stroke(rect, 0.0, Stroke::new(1.0, ink), StrokeKind::Inside));
            let mut y = rect.top() + 3.0;
            while y < rect.bottom() {
                self.shapes.push(Shape::hline(rect.x_range(), y, Stroke::new(1.5, ink)));
                y += 6.0;
            }
        }
    }

    fn line(&mut self, line: &Line) {
        let stroke = Stroke::new(line.width, self.ink(line.ink));
        let ends = [self.to(line.from), self.to(line.to)];
        match line.dash {
            Dash::Solid => self.shapes.push(Shape::line_segment(ends, stroke)),
            Dash::Dashed => Shape::dashed_line_many(&ends, stroke, 6.0, 5.0, &mut self.shapes),
            Dash::Dotted => Shape::dashed_line_many(&ends, stroke, 2.0, 5.0, &mut self.shapes),
        }
    }

    /// The end of a line. It comes last, so that nothing hides it.
    fn tip(&mut self, line: &Line) {
        let (stroke, end) = (Stroke::new(line.width, self.ink(line.ink)), self.to(line.to));
        let corners = || line.arrow().map(|corner| self.to(corner)).to_vec();
        match line.tip {
            Tip::Plain => {}
            Tip::Arrow => {
                let arrow = Shape::convex_polygon(corners(), stroke.color, Stroke::NONE);
                self.shapes.push(arrow);
            }
            Tip::Open => {
                let arrow = Shape::convex_polygon(corners(), self.palette.surface, Stroke::new(1.5, stroke.color));
                self.shapes.push(arrow);
            }
            Tip::Cross => self.cross(end, 6.0, Stroke::new(2.5, self.palette.error)),
            Tip::Nobody => {
                let ring = Stroke::new(2.0, self.palette.error);
                self.shapes.push(Shape::circle_filled(end, 6.0, self.palette.surface));
                self.shapes.push(Shape::circle_stroke(end, 6.0, ring));
                self.shapes.push(Shape::line_segment([end + vec2(-4.2, 4.2), end + vec2(4.2, -4.2)], ring));
            }
        }
    }

    fn cross(&mut self, at: Pos2, reach: f32, stroke: Stroke) {
        self.shapes.push(Shape::line_segment([at - Vec2::splat(reach), at + Vec2::splat(reach)], stroke));
        self.shapes.push(Shape::line_segment([at + vec2(-reach, reach), at + vec2(reach, -reach)], stroke));
    }

    fn badge(&mut self, badge: &Badge) {
        let at = self.to(badge.at);
        let (ink, ground) = (self.ink(badge.ink), self.palette.surface);
        let line = Stroke::new(2.0, ink);
        if badge.picked {
            self.shapes.push(Shape::circle_filled(at, 12.0, self.palette.selection));
            self.shapes.push(Shape::circle_stroke(at, 12.0, Stroke::new(2.0, self.palette.accent)));
        }
        let square = |half: f32| Rect::from_center_size(at, Vec2::splat(2.0 * half));
        let mut triangle = |x: f32| self.shapes.push(polygon(at, &[(x - 4.0, -6.0), (x + 5.0, 0.0), (x - 4.0, 6.0)], ground, line));
        match badge.glyph {
            Glyph::Dot => self.shapes.push(Shape::circle_filled(at, 3.0, ink)),
            Glyph::Ring => self.mark(Mark::Init, badge),
            Glyph::Quarter => self.mark(Mark::Wait, badge),
            Glyph::Half => self.mark(Mark::Ready, badge),
            Glyph::Doubt => self.mark(Mark::InDoubt, badge),
            Glyph::Disc => self.mark(Mark::Commit, badge),
            Glyph::Cross if badge.ink == Ink::Error => self.cross(at, 5.0, line),
            Glyph::Cross => self.mark(Mark::Abort, badge),
            Glyph::Square => {
                self.shapes.push(Shape::rect_filled(square(6.0), 0.0, ground));
                self.shapes.push(Shape::rect_stroke(square(6.0), 0.0, line, StrokeKind::Inside));
            }
            Glyph::Block => self.shapes.push(Shape::rect_filled(square(6.0), 0.0, ink)),
            Glyph::Found => {
                self.shapes.push(Shape::rect_filled(square(7.0), 0.0, ground));
                self.shapes.push(Shape::rect_stroke(square(7.0), 0.0, line, StrokeKind::Inside));
                self.shapes.push(Shape::rect_filled(square(3.0), 0.0, ink));
            }
            Glyph::Diamond => self.shapes.push(polygon(at, &[(0.0, -8.0), (8.0, 0.0), (0.0, 8.0), (-8.0, 0.0)], ink, Stroke::NONE)),
            Glyph::Clock => {
                self.shapes.push(Shape::circle_filled(at, 7.0, ground));
                self.shapes.push(Shape::circle_stroke(at, 7.0, line));
                self.shapes.push(Shape::line_segment([at, at + vec2(0.0, -4.5)], line));
                self.shapes.push(Shape::line_segment([at, at + vec2(3.5, 0.0)], line));
            }
            Glyph::Play => triangle(0.0),
            Glyph::Twice => {
                triangle(-4.0);
                triangle(4.0);
            }
            Glyph::Pause => {
                for x in [-4.0, 4.0] {
                    self.shapes.push(Shape::line_segment([at + vec2(x, -6.0), at + vec2(x, 6.0)], Stroke::new(3.0, ink)));
                }
            }
            Glyph::Bar => self.shapes.push(Shape::line_segment([at - vec2(8.0, 0.0), at + vec2(8.0, 0.0)], Stroke::new(3.0, ink))),
            Glyph::Death => self.cross(at, 8.0, Stroke::new(4.0, ink)),
            Glyph::Rules => {
                for y in [-4.0, 0.0, 4.0] {
                    self.shapes.push(Shape::line_segment([at + vec2(-6.0, y), at + vec2(6.0, y)], line));
                }
            }
            Glyph::Warning => {
                self.shapes.push(polygon(at, &[(0.0, -8.0), (8.0, 6.0), (-8.0, 6.0)], ground, line));
                self.shapes.push(Shape::line_segment([at + vec2(0.0, -3.0), at + vec2(0.0, 2.0)], line));
            }
        }
    }

    /// A state's shape as in every other window. It paints itself, so what was collected goes first.
    fn mark(&mut self, mark: Mark, badge: &Badge) {
        let at = self.to(badge.at);
        self.shapes.push(Shape::circle_filled(at, 7.0, self.palette.surface));
        self.painter.extend(std::mem::take(&mut self.shapes));
        if badge.ink == Ink::Faint {
            let faint = self.palette.line;
            let pale = Palette { grey: faint, blue: faint, amber: faint, green: faint, vermilion: faint, ..*self.palette };
            mark.paint(self.painter, at, 7.0, &pale);
        } else {
            mark.paint(self.painter, at, 7.0, self.palette);
        }
    }

    fn label(&mut self, label: &Label) {
        let ink = self.ink(label.ink);
        let galley = self.painter.layout_no_wrap(label.text.clone(), FontId::proportional(BODY), ink);
        let corner = self.to(label.at) - vec2(0.0, galley.size().y / 2.0);
        if label.covers {
            let ground = Rect::from_min_size(corner, galley.size()).expand2(vec2(2.0, -1.0));
            self.shapes.push(Shape::rect_filled(ground, 2.0, self.palette.surface));
        }
        self.shapes.push(Shape::galley(corner, galley, ink));
    }

    /// The lanes' names, which stand still when the rest moves.
    fn heads(&mut self, rect: Rect, scene: &Scene) {
        let head = Rect::from_min_size(rect.min, vec2(rect.width(), scene.head));
        self.shapes.push(Shape::rect_filled(head, 0.0, self.palette.ground));
        self.shapes.push(Shape::hline(head.x_range(), head.bottom(), Stroke::new(1.0, self.palette.line)));
        for head in &scene.heads {
            for (text, y, ink) in [(head.name.as_str(), 17.0, Ink::Text), (head.part, 37.0, Ink::Muted)] {
                let galley = self.painter.layout_no_wrap(text.to_owned(), FontId::proportional(BODY), self.ink(ink));
                let place = Align2::CENTER_CENTER.anchor_size(self.to(Point { x: head.x, y }), galley.size());
                let left = place.left().max(self.corner.x + head.column.0 + 2.0);
                self.shapes.push(Shape::galley(pos2(left, place.top()), galley, self.ink(ink)));
            }
        }
    }
}

fn polygon(at: Pos2, corners: &[(f32, f32)], fill: Color32, stroke: Stroke) -> Shape {
    Shape::convex_polygon(corners.iter().map(|(x, y)| at + vec2(*x, *y)).collect(), fill, stroke)
}
