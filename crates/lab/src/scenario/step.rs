//! One line of a scenario: something that is done, or waited for.
//!
//! The words are those of the protocol and of the buttons. Deliberately absent: how a step is carried out,
//! and variables, loops or conditions: a scenario is a story, told in order.

use std::fmt;
use std::time::Duration;

use twopc_proto::bench::{Rule, Then};
use twopc_proto::{MessageKind, UserName};

/// Whom a step is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Every participant.
    Everybody,
    /// One program of the room, the relay too.
    One(String),
}

/// What a person presses or says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Press {
    /// Says a line; one that begins with `string:` proposes.
    Say(String),
    /// The coordinator's Request.
    Request,
    /// A participant's Commit.
    Commit,
    /// A participant's Abort.
    Abort,
    /// A participant's Ask status.
    Ask,
}

/// Which messages a step is about; whatever is left out may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Which {
    /// The type.
    pub kind: Option<MessageKind>,
    /// The sender.
    pub from: Option<UserName>,
    /// The receiver.
    pub to: Option<UserName>,
}

/// What is done with a message that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handling {
    /// It goes on.
    Deliver,
    /// It is lost.
    Lose,
    /// A copy goes on; it is kept still.
    Repeat,
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Somebody is in this state with the last transaction, or is `blocked`, `online`, `offline`, `gone`.
    Is(Whom, String),
    /// A message is kept.
    Held(Which),
    /// Every participant has acknowledged.
    Done,
}

/// One line of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Somebody presses or says something.
    Press(Whom, Press),
    /// A program is started again, to die somewhere or not.
    Start(String, Option<String>),
    /// A program is asked to end.
    Stop(String),
    /// A program is killed.
    Kill(String),
    /// A program is stopped where it is.
    Freeze(String),
    /// A frozen program goes on.
    Thaw(String),
    /// Messages are kept, lost or delayed from now on. Later rules come before earlier ones.
    Rules(Vec<Rule>),
    /// No rule holds any more. What is kept is kept still.
    Heal,
    /// The oldest message of these that is kept.
    Handle(Handling, Which),
    /// All that is kept goes on.
    Release,
    /// Nothing is done until this is so.
    Until(Condition),
    /// Nothing is done for some time.
    Wait(Duration),
}

impl Step {
    /// Reads a line.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn read(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["hold", which @ ..] => Ok(Self::Rules(vec![rule(which, Then::Hold)?])),
            ["drop", which @ ..] => Ok(Self::Rules(vec![rule(which, Then::Drop)?])),
            ["delay", which @ .., time, unit] => {
                let time = span(time, unit)?;
                let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
                Ok(Self::Rules(vec![rule(which, Then::Delay { ms })?]))
            }
            ["cut", one, "from" | "to", other] if one == other => Err(format!("{one} has no link to itself; name two ends")),
            ["cut", one, "from", other] => Ok(Self::Rules(vec![between(one, other)?, between(other, one)?])),
            ["cut", one, "to", other] => Ok(Self::Rules(vec![between(one, other)?])),
            ["heal"] => Ok(Self::Heal),
            ["deliver", which @ ..] => Ok(Self::Handle(Handling::Deliver, read_which(which)?)),
            ["lose", which @ ..] => Ok(Self::Handle(Handling::Lose, read_which(which)?)),
            ["repeat", which @ ..] => Ok(Self::Handle(Handling::Repeat, read_which(which)?)),
            ["release"] => Ok(Self::Release),
            ["start", who] => Ok(Self::Start(program(who)?, None)),
            ["start", who, "to", "crash", "at", point] => Ok(Self::Start(program(who)?, Some(String::from(*point)))),
            ["stop", who] => program(who).map(Self::Stop),
            ["kill", who] => program(who).map(Self::Kill),
            ["freeze", who] => program(who).map(Self::Freeze),
            ["thaw", who] => program(who).map(Self::Thaw),
            ["wait", time, unit] => span(time, unit).map(Self::Wait),
            ["until", "done"] => Ok(Self::Until(Condition::Done)),
            ["until", which @ .., "is", "held"] => read_which(which).map(|which| Self::Until(Condition::Held(which))),
            ["until", who, "is", state] => Ok(Self::Until(Condition::Is(whom(who)?, read_state(state)?))),
            [who, "says", ..] => {
                let said = line.split_once("says").map_or("", |(_, said)| said.trim());
                if said.is_empty() {
                    return Err(format!("it does not say what {who} says"));
                }
                Ok(Self::Press(whom(who)?, Press::Say(said.into())))
            }
            [who, "presses", button] => Ok(Self::Press(whom(who)?, read_button(button)?)),
            _ => Err(String::from("it is none of the steps that a scenario can have")),
        }
    }
}

/// A name of the room's list.
pub(super) fn program(text: &str) -> Result<String, String> {
    UserName::parse(text).map(|name| String::from(name.as_str())).map_err(|_| format!("{text} is no program of the room"))
}

fn whom(text: &str) -> Result<Whom, String> {
    if text == "everybody" { Ok(Whom::Everybody) } else { program(text).map(Whom::One) }
}

fn user(text: &str) -> Result<UserName, String> {
    UserName::parse(text).map_err(|_| format!("{text} is no name"))
}

fn read_button(text: &str) -> Result<Press, String> {
    match text.to_lowercase().as_str() {
        "request" => Ok(Press::Request),
        "commit" => Ok(Press::Commit),
        "abort" => Ok(Press::Abort),
        "ask" => Ok(Press::Ask),
        _ => Err(format!("there is no button {text}; there are request, commit, abort and ask")),
    }
}

