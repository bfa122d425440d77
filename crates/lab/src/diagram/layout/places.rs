//! Which places are taken by words: no two labels stand on each other.
//!
//! Whoever comes first keeps a place; whoever finds all of its places taken is not shown, and is found
//! by pointing. Deliberately absent: fonts, hence estimates on the safe side.

use std::collections::HashMap;

use twopc_proto::text::Shown;

use crate::diagram::axis::ROW;
use crate::diagram::scene::Point;

/// The height of a label.
const HIGH: f32 = 19.0;
/// What is free between two labels beside each other.
const BETWEEN: f32 = 6.0;

/// The places that are taken, by bands of a row's height.
#[derive(Default)]
pub(super) struct Places {
    bands: HashMap<i32, Vec<Taken>>,
}

#[derive(Clone, Copy)]
struct Taken {
    left: f32,
    right: f32,
    y: f32,
}

impl Places {
    /// Takes the place of a label whose left edge's middle is there, if it is free.
    pub(super) fn take(&mut self, at: Point, width: f32) -> bool {
        let wanted = Taken { left: at.x - BETWEEN, right: at.x + width, y: at.y };
        let band = (at.y / ROW).floor() as i32;
        let is_taken = (band - 1..=band + 1).filter_map(|band| self.bands.get(&band)).flatten().any(|taken| taken.hides(wanted));
        if !is_taken {
            self.bands.entry(band).or_default().push(wanted);
        }
        !is_taken
    }
}

impl Taken {
    fn hides(self, other: Self) -> bool {
        (self.y - other.y).abs() < HIGH && self.left < other.right && other.left < self.right
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
    }

    #[test]
    fn words_that_are_too_long_say_so() {
        assert_eq!(fit("GLOBAL_COMMIT", 200.0), "GLOBAL_COMMIT");
        let short = fit("GLOBAL_COMMIT", 80.0);
        assert!(short.ends_with('…') && width_of(&short) <= 80.0, "{short}");
    }
}
