//! What a frame of somebody who is logged in asks for, and whether this role may ask for it.
//!
//! Deliberately absent: bodies of protocol messages. Their types are words in a path here.

use twopc_proto::bench::{BadCommand, Command};
use twopc_proto::frame::{CLIENT_PATH, COORDINATOR_PATH, ErrorCode, Frame, PROTOCOL_PATH, Refusal};
use twopc_proto::text::is_one_line;
use twopc_proto::{MessageKind, Role, UserName};

/// What is to be done with a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked<'a> {
    /// Pass the line on to everybody.
    Chat,
    /// Pass the message on to one user.
    Protocol {
        /// To whom.
        to: UserName,
        /// Its type.
        word: &'a str,
    },
    /// Pass it on to the observers.
    Trace,
    /// Have something done with messages on their way.
    Lab(Command),
    /// Nothing: the client is there.
    Pong,
    /// Let the client go.
    Logout,
}

/// Reads what a frame asks for.
///
/// # Errors
/// A [`Refusal`] that leaves the connection open.
pub(crate) fn route(frame: &Frame, role: Role, has_lab: bool) -> Result<Asked<'_>, Refusal> {
    let asked = match frame.path() {
        "/pong" => return Ok(Asked::Pong),
        "/logout" => return Ok(Asked::Logout),
        "/lab" if has_lab => return lab(frame, role),
        CLIENT_PATH => chat(frame, role, Role::Participant),
        COORDINATOR_PATH => chat(frame, role, Role::Coordinator),
        "/trace" if has_lab => Ok(Asked::Trace),
        path => match path.strip_prefix(PROTOCOL_PATH).filter(|word| is_type(word)) {
            Some(word) => protocol(frame, role, word),
            None => return Err(not_found()),
        },
    };
    if role == Role::Observer { Err(forbidden("An observer may send /lab, answer pings and log out, nothing else.")) } else { asked }
}

/// Whether a body can be a chat line.
///
/// # Errors
/// A [`Refusal`] that leaves the connection open.
pub(crate) fn check_line(body: &[u8]) -> Result<(), Refusal> {
    match std::str::from_utf8(body) {
        Ok(line) if is_one_line(line) => Ok(()),
        Ok(_) => Err(bad_text("A chat line is one line of text; take out line breaks and control characters.")),
        Err(_) => Err(bad_text("A chat line is text in UTF-8; this one is not.")),
    }
}

/// A path that this side of the upgrade does not have.
pub(crate) fn not_found() -> Refusal {
    Refusal::new(404, ErrorCode::NotFound, "There is nothing under this path; see the list of paths in the description of the wire.")
}

fn chat(frame: &Frame, role: Role, whose: Role) -> Result<Asked<'_>, Refusal> {
    if role != whose {
        return Err(forbidden("Participants chat on /client.http, coordinators on /coordinator.http; use your own."));
    }
    check_line(frame.body())?;
    Ok(Asked::Chat)
}

fn lab(frame: &Frame, role: Role) -> Result<Asked<'_>, Refusal> {
    if role != Role::Observer {
        return Err(forbidden("What becomes of messages on their way is an observer's to say; log in as one."));
    }
    let bad = |error: BadCommand| Refusal::new(400, ErrorCode::BadRequest, error.to_string());
    Command::read(frame.body()).map(Asked::Lab).map_err(bad)
}

fn protocol<'a>(frame: &'a Frame, role: Role, word: &'a str) -> Result<Asked<'a>, Refusal> {
    let to = frame.one("To").and_then(|name| UserName::parse(name).ok());
    let to =
        to.ok_or_else(|| Refusal::new(400, ErrorCode::BadRequest, "A protocol message needs one To header with a user name; send one."))?;
    if !may_send(role, word) {
        return Err(forbidden(
            "Requests for votes and decisions come from coordinators; votes, acknowledgements and questions from participants.",
        ));
    }
    Ok(Asked::Protocol { to, word })
}

