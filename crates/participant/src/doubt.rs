//! What is said to a person whose string is in doubt: whom this participant asked, who answered
//! what, and what would free it.

use std::time::Instant;

use twopc_proto::Role;
use twopc_runner::snapshot::{DoubtView, PeerView};
use twopc_ui::text::listed;

/// The explanation under `In doubt about …`. Without the relay nobody can say anything, and what was
/// answered before helps nobody.
pub(crate) fn doubt_text(doubt: &DoubtView, is_connected: bool, now: Instant) -> String {
    let mut text = String::from("You voted commit; the decision has not arrived. ");
    if !is_connected {
        return text + "Without the relay nobody can be asked; that is done as soon as it is back.";
    }
    if let Some(asked_at) = doubt.asked_at {
        let ago = now.saturating_duration_since(asked_at).as_secs();
        let answers: Vec<String> = doubt.peers.iter().map(standing).collect();
        text += &format!("Asked {ago} s ago: {}. ", answers.join(", "));
    }
    if doubt.blocked {
        let missing: Vec<&str> = doubt.peers.iter().filter(|peer| !peer.here).map(|peer| peer.user.as_str()).collect();
        let back = if missing.is_empty() { String::from("the coordinator") } else { format!("{} (offline)", listed(&missing, "or")) };
        text += &format!("Blocked: nobody here may decide. It ends when {back} is back; starting another coordinator does not help.");
    } else if doubt.asked_at.is_some() {
        text += "Any of them that knows the decision, or a participant that has not voted, settles it.";
    } else {
        text += "The others are asked in a moment.";
    }
    text
}

/// `chair (offline)`, `bob READY`, `carol no answer`.
fn standing(peer: &PeerView) -> String {
    let name = match peer.role {
        Role::Coordinator => format!("{} (coordinator)", peer.user),
        Role::Participant | Role::Observer | Role::Guest => peer.user.to_string(),
    };
    match (&peer.answer, peer.here, peer.asked) {
        (_, false, _) => format!("{} (offline)", peer.user),
        (Some(answer), true, _) => format!("{name} {}", answer.as_str()),
        (None, true, true) => format!("{name} no answer"),
        (None, true, false) => format!("{name} not asked yet"),
    }
}
