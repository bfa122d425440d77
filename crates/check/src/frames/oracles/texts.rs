//! Texts: what a person sees of them is harmless, and the time before a line is told from the line.

use std::time::Duration;

use twopc_proto::CommittedString;
use twopc_proto::text::{Shown, is_one_line, proposal, split_time, timed};

use super::hold;
use crate::chance::Chance;

/// A text: words, scripts, marks, and all that changes how others are seen.
pub fn make(chance: &mut Chance) -> Vec<u8> {
    const PARTS: [&str; 24] = [
        "hi",
        "0:00:17:",
        "string:",
        "STRING:",
        " ",
        "\t",
        "தமிழ்",
        "日本語",
        "e\u{301}",
        "\u{301}",
        "\u{202e}",
        "\u{2066}",
        "\u{200b}",
        "\u{1b}[31m",
        "\0",
        "\r\n",
        "\u{9b}",
        "\u{2028}",
        "<U+202E>",
        "<+3>",
        "🙂\u{fe0f}",
        "\u{e0041}",
        "12:59:59:",
        "…",
    ];
    let mut text = Vec::new();
    for _ in 0..chance.index(12) {
        match chance.index(16) {
            0 => text.push(chance.byte()),
            1 => text.extend("\u{301}".repeat(chance.index(40)).bytes()),
            2 => {
                let any = u32::try_from(chance.index(0x11_0000)).ok().and_then(char::from_u32);
                text.extend(any.unwrap_or('x').to_string().bytes());
            }
            _ => text.extend_from_slice(chance.one_of(&PARTS).as_bytes()),
        }
    }
    text
}

/// Judges a text. It is in order if it is one line.
///
/// # Errors
/// What is wrong with what became of it.
pub fn judge(input: &[u8]) -> Result<bool, String> {
    let text = &*String::from_utf8_lossy(input);
    let line = one_line(text);
    hold(is_one_line(text) == line, || format!("is_one_line is wrong about {text:?}."))?;
    let sound = line && (1..=4_096).contains(&text.len());
    hold(CommittedString::parse(text).is_ok() == sound, || format!("It can be voted on, or cannot: {text:?}."))?;
    judge_shown(text)?;
    judge_time(text)?;
    Ok(line)
}

/// One line, said a second time.
pub(super) fn one_line(text: &str) -> bool {
    text.chars().all(|c| !matches!(c, '\0'..='\u{8}' | '\u{a}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}'))
}

/// Must never reach a screen as it is.
fn is_hostile(c: char) -> bool {
    let control = c != '\t' && !one_line(c.encode_utf8(&mut [0; 4]));
    let direction = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let unseen = matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{ad}' | '\u{e0001}'..='\u{e007f}');
    control || direction || unseen
}

fn judge_shown(text: &str) -> Result<(), String> {
    let shown = Shown::new(text).to_string();
    if let Some(c) = shown.chars().find(|c| is_hostile(*c)) {
        return Err(format!("{c:?} of {text:?} is shown as it is."));
    }
    let mut marks = 0;
    for c in shown.chars() {
        marks = if matches!(c, '\u{300}'..='\u{36f}') { marks + 1 } else { 0 };
        hold(marks <= 8, || format!("{text:?} is shown with {marks} marks on one character."))?;
    }
    hold(Shown::new(&shown).to_string() == shown, || format!("What is shown of {text:?} is shown otherwise."))?;
    if !text.contains('<') && !shown.contains("<+") {
        hold(unescaped(&shown) == text, || format!("What is shown of {text:?} does not say what it was."))?;
    }
    hold(Shown::new(text).to_cow() == shown, || format!("{text:?} is shown in two ways."))?;
    let whole = shown.chars().count();
    for most in [1, 2, 7, 8, 9, whole.max(1), whole + 1] {
        let clipped = Shown::new(text).at_most(most).to_string();
        hold(Shown::new(text).at_most(most).to_cow() == clipped, || format!("{text:?} in {most} is shown in two ways."))?;
        let fits = clipped.chars().count() <= most;
        let sound = if whole <= most {
            clipped == shown
        } else {
            clipped.strip_suffix('…').is_some_and(|beginning| shown.starts_with(beginning))
        };
        hold(fits && sound, || format!("{text:?} in {most} characters is {clipped:?}."))?;
    }
    Ok(())
}

/// The text that was shown with escapes.
fn unescaped(shown: &str) -> String {
    let mut pieces = shown.split("<U+");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (code, rest) = piece.split_once('>').unwrap_or(("", piece));
        text.extend(u32::from_str_radix(code, 16).ok().and_then(char::from_u32));
        text.push_str(rest);
    }
    text
}

fn judge_time(line: &str) -> Result<(), String> {
    let expected = time_and_text(line);
    hold(split_time(line) == expected, || format!("{line:?} is split into {:?}.", split_time(line)))?;
    let text = expected.1;
    let proposed = text.get(..7).filter(|word| word.to_lowercase() == "string:").map(|_| text[7..].trim_matches([' ', '\t']));
    hold(proposal(line) == proposed, || format!("{line:?} proposes {:?}.", proposal(line)))?;
    let again = timed(Duration::from_secs(line.len() as u64 * 997), line);
    hold(split_time(&again).1 == line, || format!("The time before {line:?} does not come off again."))
}

/// `H:MM:SS:text`, said a second time.
fn time_and_text(line: &str) -> (Option<&str>, &str) {
    let parts: Vec<&str> = line.splitn(4, ':').collect();
    let [hours, minutes, seconds, text] = parts[..] else { return (None, line) };
    let sixty = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()) && part.parse().is_ok_and(|n: u8| n < 60);
    if hours.is_empty() || !hours.bytes().all(|byte| byte.is_ascii_digit()) || !sixty(minutes) || !sixty(seconds) {
        return (None, line);
    }
    (Some(&line[..line.len() - text.len() - 1]), text)
}
