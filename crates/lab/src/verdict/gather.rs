//! Reading the folders of a run, and nothing but reading: nothing is locked, repaired, compacted or
//! created, so that this may be done while the programs run.
//!
//! What the relay heard is read first, then the logs, then the text files, then the logs once more:
//! whatever a log got meanwhile is known to be going on, and is not held against files that were read
//! before.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use twopc_proto::{Role, UserName};

use super::{Evidence, VerifyError};
use crate::run::folder::HEADER;

/// How often a reading begins again because a log was written anew meanwhile.
const ATTEMPTS: usize = 5;

/// Reads everything that these folders hold of a run.
///
/// Each is the folder of a run (of which `after` or else `data`, and `relay` or else `logs` are read), a
/// data directory, or a relay's log directory.
///
/// # Errors
/// When one of them is not there, cannot be read or holds nothing of this suite; when a log or a record
/// is damaged, lost, or there twice.
pub fn gather(dirs: &[PathBuf]) -> Result<Evidence, VerifyError> {
    for _ in 0..ATTEMPTS {
        let found = Found::look(dirs)?;
        if let Some(evidence) = found.read()? {
            return if evidence.is_empty() { Err(VerifyError::Nothing(dirs.first().cloned().unwrap_or_default())) } else { Ok(evidence) };
        }
    }
    Err(VerifyError::Restless(dirs.first().cloned().unwrap_or_default()))
}

/// The files of a run.
#[derive(Default)]
struct Found {
    seen: BTreeSet<PathBuf>,
    logs: Vec<LogFile>,
    /// Oldest first in each folder.
    records: Vec<PathBuf>,
}

/// A stable log by its name.
struct LogFile {
    path: PathBuf,
    user: UserName,
    role: Role,
}

impl Found {
    fn look(dirs: &[PathBuf]) -> Result<Self, VerifyError> {
        let mut found = Self::default();
        for dir in dirs {
            let inside = |either: &str, or: &str| [either, or].map(|name| dir.join(name)).into_iter().find(|folder| folder.is_dir());
            let mut is_ours = found.look_into(dir)?;
            for folder in [inside("after", "data"), inside("relay", "logs")].into_iter().flatten() {
                is_ours |= found.look_into(&folder)?;
            }
            // What the room began with, and a part of a copy, say nothing of how it ended.
            if dir.join(HEADER).is_file() && inside("after", "data").is_none() {
                return Err(VerifyError::Unclosed(dir.clone()));
            }
            if !is_ours {
                return Err(VerifyError::Nothing(dir.clone()));
            }
        }
        Ok(found)
    }

    /// Notes what a folder holds; whether that is anything.
    fn look_into(&mut self, dir: &Path) -> Result<bool, VerifyError> {
        let unreadable = |source: io::Error| match source.kind() {
            ErrorKind::NotFound => VerifyError::NotThere(dir.into()),
            ErrorKind::NotADirectory => VerifyError::NotAFolder(dir.into()),
            _ => VerifyError::Unreadable { file: dir.into(), source },
        };
        let entries = fs::read_dir(dir).map_err(unreadable)?;
        if !self.seen.insert(fs::canonicalize(dir).map_err(unreadable)?) {
            return Ok(true);
        }
        let names: Vec<String> = entries
            .map(|entry| entry.map(|entry| entry.file_name()))
            .filter_map(|name| name.map(|name| name.into_string().ok()).transpose())
            .collect::<Result<_, _>>()
            .map_err(unreadable)?;
        let mut logs: Vec<LogFile> = names.iter().filter_map(|name| log_file(dir, name)).collect();
        logs.sort_by(|one, other| one.path.cmp(&other.path));
        lost_logs(dir, &names, &logs)?;
        let mut records: Vec<(u64, &String)> = names.iter().filter_map(|name| Some((record_number(name)?, name))).collect();
        records.sort();
        let is_ours = !logs.is_empty() || !records.is_empty();
        self.records.extend(records.into_iter().map(|(_, name)| dir.join(name)));
        self.logs.extend(logs);
        Ok(is_ours)
    }

    /// Reads them; `None` if a log was written anew meanwhile.
    fn read(&self) -> Result<Option<Evidence>, VerifyError> {
        let mut evidence = Evidence::default();
        for record in &self.records {
            evidence.add_record(&shown(record), &read(record)?)?;
        }
        let before: Vec<Vec<u8>> = self.logs.iter().map(|log| read(&log.path)).collect::<Result<_, _>>()?;
        for log in self.logs.iter().filter(|log| log.role == Role::Participant) {
            let text = log.path.with_file_name(format!("{}.txt", log.user));
            match fs::read(&text) {
                Ok(bytes) => evidence.add_text(&shown(&text), log.user.clone(), bytes),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(source) => return Err(VerifyError::Unreadable { file: text, source }),
            }
        }
        for (LogFile { path, user, role }, before) in self.logs.iter().zip(before) {
            let bytes = read(path)?;
            if !bytes.starts_with(&before) {
                return Ok(None);
            }
            let file = shown(path);
            let is_theirs = |header: twopc_proto::log::Header| header.user == *user && header.role == *role;
            if let Ok(header) = twopc_proto::log::read_header(&bytes)
                && !is_theirs(header.clone())
            {
                return Err(VerifyError::OtherLog { file, user: header.user, role: header.role });
            }
            evidence.add_log(&file, bytes)?;
            evidence.note_growth(user, *role, before.iter().filter(|byte| **byte == b'\n').count() as u64);
        }
        Ok(Some(evidence))
    }
}

/// The log that a file of this name is.
fn log_file(dir: &Path, name: &str) -> Option<LogFile> {
    let (stem, role) = [Role::Participant, Role::Coordinator]
        .into_iter()
        .find_map(|role| Some((name.strip_suffix(".dtlog")?.strip_suffix(role.as_str())?.strip_suffix('.')?, role)))?;
    let user = UserName::parse(stem).ok().filter(|user| user.as_str() == stem)?;
    Some(LogFile { path: dir.join(name), user, role })
}

/// The order of a relay's record: those that were put aside by their number, then `room.http`.
fn record_number(name: &str) -> Option<u64> {
    match name {
        "room.http" => Some(u64::MAX),
        _ => name.strip_prefix("room-")?.strip_suffix(".http")?.parse().ok(),
    }
}

/// What is needed of a key file. Its key is not read.
#[derive(Deserialize)]
struct Key {
    roles: Vec<Role>,
}

/// A key tells in which roles its name was used: a log of one of these that is not there is lost.
fn lost_logs(dir: &Path, names: &[String], logs: &[LogFile]) -> Result<(), VerifyError> {
    for name in names {
        let Some(user) = name.strip_suffix(".key").and_then(|stem| UserName::parse(stem).ok().filter(|user| user.as_str() == stem)) else {
            continue;
        };
        let has = |role| logs.iter().any(|log| log.user == user && log.role == role);
        if has(Role::Participant) && has(Role::Coordinator) {
            continue;
        }
        let key = dir.join(name);
        let Ok(Key { roles }) = serde_json::from_slice(&read(&key)?) else { continue };
        if let Some(role) = roles.into_iter().find(|role| !has(*role)) {
            return Err(VerifyError::LogLost { log: dir.join(format!("{user}.{role}.dtlog")), key, role });
        }
    }
    Ok(())
}

fn read(file: &Path) -> Result<Vec<u8>, VerifyError> {
    fs::read(file).map_err(|source| VerifyError::Unreadable { file: file.into(), source })
}

fn shown(path: &Path) -> String {
    OsStr::to_string_lossy(path.as_os_str()).into_owned()
}