fn read_state(text: &str) -> Result<String, String> {
    const STATES: [&str; 9] = ["INIT", "WAIT", "READY", "COMMIT", "ABORT", "blocked", "online", "offline", "gone"];
    if STATES.contains(&text) { Ok(text.into()) } else { Err(format!("nobody can be {text}; one can be {}", STATES.join(", "))) }
}

/// `VOTE_COMMIT from alice to chair`, `everything`.
fn read_which(words: &[&str]) -> Result<Which, String> {
    let (kind, mut rest) = match words {
        ["everything", rest @ ..] => (None, rest),
        [kind, rest @ ..] => (Some(MessageKind::parse(kind).ok_or(format!("there is no message {kind}"))?), rest),
        [] => return Err(String::from("it does not say which messages: a type, or everything")),
    };
    let mut which = Which { kind, ..Which::default() };
    while let [preposition, name, more @ ..] = rest {
        match *preposition {
            "from" => which.from = Some(user(name)?),
            "to" => which.to = Some(user(name)?),
            _ => return Err(format!("{preposition} {name} does not say which messages; from NAME and to NAME do")),
        }
        rest = more;
    }
    if rest.is_empty() { Ok(which) } else { Err(format!("{} says nothing", rest.join(" "))) }
}

fn rule(words: &[&str], then: Then) -> Result<Rule, String> {
    let Which { kind, from, to } = read_which(words)?;
    Ok(Rule { path: kind.map(|kind| format!("/2pc/{kind}")), from, to, then })
}

fn between(from: &str, to: &str) -> Result<Rule, String> {
    let end = |name: &str| if name == "everybody" { Ok(None) } else { user(name).map(Some) };
    Ok(Rule { path: None, from: end(from)?, to: end(to)?, then: Then::Drop })
}

/// `500 ms`, `2 s`.
pub(super) fn span(number: &str, unit: &str) -> Result<Duration, String> {
    let number: f64 = number.parse().map_err(|_| format!("{number} is no number"))?;
    let seconds = match unit {
        "ms" => number / 1_000.0,
        "s" => number,
        _ => return Err(format!("time is in ms or s, not in {unit}")),
    };
    if (0.001..=600.0).contains(&seconds) { Ok(Duration::from_secs_f64(seconds)) } else { Err(String::from("time is 1 ms to 600 s")) }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Some(kind) => write!(f, "{kind}")?,
            None => f.write_str("everything")?,
        }
        self.from.iter().try_for_each(|from| write!(f, " from {from}"))?;
        self.to.iter().try_for_each(|to| write!(f, " to {to}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> UserName {
        UserName::parse(text).unwrap()
    }

    #[test]
    fn every_kind_of_line_is_read() {
        for (line, step) in [
            ("chair says string: Hello  you", Step::Press(Whom::One("chair".into()), Press::Say("string: Hello  you".into()))),
            ("chair presses Request", Step::Press(Whom::One("chair".into()), Press::Request)),
            ("everybody presses commit", Step::Press(Whom::Everybody, Press::Commit)),
            ("hold everything", Step::Rules(vec![Rule { path: None, from: None, to: None, then: Then::Hold }])),
            (
                "drop VOTE_COMMIT from carol to chair",
                Step::Rules(vec![Rule {
                    path: Some("/2pc/VOTE_COMMIT".into()),
                    from: Some(name("carol")),
                    to: Some(name("chair")),
                    then: Then::Drop,
                }]),
            ),
            ("delay everything 500 ms", Step::Rules(vec![Rule { path: None, from: None, to: None, then: Then::Delay { ms: 500 } }])),
            (
                "cut alice to bob",
                Step::Rules(vec![Rule { path: None, from: Some(name("alice")), to: Some(name("bob")), then: Then::Drop }]),
            ),
            ("deliver VOTE_COMMIT", Step::Handle(Handling::Deliver, Which { kind: Some(MessageKind::VoteCommit), ..Which::default() })),
            ("start bob to crash at after:log:READY", Step::Start("bob".into(), Some("after:log:READY".into()))),
            ("kill relay", Step::Kill("relay".into())),
            ("wait 1.5 s", Step::Wait(Duration::from_millis(1_500))),
            ("until everybody is COMMIT", Step::Until(Condition::Is(Whom::Everybody, "COMMIT".into()))),
            ("until everything from bob is held", Step::Until(Condition::Held(Which { from: Some(name("bob")), ..Which::default() }))),
            ("until done", Step::Until(Condition::Done)),
        ] {
            assert_eq!(Step::read(line), Ok(step), "{line}");
        }
        let Ok(Step::Rules(rules)) = Step::read("cut alice from chair") else { panic!() };
        assert_eq!(rules.len(), 2);
    }

    #[test]
    fn what_is_no_step_says_why() {
        for (line, why) in [
            ("dance", "it is none of the steps"),
            ("hold", "it does not say which messages"),
            ("hold VOTE_MAYBE", "there is no message VOTE_MAYBE"),
            ("hold ACK by alice", "by alice does not say which"),
            ("hold ACK from", "from says nothing"),
            ("alice presses maybe", "there is no button maybe"),
            ("until alice is happy", "nobody can be happy"),
            ("cut alice from alice", "alice has no link to itself"),
            ("cut alice to alice", "alice has no link to itself"),
            ("alice says", "it does not say what alice says"),
            ("wait 5 minutes", "time is in ms or s"),
            ("wait 0 s", "time is 1 ms to 600 s"),
            ("kill ../etc", "is no program of the room"),
        ] {
            let error = Step::read(line).unwrap_err();
            assert!(error.contains(why), "{line}: {error}");
        }
    }
}
