//! A run as a folder: what it is, what was seen, and the files before and after.
//!
//! ```text
//! run.json        what run this is
//! events.jsonl    what was seen, an event a line
//! before/ after/  the stable logs and text files, as they were and as they are
//! data/ relay/    the same where the run had files of its own, as a scenario has
//! ```
//!
//! Deliberately absent: what an event means. A folder is read without any process running.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Local};
use serde::{Deserialize, Serialize};

use super::Event;
use crate::error::in_words;
use crate::member::Tempo;

/// The file that says what run a folder is.
pub const HEADER: &str = "run.json";
/// The file of its events.
pub const EVENTS: &str = "events.jsonl";
/// What `format` says in the header.
const FORMAT: &str = "twopc-run";
/// The version that is written, and the only one that is read.
const VERSION: u64 = 1;

/// What run a folder is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    format: String,
    version: u64,
    /// The version of the programs.
    pub programs: String,
    /// When it began.
    pub began: String,
    /// The participants at its beginning, by name.
    pub participants: Vec<String>,
    /// The coordinator's name.
    pub coordinator: String,
    /// Whether the programs had no windows.
    pub headless: bool,
    /// How long a vote might take, in milliseconds, where that was not left to the programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vote_timeout_ms: Option<u64>,
    /// How long a participant waited after that before it asked, in milliseconds, in the same way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_ms: Option<u64>,
    /// The scenario that was played, as its file says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
}

impl Header {
    /// How long things took in the run.
    #[must_use]
    pub fn tempo(&self) -> Tempo {
        Tempo { vote_timeout: self.vote_timeout_ms.map(Duration::from_millis), grace: self.grace_ms.map(Duration::from_millis) }
    }

    /// Of a run that begins now.
    #[must_use]
    pub fn now(participants: Vec<String>, coordinator: String, headless: bool, tempo: Tempo, scenario: Option<String>) -> Self {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            vote_timeout_ms: tempo.vote_timeout.map(millis),
            grace_ms: tempo.grace.map(millis),
            format: String::from(FORMAT),
            version: VERSION,
            programs: String::from(env!("CARGO_PKG_VERSION")),
            began: Local::now().to_rfc3339(),
            participants,
            coordinator,
            headless,
            scenario,
        }
    }
}

/// A run that was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Where.
    pub dir: PathBuf,
    /// What run it is.
    pub header: Header,
    /// What was seen.
    pub events: Vec<Event>,
    /// The last line of the events is cut off: the lab was ended in the middle of it.
    pub is_torn: bool,
}

/// Why a folder is no run that can be opened.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no such folder, or it is no run.
    #[error("{} is not a recorded run: it has no {HEADER}. Name a folder that the lab has recorded.", .0.display())]
    NotARun(PathBuf),
    /// There is a header, but another program's.
    #[error("{} is not the lab's: its format is not {FORMAT}. Name a folder that the lab has recorded.", .0.display())]
    Foreign(PathBuf),
    /// A file cannot be read or written.
    #[error("{} cannot be used: {}.", path.display(), in_words(error))]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file does not say what it should.
    #[error("{} is damaged: line {line} is not what the lab writes (seen at byte {byte}). Take another run.", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// How far the line was read.
        byte: usize,
    },
    /// It was written by another version.
    #[error("{} is a run of format {version}, and this lab reads format {VERSION}. Use the version that recorded it.", path.display())]
    Version {
        /// Which.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
}

/// A new folder for a run among others, named by the moment and, if it is not empty, by what it is.
///
/// # Errors
/// [`RunError::Io`].
pub fn fresh(runs: &Path, moment: DateTime<Local>, what: &str) -> Result<PathBuf, RunError> {
    fs::create_dir_all(runs).map_err(at(runs))?;
    let separator = if what.is_empty() { "" } else { "-" };
    let name = format!("{}{separator}{what}", moment.format("%Y-%m-%d-%H%M%S"));
    for name in std::iter::once(name.clone()).chain((2..1_000).map(|count| format!("{name}-{count}"))) {
        let dir = runs.join(name);
        match fs::create_dir(&dir) {
            Ok(()) => return Ok(dir),
            // Another run of the same second.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(at(&dir)(error)),
        }
    }
    Err(at(runs)(io::ErrorKind::AlreadyExists.into()))
}

/// Writes a run's header into an existing folder, and opens the file for its events.
///
/// # Errors
/// [`RunError::Io`].
pub fn begin(dir: &Path, header: &Header) -> Result<File, RunError> {
    let (path, events) = (dir.join(HEADER), dir.join(EVENTS));
    let mut text = serde_json::to_vec_pretty(header).unwrap_or_default();
    text.push(b'\n');
    fs::write(&path, text).map_err(at(&path))?;
    File::options().create(true).append(true).open(&events).map_err(at(&events))
}

/// Opens a run that was recorded.
///
/// # Errors
/// As [`RunError`] says.
pub fn open(dir: &Path) -> Result<Recorded, RunError> {
    let path = dir.join(HEADER);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Err(RunError::NotARun(dir.to_path_buf()));
        }
        Err(error) => return Err(at(&path)(error)),
    };
    let header: serde_json::Value = serde_json::from_slice(&text).map_err(|error| damaged(&path, error.line(), &error))?;
    if header.get("format").and_then(serde_json::Value::as_str).is_some_and(|format| format != FORMAT) {
        return Err(RunError::Foreign(path));
    }
    if let Some(version) = header.get("version").and_then(serde_json::Value::as_u64).filter(|version| *version != VERSION) {
        return Err(RunError::Version { path, version });
    }
    let header = serde_json::from_slice::<Header>(&text).map_err(|error| damaged(&path, error.line(), &error))?;
    let (events, is_torn) = read_events(&dir.join(EVENTS))?;
    Ok(Recorded { dir: dir.to_path_buf(), header, events, is_torn })
}

