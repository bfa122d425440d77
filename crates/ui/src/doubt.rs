//! Why am I blocked? What is said of a string in doubt: whom its participant asked, who answered what, which
//! row of the textbook's table that is, and what would free it.
//!
//! The participant's window says it of itself, a lab of each participant, in the same words; both hand over
//! plain data. Deliberately absent: anything drawn, and any belief of our own: what nobody answered is not
//! guessed at.

use std::time::{Duration, Instant};

use twopc_proto::trace::Peer;
use twopc_proto::{PeerState, Role};
use twopc_runner::snapshot::DoubtView;

use crate::text::listed;

/// Where a participant in READY stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt<'a> {
    /// How long it has waited, since it promised or was started again in doubt.
    pub waited: Duration,
    /// How long ago it asked last, if it has.
    pub asked_ago: Option<Duration>,
    /// Nobody who can be reached may decide.
    pub blocked: bool,
    /// Whom it can ask: the coordinator first, then the other participants by name.
    pub peers: &'a [Peer],
    /// It has a link to the relay.
    pub is_connected: bool,
}

/// A row of the table of cooperative termination (Tanenbaum & van Steen, 8.5): the state of the one who was
/// asked, and what whoever asked does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Row {
    /// Whoever was asked has committed.
    Commit,
    /// Whoever was asked has aborted.
    Abort,
    /// Whoever was asked has not voted.
    Init,
    /// Whoever was asked is in doubt as well.
    Ready,
}

impl Row {
    /// The table, in the book's order.
    pub const ALL: [Self; 4] = [Self::Commit, Self::Abort, Self::Init, Self::Ready];

    /// The row that an answer is found in. WAIT is in none: the coordinator has not decided, so its decision
    /// is waited for.
    #[must_use]
    pub fn of(answer: PeerState) -> Option<Self> {
        match answer {
            PeerState::Commit => Some(Self::Commit),
            PeerState::Abort => Some(Self::Abort),
            PeerState::Init => Some(Self::Init),
            PeerState::Ready => Some(Self::Ready),
            PeerState::Wait => None,
        }
    }

    /// The state of the one who was asked.
    #[must_use]
    pub fn state(self) -> &'static str {
        match self {
            Self::Commit => "COMMIT",
            Self::Abort => "ABORT",
            Self::Init => "INIT",
            Self::Ready => "READY",
        }
    }

    /// What whoever asked does.
    #[must_use]
    pub fn action(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Abort => "abort",
            Self::Init => "abort, both of them",
            Self::Ready => "ask another participant",
        }
    }
}

impl<'a> Doubt<'a> {
    /// As a node's own snapshot has it.
    #[must_use]
    pub fn seen(view: &'a DoubtView, is_connected: bool, now: Instant) -> Self {
        Self {
            waited: now.saturating_duration_since(view.since),
            asked_ago: view.asked_at.map(|asked| now.saturating_duration_since(asked)),
            blocked: view.blocked,
            peers: &view.peers,
            is_connected,
        }
    }

    /// All of it in sentences. `who` has voted: `You`, or a name.
    #[must_use]
    pub fn explanation(&self, who: &str) -> String {
        let mut text = format!("{who} voted commit; the decision has not arrived. ");
        if self.waited >= Duration::from_secs(1) {
            text += &format!("In doubt for {} s. ", self.waited.as_secs());
        }
        // Without the relay nobody can say anything, and what was answered before helps nobody.
        if !self.is_connected {
            return text + "Without the relay nobody can be asked; that is done as soon as it is back.";
        }
        if let Some(asked_ago) = self.asked_ago {
            let answers: Vec<String> = self.peers.iter().map(standing).collect();
            text += &format!("Asked {} s ago: {}. ", asked_ago.as_secs(), answers.join(", "));
        }
        if let Some(rule) = self.rule() {
            text += &rule;
            text.push(' ');
        }
        if self.blocked {
            // Whoever is here and says nothing may well decide; of the others it is known that they may not.
            let nobody = if self.silent().is_empty() { "nobody here" } else { "nobody who answers" };
            text += &format!(
                "Blocked: {nobody} may decide. It ends when {}; starting another coordinator does not help. What frees it: {}.",
                self.ends(),
                self.frees()
            );
        } else if self.asked_ago.is_some() {
            text += "Any of them that knows the decision, or a participant that has not voted, settles it.";
        } else {
            text += "Nobody has been asked yet; that is done once the time for the vote and a grace have passed.";
        }
        text
    }

    /// The row of the table that applies to what was answered, in a sentence; none before anybody answered.
    #[must_use]
    pub fn rule(&self) -> Option<String> {
        let answers = || self.peers.iter().filter(|peer| peer.here).filter_map(|peer| peer.answer);
        if answers().any(|answer| answer == PeerState::Wait) {
            return Some("WAIT is no row of the table: the coordinator decides, and that is waited for.".into());
        }
        // What settles it comes before READY in the table.
        let row = answers().filter_map(Row::of).min()?;
        Some(format!("The table's row for {}: {}.", row.state(), row.action()))
    }

    /// The answer that would free it: `the decision of chair, or COMMIT, ABORT or INIT from carol`. Whoever has
    /// answered READY, and is here, has none.
    #[must_use]
    pub fn frees(&self) -> String {
        let is_coordinator = |peer: &&Peer| peer.role == Role::Coordinator;
        let decides = self.peers.iter().find(is_coordinator).map(|peer| format!("the decision of {}", peer.user));
        let others = self.peers.iter().filter(|peer| !is_coordinator(peer));
        let may: Vec<&str> =
            others.filter(|peer| !peer.here || peer.answer != Some(PeerState::Ready)).map(|peer| peer.user.as_str()).collect();
        let told = (!may.is_empty()).then(|| format!("COMMIT, ABORT or INIT from {}", listed(&may, "or")));
        let ways: Vec<String> = decides.into_iter().chain(told).collect();
        ways.join(", or ")
    }

