//! Going through a run: a slider over its events, a step back and on, and what has just changed.
//!
//! Deliberately absent: the run.

use egui::{Slider, Ui};
use twopc_ui::button::button_ui;
use twopc_ui::text::line_ui;
use twopc_ui::theme::{UNIT, side_button};

use super::Wish;
use crate::diagram::{Pick, clock, detail};
use crate::watched::Watched;

/// The least that a slider needs, and what its number and the time beside it take.
const SLIDER: f32 = 12.0 * UNIT;
const BESIDE: f32 = 22.0 * UNIT;

/// Draws the slider; `is_playing` while the run is played on by itself, `follows` while the diagram shows the end.
pub(super) fn scrub_ui(ui: &mut Ui, watched: &Watched, is_playing: bool, follows: bool, wishes: &mut Vec<Wish>) {
    ui.horizontal_wrapped(|ui| {
        let (place, all) = (watched.place(), watched.events().len());
        let mut press = |ui: &mut Ui, can: Result<(), &str>, word: &'static str, wish: Wish| {
            if button_ui(ui, can, side_button(word)).clicked() {
                wishes.push(wish);
            }
        };
        press(ui, if place > 0 { Ok(()) } else { Err("This is the beginning.") }, "Back", Wish::Step(-1));
        press(ui, if watched.is_at_end() { Err("This is the end.") } else { Ok(()) }, "On", Wish::Step(1));
        press(ui, Ok(()), if is_playing { "Stop" } else { "Run on" }, Wish::Run(!is_playing));
        let is_there = watched.is_at_end() && follows;
        press(ui, if is_there { Err("This is the end.") } else { Ok(()) }, "To the end", Wish::Seek(all));
        if ui.available_size_before_wrap().x < SLIDER + BESIDE {
            ui.end_row();
        }
        let mut to = place;
        ui.spacing_mut().slider_width = (ui.available_size_before_wrap().x - BESIDE).clamp(SLIDER, 600.0);
        // The number beside it has its name from the slider.
        if ui.add(Slider::new(&mut to, 0..=all)).accessible_name("Event").changed() {
            wishes.push(Wish::Seek(to));
        }
        ui.label(clock(watched.now_us()));
    });
    // Always one line high: what is above it stays where it is from event to event.
    line_ui(ui, &last_told(watched), |text| text);
}

/// What happened last, in a few words.
fn last_told(watched: &Watched) -> String {
    let chart = watched.chart();
    chart.last().map_or_else(String::new, |last| detail::sentence(chart, Pick::Entry(last)))
}
