//! The picture that stands for a window in lists of windows: the two halves of a decision.

use egui::{Color32, IconData};

use crate::palette::Palette;

/// Pixels along one side.
const SIDE: u32 = 64;

/// A disc, promised on its left and committed on its right.
#[must_use]
pub fn icon() -> IconData {
    let pixels = (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| pixel(x, y)));
    IconData { rgba: pixels.flat_map(|colour| colour.to_srgba_unmultiplied()).collect(), width: SIDE, height: SIDE }
}

fn pixel(x: u32, y: u32) -> Color32 {
    let from_centre = |i: u32| i as f32 + 0.5 - SIDE as f32 / 2.0;
    let (x, y) = (from_centre(x), from_centre(y));
    let radius = x.hypot(y);
    // One pixel of transition at the rim.
    let cover = (SIDE as f32 / 2.0 - radius).clamp(0.0, 1.0);
    let colour = if x.abs() < 2.0 {
        Color32::WHITE
    } else if x < 0.0 {
        Palette::LIGHT.amber
    } else {
        Palette::LIGHT.green
    };
    colour.gamma_multiply(cover)
}
