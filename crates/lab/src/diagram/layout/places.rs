//! Where words stand: never on each other or on a shape, and on as few lines as can be.
//!
//! Whoever comes first keeps a place; whoever finds all of its places taken is not shown, and is found
//! by pointing. Deliberately absent: fonts, hence estimates on the safe side.

use std::collections::HashMap;

use twopc_proto::text::Shown;

use crate::diagram::axis::ROW;
use crate::diagram::chart::MessageId;
use crate::diagram::scene::Point;

/// Half the height of a label.
const HALF: f32 = 9.5;
/// What is free between two labels beside each other.
const BETWEEN: f32 = 6.0;
/// What it costs to stand on another message's line, and on a lane's.
const ON_MESSAGE: f32 = 3.0;
const ON_LANE: f32 = 2.0;

/// The places that are taken, and the lines that would be hidden.
#[derive(Default)]
pub(super) struct Places {
    /// By bands of a row's height.
    bands: HashMap<i32, Vec<Area>>,
    lines: Vec<Drawn>,
}

/// A rectangle.
#[derive(Clone, Copy)]
struct Area {
    left: f32,
    right: f32,
    top: f32,
    bottom: f32,
}

struct Drawn {
    from: Point,
    to: Point,
    of: Option<MessageId>,
}

impl Places {
    /// Takes the place of a label whose left edge's middle is there, if it is free.
    pub(super) fn take(&mut self, at: Point, width: f32) -> bool {
        let wanted = Area::of_label(at, width);
        let is_free = self.is_free(wanted);
        if is_free {
            self.keep(wanted);
        }
        is_free
    }

    /// Keeps the place of a shape.
    pub(super) fn keep_shape(&mut self, middle: Point, reach: f32) {
        let Point { x, y } = middle;
        self.keep(Area { left: x - reach, right: x + reach, top: y - reach, bottom: y + reach });
    }

    /// A line that words had better not hide: a message's, or a lane's.
    pub(super) fn keep_line(&mut self, from: Point, to: Point, of: Option<MessageId>) {
        self.lines.push(Drawn { from, to, of });
    }

    /// Takes the best of the places that are free for a label, each with what it costs by itself. The line
    /// that the label names may be hidden.
    pub(super) fn choose(&mut self, spots: impl IntoIterator<Item = (Point, f32)>, width: f32, of: Option<MessageId>) -> Option<Point> {
        let mut best: Option<(f32, Point)> = None;
        for (spot, cost) in spots {
            let area = Area::of_label(spot, width);
            if best.is_some_and(|(least, _)| least <= cost) || !self.is_free(area) {
                continue;
            }
            let cost = cost + self.hidden_by(area, of);
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, spot));
            }
        }
        let (_, spot) = best?;
        self.keep(Area::of_label(spot, width));
        Some(spot)
    }

    fn hidden_by(&self, area: Area, of: Option<MessageId>) -> f32 {
        let hidden = self.lines.iter().filter(|line| (line.of.is_none() || line.of != of) && area.meets(line));
        hidden.map(|line| if line.of.is_some() { ON_MESSAGE } else { ON_LANE }).sum()
    }

    fn is_free(&self, wanted: Area) -> bool {
        !wanted.bands().filter_map(|band| self.bands.get(&band)).flatten().any(|taken| taken.overlaps(wanted))
    }

    fn keep(&mut self, area: Area) {
        for band in area.bands() {
            self.bands.entry(band).or_default().push(area);
        }
    }
}

impl Area {
    fn of_label(at: Point, width: f32) -> Self {
        Self { left: at.x - BETWEEN, right: at.x + width, top: at.y - HALF, bottom: at.y + HALF }
    }

    fn bands(self) -> std::ops::RangeInclusive<i32> {
        (self.top / ROW).floor() as i32..=(self.bottom / ROW).floor() as i32
    }

