//! Slow readers and fast writers: the one slows nobody, the other only itself.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use twopc_proto::Role;
use twopc_proto::frame::FromRelay;

use crate::client::{Client, DEADLINE, Relay, frames, name};

/// Says lines of this length and hears them again, until it hears that somebody left. Who that was,
/// and the longest that a line took to come back.
fn talk_until_somebody_leaves(client: &mut Client, length: usize) -> (String, Duration) {
    let line = "x".repeat(length);
    let (mut longest, mut left) = (Duration::ZERO, None);
    loop {
        let start = Instant::now();
        client.say(&line);
        loop {
            match client.next() {
                FromRelay::Chat(_) => break,
                FromRelay::Left(person) => left = Some(person.user.to_string()),
                FromRelay::Ping => client.send(&frames().pong()),
                other => panic!("{other:?}"),
            }
        }
        longest = longest.max(start.elapsed());
        if let Some(name) = left {
            return (name, longest);
        }
    }
}

#[test]
fn for_whom_too_much_waits_is_dropped_and_slows_nobody() {
    let relay = Relay::start_with(|config| config.limits.waiting = 1024 * 1024);
    let mut alice = relay.participant("alice");
    let stuck = relay.participant("stuck");
    alice.joined();
    let (left, longest) = talk_until_somebody_leaves(&mut alice, 32 * 1024);
    assert_eq!(left, "stuck");
    assert!(longest < Duration::from_secs(3), "a line took {longest:?} to come back");
    assert!(alice.is_open());
    drop(stuck);
}

#[test]
fn who_takes_no_byte_in_time_is_dropped() {
    let relay = Relay::start_with(|config| {
        config.times.stuck = Duration::from_millis(300);
        // However much waits: it is the time that counts.
        (config.limits.waiting, config.limits.waiting_in_all) = (1 << 40, 1 << 40);
    });
    let mut alice = relay.participant("alice");
    let stuck = relay.participant("stuck");
    alice.joined();
    let (left, _) = talk_until_somebody_leaves(&mut alice, 60 * 1024);
    assert_eq!(left, "stuck");
    drop(stuck);
}

#[test]
fn while_too_much_waits_in_all_the_largest_goes_first() {
    let relay = Relay::start_with(|config| {
        config.limits.waiting = 1 << 40;
        config.limits.waiting_in_all = 12 * 1024 * 1024;
    });
    let mut alice = relay.participant("alice");
    let larger = relay.participant("larger");
    alice.joined();
    // Megabytes that only the one hears who was here.
    for _ in 0..60 {
        alice.say(&"x".repeat(60 * 1024));
        alice.chat();
    }
    let smaller = relay.participant("smaller");
    alice.joined();
    assert_eq!(talk_until_somebody_leaves(&mut alice, 60 * 1024).0, "larger");
    assert_eq!(talk_until_somebody_leaves(&mut alice, 60 * 1024).0, "smaller");
    assert!(alice.is_open());
    drop((larger, smaller));
}

