//! The room's conversation as one node has it: what was said, in the relay's order, and what this
//! node has said that has not come back yet.
//!
//! Deliberately absent: the socket. Lines are made here and sent by whoever has the link.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use twopc_proto::frame::{Chat, Welcome};
use twopc_proto::text::{is_one_line, proposal, split_time, timed};
use twopc_proto::{CommittedString, Role, UserName};

use crate::snapshot::{Line, LineKind};

/// The most lines that are kept.
const MOST_LINES: usize = 5_000;

/// The bytes that those lines have together; fewer are kept where they are very long.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The longest line that is sent, in bytes: with its time and a relay's limit of 64 KiB a body,
/// there is room to spare.
const LONGEST_LINE: usize = 60 * 1024;

/// What was said, and what waits to come back.
#[derive(Debug)]
pub(crate) struct Conversation {
    role: Role,
    /// Lines in their final place.
    settled: VecDeque<Line>,
    /// The bytes in them.
    bytes: usize,
    next_number: u64,
    /// This node's own lines that the relay has not sent back, in the order in which they left.
    pending: VecDeque<String>,
    /// How many of them left on an earlier link.
    left_earlier: usize,
    /// When this node said something last; at first, when it logged in.
    spoke: Option<Instant>,
    /// The relay's life, and the highest number of it that stands here.
    room: Option<String>,
    seen: u64,
    /// The lines as a window last saw them, and whether that is how they still are.
    shown: Arc<Vec<Line>>,
    stale: bool,
}

/// A line as the front ends hear of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Who said it; a guest as `name (guest)`.
    pub(crate) from: String,
    /// What, without the time.
    pub(crate) text: String,
    /// The string that it proposes.
    pub(crate) proposal: Option<CommittedString>,
}

impl Conversation {
    pub(crate) fn new(role: Role) -> Self {
        Self {
            role,
            settled: VecDeque::new(),
            bytes: 0,
            next_number: 1,
            pending: VecDeque::new(),
            left_earlier: 0,
            spoke: None,
            room: None,
            seen: 0,
            shown: Arc::default(),
            stale: false,
        }
    }

    /// The string that a line proposes, if it is said by a coordinator as one.
    ///
    /// # Errors
    /// A sentence, when a line cannot be sent as it is.
    pub(crate) fn check(&self, text: &str) -> Result<Option<CommittedString>, String> {
        if !is_one_line(text) {
            return Err("That line has a line break or a control character in it, which the relay refuses; please take it out.".into());
        }
        if text.len() > LONGEST_LINE {
            return Err("That line is longer than 60 KiB; please send it in parts.".into());
        }
        match proposal(text).filter(|_| self.role == Role::Coordinator) {
            None => Ok(None),
            Some(string) => CommittedString::parse(string).map(Some).map_err(|error| format!("That cannot be proposed: {error}.")),
        }
    }

    /// A line that leaves now: what travels, the time since the line before included. It is shown as
    /// pending until the relay sends it back.
    pub(crate) fn say(&mut self, text: &str, now: Instant) -> String {
        let passed = self.spoke.replace(now).map_or_else(Default::default, |spoke| now.duration_since(spoke));
        let line = timed(passed, text);
        self.pending.push_back(line.clone());
        self.stale = true;
        line
    }

    /// A line that cannot leave.
    pub(crate) fn say_in_vain(&mut self, me: &str, text: &str) {
        let kind = LineKind::Chat { from: me.into(), text: text.into(), seq: None, unsent: true, proposal: None, history: false };
        self.settle(kind);
    }

    /// The room's own words.
    pub(crate) fn note(&mut self, words: String) {
        self.settle(LineKind::Room(words));
    }

    /// Logged in. Another life of the relay has its own numbers, and knows nothing of what left on
    /// an earlier link.
    pub(crate) fn on_welcome(&mut self, welcome: &Welcome, now: Instant) {
        self.spoke.get_or_insert(now);
        self.left_earlier = self.pending.len();
        if self.room.as_ref() != Some(&welcome.room) {
            self.room = Some(welcome.room.clone());
            self.seen = 0;
            self.on_history_over(welcome.user.as_str());
        }
    }

    /// Everything that the relay had kept for a login has come. What left on an earlier link and was
    /// not among it never reached the room.
    pub(crate) fn on_history_over(&mut self, me: &str) {
        for _ in 0..std::mem::take(&mut self.left_earlier) {
            if let Some(line) = self.pending.pop_front() {
                self.say_in_vain(me, split_time(&line).1);
            }
        }
    }

    /// The relay took no line of ours: the oldest that has not come back.
    pub(crate) fn on_refused(&mut self, me: &str) {
        if let Some(line) = self.pending.pop_front() {
            self.left_earlier = self.left_earlier.saturating_sub(1);
            self.say_in_vain(me, split_time(&line).1);
        }
    }

