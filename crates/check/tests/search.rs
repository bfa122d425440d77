//! The machines under every schedule: complete searches, with the number of states pinned.
//!
//! A number that changes is no failure of the protocol; it says that the machines or the world do
//! something else than before, and a person looks at it.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::collections::BTreeSet;
use std::time::Duration;

use twopc_check::mutants::Mutant;
use twopc_check::search::{Findings, explore, hunt, replay, scopes};
use twopc_check::world::{Scope, Seen, Successor, World, namesakes, representative};

/// None of these takes more than a minute on two processors; one that does has met a bound.
const LIMIT: Duration = Duration::from_secs(600);

fn explored(scope: Scope) -> Findings {
    explore(&scope, LIMIT, &|_| {})
}

fn clean(scope: Scope) -> usize {
    let findings = explored(scope);
    assert!(findings.is_clean() && findings.complete, "{findings}");
    findings.states
}

#[test]
fn every_world_of_the_share_is_seen_completely_and_holds_what_it_must() {
    for named in scopes::commit() {
        let findings = named.explored(LIMIT, &|_| {});
        assert!(findings.is_clean() && findings.complete, "{}: {findings}", named.name);
        assert!(named.states.is_some(), "{}: its count is not pinned", named.name);
    }
}

/// How one finds what may happen next.
type Ahead = fn(&World, &Seen, &mut Vec<Successor>);

/// Every world that can be reached, without stateright.
fn reachable(scope: &Scope) -> Vec<World> {
    reachable_by(scope, World::successors, World::clone)
}

/// Every world that can be reached in this way; of each only what stands for it.
fn reachable_by(scope: &Scope, ahead: Ahead, stands_for: fn(&World) -> World) -> Vec<World> {
    let mut known: BTreeSet<u64> = BTreeSet::new();
    let mut worlds = vec![World::new(scope)];
    let mut next = 0;
    while let Some(world) = worlds.get(next).cloned() {
        next += 1;
        let mut successors = Vec::new();
        ahead(&world, &Seen::default(), &mut successors);
        for (_, world) in successors {
            let world = stands_for(&world);
            if known.insert(world.digest()) {
                worlds.push(world);
            }
        }
    }
    worlds
}

/// What can be said again at any time counts as said: no combination of nodes is lost by that, and
/// none is won.
#[test]
fn an_eager_search_meets_the_same_combinations_of_nodes() {
    for scope in [Scope::new(1, 1, 2), Scope::new(2, 1, 1)] {
        let nodes = |scope: &Scope| reachable(scope).iter().map(World::nodes).collect::<BTreeSet<u64>>();
        let (patient, eager) = (nodes(&scope), nodes(&scope.eagerly()));
        assert_eq!(patient.len(), eager.len(), "{scope}");
        assert_eq!(patient, eager, "{scope}");
    }
}

/// A world in which two have changed places can be reached if the other can, and the search that counts
/// them as one meets each kind.
#[test]
fn a_symmetric_search_meets_every_kind_of_world() {
    for scope in [Scope::new(2, 1, 1).eagerly(), Scope::new(3, 1, 1).promptly()] {
        let scope = scope.up_to_names();
        let everything = reachable(&scope);
        let digests: BTreeSet<u64> = everything.iter().map(World::digest).collect();
        let mut kinds: BTreeSet<u64> = BTreeSet::new();
        for world in &everything {
            let namesakes: BTreeSet<u64> = namesakes(world).iter().map(World::digest).collect();
            assert!(namesakes.is_subset(&digests), "{scope}: a world that can be reached under some names only");
            kinds.extend(namesakes.first());
        }
        let met = reachable_by(&scope, World::successors_up_to_names, representative);
        let kinds_met: BTreeSet<u64> = met.iter().filter_map(|world| namesakes(world).iter().map(World::digest).min()).collect();
        assert_eq!(kinds_met, kinds, "{scope}");
        assert!(met.len() < everything.len() / 2 + everything.len() / 10, "{scope}: {} of {}", met.len(), everything.len());
    }
}

