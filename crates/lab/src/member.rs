//! Who is in the room, and the command that starts each.
//!
//! Deliberately absent: processes. A member is the plan, whether or not it runs.

use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// What the participants are called, as long as there are names; then `p7`, `p8` and so on.
const PARTICIPANTS: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "frank"];
/// What the coordinator is called.
const COORDINATOR: &str = "chair";
/// What the relay's row and lines are called.
pub const RELAY: &str = "relay";

/// One program of the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its user name, or `relay`.
    pub name: String,
    /// What it is there for.
    pub part: Part,
}

/// What a program does in the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Carries every message.
    Relay,
    /// Votes.
    Participant,
    /// Asks for votes and decides.
    Coordinator,
}

impl Part {
    /// The subcommand that runs it.
    fn subcommand(self) -> &'static str {
        match self {
            Self::Relay => "server",
            Self::Participant => "participant",
            Self::Coordinator => "coordinator",
        }
    }

    /// Whether it opens a window of its own.
    #[must_use]
    pub fn has_window(self) -> bool {
        match self {
            Self::Relay => false,
            Self::Participant | Self::Coordinator => true,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Relay => "relay",
            Self::Participant => "participant",
            Self::Coordinator => "coordinator",
        })
    }
}

/// The relay, so many participants, and the coordinator: in the order in which they are listed.
#[must_use]
pub fn members(participants: usize) -> Vec<Member> {
    let participant = |i: usize| Member {
        name: PARTICIPANTS.get(i).map_or_else(|| format!("p{}", i + 1), |name| String::from(*name)),
        part: Part::Participant,
    };
    let mut members = vec![Member { name: String::from(RELAY), part: Part::Relay }];
    members.extend((0..participants).map(participant));
    members.push(Member { name: String::from(COORDINATOR), part: Part::Coordinator });
    members
}

/// What all programs of a room are told alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Common {
    /// Where the relay is to listen.
    pub listen: String,
    /// Where it is found.
    pub relay: String,
    /// Where the stable logs and the text files are.
    pub data_dir: PathBuf,
    /// Where the relay writes.
    pub logs: PathBuf,
    /// No windows: what a person would press is typed.
    pub headless: bool,
    /// What the programs are told beyond that, such as how long a vote may take.
    pub tempo: Tempo,
}

/// How long things take in a room, where that is not what the programs do by themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tempo {
    /// How long a vote may take.
    pub vote_timeout: Option<Duration>,
    /// How long a participant waits after that, before it asks the others.
    pub grace: Option<Duration>,
}

impl Common {
    /// The relay says where it listens: there it is found, and there it is to be again should it be
    /// started anew.
    pub(crate) fn on_listening(&mut self, address: &str) {
        self.relay = reachable(address);
        self.listen = String::from(address);
    }
}

/// The address under which this machine's programs find a relay that listens at `address`.
fn reachable(address: &str) -> String {
    match address.parse::<SocketAddr>() {
        Ok(mut socket) if socket.ip().is_unspecified() => {
            socket.set_ip(if socket.is_ipv4() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { IpAddr::V6(Ipv6Addr::LOCALHOST) });
            socket.to_string()
        }
        Ok(_) | Err(_) => String::from(address),
    }
}

impl Member {
    /// The arguments that start it.
    #[must_use]
    pub fn arguments(&self, common: &Common, crash_at: Option<&str>) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec![self.part.subcommand().into()];
        match self.part {
            Part::Relay => {
                arguments.extend(["--listen".into(), OsString::from(&common.listen)]);
                arguments.extend(["--logs".into(), common.logs.clone().into_os_string()]);
            }
            Part::Participant | Part::Coordinator => {
                arguments.extend(["--server".into(), OsString::from(&common.relay)]);
                arguments.extend(["--user".into(), OsString::from(&self.name)]);
                arguments.extend(["--data-dir".into(), common.data_dir.clone().into_os_string()]);
                arguments.extend(common.headless.then(|| "--headless".into()));
                let (flag, time) = match self.part {
                    Part::Coordinator => ("--vote-timeout", common.tempo.vote_timeout),
                    Part::Participant | Part::Relay => ("--grace", common.tempo.grace),
                };
                arguments.extend(time.into_iter().flat_map(|time| [flag.into(), time.as_secs_f64().to_string().into()]));
                arguments.extend(crash_at.into_iter().flat_map(|point| ["--crash-at".into(), point.into()]));
            }
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(participants: usize) -> Vec<String> {
        members(participants).into_iter().map(|member| member.name).collect()
    }

    #[test]
    fn a_room_has_a_relay_its_participants_and_a_coordinator() {
        assert_eq!(names(0), ["relay", "chair"]);
        assert_eq!(names(3), ["relay", "alice", "bob", "carol", "chair"]);
        assert_eq!(names(8), ["relay", "alice", "bob", "carol", "dave", "erin", "frank", "p7", "p8", "chair"]);
    }

    #[test]
    fn every_name_but_the_relays_can_log_in() {
        for name in &names(64)[1..] {
            assert!(twopc_proto::UserName::parse(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn each_program_is_started_with_its_own_flags() {
        let common = Common {
            listen: String::from("[::]:1337"),
            relay: String::from("[::1]:1337"),
            data_dir: PathBuf::from("data"),
            logs: PathBuf::from("logs"),
            headless: false,
            tempo: Tempo::default(),
        };
        let commands: Vec<String> = members(1)
            .iter()
            .map(|member| member.arguments(&common, None).join(std::ffi::OsStr::new(" ")).into_string().unwrap())
            .collect();
        assert_eq!(
            commands,
            [
                "server --listen [::]:1337 --logs logs",
                "participant --server [::1]:1337 --user alice --data-dir data",
                "coordinator --server [::1]:1337 --user chair --data-dir data",
            ]
        );
        let headless = members(0)[1].arguments(
            &Common { headless: true, tempo: Tempo { vote_timeout: Some(Duration::from_millis(2_500)), grace: None }, ..common },
            Some("after:log:COMMIT"),
        );
        assert_eq!(headless[headless.len() - 5..], ["--headless", "--vote-timeout", "2.5", "--crash-at", "after:log:COMMIT"]);
    }

    #[test]
    fn a_relay_that_listens_everywhere_is_found_on_loopback() {
        for (listens, found) in [
            ("127.0.0.1:1337", "127.0.0.1:1337"),
            ("0.0.0.0:1337", "127.0.0.1:1337"),
            ("[::]:1337", "[::1]:1337"),
            ("192.168.1.7:1337", "192.168.1.7:1337"),
        ] {
            assert_eq!(reachable(listens), found);
        }
    }
}