/// `[A-Z_]{1,32}`
fn is_type(word: &str) -> bool {
    (1..=32).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// Types that nobody knows may be sent by everybody: they are relayed, and ignored by nodes.
fn may_send(role: Role, word: &str) -> bool {
    match MessageKind::parse(word) {
        Some(MessageKind::VoteRequest | MessageKind::GlobalCommit | MessageKind::GlobalAbort) => role == Role::Coordinator,
        Some(MessageKind::VoteCommit | MessageKind::VoteAbort | MessageKind::Ack | MessageKind::DecisionRequest) => {
            role == Role::Participant
        }
        Some(MessageKind::DecisionReply) | None => true,
    }
}

fn forbidden(message: &'static str) -> Refusal {
    Refusal::new(403, ErrorCode::Forbidden, message)
}

fn bad_text(message: &'static str) -> Refusal {
    Refusal::new(422, ErrorCode::BadText, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use twopc_proto::frame::{Decoder, Side};

    /// What becomes of a frame with this path, these headers and this body.
    fn routed(role: Role, path: &str, headers: &str, body: &str) -> Result<String, (u16, ErrorCode)> {
        routed_in(role, path, headers, body, false)
    }

    /// The same, where there may be a lab.
    fn routed_in(role: Role, path: &str, headers: &str, body: &str, has_lab: bool) -> Result<String, (u16, ErrorCode)> {
        let mut decoder = Decoder::new(Side::Framed);
        decoder.feed(format!("POST {path} HTTP/1.1\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
        let frame = decoder.next_frame().unwrap().unwrap();
        match route(&frame, role, has_lab) {
            Ok(asked) => Ok(format!("{asked:?}")),
            Err(refusal) => {
                assert!(!refusal.closes, "{path}");
                Err((refusal.status, refusal.code))
            }
        }
    }

    #[test]
    fn each_role_sends_its_own_types() {
        use ErrorCode::Forbidden;
        for (word, participant, coordinator) in [
            ("VOTE_REQUEST", false, true),
            ("GLOBAL_COMMIT", false, true),
            ("GLOBAL_ABORT", false, true),
            ("VOTE_COMMIT", true, false),
            ("VOTE_ABORT", true, false),
            ("ACK", true, false),
            ("DECISION_REQUEST", true, false),
            ("DECISION_REPLY", true, true),
            ("SOMETHING_ELSE", true, true),
        ] {
            let path = format!("/2pc/{word}");
            for (role, may) in [(Role::Participant, participant), (Role::Coordinator, coordinator), (Role::Observer, false)] {
                let expected = if may { Ok(format!("Protocol {{ to: bob, word: {word:?} }}")) } else { Err((403, Forbidden)) };
                assert_eq!(routed(role, &path, "To: BOB\r\n", "{}"), expected, "{role} {word}");
            }
        }
    }

    #[test]
    fn a_protocol_message_has_one_receiver() {
        for headers in ["", "To: bob\r\nTo: bob\r\n", "To: \r\n", "To: bob, carol\r\n", "To: nul\r\n"] {
            assert_eq!(routed(Role::Participant, "/2pc/ACK", headers, "{}"), Err((400, ErrorCode::BadRequest)), "{headers:?}");
        }
    }

    #[test]
    fn paths_that_are_not_here_are_not_found() {
        let long = format!("/2pc/{}", "A".repeat(33));
        for path in ["/", "/login", "/welcome", "/2pc", "/2pc/", "/2pc/ack", "/2pc/ACK/", "/2pc/ACK1", &long, "/trace", "/lab", "/log", "*"]
        {
            assert_eq!(routed(Role::Participant, path, "To: bob\r\n", ""), Err((404, ErrorCode::NotFound)), "{path}");
        }
    }

    #[test]
    fn chat_goes_on_the_path_of_its_role_and_is_one_line() {
        assert_eq!(routed(Role::Participant, "/client.http", "", "GLOBAL_COMMIT\t{\"type\":1}"), Ok("Chat".into()));
        assert_eq!(routed(Role::Participant, "/coordinator.http", "", "hi"), Err((403, ErrorCode::Forbidden)));
        assert_eq!(routed(Role::Coordinator, "/client.http", "", "hi"), Err((403, ErrorCode::Forbidden)));
        for body in ["a\nb", "a\r", "\u{85}", "\u{2028}", "\u{1b}[0m", "\0"] {
            assert_eq!(routed(Role::Coordinator, "/coordinator.http", "", body), Err((422, ErrorCode::BadText)), "{body:?}");
        }
        assert_eq!(check_line(b"\xff").unwrap_err().code, ErrorCode::BadText);
    }

    #[test]
    fn an_observer_answers_pings_and_logs_out() {
        assert_eq!(routed(Role::Observer, "/pong", "", ""), Ok("Pong".into()));
        assert_eq!(routed(Role::Observer, "/logout", "", ""), Ok("Logout".into()));
        assert_eq!(routed(Role::Observer, "/client.http", "", "hi"), Err((403, ErrorCode::Forbidden)));
    }
    #[test]
    fn where_there_is_a_lab_an_observer_says_what_becomes_of_messages_and_nobody_else() {
        let release = r#"{"do":"release"}"#;
        let roles = [Role::Observer, Role::Participant, Role::Coordinator].map(|role| routed_in(role, "/lab", "", release, true));
        assert_eq!(roles[0], Ok("Lab(Release)".into()));
        assert!(roles[1..].iter().all(|refused| *refused == Err((403, ErrorCode::Forbidden))), "{roles:?}");
        assert_eq!(routed_in(Role::Participant, "/lab", "", "no command", true), Err((403, ErrorCode::Forbidden)));
        assert_eq!(routed_in(Role::Observer, "/lab", "", "no command", true), Err((400, ErrorCode::BadRequest)));
        assert_eq!(routed(Role::Observer, "/lab", "", release), Err((404, ErrorCode::NotFound)));
    }
}
