//! What a person should know of a text file that is not as this program left it.
//!
//! For a report alone: lines are counted here, which may not steer anything (two transactions may
//! commit the same string).

use std::collections::BTreeMap;
use std::path::Path;

use crate::report::Report;

/// Compares what a text file holds with the committed strings that should stand in it; nothing to
/// report if it holds those lines in their order and nothing else.
pub(crate) fn difference<'a>(path: &Path, text: &[u8], committed: impl Iterator<Item = &'a str>) -> Option<Report> {
    let committed: Vec<&str> = committed.collect();
    if committed.iter().flat_map(|string| string.bytes().chain([b'\n'])).eq(text.iter().copied()) {
        return None;
    }
    let text = String::from_utf8_lossy(text);
    let mut there: BTreeMap<&str, usize> = BTreeMap::new();
    for line in text.lines() {
        *there.entry(line).or_default() += 1;
    }
    let mut missing = Vec::new();
    for string in committed {
        match there.get_mut(string) {
            Some(count) if *count > 0 => *count -= 1,
            Some(_) | None => missing.push(string.to_owned()),
        }
    }
    Some(Report::Edited { text: path.to_path_buf(), missing, added: there.values().sum() })
}