    fn overlaps(self, other: Self) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    /// Whether any part of a line lies within: what is left of it between the edges (Liang and Barsky).
    fn meets(self, line: &Drawn) -> bool {
        let (dx, dy) = (line.to.x - line.from.x, line.to.y - line.from.y);
        let (mut from, mut to) = (0.0_f32, 1.0_f32);
        let (x, y) = (line.from.x, line.from.y);
        for (way, room) in [(-dx, x - self.left), (dx, self.right - x), (-dy, y - self.top), (dy, self.bottom - y)] {
            if way.abs() < f32::EPSILON {
                if room < 0.0 {
                    return false;
                }
            } else if way < 0.0 {
                from = from.max(room / way);
            } else {
                to = to.min(room / way);
            }
        }
        from <= to
    }
}

/// How wide words are at most in the body's size.
pub(super) fn width_of(text: &str) -> f32 {
    text.chars().map(advance).sum()
}

fn advance(c: char) -> f32 {
    match c {
        'i' | 'j' | 'l' | 'I' | ' ' | '.' | ',' | ':' | ';' | '\'' | '|' => 5.5,
        'm' | 'w' | 'M' | 'W' => 13.0,
        'A'..='Z' | '_' | '#' | '→' | '⋯' | '<' | '>' | '+' => 9.6,
        'a'..='z' => 8.0,
        '\0'..='\u{2fff}' => 9.0,
        _ => 17.0,
    }
}

/// Words that take no more than so much.
pub(super) fn fit(text: &str, room: f32) -> String {
    if width_of(text) <= room {
        return text.to_owned();
    }
    let mut left = room - 11.0;
    let most = text.chars().take_while(|c| {
        left -= advance(*c);
        left >= 0.0
    });
    Shown::new(text).at_most(most.count() + 1).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagram::scene::at;

    #[test]
    fn a_place_is_taken_once() {
        let mut places = Places::default();
        assert!(places.take(at(10.0, 100.0), 50.0));
        assert!(!places.take(at(40.0, 108.0), 50.0), "on it");
        assert!(!places.take(at(0.0, 90.0), 20.0), "on it, in the band above");
        assert!(places.take(at(70.0, 100.0), 50.0), "beside it");
        assert!(places.take(at(10.0, 126.0), 50.0), "under it");
        places.keep_shape(at(200.0, 100.0), 8.0);
        assert!(!places.take(at(150.0, 100.0), 50.0), "on a shape");
    }

    #[test]
    fn words_stand_where_they_hide_least() {
        let spots = [(at(10.0, 100.0), 0.0), (at(10.0, 140.0), 0.5), (at(10.0, 180.0), 0.7)];
        let (other, own) = (MessageId::at(1), MessageId::at(2));
        let chosen = |of: Option<MessageId>| {
            let mut places = Places::default();
            places.keep_line(at(0.0, 90.0), at(100.0, 110.0), Some(other));
            places.keep_line(at(30.0, 120.0), at(30.0, 160.0), None);
            places.choose(spots, 50.0, of)
        };
        assert_eq!(chosen(Some(other)), Some(at(10.0, 100.0)), "its own line may be hidden");
        assert_eq!(chosen(Some(own)), Some(at(10.0, 180.0)), "neither another's line nor a lane");
        let mut places = Places::default();
        places.take(at(10.0, 100.0), 50.0);
        assert_eq!(places.choose(spots, 50.0, None), Some(at(10.0, 140.0)), "what is taken costs nothing, and is not to be had");
        assert_eq!(places.choose(spots[..2].iter().copied(), 50.0, None), None);
    }

    #[test]
    fn words_that_are_too_long_say_so() {
        assert_eq!(fit("GLOBAL_COMMIT", 200.0), "GLOBAL_COMMIT");
        let short = fit("GLOBAL_COMMIT", 80.0);
        assert!(short.ends_with('…') && width_of(&short) <= 80.0, "{short}");
    }
}
