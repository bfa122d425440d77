//! Running a search to its end.

use std::time::{Duration, Instant};

use stateright::{Checker, Expectation, HasDiscoveries, Model};

use super::findings::{Failure, Findings};
use super::model::Exploration;
use super::shorten::shortened;
use super::{sometimes, story};
use crate::world::{Scope, World};

/// How often the one who waits for a search looks at it.
const GLANCE: Duration = Duration::from_millis(20);

/// Explores a world completely with as many threads as there are processors, at most for `limit`.
/// `progress` is told now and then how many states were seen.
#[must_use]
pub fn explore(scope: &Scope, limit: Duration, progress: &dyn Fn(usize)) -> Findings {
    let started = Instant::now();
    let model = Exploration::new(*scope);
    let seen = model.seen.clone();
    // A single thread would not look at the time.
    let threads = std::thread::available_parallelism().map_or(1, usize::from).max(2);
    let checker = model.checker().threads(threads).finish_when(HasDiscoveries::AnyFailures).timeout(limit).spawn_dfs();
    while !checker.is_done() && started.elapsed() < limit {
        progress(checker.unique_state_count());
        std::thread::sleep(GLANCE);
    }
    let checker = checker.join();
    let mut findings = Findings {
        scope: *scope,
        states: checker.unique_state_count(),
        steps: checker.state_count(),
        depth: checker.max_depth(),
        complete: checker.is_done() && started.elapsed() < limit,
        took: started.elapsed(),
        failures: Vec::new(),
    };
    let mut discoveries = checker.discoveries();
    let (mut violated, mut never) = (None, Vec::new());
    for property in checker.model().properties() {
        let found = discoveries.remove(property.name);
        match (property.expectation, found) {
            (Expectation::Always, Some(path)) => {
                let way = || path.into_states().into_iter().skip(1).collect::<Vec<World>>();
                violated = violated.or_else(|| Some((property.name, way())));
            }
            (Expectation::Sometimes, None) if sometimes::is_due(scope, property.name) => {
                never.push(Failure::NeverHappened(property.name.into()));
            }
            (Expectation::Always | Expectation::Sometimes | Expectation::Eventually, Some(_) | None) => {}
        }
    }
    findings.failures = if let Some((property, way)) = violated {
        // A search that was broken off has not come by everything.
        findings.complete = false;
        let (property, actions) = shortened(scope, property, way);
        vec![Failure::Violated { property, story: story::told(scope, property, &actions) }]
    } else if !findings.complete {
        vec![Failure::OutOfTime]
    } else {
        let missed = sometimes::missed(scope, &seen).into_iter();
        never.into_iter().chain(missed.map(|landmark| Failure::NeverHappened(landmark.to_string()))).collect()
    };
    findings
}
