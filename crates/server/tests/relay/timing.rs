//! What happens when something does not come in time. The times are short here; what they are by
//! default is tested by itself.

use std::time::Duration;

use twopc_proto::Role;
use twopc_proto::frame::{ErrorCode, FromRelay};
use twopc_server::{Limits, Times};

use crate::client::{Client, Relay, frames};

const SHORT: Duration = Duration::from_millis(200);

#[test]
fn the_times_and_limits_are_those_of_the_wire() {
    let Times { idle, unfinished, ping, gone, stuck, linger, comment } = Times::default();
    assert_eq!([idle, unfinished, ping, gone, stuck, linger, comment].map(|time| time.as_secs()), [30, 10, 10, 30, 10, 1, 15]);
    let Limits { waiting, waiting_in_all, strangers, names, connections } = Limits::default();
    assert_eq!([waiting, waiting_in_all, strangers, names, connections], [16 << 20, 128 << 20, 1024, 10_000, usize::MAX]);
}

#[test]
fn an_unfinished_message_is_refused_on_both_sides_of_the_upgrade() {
    let relay = Relay::start_with(|config| config.times.unfinished = SHORT);
    for unfinished in
        ["P", "POST /client.http HTTP/1.1\r\nHost: x\r\n", "POST /client.http HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nhi"]
    {
        let mut plain = relay.connect();
        plain.send(unfinished.as_bytes());
        assert_eq!(plain.verdict(), (408, Some(ErrorCode::TooSlow)), "{unfinished:?}");
        assert!(plain.closes());
        let mut alice = relay.participant("alice");
        alice.send(unfinished.as_bytes());
        assert_eq!(alice.refused(), ErrorCode::TooSlow, "{unfinished:?}");
        assert!(alice.closes());
    }
}

#[test]
fn it_is_the_whole_message_that_has_to_be_in_time() {
    let relay = Relay::start_with(|config| config.times.unfinished = SHORT);
    let mut alice = relay.participant("alice");
    alice.stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    alice.send(b"POST /client.http HTTP/1.1\r\nContent-Length: 60000\r\n\r\n");
    // A byte every 20 ms: never a gap of 200 ms, and still too slow.
    let mut bytes = [0; 1024];
    let error = loop {
        let _ = std::io::Write::write(&mut alice.stream, b"x");
        match std::io::Read::read(&mut alice.stream, &mut bytes) {
            Ok(length) => break String::from_utf8_lossy(&bytes[..length]).into_owned(),
            Err(error) => assert!(matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut), "{error}"),
        }
    };
    assert!(error.contains("\"error\":\"too_slow\""), "{error}");
}

#[test]
fn who_asks_for_nothing_is_closed_without_a_word() {
    let relay = Relay::start_with(|config| config.times.idle = Duration::from_secs(1));
    let silent = relay.connect();
    let mut blank = relay.connect();
    blank.send(b"\r\n");
    let mut asked = relay.connect();
    assert!(asked.is_open());
    assert!(silent.closes() && blank.closes() && asked.closes());
}

#[test]
fn a_silent_client_is_pinged_and_one_that_answers_stays() {
    let relay = Relay::start_with(|config| {
        config.times.ping = Duration::from_millis(100);
        config.times.gone = Duration::from_secs(2);
    });
    let mut alice = relay.participant("alice");
    let mut bob = relay.participant("bob");
    let mut pings = 0;
    // Alice answers, Bob does not.
    let gone = loop {
        match alice.next() {
            FromRelay::Ping => {
                pings += 1;
                alice.send(&frames().pong());
            }
            FromRelay::Left(person) => break person,
            FromRelay::Joined(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(gone.user.as_str(), "bob");
    assert!(pings >= 2, "{pings}");
    assert_eq!(bob.next(), FromRelay::Ping);
    while bob.try_next().is_some() {}
    assert!(answers_pings_and_hears_itself(&mut alice));
}

fn answers_pings_and_hears_itself(client: &mut Client) -> bool {
    client.say("hi");
    loop {
        match client.try_next() {
            Some(FromRelay::Ping) => client.send(&frames().pong()),
            other => break matches!(other, Some(FromRelay::Chat(_))),
        }
    }
}

#[test]
fn who_only_listens_in_a_busy_room_is_pinged_too() {
    let relay = Relay::start_with(|config| config.times.ping = SHORT);
    let mut listener = relay.participant("listener");
    let mut talker = relay.login("talker", Role::Coordinator);
    listener.joined();
    loop {
        talker.say("x");
        match listener.next() {
            FromRelay::Ping => break,
            FromRelay::Chat(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_silent_stream_of_events_has_comments_in_it() {
    let relay = Relay::start_with(|config| config.times.comment = SHORT);
    let mut follower = relay.connect();
    follower.send(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n:\n\n:\n\n") {
        text += &String::from_utf8(crate::client::read_some(&mut follower.stream)).unwrap();
        assert!(text.len() < 1000, "{text}");
    }
}

#[test]
fn the_most_silent_stranger_makes_room_for_a_newcomer_and_logins_get_in() {
    let relay = Relay::start_with(|config| config.limits.strangers = 3);
    let mut first = relay.connect();
    assert!(first.is_open());
    let mut second = relay.connect();
    assert!(second.is_open());
    let mut third = relay.connect();
    assert!(third.is_open() && first.is_open());
    let _alice = relay.participant("alice");
    assert!(second.closes(), "it had been silent longest");
    assert!(first.is_open() && third.is_open());
}

/// More connections than have places, each of them new when it is pushed out, and one of them slow
/// to say who it is: it gets in all the same.
#[test]
fn a_known_name_gets_in_through_any_crowd() {
    let relay = Relay::start_with(|config| (config.limits.strangers, config.limits.names) = (20, 1));
    relay.participant("alice").send(&frames().logout());
    relay.await_print("Client (alice) is offline\n");
    for _ in 0..5 {
        let early = relay.connect();
        let crowd: Vec<_> = (0..25).map(|_| relay.connect()).collect();
        let mut alice = early.upgrade(&crate::client::login("alice", Role::Participant));
        assert!(matches!(alice.next(), FromRelay::Welcome(_)));
        drop(crowd);
    }
    // Whoever says nothing is gone when its moment is over.
    let crowd: Vec<_> = (0..60).map(|_| relay.connect()).collect();
    assert!(crowd.into_iter().take(40).all(crate::client::Plain::closes), "40 of them had no place");
}
