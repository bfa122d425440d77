//! Bodies of protocol messages and of logins: read by the code that ships and a second time here.

use twopc_proto::frame::{ErrorCode, Login};
use twopc_proto::{Message, MessageKind, json as shipping};

use super::hold;
use super::json::{self, Json, NotJson};
use super::texts::one_line;
use crate::chance::Chance;
use crate::frames::show::escaped;

/// Judges a protocol body: the first byte says of which type, the rest is the body.
///
/// # Errors
/// What the code that ships makes of it, and should not.
pub fn judge(input: &[u8]) -> Result<bool, String> {
    let Some((first, body)) = input.split_first() else { return Ok(false) };
    let kind = MessageKind::ALL[usize::from(*first) % MessageKind::ALL.len()];
    let read = Message::parse(kind, body);
    let expected = match json::read(body) {
        Ok(value) => canonical(kind, &value),
        Err(NotJson::Broken) => None,
        Err(NotJson::TooGreat) => return Ok(false),
    };
    let what = || format!("{kind} {}", escaped(body, 300));
    match (read, expected) {
        (Err(_), None) => Ok(false),
        (Ok(message), None) => Err(format!("It was read as {message:?}, though it breaks a rule: {}", what())),
        (Err(why), Some(_)) => Err(format!("It was not read, though it is in order ({why}): {}", what())),
        (Ok(message), Some(canonical)) => {
            let written = message.body();
            let same = || format!("It was read as {}, not as {canonical}: {}", escaped(&written, 300), what());
            hold(written == canonical.as_bytes(), same)?;
            let again = Message::parse(kind, &written);
            hold(again.is_ok_and(|again| again == message), || format!("Written and read again it is another message: {}", what()))?;
            Ok(true)
        }
    }
}

