//! What a person or a script types on standard input, a line each.
//!
//! A command without a transaction means the oldest open one *that was printed*: the front end
//! follows the events that it prints, so whoever has read `vote_request` can answer it at once.
//! Deliberately absent: what a command does; the node and its machine know.

use std::time::Duration;

use twopc_proto::coordinator::Coordinator;
use twopc_proto::participant::Participant;
use twopc_proto::text::Shown;
use twopc_proto::{State, TxnId};

use crate::event::Event;
use crate::node::NodeRole;
use crate::snapshot::{Action, CoordinatorPress, ParticipantPress};

/// A role that can be driven by lines of text.
pub trait Console: NodeRole {
    /// Which commands there are, for whoever typed something else.
    const COMMANDS: &'static str;

    /// What this line asks for.
    ///
    /// # Errors
    /// A sentence, when it is no command of this role or means nothing now.
    fn action(line: &str, desk: &Desk) -> Result<Action<Self::Press>, String>;
}

/// What commands refer to without naming it.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    /// What `request` gives a vote.
    pub vote_timeout: Duration,
    /// A participant's transactions that are not decided, in the order in which they were printed.
    open: Vec<(TxnId, &'static str)>,
}

impl Desk {
    /// An empty desk.
    #[must_use]
    pub fn new(vote_timeout: Duration) -> Self {
        Self { vote_timeout, open: Vec::new() }
    }

    /// Follows what is printed.
    pub fn on_event(&mut self, event: &Event) {
        match event {
            Event::VoteRequest { txn, .. } => self.place(txn, State::Init.as_str()),
            Event::State { txn, state } if [State::Init.as_str(), State::Ready.as_str()].contains(state) => self.place(txn, state),
            Event::State { txn, .. } | Event::Decision { txn, .. } => self.open.retain(|(known, _)| known != txn),
            Event::Login { .. }
            | Event::Chat { .. }
            | Event::Proposal { .. }
            | Event::Blocked { .. }
            | Event::Applied { .. }
            | Event::Done { .. }
            | Event::Notice { .. }
            | Event::RequestRefused { .. }
            | Event::Joined { .. }
            | Event::Left { .. }
            | Event::Disconnected
            | Event::Alarm { .. }
            | Event::Error { .. } => {}
        }
    }

    fn place(&mut self, txn: &TxnId, state: &'static str) {
        match self.open.iter_mut().find(|(known, _)| known == txn) {
            Some((_, known)) => *known = state,
            None => self.open.push((txn.clone(), state)),
        }
    }

    /// The transaction named, else the oldest one in `wanted`, else the oldest: the machine then
    /// says why the command means nothing there.
    fn pick(&self, named: &str, wanted: State) -> Result<TxnId, String> {
        if !named.is_empty() {
            return TxnId::parse(named).map_err(|error| error.to_string());
        }
        let oldest = self.open.iter().find(|(_, state)| *state == wanted.as_str()).or_else(|| self.open.first());
        oldest.map(|(txn, _)| txn.clone()).ok_or_else(|| String::from("There is no open vote."))
    }
}

impl Console for Participant {
    const COMMANDS: &'static str = "commit [TXN], abort [TXN], ask [TXN], say TEXT, quit";

    fn action(line: &str, desk: &Desk) -> Result<Action<ParticipantPress>, String> {
        let (word, rest) = split(line);
        match (word, rest) {
            ("commit", txn) => Ok(Action::Press(ParticipantPress::Commit(desk.pick(txn, State::Init)?))),
            ("abort", txn) => Ok(Action::Press(ParticipantPress::Abort(desk.pick(txn, State::Init)?))),
            ("ask", txn) => Ok(Action::Press(ParticipantPress::AskStatus(desk.pick(txn, State::Ready)?))),
            ("say", text) if !text.is_empty() => Ok(Action::Say(String::from(text))),
            ("quit", "") => Ok(Action::Quit),
            (_, _) => Err(nonsense(line, Self::COMMANDS)),
        }
    }
}

impl Console for Coordinator {
    const COMMANDS: &'static str = "string: TEXT, request, say TEXT, quit";

