//! Making a story shorter.
//!
//! Depth first finds a violation at the end of a long way. Breadth first finds one at the end of the
//! shortest, if it comes so far in time; else whatever can be left out of the long one is left out.

use std::time::Duration;

use stateright::{Checker, HasDiscoveries, Model};

use super::always;
use super::model::Exploration;
use crate::world::{Action, Scope, Seen, Successor, World, representative};

/// How long a shorter way is looked for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The same violation by as few actions as can be found in time. `way`: the worlds after each of the
/// actions that lead there, as the search saw them.
pub(super) fn shortened(scope: &Scope, property: &'static str, way: Vec<World>) -> Vec<Action> {
    match shortest(scope, property, way.len()) {
        Some(shortest) if shortest.len() <= way.len() => actions(scope, shortest),
        Some(_) | None => thinned(scope, property, actions(scope, way)),
    }
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

fn shortest(scope: &Scope, property: &'static str, at_most: usize) -> Option<Vec<World>> {
    let found = HasDiscoveries::AnyOf([property].into());
    let checker = Exploration::new(*scope).checker().threads(2).finish_when(found).target_max_depth(at_most + 1).timeout(PATIENCE);
    let path = checker.spawn_bfs().join().discovery(property)?;
    Some(path.into_states().into_iter().skip(1).collect())
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
