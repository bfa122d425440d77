//! Which `Host` headers a relay on loopback believes.
//!
//! A page of some web site can make a browser ask a relay on the same computer, under the site's
//! own name; such a request must not read the room.

use std::net::IpAddr;

use twopc_proto::frame::Frame;

/// Whether a request names the relay by an address or as `localhost`, or, being HTTP/1.0, not at
/// all (browsers always name it).
pub(crate) fn is_local(frame: &Frame) -> bool {
    let host = match frame.one("Host") {
        Some(host) => names_this_computer(host),
        None => !frame.is_http_1_1(),
    };
    host && frame.authority().is_none_or(names_this_computer)
}

fn names_this_computer(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_localhost_are_this_computer_and_names_are_not() {
        for host in ["127.0.0.1", "127.0.0.1:1337", "localhost", "LocalHost:80", "[::1]:1337", "[::1]", "192.168.1.5:1337"] {
            assert!(names_this_computer(host), "{host}");
        }
        for host in ["", "evil.example", "evil.example:1337", "localhost.evil.example", "127.0.0.1.evil.example", "1337", "[evil]:1"] {
            assert!(!names_this_computer(host), "{host}");
        }
    }
}