#[test]
fn an_event_reader_that_does_not_read_is_dropped_alone() {
    let relay = Relay::start_with(|config| config.limits.waiting = 256 * 1024);
    let mut follower = relay.connect();
    follower.send(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let mut head = [0; 15];
    follower.stream.read_exact(&mut head).unwrap();
    let mut alice = relay.participant("alice");
    let line = "x".repeat(60 * 1024);
    // What the kernel holds is far less than this, whatever its settings.
    for _ in 0..1000 {
        alice.say(&line);
        alice.chat();
    }
    let mut rest = Vec::new();
    // The end may be rough: what it did not read is thrown away.
    let _ = follower.stream.read_to_end(&mut rest);
    assert!(rest.len() < 1000 * line.len(), "it was cut off");
    assert!(alice.is_open());
}

/// The fast writer sends far more than may wait for anybody; the reader takes it at its own pace.
#[test]
fn a_fast_writer_is_read_more_slowly_and_nothing_is_lost() {
    const LINES: usize = 20_000;
    const LENGTH: usize = 2_000;
    let relay = Relay::start_with(|config| config.limits.waiting = 2 * 1024 * 1024);
    let mut reader = relay.participant("reader");
    let mut writer = relay.participant("writer");
    reader.joined();
    let sent = AtomicUsize::new(0);
    let farthest = std::thread::scope(|scope| {
        let mut sending = writer.stream.try_clone().unwrap();
        scope.spawn(|| {
            let sent = &sent;
            for number in 0..LINES {
                sending.write_all(&frames().chat(Role::Participant, &format!("{number:0LENGTH$}"), "")).unwrap();
                sent.fetch_add(1, Ordering::Relaxed);
            }
            // Its own lines come back to it too.
            sending
        });
        scope.spawn(|| read_lines(&mut writer, LINES, |_| {}));
        let mut farthest = 0;
        read_lines(&mut reader, LINES, |read| {
            farthest = farthest.max(sent.load(Ordering::Relaxed) - read.min(sent.load(Ordering::Relaxed)));
            if read.is_multiple_of(50) {
                // A reader of its own, slow pace.
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        farthest
    });
    assert!(farthest < LINES, "the writer had sent everything before the reader read anything");
    assert!(reader.is_open());
}

fn read_lines(client: &mut Client, lines: usize, mut on_line: impl FnMut(usize)) {
    let mut read = 0;
    while read < lines {
        match client.next() {
            FromRelay::Chat(chat) => {
                assert_eq!(chat.text.parse::<usize>().unwrap(), read, "in order, and none left out");
                read += 1;
                on_line(read);
            }
            FromRelay::Ping => client.send(&frames().pong()),
            FromRelay::Left(person) => panic!("{} was dropped", person.user),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn while_one_writes_fast_another_is_heard_at_once() {
    let relay = Relay::start();
    let mut reader = relay.participant("reader");
    let mut fast = relay.participant("fast");
    let mut slow = relay.participant("slow");
    let deadline = Instant::now() + DEADLINE;
    std::thread::scope(|scope| {
        let mut sending = fast.stream.try_clone().unwrap();
        // Until its connection is shut.
        scope.spawn(move || while sending.write_all(&frames().chat(Role::Participant, &"x".repeat(1000), "")).is_ok() {});
        let mut its_reading = fast.stream.try_clone().unwrap();
        scope.spawn(move || while its_reading.read(&mut [0; 65536]).is_ok_and(|length| length > 0) {});
        let mut hearing = slow.stream.try_clone().unwrap();
        scope.spawn(move || while hearing.read(&mut [0; 65536]).is_ok_and(|length| length > 0) {});
        for number in 0..20 {
            slow.say(&format!("slow {number}"));
            let from_fast = wait_for_line(&mut reader, &format!("slow {number}"), deadline);
            assert!(from_fast < 20_000, "{from_fast} other lines came before it");
        }
        for client in [&fast, &slow] {
            client.stream.shutdown(std::net::Shutdown::Both).unwrap();
        }
    });
    let _ = (&mut fast, &mut slow);
}

/// How many other lines came before this one.
fn wait_for_line(client: &mut Client, line: &str, deadline: Instant) -> usize {
    let mut others = 0;
    loop {
        assert!(Instant::now() < deadline, "{line} was not heard in time");
        match client.next() {
            FromRelay::Chat(chat) if chat.text == line => return others,
            FromRelay::Chat(_) => others += 1,
            FromRelay::Ping => client.send(&frames().pong()),
            FromRelay::Joined(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_was_said_before_a_rough_end_still_counts() {
    let relay = Relay::start();
    let mut alice = relay.participant("alice");
    let mut bob = relay.participant("bob");
    alice.joined();
    // One write, so that the relay's side has all of it; not a byte of what comes back is read, so
    // the end is a reset.
    let line = |number: i32| frames().chat(Role::Participant, &number.to_string(), "");
    let message = frames().protocol(&name("alice"), "ACK", b"{}");
    bob.send(&(0..100).flat_map(|number| [line(number), message.clone()].concat()).collect::<Vec<u8>>());
    drop(bob);
    for number in 0..100 {
        assert_eq!(alice.chat().text, number.to_string());
        alice.protocol();
    }
    assert_eq!(alice.left().user, name("bob"));
}

/// The log is megabytes long, and every reader of it that does not read holds as much: they count
/// like everything that waits, and go first.
#[test]
fn readers_of_the_log_who_do_not_read_are_cut_off_and_cost_the_room_nothing() {
    let most = 24 * 1024 * 1024;
    let relay = Relay::start_with(|config| config.limits.waiting_in_all = most);
    let mut alice = relay.participant("alice");
    for _ in 0..130 {
        alice.say(&"x".repeat(60 * 1024));
        alice.chat();
    }
    let ask = b"GET /log HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut readers: Vec<_> = (0..20).map(|_| relay.connect()).collect();
    for reader in &mut readers {
        reader.send(ask);
        // Its answer has begun, or it has been cut off already.
        let _ = reader.stream.peek(&mut [0]);
    }
    assert!(alice.is_open(), "the room goes on");
    let whole = |mut reader: crate::client::Plain| {
        let mut bytes = Vec::new();
        // The end may be rough: what it did not read is thrown away.
        let _ = reader.stream.set_read_timeout(Some(Duration::from_millis(300))).and_then(|()| reader.stream.read_to_end(&mut bytes));
        usize::from(bytes.len() > 130 * 60 * 1024)
    };
    let served: usize = readers.into_iter().map(whole).sum();
    assert!((1..20).contains(&served), "{served} of 20 logs of 8 MiB were kept where 24 MiB may wait");
    let mut reader = relay.connect();
    reader.send(b"GET /log HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_eq!(whole(reader), 1, "whoever reads gets all of it");
    assert!(alice.is_open());
}
