//! A scenario as a file: what it is about, and its steps, a line each.
//!
//! ```text
//! # Lines that begin with # are for whoever reads the file.
//! title: Everybody votes commit
//! watch: Each participant writes READY before its vote leaves.
//! question: All of them press Commit. What becomes of the string?
//! outcome: commit
//! reason: The coordinator has a VOTE_COMMIT of every participant.
//! book: coordinator in WAIT, all votes are VOTE_COMMIT: GLOBAL_COMMIT
//!
//! chair says string: Hello
//! chair presses Request
//! everybody presses Commit
//! until done
//! ```
//!
//! Deliberately absent: the playing.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use super::step::{self, Step};
use super::suits::{can_die, suits};
use crate::error::in_words;
use crate::member::{Tempo, members};

/// What becomes of the last transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every participant's text file has the string.
    Commit,
    /// Nobody's has it.
    Abort,
    /// A participant stays in doubt, and nobody who can be reached may decide.
    Blocked,
}

/// A scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// The file, as it was read.
    pub source: String,
    /// What it is called.
    pub title: String,
    /// What to watch.
    pub watch: String,
    /// What to guess before it runs.
    pub question: String,
    /// What comes of it.
    pub outcome: Outcome,
    /// Why.
    pub reason: String,
    /// The row of the book that says so.
    pub book: String,
    /// How many participants there are.
    pub participants: usize,
    /// How long a vote may take, and how long a participant waits before it asks.
    pub tempo: Tempo,
    /// Who dies where, from the beginning.
    pub crashes: Vec<(String, String)>,
    /// What is done, with the number of its line.
    pub steps: Vec<(usize, Step)>,
}

/// Why a file is no scenario.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// It cannot be read.
    #[error("{file} cannot be read: {}. Name a scenario's file, or a folder of them.", in_words(error))]
    Io {
        /// The file.
        file: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// A line is wrong.
    #[error("{file}, line {line}: {why}.")]
    Line {
        /// The file.
        file: String,
        /// From 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// There is none in a folder.
    #[error("{folder} has no scenario in it: name a file, or a folder with files that end in .scenario.")]
    Empty {
        /// The folder.
        folder: String,
    },
    /// Something is not said.
    #[error("{file} does not say its {what}: write a line that begins with {what}:")]
    Missing {
        /// The file.
        file: String,
        /// What.
        what: &'static str,
    },
}

impl Scenario {
    /// What is done, as it stands in the file, with the numbers of its lines: who dies where, and the steps.
    pub fn told(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = (1..).zip(self.source.lines()).map(|(number, line)| (number, line.trim()));
        let is_crash = |line: &str| line.split_once(':').is_some_and(|(word, _)| word.trim_end() == "crash");
        lines.filter(move |(number, line)| is_crash(line) || self.steps.iter().any(|(step, _)| step == number))
    }

    /// Reads a scenario's file.
    ///
    /// # Errors
    /// A sentence that says what to mend.
    pub fn open(path: &Path) -> Result<Self, TextError> {
        let file = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| TextError::Io { file: file.clone(), error })?;
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
            TextError::Line { file: file.clone(), line, why: String::from("it is not text; save the file as UTF-8") }
        })?;
        Self::read(&file, text)
    }

    /// Reads a scenario's text; `file` is what it is called in an error.
    ///
    /// # Errors
    /// A sentence that says what to mend.
    pub fn read(file: &str, text: &str) -> Result<Self, TextError> {
        let mut draft = Draft::default();
        // An editor may have put a mark before the first line that nobody sees.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (line, content) in (1..).zip(text.lines()) {
            let content = content.trim();
            if !content.is_empty() && !content.starts_with('#') {
                draft.take(line, content).map_err(|why| TextError::Line { file: file.into(), line, why })?;
            }
        }
        draft.finish(file, text)
    }
}

/// What has been read of a file.
#[derive(Default)]
struct Draft {
    title: Option<String>,
    watch: Option<String>,
    question: Option<String>,
    outcome: Option<Outcome>,
    reason: Option<String>,
    book: Option<String>,
    participants: Option<usize>,
    vote_timeout: Option<Duration>,
    grace: Option<Duration>,
    /// Who dies where, with the number of the line that says so.
    crashes: Vec<(usize, (String, String))>,
    steps: Vec<(usize, Step)>,
}

impl Draft {
    fn take(&mut self, line: usize, content: &str) -> Result<(), String> {
        let header = content.split_once(':').map(|(name, value)| (name.trim(), value.trim()));
        match header {
            Some(("title", value)) => once(&mut self.title, value.into()),
            Some(("watch", value)) => once(&mut self.watch, value.into()),
            Some(("question", value)) => once(&mut self.question, value.into()),
            Some(("reason", value)) => once(&mut self.reason, value.into()),
            Some(("book", value)) => once(&mut self.book, value.into()),
            Some(("outcome", value)) => once(&mut self.outcome, outcome(value)?),
            Some(("participants", value)) => once(&mut self.participants, participants(value)?),
            Some(("vote timeout", value)) => once(&mut self.vote_timeout, seconds(value)?),
            Some(("grace", value)) => once(&mut self.grace, seconds(value)?),
            Some(("crash", value)) => crash(value).map(|crash| self.crashes.push((line, crash))),
            Some((word, _)) if !word.contains(' ') && Step::read(content).is_err() => {
                Err(format!("{word} is nothing that a scenario says of itself, and the line is no step either"))
            }
            Some(_) | None => Step::read(content).map(|step| self.steps.push((line, step))),
        }
    }

