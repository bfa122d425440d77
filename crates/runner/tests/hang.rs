//! A disk whose sync hangs: it holds up this node's promises, and nothing else.

#![allow(clippy::unwrap_used)] // a test may fail where it stands

mod support;

use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use support::{TestRelay, Watched, committing, config};
use twopc_proto::coordinator::Coordinator;
use twopc_proto::participant::Participant;
use twopc_proto::{Decision, TxnId};
use twopc_runner::event::Event;
use twopc_runner::node::Ending;
use twopc_runner::snapshot::{Action, CoordinatorPress, LineKind, ParticipantPress};
use twopc_store::{Disk, Look, RealDisk};

/// This machine's disk, whose syncs return only while it is let.
#[derive(Clone, Default)]
struct Hanging {
    hangs: Arc<(Mutex<bool>, Condvar)>,
}

impl Hanging {
    fn set(&self, hangs: bool) {
        *self.hangs.0.lock().unwrap() = hangs;
        self.hangs.1.notify_all();
    }

    fn wait(&self) {
        let hangs = self.hangs.0.lock().unwrap();
        drop(self.hangs.1.wait_while(hangs, |hangs| *hangs).unwrap());
    }
}

impl Disk for Hanging {
    type File = <RealDisk as Disk>::File;

    fn create_dir(&mut self, dir: &Path) -> io::Result<()> {
        RealDisk.create_dir(dir)
    }
    fn create(&mut self, path: &Path, private: bool) -> io::Result<Self::File> {
        RealDisk.create(path, private)
    }
    fn open(&mut self, path: &Path) -> io::Result<Self::File> {
        RealDisk.open(path)
    }
    fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        RealDisk.read(path)
    }
    fn append(&mut self, file: &mut Self::File, bytes: &[u8]) -> io::Result<usize> {
        RealDisk.append(file, bytes)
    }
    fn truncate(&mut self, file: &mut Self::File, len: u64) -> io::Result<()> {
        RealDisk.truncate(file, len)
    }
    fn sync(&mut self, file: &mut Self::File) -> io::Result<()> {
        self.wait();
        RealDisk.sync(file)
    }
    fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        self.wait();
        RealDisk.sync_dir(dir)
    }
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }
    fn look(&mut self, path: &Path) -> io::Result<Option<Look>> {
        RealDisk.look(path)
    }
}

/// The string that is proposed is voted on.
fn propose(chair: &mut Watched<Coordinator>, string: &str, vote_timeout: Duration) {
    chair.act(Action::Say(format!("string: {string}")));
    chair.wait_for("the proposal's echo", |event| matches!(event, Event::Proposal { .. }).then_some(()));
    chair.press(CoordinatorPress::Request { vote_timeout });
}

fn chat_of(event: &Event) -> Option<(String, String)> {
    if let Event::Chat { from, text } = event { Some((from.clone(), text.clone())) } else { None }
}

#[test]
fn a_sync_that_hangs_holds_up_the_vote_and_neither_the_window_nor_anybody_else() {
    let relay = TestRelay::start();
    let dir = tempfile::tempdir().unwrap();
    let disk = Hanging::default();
    let mut alice = Watched::<Participant>::window_on(disk.clone(), config(&relay.address, Some("alice"), dir.path()));
    alice.wait_for_login();
    let mut bob = Watched::<Participant>::headless(committing(config(&relay.address, Some("bob"), dir.path())));
    bob.wait_for_login();
    let mut chair = Watched::<Coordinator>::headless(config(&relay.address, Some("chair"), dir.path()));
    chair.wait_for_login();

    disk.set(true);
    propose(&mut chair, "Hello", Duration::from_millis(1_500));
    let txn = alice.wait_for("the vote", |event| if let Event::VoteRequest { txn, .. } = event { Some(txn.clone()) } else { None });
    alice.press(ParticipantPress::Commit(txn.clone()));
    let writing = |txn: &TxnId, alice: &Watched<Participant>, wanted: &str| {
        alice.wait_to_see(wanted, |seen| seen.role.votes.iter().any(|vote| vote.txn == *txn && vote.writing == Some(wanted)).then_some(()));
    };
    writing(&txn, &alice, "Writing your vote …");

    // The conversation goes on in both directions, and so does the room.
    chair.act(Action::Say("Are you there?".into()));
    alice.wait_to_see("the question", |seen| {
        let asked =
            |kind: &LineKind| matches!(kind, LineKind::Chat { from, text, .. } if from == "chair" && text.ends_with("Are you there?"));
        seen.messages.iter().any(|line| asked(&line.kind)).then_some(())
    });
    alice.act(Action::Say("My disk hangs.".into()));
    chair.wait_for("the answer", |event| chat_of(event).filter(|(from, text)| from == "alice" && text == "My disk hangs."));
    // The vote's timeout aborts; alice hears it, and has promised nothing.
    chair.wait_for("the decision", |event| matches!(event, Event::Decision { decision: Decision::Abort, .. }).then_some(()));
    writing(&txn, &alice, "Writing the decision to abort …");
    bob.wait_for("the decision", |event| matches!(event, Event::Decision { decision: Decision::Abort, .. }).then_some(()));
    assert_eq!(bob.quit(), Ending::Quit);
    alice.wait_for("bob's leaving", |event| matches!(event, Event::Left { user } if user.as_str() == "bob").then_some(()));
    let promised = |said: &[Event]| said.iter().any(|event| matches!(event, Event::State { state: "READY", .. }));
    assert!(!promised(&alice.said));
    assert!(!chair.said.iter().any(|event| matches!(event, Event::Done { .. })), "what is not on the disk is not acknowledged");

    disk.set(false);
    alice.wait_for("the decision", |event| matches!(event, Event::Decision { decision: Decision::Abort, .. }).then_some(()));
    chair.wait_until_said(&Event::Done { txn });
    assert!(!promised(&alice.said));
    assert_eq!(alice.quit(), Ending::Quit);
    assert_eq!(chair.quit(), Ending::Quit);
}

#[test]
fn a_node_can_be_quit_while_its_disk_hangs_and_promises_nothing_by_it() {
    let relay = TestRelay::start();
    let dir = tempfile::tempdir().unwrap();
    let disk = Hanging::default();
    let mut alice = Watched::<Participant>::window_on(disk.clone(), config(&relay.address, Some("alice"), dir.path()));
    alice.wait_for_login();
    let mut chair = Watched::<Coordinator>::headless(config(&relay.address, Some("chair"), dir.path()));
    chair.wait_for_login();
    disk.set(true);
    propose(&mut chair, "Hello", Duration::from_secs(20));
    let txn = alice.wait_for("the vote", |event| if let Event::VoteRequest { txn, .. } = event { Some(txn.clone()) } else { None });
    alice.press(ParticipantPress::Commit(txn));
    assert_eq!(alice.quit(), Ending::Quit);
    chair.wait_for("alice's leaving", |event| matches!(event, Event::Left { user } if user.as_str() == "alice").then_some(()));
    assert!(!chair.said.iter().any(|event| matches!(event, Event::Decision { decision: Decision::Commit, .. })));
    disk.set(false);
    assert_eq!(chair.quit(), Ending::Quit);
}
