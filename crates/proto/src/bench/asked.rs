//! Whether the body of an observer's `/lab` is a command, and in one sentence why not if it is none.
//!
//! A script's author reads that sentence and nothing else, so it names the rule and the member. Deliberately
//! absent: whether a command means anything now; that is the relay's to say.

use alloc::format;
use alloc::string::{String, ToString};

use serde_json::{Map, Value};

use super::{Command, MOST_DELAY_MS, MOST_PATH, MOST_RULES, Rule, Then};
use crate::frame::PROTOCOL_PATH;
use crate::json;
use crate::name::UserName;
use crate::text::Shown;

/// The most characters of a member or a word that a sentence repeats.
const REPEATED: usize = 32;

/// Why a body is no command. Rules are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCommand {
    /// Not JSON, no object, or one in which a member stands twice.
    #[error("A command is one JSON object in which no member stands twice, such as {{\"do\":\"release\"}}; send that.")]
    Form,
    /// Without `do`, or with one that is none.
    #[error("The member do says what to do: rules, deliver, drop, duplicate or release; {0}.")]
    Do(String),
    /// A member that this command does not have.
    #[error("The command {command} has no member {member}; take it out.")]
    Member {
        /// What was to be done.
        command: String,
        /// The member.
        member: String,
    },
    /// Without `seq`, or with one that is no number.
    #[error("The command {0} needs the member seq: the number of a message that is held, as in {{\"do\":\"{0}\",\"seq\":7}}.")]
    Seq(String),
    /// Without `rules`, or with something else than a list.
    #[error("The command rules needs the member rules: a list of rules, which may be empty.")]
    NoRules,
    /// More than [`MOST_RULES`].
    #[error("There may be {MOST_RULES} rules at a time, and here are {0}; send fewer.")]
    Rules(usize),
    /// A rule that is no object.
    #[error("Rule {0} is no JSON object; a rule has then, and may have path, from, to, and ms for a delay.")]
    Rule(usize),
    /// A rule with a member that no rule has: it would match more than was meant.
    #[error("Rule {0} has the member {1}, which no rule has; a rule has then, and may have path, from, to, and ms for a delay.")]
    RuleMember(usize, String),
    /// A rule without `then`, or with one that is none.
    #[error("Rule {0} needs the member then: pass, hold, drop or delay; {1}.")]
    Then(usize, String),
    /// A rule's path that no protocol message has.
    #[error("The path of rule {0} is none of a protocol message; it begins with /2pc/ and has at most {MOST_PATH} bytes.")]
    Path(usize),
    /// A rule's sender or receiver that nobody can be called.
    #[error("The member {1} of rule {0} is no user name; leave it out where anybody is meant.")]
    Name(usize, &'static str),
    /// A rule's delay that is none, or too long.
    #[error("The delay of rule {0} is out of bounds or missing; its member ms is 1 to {MOST_DELAY_MS} milliseconds.")]
    Delay(usize),
    /// A time in a rule that delays nothing.
    #[error("Rule {0} has the member ms, and delays nothing; say \"then\":\"delay\", or take ms out.")]
    Ms(usize),
}

impl Command {
    /// Reads the body of an observer's `/lab`.
    ///
    /// # Errors
    /// The first [`BadCommand`] that applies.
    pub fn read(body: &[u8]) -> Result<Self, BadCommand> {
        let asked: Map<String, Value> = json::parse(body).map_err(|_| BadCommand::Form)?;
        match asked.get("do").and_then(Value::as_str) {
            Some("release") => only(&asked, "release", &["do"]).map(|()| Self::Release),
            Some(word @ "deliver") => seq(&asked, word).map(|seq| Self::Deliver { seq }),
            Some(word @ "drop") => seq(&asked, word).map(|seq| Self::Drop { seq }),
            Some(word @ "duplicate") => seq(&asked, word).map(|seq| Self::Duplicate { seq }),
            Some("rules") => rules(&asked),
            Some(_) | None => Err(BadCommand::Do(given(asked.get("do")))),
        }
    }
}