    fn finish(self, file: &str, source: &str) -> Result<Scenario, TextError> {
        let missing = |what: &'static str| TextError::Missing { file: file.into(), what };
        let wrong = |line: usize, why: String| TextError::Line { file: file.into(), line, why };
        let participants = self.participants.unwrap_or(3);
        let room = members(participants);
        for (line, (who, point)) in &self.crashes {
            can_die(who, point, &room).map_err(|why| wrong(*line, why))?;
        }
        for (line, step) in &self.steps {
            suits(step, &room).map_err(|why| wrong(*line, why))?;
        }
        if self.steps.is_empty() {
            let why = String::from("the file ends without a step; say what is to be done, a line each");
            return Err(wrong(source.lines().count().max(1), why));
        }
        Ok(Scenario {
            source: source.into(),
            title: self.title.ok_or(missing("title"))?,
            watch: self.watch.ok_or(missing("watch"))?,
            question: self.question.ok_or(missing("question"))?,
            outcome: self.outcome.ok_or(missing("outcome"))?,
            reason: self.reason.ok_or(missing("reason"))?,
            book: self.book.ok_or(missing("book"))?,
            participants,
            tempo: Tempo { vote_timeout: self.vote_timeout, grace: self.grace },
            crashes: self.crashes.into_iter().map(|(_, crash)| crash).collect(),
            steps: self.steps,
        })
    }
}

/// Takes what is said once.
fn once<T>(place: &mut Option<T>, value: T) -> Result<(), String> {
    if place.replace(value).is_none() { Ok(()) } else { Err(String::from("this was said before")) }
}

fn outcome(value: &str) -> Result<Outcome, String> {
    match value {
        "commit" => Ok(Outcome::Commit),
        "abort" => Ok(Outcome::Abort),
        "blocked" => Ok(Outcome::Blocked),
        _ => Err(format!("an outcome is commit, abort or blocked, not {value}")),
    }
}

fn participants(value: &str) -> Result<usize, String> {
    let count = value.parse().ok().filter(|count| (1..=8).contains(count));
    count.ok_or(format!("a scenario has 1 to 8 participants, not {value}"))
}

/// `2.5`, or with its unit.
fn seconds(value: &str) -> Result<Duration, String> {
    let (number, unit) = value.split_once(' ').unwrap_or((value, "s"));
    step::span(number, unit.trim())
}

/// `chair at after:send:GLOBAL_COMMIT:1`
fn crash(value: &str) -> Result<(String, String), String> {
    let (who, point) = value.split_once(" at ").ok_or(String::from("a crash is NAME at POINT, such as chair at after:log:COMMIT"))?;
    Ok((step::program(who.trim())?, String::from(point.trim())))
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Commit => "commit",
            Self::Abort => "abort",
            Self::Blocked => "blocked",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "# For a class.\ntitle: T\nwatch: W\nquestion: Q?\noutcome: blocked\nreason: R: because\nbook: B\n\
                         participants: 2\nvote timeout: 2.5\ngrace: 500 ms\ncrash: chair at after:send:GLOBAL_COMMIT:1\n\n\
                         chair says string: Hello\nuntil done\n";

    #[test]
    fn a_scenario_says_what_it_is_about_and_what_to_do() {
        let scenario = Scenario::read("f", WHOLE).unwrap();
        assert_eq!((scenario.title.as_str(), scenario.reason.as_str(), scenario.participants), ("T", "R: because", 2));
        assert_eq!(scenario.outcome, Outcome::Blocked);
        assert_eq!(scenario.tempo.vote_timeout, Some(Duration::from_millis(2_500)));
        assert_eq!(scenario.tempo.grace, Some(Duration::from_millis(500)));
        assert_eq!(scenario.crashes, [(String::from("chair"), String::from("after:send:GLOBAL_COMMIT:1"))]);
        assert_eq!(scenario.steps.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [13, 14]);
    }

    #[test]
    fn what_is_missing_or_wrong_is_said_with_its_line() {
        for (text, sentence) in [
            (WHOLE.replace("title: T\n", ""), "f does not say its title: write a line that begins with title:"),
            (WHOLE.replace("outcome: blocked", "outcome: maybe"), "f, line 5: an outcome is commit, abort or blocked, not maybe."),
            (WHOLE.replace("until done", "dance"), "f, line 14: it is none of the steps that a scenario can have."),
            (WHOLE.replace("participants: 2", "participants: 9"), "f, line 8: a scenario has 1 to 8 participants, not 9."),
            (WHOLE.replace("watch: W", "title: T"), "f, line 3: this was said before."),
            (WHOLE.replace("watch: W", "grace: 1 s"), "f, line 10: this was said before."),
            (WHOLE.replace("crash: chair", "crash: dave"), "f, line 11: nobody is called dave; there are relay, alice, bob, chair."),
            (WHOLE.replace("until done", "bob presses Request"), "f, line 14: bob has no button Request; a coordinator has."),
            (
                WHOLE.split("chair says").next().unwrap().into(),
                "f, line 12: the file ends without a step; say what is to be done, a line each.",
            ),
        ] {
            assert_eq!(Scenario::read("f", &text).unwrap_err().to_string(), sentence);
        }
        let never = Scenario::read("f", &WHOLE.replace("after:send:GLOBAL_COMMIT:1", "after:log:READY")).unwrap_err().to_string();
        assert!(never.starts_with("f, line 11: A coordinator never comes to log:READY; "), "{never}");
    }
}
