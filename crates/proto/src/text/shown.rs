//! Text that somebody else wrote, made safe to look at.
//!
//! Deliberately absent: any judgement of the text. It travels, is voted on and is stored as it is;
//! only what a person sees, in a window, a terminal or a diary, goes through here.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use core::fmt::{self, Write};

use unicode_width::UnicodeWidthChar;

/// The most marks on one character that are drawn; no script in use needs more.
pub const MOST_MARKS: usize = 8;

/// A text as it may be shown: on one line, in its own order, everything in it visible.
///
/// - Control characters but the tab, line separators, bidirectional controls and characters that
///   have no width (joiners and fillers too) stand as `<U+202E>`.
/// - Of marks stacked on one character the first 8 are drawn; `<+92>` stands for 92 more.
/// - With [`Self::at_most`], a longer text ends with `…`.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    text: &'a str,
    most: usize,
}

impl<'a> Shown<'a> {
    /// All of a text.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { text, most: usize::MAX }
    }

    /// Clipped to so many characters as shown, the `…` included.
    #[must_use]
    pub fn at_most(self, characters: usize) -> Self {
        Self { most: characters, ..self }
    }

    /// The text itself, where nothing has to be changed.
    #[must_use]
    pub fn to_cow(self) -> Cow<'a, str> {
        let fits = self.text.len() <= self.most;
        if fits && self.text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Cow::Borrowed(self.text);
        }
        Cow::Owned(self.to_string())
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = Clipped { out: f, room: self.most, held: String::new() };
        let mut marks = 0;
        for c in self.text.chars() {
            if is_mark(c) {
                marks += 1;
                if marks > MOST_MARKS {
                    continue;
                }
            } else if !line.more_marks(&mut marks)? {
                return Ok(());
            }
            let went = if is_unseen(c) { line.piece(&alloc::format!("<U+{:04X}>", c as u32))? } else { line.character(c)? };
            if !went {
                return Ok(());
            }
        }
        line.more_marks(&mut marks)?;
        line.finish()
    }
}

/// Lines of our own in which texts of somebody else are repeated: those make no lines of their own,
/// and nothing in them is obeyed.
#[must_use]
pub fn shown_lines<'a>(lines: &str, repeated: impl IntoIterator<Item = &'a str>) -> String {
    let repeated = repeated.into_iter().filter(|text| Shown::new(text).to_cow() != **text);
    let lines = repeated.fold(String::from(lines), |lines, text| lines.replace(text, &Shown::new(text).to_string()));
    let mut shown = String::with_capacity(lines.len());
    for line in lines.lines() {
        shown += &Shown::new(line).to_cow();
        shown.push('\n');
    }
    shown
}

/// Writes characters as long as there is room. The last one that fits is held back: it gives way to
/// the `…` if anything follows.
struct Clipped<'f, 'g> {
    out: &'f mut fmt::Formatter<'g>,
    room: usize,
    /// What may still have to give way: written at the end, or never.
    held: String,
}

impl Clipped<'_, '_> {
    /// Whether there was room; if not, the text has been ended.
    fn character(&mut self, c: char) -> Result<bool, fmt::Error> {
        match self.room {
            usize::MAX => self.out.write_char(c)?,
            0 => return self.clip(),
            1 => {
                self.held.push(c);
                self.room = 0;
            }
            _ => {
                self.out.write_char(c)?;
                self.room -= 1;
            }
        }
        Ok(true)
    }

    /// As [`Self::character`] for an escape, which is shown whole or not at all.
    fn piece(&mut self, escape: &str) -> Result<bool, fmt::Error> {
        let length = escape.len();
        match self.room {
            usize::MAX => self.out.write_str(escape)?,
            room if room < length => return self.clip(),
            room if room == length => {
                self.held.push_str(escape);
                self.room = 0;
            }
            room => {
                self.out.write_str(escape)?;
                self.room = room - length;
            }
        }
        Ok(true)
    }

