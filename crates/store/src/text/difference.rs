//! What a person should know of a text file that is not as this program left it.
//!
//! For a report alone: lines are counted here, which may not steer anything (two transactions may
//! commit the same string).

use std::collections::BTreeMap;
use std::path::Path;

use twopc_proto::log::{Stamp, Sum};

use crate::report::Report;

/// Compares what a text file holds with the committed strings that should stand in it; nothing to
/// report if it holds those lines in their order and nothing else. `base`: where they begin, if the log
/// was rid of others before them.
pub(crate) fn difference<'a>(path: &Path, text: &[u8], base: Option<Stamp>, committed: impl Iterator<Item = &'a str>) -> Option<Report> {
    let committed: Vec<&str> = committed.collect();
    let is_all_of = |text: &[u8]| committed.iter().flat_map(|string| string.bytes().chain([b'\n'])).eq(text.iter().copied());
    // A file that was written again when the log had only these holds only these.
    let (rest, older_changed) = match base.map(|base| behind(text, base)) {
        _ if is_all_of(text) => return None,
        Some(Some(rest)) if is_all_of(rest) => return None,
        None => (text, false),
        Some(Some(rest)) => (rest, false),
        Some(None) => (text, true),
    };
    let rest = String::from_utf8_lossy(rest);
    let mut there: BTreeMap<&str, usize> = BTreeMap::new();
    for line in rest.lines() {
        *there.entry(line).or_default() += 1;
    }
    let mut missing = Vec::new();
    for string in committed {
        match there.get_mut(string) {
            Some(count) if *count > 0 => *count -= 1,
            Some(_) | None => missing.push(string.to_owned()),
        }
    }
    // Which of the other lines are older strings, nobody can tell any more.
    let added = if older_changed { 0 } else { there.values().sum() };
    Some(Report::Edited { text: path.to_path_buf(), missing, added, older_changed })
}

/// What stands behind this place, if what stands before it is as it was.
fn behind(text: &[u8], base: Stamp) -> Option<&[u8]> {
    let (before, rest) = text.split_at_checked(usize::try_from(base.at).ok()?)?;
    (Sum::of(before) == base.before).then_some(rest)
}
