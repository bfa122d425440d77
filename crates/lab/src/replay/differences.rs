//! What came of a run the second time, beside what came of it the first time.
//!
//! Deliberately absent: how it came about. Times, numbers and the order of what has nothing to do with each
//! other are never the same.

use std::fs;
use std::path::Path;

use twopc_proto::text::Shown;
use twopc_proto::{State, TxnId};

use crate::run::Moment;
use crate::run::moment::{Stand, Standing};

/// Who has decided otherwise than then, each in a sentence. A decision never changes, so what differs once
/// differs for good.
#[must_use]
pub fn decisions(then: &Moment, now: &Moment) -> Vec<String> {
    let is_decided = |stand: &Stand| [State::Commit, State::Abort].iter().any(|decided| decided.as_str() == stand.state);
    let both = |name: &str, txn: &TxnId, was: &Stand, is: &Standing| {
        let now = is.of(txn).filter(|now| is_decided(was) && is_decided(now) && now.state != was.state)?;
        Some(differs(name, txn, &now.state, &was.state))
    };
    let everybody = then.programs.iter().map(|(name, was)| (name, was, now.of(name)));
    everybody
        .flat_map(|(name, was, is)| was.transactions.iter().filter_map(|(txn, was)| both(name, txn, was, &is)).collect::<Vec<_>>())
        .collect()
}

/// Who stands otherwise at the end than then, each in a sentence.
#[must_use]
pub fn states(then: &Moment, now: &Moment) -> Vec<String> {
    let mut found = Vec::new();
    for (name, was) in &then.programs {
        let is = now.of(name);
        for (txn, stand) in &was.transactions {
            let state = is.of(txn).map_or("nothing known", |stand| stand.state.as_str());
            if state != stand.state {
                found.push(differs(name, txn, state, &stand.state));
            }
        }
        for (txn, stand) in is.transactions.iter().filter(|(txn, _)| was.of(txn).is_none()) {
            found.push(format!("{name} is {} with {txn}, of which it knew nothing", stand.state));
        }
    }
    found
}

fn differs(name: &str, txn: &TxnId, is: &str, was: &str) -> String {
    format!("{name} is {is} with {txn}, and was {was}")
}

/// Whose committed strings are others than then, each in a sentence.
#[must_use]
pub fn files(then: &Path, now: &Path, end: &Moment) -> Vec<String> {
    let mut found = Vec::new();
    for name in end.programs.keys() {
        let (Some(was), Some(is)) = (strings(then, name), strings(now, name)) else { continue };
        if was != is {
            found.push(format!("{name}.txt has {}, and had {}", told(&is), told(&was)));
        }
    }
    found
}

/// The lines of a participant's text file at the end of a run; `None` where the run has no files of its end.
fn strings(run: &Path, name: &str) -> Option<Vec<String>> {
    let folder = ["after", "data"].map(|folder| run.join(folder)).into_iter().find(|folder| folder.is_dir())?;
    let bytes = fs::read(folder.join(format!("{name}.txt"))).unwrap_or_default();
    Some(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect())
}

/// The last few lines: enough to see what it is.
fn told(lines: &[String]) -> String {
    /// How many are shown.
    const SHOWN: usize = 5;
    if lines.is_empty() {
        return String::from("nothing");
    }
    let last: Vec<String> = lines[lines.len().saturating_sub(SHOWN)..].iter().map(|line| format!("“{}”", Shown::new(line))).collect();
    let more = if lines.len() > SHOWN { "… " } else { "" };
    format!("{more}{}", last.join(" "))
}
