//! The place that a window is given by whoever starts it.
//!
//! Deliberately absent: the place that a window keeps for itself from one life to the next; a given
//! one wins over it.

use std::fmt;
use std::str::FromStr;

use egui::{Pos2, Vec2, pos2, vec2};

/// Where a window is to stand: points of the screen, before any zoom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// The upper left corner of its frame; on a second screen it may be negative. Wayland places
    /// windows itself and takes only the size.
    pub at: Pos2,
    /// The size of what is inside the frame.
    pub size: Vec2,
}

/// What was given is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPlace;

impl Place {
    /// The variable that gives a window its place: `X,Y,WIDTH,HEIGHT`.
    pub const VARIABLE: &'static str = "TWOPC_WINDOW_PLACE";

    /// The place that this program's window was given, if it was given one.
    #[must_use]
    pub fn given() -> Option<Self> {
        std::env::var(Self::VARIABLE).ok()?.parse().ok()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{},{}", self.at.x, self.at.y, self.size.x, self.size.y)
    }
}

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let numbers: Vec<f32> = text.split(',').map(|number| number.trim().parse().map_err(|_| NoPlace)).collect::<Result<_, _>>()?;
        match numbers[..] {
            [x, y, width, height] if numbers.iter().all(|number| number.is_finite()) && width > 0.0 && height > 0.0 => {
                Ok(Self { at: pos2(x, y), size: vec2(width, height) })
            }
            _ => Err(NoPlace),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        let place = Place { at: pos2(-1920.0, 32.5), size: vec2(636.0, 459.0) };
        assert_eq!(place.to_string(), "-1920,32.5,636,459");
        assert_eq!(place.to_string().parse(), Ok(place));
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in ["", "1,2,3", "1,2,3,4,5", "1,2,0,4", "1,2,3,-4", "NaN,2,3,4", "1,inf,3,4", "a,b,c,d"] {
            assert_eq!(text.parse::<Place>(), Err(NoPlace), "{text}");
        }
    }
}
