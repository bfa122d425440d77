//! Many transactions open at once: all of them commit, in one order at every participant, and whoever
//! watches misses nothing of it.
//!
//! `TWOPC_TEST_COUNT=20000 cargo test --release -p twopc-runner --test throughput -- --nocapture --test-threads 1`
//! says how many a second that makes.

#![allow(clippy::unwrap_used)] // a test may fail where it stands

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use support::observer::{Observer, Seen};
use support::{TestRelay, Watched, committing, config};
use twopc_proto::CommittedString;
use twopc_proto::coordinator::Coordinator;
use twopc_proto::participant::Participant;
use twopc_runner::event::Event;
use twopc_runner::node::Ending;
use twopc_runner::snapshot::CoordinatorPress;

const CONCURRENCY: usize = 64;
const USERS: [&str; 3] = ["alice", "bob", "carol"];
const LAB: &str = "the key of this lab";

#[test]
fn many_votes_open_at_once_all_commit_and_stand_once_in_every_file() {
    commit_many(&TestRelay::start(), "nobody watches");
}

#[test]
fn whoever_watches_many_votes_is_told_every_event_of_every_node() {
    let relay = TestRelay::with_lab(LAB);
    let mut observer = Observer::enter(relay.address, LAB);
    let watching = thread::spawn(move || {
        let mut told: BTreeMap<String, u64> = BTreeMap::new();
        observer.watch(|seen| match seen {
            Seen::Told { user, trace } => {
                let n = told.entry(user.to_string()).or_default();
                assert_eq!(trace.n, *n + 1, "{user}");
                *n += 1;
                false
            }
            Seen::Message(_) => false,
            Seen::Left(user) => user.as_str() == USERS[2],
        });
        told
    });
    let count = commit_many(&relay, "somebody watches");
    let told = watching.join().unwrap();
    assert!(told.len() == 4 && told.values().all(|n| *n >= 10 * count as u64), "{told:?}");
}

/// Commits many strings, and says how many a second that makes.
fn commit_many(relay: &TestRelay, how: &str) -> usize {
    let count: usize = std::env::var("TWOPC_TEST_COUNT").ok().and_then(|count| count.parse().ok()).unwrap_or(500);
    let dir = tempfile::tempdir().unwrap();
    let participants = USERS.map(|user| {
        let mut node = Watched::<Participant>::headless(committing(config(&relay.address, Some(user), dir.path())));
        node.wait_for_login();
        node
    });
    let mut chair = Watched::<Coordinator>::headless(config(&relay.address, Some("chair"), dir.path()));
    chair.wait_for_login();

    let open = |n: usize| {
        let string = CommittedString::parse(&format!("string {n}")).unwrap();
        CoordinatorPress::Open { string, vote_timeout: Duration::from_secs(60) }
    };
    let started = Instant::now();
    let mut opened = CONCURRENCY.min(count);
    (0..opened).for_each(|n| chair.press(open(n)));
    for _ in 0..count {
        chair.wait_for("the end of a vote", |event| matches!(event, Event::Done { .. }).then_some(()));
        if opened < count {
            chair.press(open(opened));
            opened += 1;
        }
    }
    let rate = count as f64 / started.elapsed().as_secs_f64();
    println!("{count} transactions with {} participants, {CONCURRENCY} at a time, {how}: {rate:.0} a second", USERS.len());

    assert_eq!(chair.quit(), Ending::Quit);
    let files = participants.map(Watched::quit).map(|ending| assert_eq!(ending, Ending::Quit)).len();
    assert_eq!(files, USERS.len());
    for user in USERS {
        let mut lines: Vec<String> = fs::read_to_string(dir.path().join(format!("{user}.txt"))).unwrap().lines().map(Into::into).collect();
        lines.sort_unstable();
        let mut expected: Vec<String> = (0..count).map(|n| format!("string {n}")).collect();
        expected.sort_unstable();
        assert_eq!(lines, expected, "{user}");
    }
    count
}
