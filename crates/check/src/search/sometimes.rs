//! What must happen somewhere, or a search has seen less than it should.
//!
//! The two outcomes are properties of the model; everything else is a landmark beside it, noted as
//! steps are taken: see [`Landmark::is_due`].

use stateright::Property;
use twopc_proto::Decision;

use super::always::judged;
use super::model::Exploration;
use crate::world::{Landmark, Scope, Seen, World};

/// The names of those that are properties of the model.
pub(super) const COMMIT: &str = "every participant commits";
pub(super) const ABORT: &str = "every participant aborts";

pub(super) fn properties() -> Vec<Property<Exploration>> {
    vec![
        Property::sometimes(COMMIT, |_, world: &World| judged(world, |judgement| judgement.unanimous(Decision::Commit))),
        Property::sometimes(ABORT, |_, world: &World| judged(world, |judgement| judgement.unanimous(Decision::Abort))),
    ]
}

/// What a complete search of this scope should have come by and has not.
pub(super) fn missed(scope: &Scope, seen: &Seen) -> Vec<Landmark> {
    let landmarks = seen.landmarks();
    Landmark::all().filter(|landmark| landmark.is_due(scope) && !landmarks.holds(*landmark)).collect()
}

/// Whether a complete search of this scope has to find that.
pub(super) fn is_due(scope: &Scope, name: &str) -> bool {
    !(name == ABORT && scope.end == Some(crate::world::End::Committed))
}
