//! A world as stateright explores it.

use std::sync::Arc;

use stateright::{Model, Property};

use super::{always, sometimes};
use crate::world::{Action, Scope, Seen, World, representative};

/// A world that is explored: every state once, each with everything that may happen next.
#[derive(Clone, Debug)]
pub struct Exploration {
    pub(super) scope: Scope,
    /// What it has come by.
    pub(super) seen: Arc<Seen>,
}

impl Exploration {
    /// Of a world of this scope.
    #[must_use]
    pub fn new(scope: Scope) -> Self {
        Self { scope, seen: Arc::default() }
    }
}

impl Model for Exploration {
    type State = World;
    /// With the world that comes of it: one step of a machine gives several of them.
    type Action = (Action, World);

    fn init_states(&self) -> Vec<World> {
        vec![World::new(&self.scope)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<(Action, World)>) {
        if self.scope.symmetry {
            world.successors_up_to_names(&self.seen, actions);
        } else {
            world.successors(&self.seen, actions);
        }
    }

    fn next_state(&self, _: &World, (_, next): (Action, World)) -> Option<World> {
        Some(if self.scope.symmetry { representative(&next) } else { next })
    }

    fn properties(&self) -> Vec<Property<Self>> {
        always::properties(&self.scope).into_iter().chain(sometimes::properties()).collect()
    }
}