/// What was given instead, in a few words.
fn given(value: Option<&Value>) -> String {
    let Some(value) = value else { return "it is missing".into() };
    format!("{} is none of them", Shown::new(&value.to_string()).at_most(REPEATED))
}

fn named(member: &str) -> String {
    Shown::new(member).at_most(REPEATED).to_string()
}

/// Whether a command has these members alone: one that is misspelt would else mean something that was not
/// meant.
fn only(asked: &Map<String, Value>, command: &str, members: &[&str]) -> Result<(), BadCommand> {
    match asked.keys().find(|member| !members.contains(&member.as_str())) {
        Some(member) => Err(BadCommand::Member { command: command.into(), member: named(member) }),
        None => Ok(()),
    }
}

fn seq(asked: &Map<String, Value>, command: &str) -> Result<u64, BadCommand> {
    let seq = asked.get("seq").and_then(Value::as_u64).ok_or_else(|| BadCommand::Seq(command.into()))?;
    only(asked, command, &["do", "seq"]).map(|()| seq)
}

fn rules(asked: &Map<String, Value>) -> Result<Command, BadCommand> {
    let list = asked.get("rules").and_then(Value::as_array).ok_or(BadCommand::NoRules)?;
    only(asked, "rules", &["do", "rules"])?;
    if list.len() > MOST_RULES {
        return Err(BadCommand::Rules(list.len()));
    }
    let rules = (1..).zip(list).map(|(number, value)| rule(number, value)).collect::<Result<_, _>>()?;
    Ok(Command::Rules { rules })
}

