//! The relay's address as a person types it.
//!
//! Deliberately absent: looking it up. A name that cannot be found may be found a second later, so
//! that belongs to the attempt to reach it.

use std::fmt;
use std::net::Ipv6Addr;

/// The port of a relay whose address does not say one.
pub const DEFAULT_PORT: u16 = 1337;

/// The most bytes that the name of a computer has (RFC 1035, 2.3.4).
const LONGEST_HOST: usize = 253;

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// A name or an address, without brackets.
    host: String,
    port: u16,
}

impl Address {
    /// Reads `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address; a port left out is
    /// [`DEFAULT_PORT`].
    ///
    /// # Errors
    /// A sentence that says how an address is written.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("Type the relay's address, such as 127.0.0.1:1337.".into());
        }
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => {
                host.parse::<Ipv6Addr>().map_err(|_| no_address(text))?;
                (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':').ok_or_else(|| no_address(text))?) })
            }
            None if text.parse::<Ipv6Addr>().is_ok() => (text, None),
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        if host.is_empty() || host.len() > LONGEST_HOST || !host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':'))
        {
            return Err(no_address(text));
        }
        let port = match port {
            None => DEFAULT_PORT,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits
                .parse()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(|| "A port is a number from 1 to 65535, such as 1337.".to_owned())?,
            Some(_) => return Err(no_address(text)),
        };
        Ok(Self { host: host.into(), port })
    }

    /// What a socket connects to.
    pub(crate) fn host_and_port(&self) -> (&str, u16) {
        (&self.host, self.port)
    }
}

/// This machine, where a relay listens unless it was told otherwise.
impl Default for Address {
    fn default() -> Self {
        Self { host: "127.0.0.1".into(), port: DEFAULT_PORT }
    }
}

fn no_address(text: &str) -> String {
    format!("{text:?} is no address of a relay; one looks like 127.0.0.1:1337, localhost:1337 or [::1]:1337.")
}

/// As it stands in a `Host` header: an IPv6 address in brackets, and always the port.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_people_write_it() {
        for (typed, address) in [
            ("127.0.0.1:1337", "127.0.0.1:1337"),
            ("127.0.0.1", "127.0.0.1:1337"),
            (" localhost ", "localhost:1337"),
            ("localhost:80", "localhost:80"),
            ("relay.example.org:65535", "relay.example.org:65535"),
            ("[::1]:1337", "[::1]:1337"),
            ("[::1]", "[::1]:1337"),
            ("::1", "[::1]:1337"),
            ("fe80::1:2", "[fe80::1:2]:1337"),
        ] {
            assert_eq!(Address::parse(typed).unwrap().to_string(), address, "{typed:?}");
        }
    }

    #[test]
    fn nonsense_is_refused_in_a_sentence() {
        for typed in
            ["", "  ", ":1337", "[::1", "[::1]x", "[nonsense]:1", "a b:1", "host:", "host:x", "http://host:1", "host:1:2", "host:+1"]
        {
            let sentence = Address::parse(typed).unwrap_err();
            assert!(sentence.ends_with('.') && sentence.contains("127.0.0.1:1337") || sentence.contains("1337"), "{typed:?}: {sentence}");
        }
        assert!(Address::parse(&"x".repeat(LONGEST_HOST)).is_ok() && Address::parse(&"x".repeat(LONGEST_HOST + 1)).is_err());
        for typed in ["host:0", "host:65536", "[::1]:99999"] {
            assert!(Address::parse(typed).unwrap_err().starts_with("A port is"), "{typed:?}");
        }
    }
}