    /// A line from the relay. `None` for one that stands here already, as history repeats after a
    /// new login.
    pub(crate) fn on_chat(&mut self, me: Option<&UserName>, chat: Chat) -> Option<Heard> {
        if !chat.history && self.left_earlier > 0 {
            self.on_history_over(me.map_or("", UserName::as_str));
        }
        if chat.seq <= self.seen {
            return None;
        }
        self.seen = chat.seq;
        if chat.role == self.role && Some(&chat.from) == me {
            self.take_pending(&chat.text);
        }
        let proposal = proposal(&chat.text).filter(|_| chat.coordinator).and_then(|string| CommittedString::parse(string).ok());
        let from = if chat.role == Role::Guest { format!("{} (guest)", chat.from) } else { chat.from.to_string() };
        let heard = Heard { from: from.clone(), text: split_time(&chat.text).1.into(), proposal: proposal.clone() };
        self.settle(LineKind::Chat {
            from,
            text: chat.text,
            seq: Some(chat.seq),
            unsent: false,
            proposal: proposal.map(String::from),
            history: chat.history,
        });
        Some(heard)
    }

    /// One of our own lines came back. They come in the order in which they left; one that is
    /// missing before it never reached the room.
    fn take_pending(&mut self, line: &str) {
        if let Some(place) = self.pending.iter().position(|pending| pending == line) {
            self.pending.remove(place);
            if place < self.left_earlier {
                self.left_earlier -= 1;
            }
        }
    }

    fn settle(&mut self, kind: LineKind) {
        self.bytes += length(&kind);
        self.settled.push_back(Line { number: self.next_number, kind });
        while self.settled.len() > MOST_LINES || self.bytes > MOST_BYTES {
            self.bytes -= self.settled.pop_front().map_or(0, |oldest| length(&oldest.kind));
        }
        self.next_number += 1;
        self.stale = true;
    }

    /// All lines, oldest first, those that have not come back at the end.
    pub(crate) fn lines(&mut self, me: Option<&UserName>) -> Arc<Vec<Line>> {
        if std::mem::take(&mut self.stale) {
            let pending = self.pending.iter().zip(self.next_number..).map(|(line, number)| Line {
                number,
                kind: LineKind::Chat {
                    from: me.map(ToString::to_string).unwrap_or_default(),
                    text: line.clone(),
                    seq: None,
                    unsent: false,
                    proposal: proposal(line).filter(|_| self.role == Role::Coordinator).map(String::from),
                    history: false,
                },
            });
            self.shown = Arc::new(self.settled.iter().cloned().chain(pending).collect());
        }
        self.shown.clone()
    }
}

