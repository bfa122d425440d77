//! Making a story shorter.
//!
//! Depth first finds a violation at the end of a long way, and which one depends on what several threads
//! come by first. Breadth first, by a single thread, finds the same one every time, at the end of a
//! shortest way, if it comes so far; else whatever can be left out of the long way is left out.

use stateright::{Checker, Expectation, HasDiscoveries, Model};

use super::always;
use super::model::Exploration;
use crate::world::{Action, Scope, Seen, Successor, World, representative};

/// How many steps are taken to find a shorter way: some seconds. A bound of time would give another
/// story on another day.
const PATIENCE: usize = 2_000_000;

/// A violation by as few actions as can be found. `way`: the worlds after each of the actions that lead
/// to one of `property`, as the search saw them.
pub(super) fn shortened(scope: &Scope, property: &'static str, way: Vec<World>) -> (&'static str, Vec<Action>) {
    let (property, way) = nearest(scope).unwrap_or((property, way));
    (property, thinned(scope, property, actions(scope, way)))
}

/// The violation that is nearest to the start, unless it is too far for that.
fn nearest(scope: &Scope) -> Option<(&'static str, Vec<World>)> {
    let checker = Exploration::new(*scope).checker().threads(1).finish_when(HasDiscoveries::AnyFailures).target_state_count(PATIENCE);
    let checker = checker.spawn_bfs().join();
    let mut discoveries = checker.discoveries();
    let always = checker.model().properties().into_iter().filter(|property| property.expectation == Expectation::Always);
    let (property, path) = always.filter_map(|property| Some((property.name, discoveries.remove(property.name)?))).next()?;
    Some((property, path.into_states().into_iter().skip(1).collect()))
}

/// The actions that lead from the start through these worlds. Where who is who makes no difference to
/// the search, they come by worlds that differ from these only in that.
fn actions(scope: &Scope, way: Vec<World>) -> Vec<Action> {
    let mut world = World::new(scope);
    let mut actions = Vec::new();
    for stop in way {
        let stands_for = |next: &World| if scope.symmetry { representative(next) == stop } else { *next == stop };
        let Some((action, next)) = follow(&world, |(_, next)| stands_for(next)) else { break };
        actions.push(action);
        world = next;
    }
    actions
}

/// Leaves out, from the end, each action without which it still comes to that.
fn thinned(scope: &Scope, property: &str, mut actions: Vec<Action>) -> Vec<Action> {
    let mut place = actions.len();
    while place > 0 {
        place -= 1;
        let mut fewer = actions.clone();
        fewer.remove(place);
        if let Some(enough) = leads_to(scope, property, &fewer) {
            fewer.truncate(enough);
            place = place.min(fewer.len());
            actions = fewer;
        }
    }
    actions
}

/// After how many of these actions the property does not hold, if they can all happen until then.
fn leads_to(scope: &Scope, property: &str, actions: &[Action]) -> Option<usize> {
    let mut world = World::new(scope);
    for (done, action) in actions.iter().enumerate() {
        world = follow(&world, |(candidate, _)| candidate == action)?.1;
        if always::violations(&world).iter().any(|violation| violation.property == property) {
            return Some(done + 1);
        }
    }
    None
}

/// The successor of a world that is meant.
pub(super) fn follow(world: &World, is_meant: impl Fn(&Successor) -> bool) -> Option<Successor> {
    let mut successors = Vec::new();
    world.successors(&Seen::default(), &mut successors);
    successors.into_iter().find(is_meant)
}