/// What people say who have no right to it, and what contradicts a decision, changes nothing at all.
#[test]
fn a_stranger_and_a_contradiction_make_no_new_world() {
    let plain = Scope::new(2, 1, 1).promptly();
    let states = clean(plain);
    assert_eq!(clean(Scope { stranger: true, ..plain }), states);
    assert_eq!(clean(Scope { contradiction: true, ..plain }), states);
}

/// A story names each step so that it can be found again.
#[test]
fn no_two_things_that_may_happen_are_told_alike() {
    for scope in [Scope::new(1, 2, 1), Scope { stranger: true, ..Scope::new(2, 1, 1).with_hints().promptly() }] {
        for world in reachable(&scope) {
            let mut successors = Vec::new();
            world.successors(&Seen::default(), &mut successors);
            let told: BTreeSet<String> = successors.iter().map(|(action, _)| world.tell(action)).collect();
            assert_eq!(told.len(), successors.len(), "{scope}: {told:#?}");
        }
    }
}

/// The search is worth something only if it finds what is wrong: on a drive that does not honour a
/// flush the promises cannot be kept.
#[test]
fn a_lying_disk_is_caught_and_the_story_is_told() {
    let findings = explored(Scope { lying_disks: true, ..Scope::new(2, 1, 1) });
    let (_, story) = findings.violation().unwrap();
    assert!(story.contains("   1. chair presses Request\n"), "{story}");
    assert!(story.contains("restarts; of what was not synced, 0 records"), "{story}");
}

/// A mutant's story, run again, comes to what it says; the real machines do not follow it there.
#[test]
fn a_story_can_be_run_again() {
    for scope in [Scope::new(2, 1, 1).promptly(), Scope::new(2, 1, 1).promptly().up_to_names()] {
        let findings = explored(scope.broken(Some(Mutant::M10)));
        let (property, story) = findings.violation().unwrap();
        let replayed = replay(story).unwrap();
        assert_eq!(replay(&format!("{findings}")).unwrap(), replayed, "of all that a search prints, the first story");
        assert!(replayed.violations.iter().any(|violation| violation.property == property), "{property}: {story}");
        let real = replay(&story.replace(" mutant=M10", ""));
        assert!(real.is_err() || real.is_ok_and(|real| real.violations.is_empty()), "{story}");
    }
    for nonsense in
        ["", "in a world of nothing", "in a world of crashes=0\n   1. chair crashes", "in a world of crashes=1\n   2. chair crashes"]
    {
        assert!(replay(nonsense).is_err(), "{nonsense}");
    }
}

/// Which violation is told does not hang on what several threads come by first.
#[test]
fn a_broken_machine_is_told_by_the_same_story_every_time() {
    for mutant in [Mutant::M4, Mutant::M7, Mutant::M25, Mutant::M27] {
        let stories = [(); 2].map(|()| hunt(mutant, LIMIT).last().unwrap().violation().map(|(_, story)| story.to_owned()));
        assert!(stories[0].is_some() && stories[0] == stories[1], "{mutant}: {stories:#?}");
    }
}

/// Leaving READY on a timeout, and a READY peer's ABORT, are no steps of TwoPhase.
#[test]
fn what_twophase_does_not_allow_is_caught_by_the_refinement() {
    for mutant in [Mutant::M4, Mutant::M5, Mutant::M10] {
        let scope = Scope::new(2, 1, 0).promptly().broken(Some(mutant));
        let strayed = reachable(&scope).iter().any(|world| world.strayed);
        assert!(strayed, "{mutant}: {}", mutant.what());
    }
}

/// What the search can see at all: broken machines. A store that is broken, what is lost for good and
/// never said again, and a person who leaves are the simulation's.
#[test]
fn every_broken_machine_is_caught() {
    use Mutant::{M20, M21, M22, M23, M24, M31, M38, M39};
    let elsewhere = [M20, M21, M22, M23, M24, M31, M38, M39];
    for mutant in Mutant::ALL.iter().filter(|mutant| !elsewhere.contains(mutant)) {
        let hunted = hunt(*mutant, LIMIT);
        let caught = hunted.last().is_some_and(|findings| findings.violation().is_some());
        assert!(caught, "{mutant} was not caught: {}", mutant.what());
    }
}
