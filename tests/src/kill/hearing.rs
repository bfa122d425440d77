//! What the programs of a room say, and what follows from it for the trial.
//!
//! Two nodes that say different decisions, an alarm, and a program that ends unasked are failures
//! wherever they are met. Deliberately absent: what is done about anything; see `play`.

use std::os::unix::process::ExitStatusExt;

use rustix::process::Signal;
use serde_json::Value;

use super::child::Said;
use super::plan::Actor;
use super::scene::Scene;
use super::verdict;

impl Scene<'_> {
    /// Takes in a line, or an end.
    pub(super) fn take(&mut self, Said { actor, life, line }: Said) {
        if self.player(actor).lives != life {
            return;
        }
        match line {
            None => self.on_end(actor),
            Some(line) => {
                self.note(actor, &line);
                match serde_json::from_str::<Value>(&line) {
                    Ok(event) if actor != Actor::Relay => self.on_event(actor, &event),
                    // The relay is a program for people; it says one thing that matters here.
                    Ok(_) | Err(_) => self.player_mut(actor).is_in |= actor == Actor::Relay && line.starts_with("Listening on"),
                }
            }
        }
    }

    /// Somebody has ended: as it was asked to, by the trial's hand, at its point, or by a fault.
    fn on_end(&mut self, actor: Actor) {
        let player = self.player_mut(actor);
        let Some(child) = player.child.take() else { return };
        let (was_killed, may_end) = (child.was_killed, child.may_end);
        player.is_in = false;
        player.open.clear();
        player.ready.clear();
        player.blocked.clear();
        player.waiting.clear();
        let armed = player.armed;
        let ending = child.ending();
        player.ended = ending.as_ref().ok().copied();
        // Whoever is gone has to join again before anybody counts on it.
        for other in &mut self.players {
            other.met.remove(actor.name());
        }
        self.late.retain(|(_, voter, _)| Actor::Voter(*voter) != actor);
        if let Some(held) = &mut self.held {
            held.retain(|(voter, _)| Actor::Voter(*voter) != actor);
        }
        let by_kill = ending.as_ref().is_ok_and(|status| status.signal() == Some(Signal::KILL.as_raw()));
        match (armed, by_kill) {
            (_, true) if was_killed => self.note(actor, "is dead"),
            (Some(point), true) => {
                self.note(actor, &format!("has died at {point}"));
                self.tally.died_at(actor, point);
                if let Err(sentence) = verdict::stopped_at(self.folder, actor, point) {
                    self.broken = Some(sentence);
                }
            }
            (_, _) if may_end => self.note(actor, "has ended"),
            (_, _) => {
                let complaint = self.last_complaint(actor);
                self.broken = Some(format!("{actor} ended unasked, with {ending:?}: {complaint}"));
            }
        }
    }

    fn on_event(&mut self, actor: Actor, event: &Value) {
        let text = |member: &str| event[member].as_str().unwrap_or_default();
        let txn = text("txn");
        match text("event") {
            "login" => {
                let player = self.player_mut(actor);
                player.is_in = true;
                player.met.clear();
            }
            "disconnected" => {
                let player = self.player_mut(actor);
                player.is_in = false;
                player.met.clear();
            }
            "joined" => _ = self.player_mut(actor).met.insert(text("user").into()),
            "left" => _ = self.player_mut(actor).met.remove(text("user")),
            "vote_request" => self.on_vote_request(actor, txn),
            "state" => self.on_state(actor, txn, text("state")),
            "decision" => self.on_decision(actor, txn, text("decision")),
            "applied" | "done" => _ = self.player_mut(actor).open.remove(txn),
            "blocked" => {
                self.tally.blocked += 1;
                self.player_mut(actor).blocked.insert(txn.into());
            }
            "notice" if actor == Actor::Chair => self.player_mut(actor).counts.refused += u64::from(is_refusal(text("message"))),
            "alarm" | "error" => self.broken = Some(format!("{actor} says {event}")),
            // Chat, proposals, notices, the summary.
            _ => {}
        }
    }

    fn on_vote_request(&mut self, actor: Actor, txn: &str) {
        let Actor::Voter(voter) = actor else { return };
        let player = self.player_mut(actor);
        player.counts.asked += 1;
        player.open.insert(txn.into());
        match &mut self.held {
            Some(held) => held.push((voter, txn.into())),
            None => self.vote(voter, txn),
        }
    }

    fn on_state(&mut self, actor: Actor, txn: &str, state: &str) {
        let player = self.player_mut(actor);
        player.ready.remove(txn);
        player.waiting.remove(txn);
        match (actor, state) {
            (Actor::Chair, "INIT" | "WAIT") => {
                player.counts.begun += u64::from(state == "INIT");
                player.waiting.insert(txn.into());
                player.open.insert(txn.into());
            }
            (Actor::Voter(_), "READY") => {
                player.ready.insert(txn.into());
                player.open.insert(txn.into());
            }
            // A participant says its decision next, which ends the transaction there.
            (Actor::Voter(_), "ABORT") => {}
            (_, _) => _ = player.open.insert(txn.into()),
        }
    }

    fn on_decision(&mut self, actor: Actor, txn: &str, decision: &str) {
        if decision == "abort" && actor != Actor::Chair {
            self.player_mut(actor).open.remove(txn);
        }
        let (first, by) = self.decided.entry(txn.into()).or_insert_with(|| (decision.into(), actor));
        if first != decision {
            self.broken = Some(format!("{by} says {first} of {txn}, and {actor} says {decision}"));
        }
    }
}

/// Whether a coordinator's notice says that a Request has begun no vote.
fn is_refusal(message: &str) -> bool {
    ["There is no link", "A vote is open", "Waiting for"].iter().any(|beginning| message.starts_with(beginning))
}