/// The body as this project writes it, if it is in order.
fn canonical(kind: MessageKind, body: &Json) -> Option<String> {
    let Json::Object(_) = body else { return None };
    let txn = txn(body.member("txn")?.text()?)?;
    let rest = match kind {
        MessageKind::VoteRequest => {
            let string = body.member("string")?.text().filter(|text| (1..=4_096).contains(&text.len()) && one_line(text))?;
            let timeout = body.member("timeout_ms")?.whole().filter(|timeout| (1..=86_400_000).contains(timeout))?;
            let string = quoted(string);
            format!(r#","string":{string},"participants":{},"timeout_ms":{timeout}"#, participants(body)?)
        }
        MessageKind::VoteCommit | MessageKind::GlobalCommit | MessageKind::Ack => String::new(),
        MessageKind::VoteAbort | MessageKind::GlobalAbort => {
            let (reason, by) = (for_people(body, "reason")?, for_people(body, "by")?);
            let reason = reason.filter(|word| ["pressed", "timeout", "asked", "disk", "restart", "left"].contains(&word.as_str()));
            let by = by.filter(|_| kind == MessageKind::GlobalAbort).and_then(|by| name(&by));
            let member = |name, value: Option<String>| value.map(|value| format!(r#","{name}":"{value}""#)).unwrap_or_default();
            member("reason", reason) + &member("by", by)
        }
        MessageKind::DecisionRequest => format!(r#","participants":{}"#, participants(body)?),
        MessageKind::DecisionReply => {
            // INIT is what another program may say of itself.
            let states = ["INIT", "WAIT", "READY", "COMMIT", "ABORT"];
            format!(r#","state":"{}""#, body.member("state")?.text().filter(|state| states.contains(state))?)
        }
    };
    Some(format!(r#"{{"txn":"{txn}"{rest}}}"#))
}

/// A text that never steers: it may be missing, and may be anything.
#[allow(clippy::option_option)] // whether it is in order, and whether it is there
fn for_people(body: &Json, member: &str) -> Option<Option<String>> {
    match body.member(member) {
        None | Some(Json::Null) => Some(None),
        Some(value) => value.text().map(|text| Some(text.to_owned())),
    }
}

/// 1 to 1,000 different names.
fn participants(body: &Json) -> Option<String> {
    let Json::List(list) = body.member("participants")? else { return None };
    let mut names = list.iter().map(|item| item.text().and_then(name)).collect::<Option<Vec<String>>>()?;
    names.sort();
    let different = names.windows(2).all(|pair| pair[0] != pair[1]);
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    ((1..=1_000).contains(&names.len()) && different).then(|| format!("[{}]", quoted.join(",")))
}

/// A name, its case folded.
pub(super) fn name(text: &str) -> Option<String> {
    let plain = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_'));
    let name = text.to_lowercase();
    let devices = ["con", "nul", "aux", "prn"];
    let ports = ["com", "lpt"].map(|port| (1..=9).map(move |number| format!("{port}{number}")));
    let is_device = devices.contains(&name.as_str()) || ports.into_iter().flatten().any(|port| port == name);
    ((1..=32).contains(&text.len()) && plain && !is_device).then_some(name)
}

/// A transaction's identifier, the case of its coordinator's name folded.
fn txn(text: &str) -> Option<String> {
    let plain = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.'));
    let (coordinator, rest) = text.split_once('.')?;
    if text.len() > 64 || !plain {
        return None;
    }
    Some(format!("{}.{rest}", name(coordinator)?))
}

/// One line as a JSON string.
fn quoted(line: &str) -> String {
    format!("\"{}\"", line.replace('\\', "\\\\").replace('"', "\\\"").replace('\t', "\\t"))
}

/// Judges a login's body.
///
/// # Errors
/// What the code that ships makes of it, and should not.
pub fn judge_login(body: &[u8]) -> Result<bool, String> {
    let expected = match json::read(body) {
        Ok(value) => login(&value),
        Err(NotJson::Broken) => Err((400, ErrorCode::BadRequest)),
        Err(NotJson::TooGreat) => return Ok(false),
    };
    let read = Login::read(body);
    let what = || escaped(body, 300);
    match (read, expected) {
        (Err(refusal), Err(expected)) => {
            let found = (refusal.status, refusal.code);
            let sound = found == expected && !refusal.closes;
            hold(sound, || format!("A login gets {found:?}, not {expected:?}, or is closed: {}", what()))?;
            Ok(false)
        }
        (Ok(_), Err(expected)) => Err(format!("A login is taken that gets {expected:?}: {}", what())),
        (Err(refusal), Ok(_)) => Err(format!("A login in order is refused ({refusal}): {}", what())),
        (Ok((user, login)), Ok(expected)) => {
            let found = (user.as_str().to_owned(), login.role.as_str().to_owned(), login.key.clone(), login.lab.clone());
            hold(found == expected, || format!("A login is read as {found:?}: {}", what()))?;
            let again = Login::read(&shipping::body(&login));
            hold(again.is_ok_and(|(_, again)| again == login), || format!("Written and read again it is another login: {}", what()))?;
            Ok(true)
        }
    }
}

/// Name, role, key and the lab's key.
type Entry = (String, String, String, Option<String>);

/// A login in the order in which it is asked.
fn login(body: &Json) -> Result<Entry, (u16, ErrorCode)> {
    let read = || {
        let role = body.member("role")?.text().filter(|role| ["participant", "coordinator", "observer"].contains(role))?;
        let key =
            body.member("key")?.text().filter(|key| (16..=128).contains(&key.len()) && key.chars().all(|c| matches!(c, ' '..='~')))?;
        Some((body.member("user")?.text()?, role.to_owned(), key.to_owned(), for_people(body, "lab")?))
    };
    let (user, role, key, lab) = read().ok_or((400, ErrorCode::BadRequest))?;
    let user = name(user).ok_or((422, ErrorCode::NameInvalid))?;
    Ok((user, role, key, lab))
}

/// Values that a member may have, most of them out of order somewhere.
const VALUES: [&str; 40] = [
    r#""alice""#,
    r#""Bob_2""#,
    r#""con""#,
    r#""""#,
    r#""zo\u00eb""#,
    r#""chair.1.1""#,
    r#""Chair.2.A_b-""#,
    r#""chair.""#,
    r#"".1""#,
    r#""chair 1""#,
    r#""Hello""#,
    r#""\u0048i \"x\" \\ \t /""#,
    r#""a\nb""#,
    r#""\u2028""#,
    r#""\ud83d\ude00""#,
    r#""\ud83d""#,
    r#""தமிழ்""#,
    r#""participant""#,
    r#""coordinator""#,
    r#""observer""#,
    r#""guest""#,
    r#""COMMIT""#,
    r#""INIT""#,
    r#""commit""#,
    r#""pressed""#,
    r#""0123456789abcdef""#,
    r#""0123456789abcde""#,
    r#""0123456789abcd\u00e9f""#,
    r#"["alice","bob"]"#,
    r#"["alice","ALICE"]"#,
    r#"["alice",1]"#,
    "[]",
    "20000",
    "0",
    "86400001",
    "2e4",
    "-1",
    "null",
    "true",
    r#"{"COMMIT":null,"a":[{"b":1e5}]}"#,
];

/// A protocol body: of its type, with members missing, doubled, of another's type, or any.
pub fn make(chance: &mut Chance) -> Vec<u8> {
    let kind = chance.index(MessageKind::ALL.len());
    let mut members = vec![("txn", r#""chair.1.1""#)];
    match MessageKind::ALL[kind] {
        MessageKind::VoteRequest => {
            members.extend([("string", r#""Hello \"x\"""#), ("participants", r#"["Bob","alice"]"#), ("timeout_ms", "20000")]);
        }
        MessageKind::VoteCommit | MessageKind::GlobalCommit | MessageKind::Ack => {}
        MessageKind::VoteAbort => members.push(("reason", r#""pressed""#)),
        MessageKind::GlobalAbort => members.extend([("reason", r#""timeout""#), ("by", r#""Bob""#)]),
        MessageKind::DecisionRequest => members.push(("participants", r#"["bob","alice"]"#)),
        MessageKind::DecisionReply => members.push(("state", r#""COMMIT""#)),
    }
    let mut input = vec![u8::try_from(kind).unwrap_or_default()];
    write(chance, &mut members, &mut input);
    input
}

/// A login's body, likewise.
pub fn make_login(chance: &mut Chance) -> Vec<u8> {
    let mut members = vec![("user", r#""Alice""#), ("role", r#""participant""#), ("key", r#""0123456789abcdef""#)];
    if chance.once_in(4) {
        members.push(("lab", r#""fedcba9876543210""#));
    }
    let mut input = Vec::new();
    write(chance, &mut members, &mut input);
    input
}

fn write(chance: &mut Chance, members: &mut Vec<(&'static str, &'static str)>, out: &mut Vec<u8>) {
    const NAMES: [&str; 11] = ["txn", "string", "participants", "timeout_ms", "state", "reason", "by", "lab", "user", "x", "t\\u0078n"];
    for _ in 0..chance.index(3) {
        let at = chance.index(members.len());
        match chance.index(4) {
            0 => drop(members.remove(at)),
            1 => members.insert(at, (NAMES[chance.index(NAMES.len())], VALUES[chance.index(VALUES.len())])),
            _ => members[at].1 = VALUES[chance.index(VALUES.len())],
        }
        if members.is_empty() {
            break;
        }
    }
    let blank = if chance.once_in(8) { " \r\n\t" } else { "" };
    let text: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{blank}{value}")).collect();
    let text = match chance.index(32) {
        // The values alone, as some readers would take them for the members.
        0 => format!("[{}]", members.iter().map(|(_, value)| *value).collect::<Vec<_>>().join(",")),
        1 => format!("{{{},}}", text.join(",")),
        _ => format!("{blank}{{{}}}{blank}", text.join(",")),
    };
    let start = out.len();
    out.extend_from_slice(text.as_bytes());
    if chance.once_in(12) {
        let at = start + chance.index(out.len() - start + 1);
        match chance.index(3) {
            0 => out.truncate(at),
            1 => out.insert(at, b"\"\\{}[],:0e\0\xff"[chance.index(12)]),
            _ => out.splice(at..at, b"[".repeat(chance.index(140))).for_each(drop),
        }
    }
}