    /// What has to happen: `chair or carol (offline) is back`, `chair answers`, or both.
    fn ends(&self) -> String {
        let away: Vec<&str> = self.peers.iter().filter(|peer| !peer.here).map(|peer| peer.user.as_str()).collect();
        let silent = self.silent();
        let back = (!away.is_empty()).then(|| format!("{} (offline) is back", listed(&away, "or")));
        let answers = (!silent.is_empty()).then(|| format!("{} answers", listed(&silent, "or")));
        let ways: Vec<String> = back.into_iter().chain(answers).collect();
        if ways.is_empty() { String::from("the coordinator decides") } else { ways.join(", or when ") }
    }

    /// Who is here and has not answered: it may be frozen, or what it says does not arrive.
    fn silent(&self) -> Vec<&str> {
        self.peers.iter().filter(|peer| peer.here && peer.answer.is_none()).map(|peer| peer.user.as_str()).collect()
    }
}

/// What one of those who can be asked has answered: `chair (offline)`, `bob READY`, `carol no answer`.
#[must_use]
pub fn standing(peer: &Peer) -> String {
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

#[cfg(test)]
mod tests {
    use twopc_proto::UserName;

    use super::*;

    fn peer(user: &str, here: bool, answer: Option<PeerState>) -> Peer {
        let role = if user == "chair" { Role::Coordinator } else { Role::Participant };
        Peer { user: UserName::parse(user).unwrap(), role, here, asked: true, answer }
    }

    fn doubt(peers: &[Peer]) -> Doubt<'_> {
        let seconds = Duration::from_secs;
        Doubt { waited: seconds(30), asked_ago: Some(seconds(4)), blocked: false, peers, is_connected: true }
    }

    #[test]
    fn the_table_is_the_books() {
        let table = Row::ALL.map(|row| format!("{}: {}", row.state(), row.action()));
        assert_eq!(table, ["COMMIT: commit", "ABORT: abort", "INIT: abort, both of them", "READY: ask another participant"]);
        assert_eq!(Row::of(PeerState::Wait), None);
    }

    #[test]
    fn who_is_blocked_reads_whom_it_asked_which_row_applied_and_what_frees_it() {
        let peers = [peer("chair", false, None), peer("bob", true, Some(PeerState::Ready)), peer("carol", false, None)];
        let blocked = Doubt { blocked: true, ..doubt(&peers) };
        assert_eq!(
            blocked.explanation("alice"),
            "alice voted commit; the decision has not arrived. In doubt for 30 s. Asked 4 s ago: chair (offline), bob READY, carol \
             (offline). The table's row for READY: ask another participant. Blocked: nobody here may decide. It ends when chair or carol \
             (offline) is back; starting another coordinator does not help. What frees it: the decision of chair, or COMMIT, ABORT or \
             INIT from carol."
        );
        let all_ready = [peer("chair", true, None), peer("bob", true, Some(PeerState::Ready))];
        let blocked = Doubt { blocked: true, ..doubt(&all_ready) };
        assert_eq!(blocked.frees(), "the decision of chair", "whoever is in READY cannot free anybody");
    }

    #[test]
    fn who_is_away_has_to_come_back_and_who_is_silent_has_to_answer() {
        let check = |peers: &[Peer], sentence: &str| {
            let told = Doubt { blocked: true, ..doubt(peers) }.explanation("You");
            assert!(told.contains(sentence), "{told}");
        };
        let ready = Some(PeerState::Ready);
        check(&[peer("chair", false, None), peer("bob", true, ready)], "nobody here may decide. It ends when chair (offline) is back;");
        check(&[peer("chair", true, None), peer("bob", true, ready)], "nobody who answers may decide. It ends when chair answers;");
        check(
            &[peer("chair", true, None), peer("bob", true, None), peer("carol", false, None)],
            "nobody who answers may decide. It ends when carol (offline) is back, or when chair or bob answers;",
        );
    }

    #[test]
    fn the_row_is_that_of_what_was_answered_by_those_who_are_here() {
        let rule = |peers: &[Peer]| doubt(peers).rule();
        assert_eq!(rule(&[peer("chair", false, None), peer("bob", true, None)]), None);
        assert_eq!(rule(&[peer("bob", false, Some(PeerState::Ready))]), None);
        let both = [peer("bob", true, Some(PeerState::Ready)), peer("carol", true, Some(PeerState::Init))];
        assert_eq!(rule(&both).as_deref(), Some("The table's row for INIT: abort, both of them."));
        let waits = [peer("chair", true, Some(PeerState::Wait)), peer("bob", true, Some(PeerState::Ready))];
        assert!(rule(&waits).unwrap().starts_with("WAIT is no row of the table"));
    }

    #[test]
    fn who_has_asked_nobody_yet_reads_when_that_is_done() {
        let peers = [peer("chair", true, None), peer("bob", true, None)];
        assert_eq!(
            Doubt { waited: Duration::from_secs(5), asked_ago: None, ..doubt(&peers) }.explanation("You"),
            "You voted commit; the decision has not arrived. In doubt for 5 s. Nobody has been asked yet; that is done once the time for \
             the vote and a grace have passed."
        );
    }

    #[test]
    fn without_the_relay_nothing_that_was_answered_counts() {
        let peers = [peer("chair", false, None), peer("bob", true, Some(PeerState::Ready))];
        assert_eq!(
            Doubt { is_connected: false, blocked: true, ..doubt(&peers) }.explanation("You"),
            "You voted commit; the decision has not arrived. In doubt for 30 s. Without the relay nobody can be asked; that is done as \
             soon as it is back."
        );
    }
}