    fn action(line: &str, desk: &Desk) -> Result<Action<CoordinatorPress>, String> {
        if line.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("string:")) {
            return Ok(Action::Say(String::from(line)));
        }
        let (word, rest) = split(line);
        match (word, rest) {
            ("request", "") => Ok(Action::Press(CoordinatorPress::Request { vote_timeout: desk.vote_timeout })),
            ("say", text) if !text.is_empty() => Ok(Action::Say(String::from(text))),
            ("quit", "") => Ok(Action::Quit),
            (_, _) => Err(nonsense(line, Self::COMMANDS)),
        }
    }
}

/// The first word, and what follows it without the blanks around it.
fn split(line: &str) -> (&str, &str) {
    let line = line.trim();
    line.split_once(char::is_whitespace).map_or((line, ""), |(word, rest)| (word, rest.trim()))
}

fn nonsense(line: &str, commands: &str) -> String {
    /// As much of it as it takes to know it again.
    const SHOWN: usize = 100;
    let line = Shown::new(line).at_most(SHOWN).to_string();
    format!("{line:?} is no command here. The commands are: {commands}.")
}

#[cfg(test)]
mod tests {
    use twopc_proto::CommittedString;

    use super::*;

    fn txn(text: &str) -> TxnId {
        TxnId::parse(text).unwrap()
    }

    fn asked(name: &str) -> Event {
        Event::VoteRequest { txn: txn(name), string: CommittedString::parse("x").unwrap(), timeout_ms: 1 }
    }

    fn desk(events: &[Event]) -> Desk {
        let mut desk = Desk::new(Duration::from_secs(3));
        events.iter().for_each(|event| desk.on_event(event));
        desk
    }

    fn pressed(line: &str, desk: &Desk) -> Result<Action<ParticipantPress>, String> {
        Participant::action(line, desk)
    }

    #[test]
    fn a_command_without_a_transaction_means_the_oldest_it_fits() {
        let desk = desk(&[
            asked("chair.1.1"),
            Event::State { txn: txn("chair.1.1"), state: "INIT" },
            Event::State { txn: txn("chair.1.1"), state: "READY" },
            asked("chair.1.2"),
            asked("chair.1.3"),
        ]);
        assert_eq!(pressed("commit", &desk), Ok(Action::Press(ParticipantPress::Commit(txn("chair.1.2")))));
        assert_eq!(pressed("abort", &desk), Ok(Action::Press(ParticipantPress::Abort(txn("chair.1.2")))));
        assert_eq!(pressed(" ask ", &desk), Ok(Action::Press(ParticipantPress::AskStatus(txn("chair.1.1")))));
        assert_eq!(pressed("commit chair.1.3", &desk), Ok(Action::Press(ParticipantPress::Commit(txn("chair.1.3")))));
    }

    #[test]
    fn a_decided_transaction_is_open_no_longer() {
        let desk = desk(&[asked("chair.1.1"), asked("chair.1.2"), Event::State { txn: txn("chair.1.1"), state: "ABORT" }]);
        assert_eq!(pressed("commit", &desk), Ok(Action::Press(ParticipantPress::Commit(txn("chair.1.2")))));
        assert_eq!(pressed("commit", &Desk::default()), Err(String::from("There is no open vote.")));
    }

    #[test]
    fn what_a_person_says_is_said_as_typed() {
        let desk = Desk::new(Duration::from_secs(3));
        assert_eq!(pressed("say  hi  there ", &desk), Ok(Action::Say(String::from("hi  there"))));
        assert_eq!(Coordinator::action("String:  Hello", &desk), Ok(Action::Say(String::from("String:  Hello"))));
        let request = CoordinatorPress::Request { vote_timeout: Duration::from_secs(3) };
        assert_eq!(Coordinator::action("request", &desk), Ok(Action::Press(request)));
        assert_eq!(Coordinator::action("quit", &desk), Ok(Action::Quit));
    }

    #[test]
    fn nonsense_is_answered_with_the_commands_that_there_are() {
        let desk = Desk::default();
        for line in ["commit this", "say", "string: x", "request", "quit now", "Commit", "é"] {
            let sentence = pressed(line, &desk).unwrap_err();
            assert!(!sentence.is_empty(), "{line}");
        }
        assert!(pressed("dance", &desk).unwrap_err().ends_with("commit [TXN], abort [TXN], ask [TXN], say TEXT, quit."));
        assert!(Coordinator::action("commit", &desk).unwrap_err().ends_with("string: TEXT, request, say TEXT, quit."));
    }
}