fn rule(number: usize, value: &Value) -> Result<Rule, BadCommand> {
    const MEMBERS: [&str; 5] = ["path", "from", "to", "then", "ms"];
    let members = value.as_object().ok_or(BadCommand::Rule(number))?;
    if let Some(member) = members.keys().find(|member| !MEMBERS.contains(&member.as_str())) {
        return Err(BadCommand::RuleMember(number, named(member)));
    }
    let path = match members.get("path") {
        None => None,
        Some(Value::String(path)) if path.starts_with(PROTOCOL_PATH) && path.len() <= MOST_PATH => Some(path.clone()),
        Some(_) => return Err(BadCommand::Path(number)),
    };
    let end = |member: &'static str| match members.get(member) {
        None => Ok(None),
        Some(name) => match name.as_str().and_then(|name| UserName::parse(name).ok()) {
            Some(name) => Ok(Some(name)),
            None => Err(BadCommand::Name(number, member)),
        },
    };
    let (from, to, ms) = (end("from")?, end("to")?, members.get("ms"));
    let then = match (members.get("then").and_then(Value::as_str), ms) {
        (Some("pass"), None) => Then::Pass,
        (Some("hold"), None) => Then::Hold,
        (Some("drop"), None) => Then::Drop,
        (Some("pass" | "hold" | "drop"), Some(_)) => return Err(BadCommand::Ms(number)),
        (Some("delay"), ms) => match ms.and_then(Value::as_u64).filter(|ms| (1..=MOST_DELAY_MS).contains(ms)) {
            Some(ms) => Then::Delay { ms },
            None => return Err(BadCommand::Delay(number)),
        },
        (Some(_) | None, _) => return Err(BadCommand::Then(number, given(members.get("then")))),
    };
    Ok(Rule { path, from, to, then })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, sentence: &str) {
        let error = Command::read(body.as_bytes()).unwrap_err().to_string();
        assert_eq!(error, sentence, "{body}");
    }

    fn rules(rules: &str) -> Result<(), BadCommand> {
        Command::read(format!(r#"{{"do":"rules","rules":[{rules}]}}"#).as_bytes()).map(drop)
    }

    #[test]
    fn what_is_no_command_is_told_what_is_missing() {
        let form = "A command is one JSON object in which no member stands twice, such as {\"do\":\"release\"}; send that.";
        for body in ["", "[]", "{", r#"{"do":"release","do":"release"}"#, r#"{"do":"release"} x"#] {
            check(body, form);
        }
        let words = "The member do says what to do: rules, deliver, drop, duplicate or release; ";
        check("{}", &format!("{words}it is missing."));
        check(r#"{"do":"stop"}"#, &format!("{words}\"stop\" is none of them."));
        check(r#"{"do":7}"#, &format!("{words}7 is none of them."));
        let seq = "The command deliver needs the member seq: the number of a message that is held, as in {\"do\":\"deliver\",\"seq\":7}.";
        for body in [r#"{"do":"deliver"}"#, r#"{"do":"deliver","seq":-1}"#, r#"{"do":"deliver","seq":"1"}"#, r#"{"do":"deliver","sec":1}"#]
        {
            check(body, seq);
        }
        check(r#"{"do":"drop","seq":1,"to":"bob"}"#, "The command drop has no member to; take it out.");
        check(r#"{"do":"release","seq":1}"#, "The command release has no member seq; take it out.");
        for body in [r#"{"do":"rules"}"#, r#"{"do":"rules","rules":{}}"#] {
            check(body, "The command rules needs the member rules: a list of rules, which may be empty.");
        }
    }

    #[test]
    fn a_rule_that_is_none_is_named_by_its_number_and_its_member() {
        let hold = r#"{"then":"hold"}"#;
        let second = |rule: &str| rules(&format!("{hold},{rule}"));
        assert_eq!(second("[]"), Err(BadCommand::Rule(2)));
        assert_eq!(second(r#"{"then":"hold","form":"alice"}"#), Err(BadCommand::RuleMember(2, "form".into())));
        assert_eq!(second("{}"), Err(BadCommand::Then(2, "it is missing".into())));
        assert_eq!(second(r#"{"then":"lose"}"#), Err(BadCommand::Then(2, "\"lose\" is none of them".into())));
        assert_eq!(second(r#"{"then":"hold","from":"a b"}"#), Err(BadCommand::Name(2, "from")));
        assert_eq!(second(r#"{"then":"hold","to":null}"#), Err(BadCommand::Name(2, "to")));
        assert_eq!(second(r#"{"then":"hold","ms":5}"#), Err(BadCommand::Ms(2)));
        assert_eq!(second(r#"{"then":"delay"}"#), Err(BadCommand::Delay(2)));
        let path = |path: &str| second(&format!(r#"{{"path":"{path}","then":"drop"}}"#));
        assert_eq!(path(&format!("/2pc/{}", "A".repeat(59))), Ok(()));
        assert_eq!(path(&format!("/2pc/{}", "A".repeat(60))), Err(BadCommand::Path(2)));
        for other in ["", "/2pc", "VOTE_COMMIT", "/client.http"] {
            assert_eq!(path(other), Err(BadCommand::Path(2)), "{other}");
        }
        let delay = |ms: u64| rules(&format!(r#"{{"then":"delay","ms":{ms}}}"#));
        assert_eq!([0, 1, 600_000, 600_001].map(delay), [Err(BadCommand::Delay(1)), Ok(()), Ok(()), Err(BadCommand::Delay(1))]);
        let many = |count| rules(&alloc::vec![hold; count].join(","));
        assert_eq!((many(256), many(257)), (Ok(()), Err(BadCommand::Rules(257))));
    }

    #[test]
    fn what_a_sentence_repeats_is_short_and_shows_what_would_steer_the_text() {
        let member = format!("a\u{202e}b{}", "x".repeat(500));
        let error = Command::read(format!(r#"{{"do":"release","{member}":1}}"#).as_bytes()).unwrap_err().to_string();
        assert!(error.contains("a<U+202E>b") && error.len() < 120, "{error}");
    }
}
