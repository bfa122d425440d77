//! Text on the screen: other people's lines, which may hold anything, and our own sentences.
//!
//! Nothing that somebody else wrote is drawn but through here, so that a bidirectional control is
//! seen and not obeyed, and a line of a megabyte costs no more than one that fits.

use egui::{Label, Response, RichText, TextStyle, Ui};
use twopc_proto::text::Shown;

use crate::mark;
use crate::palette::Palette;

/// The most characters of one line that are laid out; more than fit on any screen.
const DRAWN: usize = 1_000;
/// The most characters that are shown when a clipped line is pointed at: the longest string that
/// can be committed is seen whole.
const WHOLE: usize = twopc_proto::text::MAX_STRING;

/// One line, clipped with `…` where the space ends, and shown whole when pointed at. `look` gives it
/// a colour or a size.
pub fn line_ui(ui: &mut Ui, text: &str, look: impl FnOnce(RichText) -> RichText) -> Response {
    let is_long = text.len() > DRAWN;
    let drawn = Shown::new(text).at_most(DRAWN).to_cow().into_owned();
    let label = Label::new(look(RichText::new(drawn))).truncate().show_tooltip_when_elided(!is_long);
    let response = ui.add(label);
    if is_long { response.on_hover_ui(|ui| whole_ui(ui, text)) } else { response }
}

/// How wide words of our own are on one line.
#[must_use]
pub fn width(ui: &Ui, words: &str, style: &TextStyle) -> f32 {
    ui.painter().layout_no_wrap(words.to_owned(), style.resolve(ui.style()), ui.visuals().text_color()).size().x
}

fn whole_ui(ui: &mut Ui, text: &str) {
    ui.set_max_width(ui.spacing().tooltip_width);
    ui.label(Shown::new(text).at_most(WHOLE).to_cow().into_owned());
    if text.len() > WHOLE {
        ui.weak(format!("The line has {} bytes; a right click copies all of it.", text.len()));
    }
}

/// A string as it stands in a sentence: safe to look at, short, in quotation marks.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("“{}”", Shown::new(text).at_most(DRAWN))
}

/// A sentence about something that went wrong, in red words behind a shape, wrapped. A screen reader
/// says it when it appears.
pub fn error_ui(ui: &mut Ui, sentence: &str) -> Response {
    let error = Palette::of(ui.visuals()).error;
    let row = ui.horizontal_top(|ui| {
        mark::trouble_ui(ui);
        let drawn = Shown::new(sentence).at_most(WHOLE).to_cow().into_owned();
        let label = ui.add(Label::new(RichText::new(drawn).color(error)).wrap());
        mark::announce(&label);
        label
    });
    row.inner
}

/// Names in a row: `alice`, `alice and bob`, `alice, bob or carol`.
#[must_use]
pub fn listed<S: AsRef<str>>(names: &[S], last: &str) -> String {
    match names {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., end] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} {last} {}", first.join(", "), end.as_ref())
        }
    }
}

/// Words as the beginning of a sentence.
#[must_use]
pub fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_as_one_says_them() {
        assert_eq!(listed::<&str>(&[], "and"), "");
        assert_eq!(listed(&["alice"], "and"), "alice");
        assert_eq!(listed(&["alice", "bob"], "and"), "alice and bob");
        assert_eq!(listed(&["alice", "bob", "carol"], "or"), "alice, bob or carol");
    }

    #[test]
    fn a_quoted_string_shows_what_would_steer_the_text() {
        assert_eq!(quoted("a\u{202e}b"), "“a<U+202E>b”");
    }
}