    /// Says how many marks were left out, and counts from the beginning again.
    fn more_marks(&mut self, marks: &mut usize) -> Result<bool, fmt::Error> {
        let left_out = core::mem::take(marks).saturating_sub(MOST_MARKS);
        if left_out == 0 { Ok(true) } else { self.piece(&alloc::format!("<+{left_out}>")) }
    }

    fn clip(&mut self) -> Result<bool, fmt::Error> {
        self.held.clear();
        self.out.write_char('…')?;
        Ok(false)
    }

    fn finish(&mut self) -> fmt::Result {
        self.out.write_str(&self.held)
    }
}

/// Whether a character is drawn on the one before it.
#[must_use]
pub fn is_mark(c: char) -> bool {
    !is_unseen(c) && c.width() == Some(0)
}

/// Whether a character cannot be seen, or changes how others are seen.
///
/// Left as they are, because marks in use belong to them: variation selectors, which count as marks.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c,
            // Soft hyphen, grapheme joiner, Arabic letter mark, Hangul and Khmer fillers.
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
            // Zero-width spaces and joiners, marks of direction, separators of lines, embeddings.
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            // Word joiner, invisible operators, isolates, deprecated format characters.
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            // Shorthand and musical format controls, tags and the supplement of variation selectors.
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Shown::new(text).to_string()
    }

    #[test]
    fn plain_text_in_any_script_is_shown_as_it_is() {
        for text in ["", "hi", "a\tb", "தமிழ்", "日本語", "Zoe\u{308}", "עִבְרִית", "🙂 ❤\u{fe0f}", "<U+202E>"] {
            assert_eq!(shown(text), text);
        }
        assert!(matches!(Shown::new("plain").to_cow(), Cow::Borrowed("plain")));
    }

    #[test]
    fn what_cannot_be_seen_is_made_visible() {
        assert_eq!(shown("abc\u{202e}cba"), "abc<U+202E>cba");
        assert_eq!(shown("\u{1b}[31mred\r\n\0\u{7f}\u{9b}"), "<U+001B>[31mred<U+000D><U+000A><U+0000><U+007F><U+009B>");
        assert_eq!(shown("a\u{200b}b\u{200d}c\u{feff}\u{2066}\u{2028}\u{ad}"), "a<U+200B>b<U+200D>c<U+FEFF><U+2066><U+2028><U+00AD>");
        assert_eq!(shown("\u{e0041}"), "<U+E0041>");
    }

    #[test]
    fn what_is_repeated_makes_no_line_of_its_own() {
        assert_eq!(shown_lines("usage:\n'a\nb'\n\n\u{1b}c", ["a\nb", "usage"]), "usage:\n'a<U+000A>b'\n\n<U+001B>c\n");
    }

    #[test]
    fn a_flood_of_marks_is_counted_and_not_drawn() {
        let flood = "x".to_string() + &"\u{301}".repeat(100) + "y";
        assert_eq!(shown(&flood), "x".to_string() + &"\u{301}".repeat(8) + "<+92>y");
        let at_the_end = "\u{301}".repeat(9);
        assert_eq!(shown(&at_the_end), "\u{301}".repeat(8) + "<+1>");
    }

    #[test]
    fn a_long_text_is_clipped_to_the_characters_asked_for() {
        for (text, most, clipped) in [
            ("hello", 5, "hello"),
            ("hello", 4, "hel…"),
            ("hello", 1, "…"),
            ("", 1, ""),
            ("தமிழ்", 3, "தம…"),
            ("ab\u{202e}", 10, "ab<U+202E>"),
            ("ab\u{202e}c", 10, "ab…"),
            ("ab\u{202e}", 9, "ab…"),
        ] {
            assert_eq!(Shown::new(text).at_most(most).to_string(), clipped, "{text:?} in {most}");
            assert_eq!(Shown::new(text).at_most(most).to_cow(), clipped, "{text:?} in {most}");
        }
    }
}