fn read_events(path: &Path) -> Result<(Vec<Event>, bool), RunError> {
    let mut reader = BufReader::new(File::open(path).map_err(at(path))?);
    let (mut events, mut line) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(at(path))? == 0 {
            return Ok((events, false));
        }
        if !line.ends_with(b"\n") {
            return Ok((events, true));
        }
        let event = serde_json::from_slice(&line).map_err(|error| damaged(path, events.len() + 1, &error))?;
        events.push(event);
    }
}

/// The parser counts lines itself; here one is known.
fn damaged(path: &Path, line: usize, error: &serde_json::Error) -> RunError {
    RunError::Damaged { path: path.into(), line, byte: error.column() }
}

/// Copies the stable logs and text files of a data directory, as a program that starts would find them.
///
/// # Errors
/// [`RunError::Io`]; a data directory that is not there yet has nothing to copy.
pub fn copy_files(data: &Path, to: &Path) -> Result<(), RunError> {
    fs::create_dir_all(to).map_err(at(to))?;
    let entries = match fs::read_dir(data) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(at(data)(error)),
    };
    for entry in entries {
        let path = entry.map_err(at(data))?.path();
        let is_ours = path.extension().is_some_and(|kind| kind == "txt" || kind == "dtlog") && path.is_file();
        if let Some(name) = path.file_name().filter(|_| is_ours) {
            fs::copy(&path, to.join(name)).map_err(at(&path))?;
        }
    }
    Ok(())
}

/// Writes the frames that the relay relayed, as its own record has them.
///
/// # Errors
/// [`RunError::Io`].
pub fn write_relayed(events: &[Event], to: &Path) -> Result<(), RunError> {
    fs::create_dir_all(to).map_err(at(to))?;
    let path = to.join("room.http");
    let frames = events.iter().filter_map(|event| event.what.frame()).map(str::as_bytes);
    fs::write(&path, frames.collect::<Vec<_>>().concat()).map_err(at(&path))
}

fn at(path: &Path) -> impl Fn(io::Error) -> RunError {
    move |error| RunError::Io { path: path.to_path_buf(), error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header::now(vec![String::from("alice")], String::from("chair"), true, Tempo::default(), None)
    }

    #[test]
    fn a_run_is_read_as_it_was_written_as_far_as_it_went() {
        let runs = tempfile::tempdir().unwrap();
        let now = Local::now();
        let (dir, second) = (fresh(runs.path(), now, "").unwrap(), fresh(runs.path(), now, "").unwrap());
        let mut file = begin(&dir, &header()).unwrap();
        assert_ne!(dir, second, "two runs of one second have folders of their own");
        let event = Event { at_us: 7, what: crate::run::Happening::Blind };
        let line = serde_json::to_string(&event).unwrap();
        io::Write::write_all(&mut file, format!("{line}\n{}", &line[..9]).as_bytes()).unwrap();
        let run = open(&dir).unwrap();
        assert_eq!((run.header.participants, run.events, run.is_torn), (vec![String::from("alice")], vec![event], true));
    }

    #[test]
    fn what_is_no_run_is_said_to_be_none() {
        let folder = tempfile::tempdir().unwrap();
        let sentence = |dir: &Path| open(dir).unwrap_err().to_string();
        assert!(sentence(&folder.path().join("nowhere")).contains("is not a recorded run"));
        assert!(sentence(folder.path()).contains("is not a recorded run"));
        fs::write(folder.path().join(HEADER), "{}").unwrap();
        assert!(sentence(folder.path()).contains("is damaged: line 1"));
        fs::write(folder.path().join(HEADER), "{\"format\":\"npm\"}").unwrap();
        assert!(sentence(folder.path()).contains("is not the lab's"));
        begin(folder.path(), &header()).unwrap();
        fs::write(folder.path().join(EVENTS), "{\"at_us\":1,\"kind\":\"blind\"}\n{\"at_us\":1}\n").unwrap();
        assert!(
            sentence(folder.path())
                .contains("events.jsonl is damaged: line 2 is not what the lab writes (seen at byte 11). Take another run.")
        );
        let newer = serde_json::to_string(&Header { version: 2, ..header() }).unwrap();
        fs::write(folder.path().join(HEADER), newer).unwrap();
        assert!(sentence(folder.path()).contains("a run of format 2"));
    }

    #[test]
    fn only_stable_logs_and_text_files_are_copied() {
        let folder = tempfile::tempdir().unwrap();
        let (data, to) = (folder.path().join("data"), folder.path().join("before"));
        copy_files(&data, &to).unwrap();
        fs::create_dir(&data).unwrap();
        for name in ["alice.txt", "alice.participant.dtlog", "alice.key", "alice.lock"] {
            fs::write(data.join(name), name).unwrap();
        }
        copy_files(&data, &to).unwrap();
        let mut names: Vec<_> = fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, ["alice.participant.dtlog", "alice.txt"]);
    }
}