/// The bytes of a line's text.
fn length(kind: &LineKind) -> usize {
    match kind {
        LineKind::Room(text) | LineKind::Chat { text, .. } => text.len(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn name(text: &str) -> UserName {
        UserName::parse(text).unwrap()
    }

    fn chat(from: &str, seq: u64, text: &str) -> Chat {
        let role = if from == "chair" { Role::Coordinator } else { Role::Participant };
        Chat { from: name(from), role, seq, date: String::new(), history: false, coordinator: role == Role::Coordinator, text: text.into() }
    }

    fn history(from: &str, seq: u64, text: &str) -> Chat {
        Chat { history: true, ..chat(from, seq, text) }
    }

    fn welcome(room: &str) -> Welcome {
        Welcome { user: name("alice"), role: Role::Participant, room: room.into(), users: Vec::new(), seq: 0, trace: false }
    }

    /// A line as `number from text`, with a mark: `~` not come back, `!` not sent, `<` from before.
    fn lines(talk: &mut Conversation) -> Vec<String> {
        let show = |line: &Line| match &line.kind {
            LineKind::Room(words) => format!("{} {words}", line.number),
            LineKind::Chat { from, text, seq, unsent, history, .. } => {
                let mark = match (seq, unsent, history) {
                    (_, true, _) => "!",
                    (None, false, _) => "~",
                    (Some(_), false, true) => "<",
                    (Some(_), false, false) => "",
                };
                format!("{} {mark}{from} {text}", line.number)
            }
        };
        talk.lines(Some(&name("alice"))).iter().map(show).collect()
    }

    fn talk() -> (Conversation, Instant) {
        let (mut talk, now) = (Conversation::new(Role::Participant), Instant::now());
        talk.on_welcome(&welcome("1"), now);
        (talk, now)
    }

    #[test]
    fn a_line_carries_the_time_since_the_one_before_and_the_first_since_the_login() {
        let (mut talk, login) = talk();
        assert_eq!(talk.say("hi", login + Duration::from_secs(17)), "0:00:17:hi");
        assert_eq!(talk.say("again", login + Duration::from_secs(17 + 3_725)), "1:02:05:again");
    }

    #[test]
    fn ones_own_line_takes_the_place_that_the_relay_gives_it() {
        let (mut talk, now) = talk();
        let alice = name("alice");
        talk.say("one", now);
        talk.say("two", now);
        talk.on_chat(Some(&alice), chat("bob", 1, "hello"));
        assert_eq!(lines(&mut talk), ["1 bob hello", "2 ~alice 0:00:00:one", "3 ~alice 0:00:00:two"]);
        talk.on_chat(Some(&alice), chat("alice", 2, "0:00:00:one"));
        talk.on_chat(Some(&alice), chat("bob", 3, "well"));
        assert_eq!(lines(&mut talk), ["1 bob hello", "2 alice 0:00:00:one", "3 bob well", "4 ~alice 0:00:00:two"]);
        talk.on_chat(Some(&alice), chat("alice", 4, "0:00:00:two"));
        assert_eq!(lines(&mut talk)[3], "4 alice 0:00:00:two");
    }

    #[test]
    fn history_is_not_shown_twice_after_a_new_login() {
        let (mut talk, now) = talk();
        let alice = name("alice");
        assert!(talk.on_chat(Some(&alice), history("bob", 1, "early")).is_some());
        talk.on_chat(Some(&alice), chat("bob", 2, "live"));
        talk.on_welcome(&welcome("1"), now);
        assert_eq!(talk.on_chat(Some(&alice), history("bob", 1, "early")), None);
        assert_eq!(talk.on_chat(Some(&alice), history("bob", 2, "live")), None);
        assert!(talk.on_chat(Some(&alice), history("bob", 5, "missed")).is_some());
        assert_eq!(lines(&mut talk), ["1 <bob early", "2 bob live", "3 <bob missed"]);
    }

    #[test]
    fn another_life_of_the_relay_counts_from_one_again() {
        let (mut talk, now) = talk();
        let alice = name("alice");
        talk.on_chat(Some(&alice), chat("bob", 7, "old"));
        talk.say("lost", now);
        talk.on_welcome(&welcome("2"), now);
        assert!(talk.on_chat(Some(&alice), chat("bob", 1, "new")).is_some());
        assert_eq!(lines(&mut talk), ["1 bob old", "2 !alice lost", "3 bob new"]);
    }

    #[test]
    fn what_left_before_the_link_broke_is_found_in_the_history_or_was_not_sent() {
        let (mut talk, now) = talk();
        let alice = name("alice");
        talk.say("arrived", now);
        talk.say("lost", now);
        talk.on_welcome(&welcome("1"), now);
        talk.on_chat(Some(&alice), history("alice", 1, "0:00:00:arrived"));
        assert_eq!(lines(&mut talk), ["1 <alice 0:00:00:arrived", "2 ~alice 0:00:00:lost"]);
        talk.say("later", now);
        talk.on_chat(Some(&alice), chat("bob", 2, "hi"));
        assert_eq!(lines(&mut talk), ["1 <alice 0:00:00:arrived", "2 !alice lost", "3 bob hi", "4 ~alice 0:00:00:later"]);
    }

    #[test]
    fn a_proposal_is_a_coordinators_line_alone() {
        let (mut talk, _) = talk();
        let alice = name("alice");
        let heard = talk.on_chat(Some(&alice), chat("chair", 1, "0:00:17:string: Hello")).unwrap();
        assert_eq!(heard.proposal, CommittedString::parse("Hello").ok());
        assert_eq!(heard.text, "string: Hello");
        assert_eq!(talk.on_chat(Some(&alice), chat("bob", 2, "string: Hello")).unwrap().proposal, None);
        assert_eq!(talk.on_chat(Some(&alice), chat("chair", 3, "string:")).unwrap().proposal, None);
        assert_eq!(talk.check("string: Hello"), Ok(None));

        let chair = Conversation::new(Role::Coordinator);
        assert_eq!(chair.check("STRING:  Hello "), Ok(CommittedString::parse("Hello").ok()));
        assert_eq!(chair.check("hello"), Ok(None));
        assert!(chair.check("string:").unwrap_err().starts_with("That cannot be proposed"));
    }

    #[test]
    fn a_line_that_the_relay_would_refuse_is_not_sent() {
        let (talk, _) = talk();
        assert!(talk.check("a\u{7}b").unwrap_err().contains("control character"));
        assert!(talk.check(&"x".repeat(LONGEST_LINE + 1)).unwrap_err().contains("60 KiB"));
        assert_eq!(talk.check(&"x".repeat(LONGEST_LINE)), Ok(None));
    }

    #[test]
    fn the_oldest_lines_make_room() {
        let (mut talk, _) = talk();
        for _ in 0..MOST_LINES + 3 {
            talk.note("Client (bob) connected".into());
        }
        let lines = talk.lines(None);
        assert_eq!((lines.len(), lines[0].number), (MOST_LINES, 4));
        for _ in 0..10 {
            talk.note("x".repeat(MOST_BYTES / 4));
        }
        assert_eq!(talk.lines(None).len(), 4, "long lines make room as well");
    }
}
