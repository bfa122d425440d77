//! The complete search of a world, and what must hold in each of its states.

use std::fmt;
use std::time::{Duration, Instant};

use stateright::{Checker, HasDiscoveries, Model, Path, Property};
use twopc_proto::audit::{self, Violation};
use twopc_proto::{Decision, LogRecord, Message, PeerState, RecordKind, Role, State};

use crate::world::{Action, Scope, World};

/// A world as stateright explores it: every state once, by depth-first search.
#[derive(Clone, Debug)]
pub struct Exploration {
    scope: Scope,
}

impl Model for Exploration {
    type State = World;
    /// With the world that comes of it: one step of a machine gives several of them.
    type Action = (Action, World);

    fn init_states(&self) -> Vec<World> {
        vec![World::new(&self.scope)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<(Action, World)>) {
        world.successors(actions);
    }

    fn next_state(&self, _: &World, (_, next): (Action, World)) -> Option<World> {
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = always();
        properties.extend(sometimes(&self.scope));
        properties
    }
}

/// What must hold in every state.
fn always() -> Vec<Property<Exploration>> {
    vec![
        Property::always("agreement", |_, world: &World| audit::agreement(&world.holdings()).is_ok()),
        Property::always("commit validity", |_, world: &World| audit::validity(&world.holdings()).is_ok()),
        Property::always("stability", |_, world: &World| world.holdings().iter().all(|node| audit::stability(node).is_ok())),
        Property::always("no guessing", |_, world: &World| audit::guessing(&world.holdings()).is_ok()),
        Property::always("no early forgetting", |_, world: &World| forgetting(world).is_ok()),
        Property::always("log before send", |_, world: &World| backing(world).is_ok()),
        Property::always("constancy", |_, world: &World| {
            audit::constancy(world.said.iter().map(|envelope| (&envelope.from, &envelope.message))).is_ok()
        }),
        Property::always("acknowledged only what stands in the file", |_, world: &World| {
            world.participants.iter().all(|node| !node.acknowledged_early)
        }),
        Property::always("exactly once", |_, world: &World| projection(world).is_ok()),
        // What `steps` asks of every step: cause, isolation, one vote, what is shown.
        Property::always("every step is in order", |_, world: &World| misstep(world).is_none()),
    ]
}

/// What must happen somewhere, or the search has seen less than it should.
fn sometimes(scope: &Scope) -> Vec<Property<Exploration>> {
    let mut properties = vec![
        Property::sometimes("every participant commits", |_, world: &World| everybody(world, Decision::Commit)),
        Property::sometimes("every participant aborts", |_, world: &World| everybody(world, Decision::Abort)),
        Property::sometimes("END is written", |_, world: &World| {
            world.coordinator.disk.written().iter().any(|record| record.kind() == RecordKind::End)
        }),
    ];
    if scope.hints {
        properties.push(Property::sometimes("somebody is blocked", |_, world: &World| {
            world.participants.iter().any(|node| !node.blocked.is_empty())
        }));
    }
    if scope.crashes > 0 {
        properties.push(Property::sometimes("a restart finds READY without a decision", |_, world: &World| {
            world.participants.iter().any(|node| node.incarnation > 1 && standing(node, State::Ready))
        }));
        properties.push(Property::sometimes("everybody commits while the coordinator is down", |_, world: &World| {
            world.coordinator.machine.is_none() && everybody(world, Decision::Commit)
        }));
        properties.push(Property::sometimes("a coordinator that is back presumes abort", |_, world: &World| {
            world.said.iter().any(|said| {
                let answer = matches!(said.message, Message::DecisionReply { state: PeerState::Abort, .. });
                answer && said.role == Role::Coordinator && world.holdings()[0].decision(said.message.txn()).is_none()
            })
        }));
    }
    properties
}

/// END need not wait for the disk, so it is judged as soon as it is written.
fn forgetting(world: &World) -> Result<(), Violation> {
    let mut holdings = world.holdings();
    let records = world.coordinator.disk.written();
    holdings[0].log = audit::Log::Coordinator { records, incarnation: world.coordinator.incarnation };
    audit::forgetting(&holdings)
}

fn backing(world: &World) -> Result<(), Violation> {
    let holdings = world.holdings();
    for envelope in world.said.iter() {
        if let Some(sender) = holdings.iter().find(|node| *node.user == envelope.from) {
            audit::backing(sender, &envelope.message)?;
        }
    }
    Ok(())
}

fn projection(world: &World) -> Result<(), Violation> {
    let holdings = world.holdings();
    for (node, holding) in world.participants.iter().zip(&holdings[1..]) {
        let promised = |lsn: u64| usize::try_from(lsn).ok().and_then(|lsn| node.disk.durable().get(lsn - 1)?.committed());
        let lines: Vec<&str> = node.disk.lines().iter().map(|lsn| promised(*lsn).map_or("", |string| string.as_str())).collect();
        audit::projection(holding, &lines, true)?;
    }
    Ok(())
}

/// What was wrong with a step that a node took, if something was.
fn misstep(world: &World) -> Option<&String> {
    world.coordinator.misstep.as_ref().or_else(|| world.participants.iter().find_map(|node| node.misstep.as_ref()))
}

fn everybody(world: &World, decision: Decision) -> bool {
    let holdings = world.holdings();
    world.transactions.iter().any(|txn| holdings[1..].iter().all(|node| node.decision(txn) == Some(decision)))
}

fn standing(node: &crate::world::Node<twopc_proto::Participant>, state: State) -> bool {
    node.machine.as_ref().is_some_and(|machine| machine.standings().iter().any(|standing| standing.state == state))
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Findings {
    /// How many different states there are.
    pub states: usize,
    /// How far the farthest is from the start.
    pub depth: usize,
    /// Whether every state was seen.
    pub complete: bool,
    /// How long it took.
    pub took: Duration,
    /// Properties that do not hold, each with its story, and things that never happened.
    pub failures: Vec<String>,
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let complete = if self.complete { "complete" } else { "INCOMPLETE" };
        writeln!(f, "{} states, depth {}, {complete}, {:.1} s", self.states, self.depth, self.took.as_secs_f64())?;
        for failure in &self.failures {
            writeln!(f, "{failure}")?;
        }
        Ok(())
    }
}

/// Explores a world completely with as many threads as there are processors, at most for `limit`.
#[must_use]
pub fn explore(scope: &Scope, limit: Duration) -> Findings {
    let started = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let model = Exploration { scope: scope.clone() };
    let checker = model.checker().threads(threads).finish_when(HasDiscoveries::AnyFailures).timeout(limit).spawn_dfs().join();
    let mut failures = Vec::new();
    for property in checker.model().properties() {
        let found = checker.discovery(property.name);
        match (property.expectation, found) {
            (stateright::Expectation::Always, Some(path)) => failures.push(story(property.name, path)),
            (stateright::Expectation::Sometimes, None) => failures.push(format!("never happened: {}", property.name)),
            (
                stateright::Expectation::Always | stateright::Expectation::Sometimes | stateright::Expectation::Eventually,
                Some(_) | None,
            ) => {}
        }
    }
    Findings {
        states: checker.unique_state_count(),
        depth: checker.max_depth(),
        complete: checker.is_done() && started.elapsed() < limit,
        took: started.elapsed(),
        failures,
    }
}

/// A counterexample as a numbered story.
fn story(property: &str, path: Path<World, (Action, World)>) -> String {
    let mut told = format!("does not hold: {property}\n");
    let mut number = 0;
    for (world, action) in path.into_vec() {
        if let Some((action, _)) = action {
            number += 1;
            told += &format!("{number:4}. {}\n", world.tell(&action));
        } else {
            told += &evidence(&world);
        }
    }
    told
}

fn evidence(world: &World) -> String {
    let holdings = world.holdings();
    let found = [
        audit::agreement(&holdings),
        audit::validity(&holdings),
        audit::guessing(&holdings),
        forgetting(world),
        audit::constancy(world.said.iter().map(|envelope| (&envelope.from, &envelope.message))),
        backing(world),
        projection(world),
    ];
    let stability = holdings.iter().map(audit::stability);
    let lines: Vec<String> = found.into_iter().chain(stability).filter_map(Result::err).map(|v| format!("      {v}\n")).collect();
    let misstep = misstep(world).map(|misstep| format!("      {misstep}\n"));
    lines.into_iter().chain(misstep).collect()
}
