//! A violation as a numbered story in the protocol's words, which is also the trace that is run again.
//!
//! One line says which world it is, then each numbered line is something that happens; the lines below
//! it say what came of that, and are for people only.

use twopc_proto::audit::Violation;
use twopc_proto::story::{self, Tell};

use super::always;
use super::shorten::follow;
use crate::world::{Action, Inhabitant, Node, Scope, World};

/// What begins the line that names the world.
const WORLD: &str = "in a world of ";

/// Tells how it comes to a violation.
pub(super) fn told(scope: &Scope, property: &str, actions: &[Action]) -> String {
    let mut told = format!("does not hold: {property}\n{WORLD}{scope}\n");
    let mut world = World::new(scope);
    for (place, action) in actions.iter().enumerate() {
        let Some((_, next)) = follow(&world, |(candidate, _)| candidate == action) else { break };
        told += &step(place + 1, &world, action, &next);
        world = next;
    }
    for violation in always::violations(&world) {
        told += &format!("  so: {violation}\n");
    }
    told
}

/// One thing that happens, and what comes of it.
fn step(number: usize, world: &World, action: &Action, next: &World) -> String {
    let mut told = format!("{number:4}. {}\n", world.tell(action));
    for line in changes(world, next) {
        told += &format!("         {line}\n");
    }
    told
}

/// What a step changed, in the protocol's words.
fn changes(before: &World, after: &World) -> Vec<String> {
    let mut lines = Vec::new();
    wrote(&before.coordinator.node, &after.coordinator.node, &mut lines);
    for (was, is) in before.participants.iter().zip(&after.participants) {
        wrote(&was.node, &is.node, &mut lines);
    }
    for (who, (was, is)) in after.everybody().zip(before.inboxes().zip(after.inboxes())) {
        let new = is.iter().filter(|envelope| !was.holds(envelope));
        lines.extend(new.map(|envelope| format!("{} to {}: {}", envelope.from, after.name(who), story::message(&envelope.message))));
    }
    lines
}

fn wrote<M: Inhabitant + Tell>(before: &Node<M>, after: &Node<M>, lines: &mut Vec<String>) {
    let known = before.disk.written().len().min(after.disk.written().len());
    for record in &after.disk.written()[known..] {
        lines.push(format!("{} logs {}", after.me, M::record(record)));
    }
    let (was, is) = (before.disk.durable().len(), after.disk.durable().len());
    if is > was {
        lines.push(format!("{} has {is} records on its disk", after.me));
    }
    if after.disk.lines().len() > before.disk.lines().len() {
        lines.push(format!("{} has {} lines in its text file", after.me, after.disk.lines().len()));
    }
}

/// A story that was run again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The world that it says it is in.
    pub scope: Scope,
    /// How many things happened.
    pub steps: usize,
    /// What happened, with what came of it now.
    pub told: String,
    /// What does not hold at the end.
    pub violations: Vec<Violation>,
}

/// Runs a story again: lets happen, one after the other, what its numbered lines say. Where a search has
/// told several, the first.
///
/// # Errors
/// A sentence that names the line that makes no sense, or says what cannot happen there.
pub fn replay(story: &str) -> Result<Replayed, String> {
    let scope = story.lines().find_map(|line| line.strip_prefix(WORLD)).ok_or_else(|| format!("no line begins with “{WORLD}”"))?;
    let scope: Scope = scope.parse()?;
    let mut world = World::new(&scope);
    let mut steps = 0;
    let mut told = String::new();
    for line in story.lines() {
        let Some((number, telling)) = numbered(line) else { continue };
        if number == 1 && steps > 0 {
            break;
        }
        if number != steps + 1 {
            return Err(format!("step {number} comes after step {steps}"));
        }
        let next = follow(&world, |(action, _)| world.tell(action) == telling);
        let (action, next) = next.ok_or_else(|| format!("step {number} cannot happen here: {telling}"))?;
        told += &step(number, &world, &action, &next);
        world = next;
        steps = number;
    }
    Ok(Replayed { scope, steps, told, violations: always::violations(&world) })
}

/// The number and the text of a numbered line.
fn numbered(line: &str) -> Option<(usize, &str)> {
    let (number, telling) = line.trim_start().split_once(". ")?;
    Some((number.parse().ok()?, telling.trim_end()))
}
