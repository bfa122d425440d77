//! The participant's window with its node behind it.

use std::process::ExitCode;
use std::time::Instant;

use egui::Ui;
use twopc_proto::participant::Participant;
use twopc_proto::{State, TxnId};
use twopc_runner::node::NodeConfig;
use twopc_runner::snapshot::{Action, ParticipantPress, ParticipantView, Snapshot};
use twopc_ui::Draft;
use twopc_ui::text::{listed, quoted};
use twopc_ui::window::{self, Face};

use crate::view::view;

/// Opens the window and runs until it is closed. `relay_given`: the address was asked for, so the last
/// one used does not take its place.
#[must_use]
pub fn run(config: NodeConfig, relay_given: bool) -> ExitCode {
    window::run::<ParticipantFace>(config, relay_given)
}

struct ParticipantFace;

impl Face for ParticipantFace {
    type Role = Participant;
    type Typed = Draft;

    fn typed(draft: Draft, _config: &NodeConfig) -> Draft {
        draft
    }

    fn view(ui: &mut Ui, snapshot: &Snapshot<ParticipantView>, draft: &mut Draft, now: Instant) -> Vec<Action<ParticipantPress>> {
        view(ui, snapshot, draft, now)
    }

    fn waiting(snapshot: &Snapshot<ParticipantView>) -> Vec<(TxnId, String)> {
        let votes = snapshot.role.votes.iter().filter(|vote| vote.can_vote.is_ok());
        votes.map(|vote| (vote.txn.clone(), vote.string.as_str().to_owned())).collect()
    }

    fn parting(snapshot: &Snapshot<ParticipantView>) -> Option<String> {
        let ready = snapshot.role.votes.iter().filter(|vote| vote.state == State::Ready);
        let strings: Vec<String> = ready.map(|vote| quoted(vote.string.as_str())).collect();
        let user = snapshot.user.as_ref()?;
        let (what, stays) = (listed(&strings, "and"), if strings.len() == 1 { "stays" } else { "stay" });
        (!strings.is_empty()).then(|| {
            format!("{what} {stays} in doubt: you voted commit, and the decision has not arrived. {user} asks for it when opened again.")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::states;

    #[test]
    fn leaving_in_ready_says_what_stays_in_doubt() {
        let now = Instant::now();
        assert_eq!(ParticipantFace::parting(&states::asked(now)), None, "nothing was promised");
        let sentence = ParticipantFace::parting(&states::ready(now)).unwrap();
        assert!(sentence.starts_with("“Hello” stays in doubt: you voted commit"), "{sentence}");
        let sentence = ParticipantFace::parting(&states::several(now)).unwrap();
        assert!(sentence.starts_with("“Hello” and “a full disk” stay in doubt"), "{sentence}");
    }

    #[test]
    fn only_a_vote_that_can_be_cast_calls_for_attention() {
        let now = Instant::now();
        let called = |shot| ParticipantFace::waiting(&shot).into_iter().map(|(_, string)| string).collect::<Vec<_>>();
        assert_eq!(called(states::asked(now)), ["Hello"]);
        assert_eq!(called(states::several(now)), ["Second"]);
        assert!(called(states::ready(now)).is_empty());
    }
}
