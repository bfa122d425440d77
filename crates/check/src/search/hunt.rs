//! Looking for a machine that is broken on purpose.

use std::time::Duration;

use super::{Findings, explore, scopes};
use crate::mutants::Mutant;

/// Looks for a mutant in one world after the other until it is caught; what each search found.
#[must_use]
pub fn hunt(mutant: Mutant, limit: Duration) -> Vec<Findings> {
    let mut hunted = Vec::new();
    for scope in scopes::for_mutants() {
        let findings = explore(&scope.broken(Some(mutant)), limit, &|_| {});
        let caught = findings.violation().is_some();
        hunted.push(findings);
        if caught {
            break;
        }
    }
    hunted
}
