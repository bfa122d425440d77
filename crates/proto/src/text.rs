//! One line of text: the rule for chat lines, the time before them, the strings that are voted on.

mod shown;

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use serde::{Deserialize, Serialize};

pub use shown::{MOST_MARKS, Shown, is_mark, is_unseen, shown_lines};

/// The most bytes of UTF-8 that a string to be committed has.
pub const MAX_STRING: usize = 4096;

/// Whether a text is one line: no control character (category Cc) but tab, no U+2028, no U+2029.
///
/// Everything else travels as it is, bidirectional controls too; making it safe to look at is the
/// business of whoever shows it ([`Shown`]).
#[must_use]
pub fn is_one_line(text: &str) -> bool {
    !text.chars().any(|c| (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}'))
}

/// A chat line as this project's programs send it: `H:MM:SS:text`, where the time is what has passed
/// since the sender's message before.
#[must_use]
pub fn timed(passed: Duration, text: &str) -> String {
    let seconds = passed.as_secs();
    format!("{}:{:02}:{:02}:{text}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A chat line's time and text. A line that does not begin with a time is text alone, and a time
/// that stands in the text is not taken for one.
#[must_use]
pub fn split_time(line: &str) -> (Option<&str>, &str) {
    let hours = line.bytes().take_while(u8::is_ascii_digit).count();
    let after_hours = &line.as_bytes()[hours..];
    match after_hours {
        [b':', b'0'..=b'5', b'0'..=b'9', b':', b'0'..=b'5', b'0'..=b'9', b':', ..] if hours > 0 => {
            (Some(&line[..hours + 6]), &line[hours + 7..])
        }
        _ => (None, line),
    }
}

/// The string that a coordinator's chat line proposes, if its text begins with `string:` in any
/// case: the rest, without the blanks around it. It may be empty, or too long to be voted on.
#[must_use]
pub fn proposal(line: &str) -> Option<&str> {
    const MARK: &str = "string:";
    let (_, text) = split_time(line);
    let mark = text.get(..MARK.len())?;
    mark.eq_ignore_ascii_case(MARK).then(|| text[MARK.len()..].trim_matches([' ', '\t']))
}

/// A string that can be voted on and stand in a text file: one line of 1 to 4,096 bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommittedString(Arc<str>);

/// Why a text cannot be voted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StringError {
    /// Nothing but blanks was given.
    #[error("there is no text after \"string:\"; write the string to be stored there")]
    Empty,
    /// More than [`MAX_STRING`] bytes.
    #[error("the string is longer than 4,096 bytes; please shorten it")]
    TooLong,
    /// A line break or another control character.
    #[error("the string has a line break or a control character in it; please take it out")]
    NotOneLine,
}

impl CommittedString {
    /// Takes a text as it is.
    ///
    /// # Errors
    /// A [`StringError`] that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, StringError> {
        if text.is_empty() {
            Err(StringError::Empty)
        } else if text.len() > MAX_STRING {
            Err(StringError::TooLong)
        } else if !is_one_line(text) {
            Err(StringError::NotOneLine)
        } else {
            Ok(Self(text.into()))
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CommittedString {
    type Error = StringError;
    fn try_from(text: String) -> Result<Self, StringError> {
        Self::parse(&text)
    }
}

impl From<CommittedString> for String {
    fn from(string: CommittedString) -> Self {
        String::from(&*string.0)
    }
}

impl fmt::Debug for CommittedString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_carries_the_time_since_the_one_before() {
        for (seconds, line) in [(0, "0:00:00:hi"), (17, "0:00:17:hi"), (3_661, "1:01:01:hi"), (360_000, "100:00:00:hi")] {
            assert_eq!(timed(Duration::from_secs(seconds), "hi"), line);
            assert_eq!(split_time(line), (Some(&line[..line.len() - 3]), "hi"));
        }
    }

    #[test]
    fn the_time_is_taken_off_once_and_only_if_it_is_one() {
        assert_eq!(split_time("0:00:03:1:02:03:x"), (Some("0:00:03"), "1:02:03:x"));
        assert_eq!(split_time("0:00:03:"), (Some("0:00:03"), ""));
        for line in ["", "hi", ":00:00:x", "0:0:00:x", "0:60:00:x", "0:00:60:x", "0:00:00", "0:00:00 x", "a0:00:00:x", "\u{664}:00:00:x"] {
            assert_eq!(split_time(line), (None, line));
        }
    }

    #[test]
    fn a_proposal_is_what_follows_the_word_string() {
        for (line, string) in [
            ("0:00:17:string: Hello", Some("Hello")),
            ("string:Hello", Some("Hello")),
            ("0:00:17:STRING:\t a  b \t", Some("a  b")),
            ("0:00:17:String:", Some("")),
            ("0:00:17:string: string: x", Some("string: x")),
            ("0:00:17: string: Hello", None),
            ("0:00:17:string Hello", None),
            ("0:00:17:strin", None),
            ("0:00:17:strin\u{e9}: x", None),
        ] {
            assert_eq!(proposal(line), string, "{line:?}");
        }
    }

    #[test]
    fn a_line_has_no_control_character_but_the_tab() {
        for text in ["", "a\tb", "\u{202e}abc", "zoe\u{308}", "\u{1f468}\u{200d}\u{1f469}"] {
            assert!(is_one_line(text), "{text:?}");
        }
        for text in ["a\nb", "a\r", "\0", "\u{1b}[31m", "\u{7f}", "\u{85}", "\u{9b}", "a\u{2028}b", "a\u{2029}b"] {
            assert!(!is_one_line(text), "{text:?}");
        }
    }
}
