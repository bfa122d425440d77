//! Making a story shorter.
//!
//! Depth first finds a violation at the end of a long way. Breadth first finds one at the end of the
//! shortest, if it comes so far in time; else whatever can be left out of the long one is left out.

use std::time::Duration;

use stateright::{Checker, HasDiscoveries, Model};

use super::always;
use super::model::Exploration;
use crate::world::{Action, Scope, Seen, Successor, World};

/// How long a shorter way is looked for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The same violation by as few actions as can be found in time.
pub(super) fn shortened(scope: &Scope, property: &'static str, actions: Vec<Action>) -> Vec<Action> {
    match shortest(scope, property, actions.len()) {
        Some(shortest) if shortest.len() <= actions.len() => shortest,
        Some(_) | None => thinned(scope, property, actions),
    }
}

fn shortest(scope: &Scope, property: &'static str, at_most: usize) -> Option<Vec<Action>> {
    let found = HasDiscoveries::AnyOf([property].into());
    let checker = Exploration::new(*scope).checker().threads(2).finish_when(found).target_max_depth(at_most + 1).timeout(PATIENCE);
    let path = checker.spawn_bfs().join().discovery(property)?;
    Some(path.into_actions().into_iter().map(|(action, _)| action).collect())
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
