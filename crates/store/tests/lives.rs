//! A participant's own machine over its store, with the log compacted at every start: whatever a crash
//! at any step leaves, and a second one at any step of the recovery, it votes once, acknowledges what
//! it was told, and each committed string stands in its text file once and in order.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod room;

use std::collections::BTreeSet;

use room::disk::{Cut, Fault, MemDisk};
use room::{place, string, text, txn};
use twopc_proto::participant::Command;
use twopc_proto::{
    Decision, Effect, Identity, Input, LinkState, Machine, Message, Participant, ParticipantRecord, Role, Settings, TxnId, UserName,
};
use twopc_store::{Job, Outcome, Store, StoreError};

/// Five transactions, of which the third is aborted; two commit the same string.
const STRINGS: [(&str, Decision); 5] = [
    ("Hello", Decision::Commit),
    ("தமிழ்", Decision::Commit),
    ("never", Decision::Abort),
    ("Hello", Decision::Commit),
    ("last", Decision::Commit),
];
const AS_TEXT: &str = "Hello\nதமிழ்\nHello\nlast\n";

/// What alice has said, over all of her lives.
#[derive(Debug, Default)]
struct Said {
    votes: BTreeSet<(TxnId, Decision)>,
    acks: BTreeSet<TxnId>,
}

/// Alice as she runs.
struct Alice<'a> {
    store: Store<MemDisk, ParticipantRecord>,
    machine: Participant,
    said: &'a mut Said,
}

fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

fn both() -> BTreeSet<UserName> {
    [name("alice"), name("bob")].into()
}

/// One life, in which the coordinator asks for every vote and tells every decision, however often it
/// has done so before.
fn live(disk: &MemDisk, said: &mut Said) -> Result<(), StoreError> {
    let (store, opened) = Store::open_compacting(disk.clone(), &place(), [7; 32], 0)?;
    let me = Identity { user: name("alice") };
    let (machine, effects) = Participant::recover(&me, &Settings::default(), opened.incarnation, &opened.records);
    let mut alice = Alice { store, machine, said };
    alice.carry_out(effects)?;
    let room = [(name("alice"), Role::Participant), (name("bob"), Role::Participant), (name("chair"), Role::Coordinator)];
    alice.take(Input::Link(LinkState::Up(room.into())))?;
    for (n, (text, decision)) in (1..).zip(STRINGS) {
        let txn = txn(n);
        let request =
            Message::VoteRequest { txn: txn.clone(), string: string(text), participants: both(), timeout: Settings::default().grace };
        alice.hear(request)?;
        alice.take(Input::Command(Command::Commit(txn.clone())))?;
        alice.hear(match decision {
            Decision::Commit => Message::GlobalCommit { txn },
            Decision::Abort => Message::GlobalAbort { txn, reason: None, by: None },
        })?;
    }
    Ok(())
}

impl Alice<'_> {
    fn hear(&mut self, message: Message) -> Result<(), StoreError> {
        self.take(Input::Received { from: name("chair"), role: Role::Coordinator, message })
    }

    fn take(&mut self, input: Input<Participant>) -> Result<(), StoreError> {
        let effects = self.machine.step(input);
        self.carry_out(effects)
    }

    /// Carries out effects, as one batch of the store's, and what comes of them.
    fn carry_out(&mut self, effects: Vec<Effect<Participant>>) -> Result<(), StoreError> {
        let mut jobs = Vec::new();
        for effect in effects {
            match effect {
                Effect::Persist { lsn, record, sync } => jobs.push(Job::Persist { lsn, record, sync }),
                Effect::Apply { lsn, string } => jobs.push(Job::Apply { lsn, string }),
                Effect::Send { message: Message::VoteCommit { txn }, .. } => _ = self.said.votes.insert((txn, Decision::Commit)),
                Effect::Send { message: Message::VoteAbort { txn, .. }, .. } => _ = self.said.votes.insert((txn, Decision::Abort)),
                Effect::Send { message: Message::Ack { txn }, .. } => _ = self.said.acks.insert(txn),
                Effect::Send { .. } | Effect::SetTimer { .. } | Effect::CancelTimer(_) | Effect::Notify(_) => {}
            }
        }
        if jobs.is_empty() {
            return Ok(());
        }
        for outcome in self.store.perform(jobs)? {
            match outcome {
                Outcome::Durable(lsn) => self.take(Input::Durable(lsn))?,
                Outcome::Applied { lsn } => self.take(Input::Applied(lsn))?,
                Outcome::Refused(lsn) => panic!("record {lsn} was refused"),
                Outcome::Report(_) => {}
            }
        }
        Ok(())
    }
}

/// What must hold after a life that went through.
fn check(disk: &MemDisk, said: &Said, what: &str) {
    assert_eq!(text(disk), AS_TEXT, "{what}");
    let everything: BTreeSet<TxnId> = (1..=STRINGS.len()).map(txn).collect();
    assert_eq!(said.acks, everything, "{what}");
    // Asked again about the third one she says No, since it is aborted by then.
    let said_no: Vec<&TxnId> = said.votes.iter().filter(|(_, vote)| *vote == Decision::Abort).map(|(txn, _)| txn).collect();
    assert!(said_no.iter().all(|no| **no == txn(3)), "{what}: {:?}", said.votes);
    let voted: BTreeSet<&TxnId> = said.votes.iter().map(|(txn, _)| txn).collect();
    assert_eq!(voted.len(), STRINGS.len(), "{what}: {:?}", said.votes);
}

/// A disk on which she died at call `at` of her second life; `None` if she lives through it.
fn died_at(used: &MemDisk, at: usize, fault: Fault, cut: Cut) -> Option<(MemDisk, Said)> {
    let (disk, mut said) = (used.copy(), Said::default());
    disk.plan(at, fault, true);
    let lived = live(&disk, &mut said);
    let has_died = disk.is_dead();
    assert!(lived.is_ok() || has_died, "{lived:?}");
    disk.cut(cut);
    has_died.then_some((disk, said))
}

const CUTS: [Cut; 7] = [Cut::Kill, Cut::Lost, Cut::Kept, Cut::NamesLost, Cut::Torn(70), Cut::Zeroed, Cut::Holes(64)];

#[test]
fn a_crash_at_any_step_of_a_life_with_a_compacted_log_loses_nothing() {
    for cut in CUTS {
        for fault in [Fault::DiesBefore, Fault::DiesAfter] {
            let (used, mut at) = (MemDisk::default(), 0);
            while let Some((disk, mut said)) = died_at(&used, at, fault, cut) {
                // Twice: the next start compacts what the crash has left, the one after that what is over.
                for life in 1..=2 {
                    live(&disk, &mut said).unwrap();
                    check(&disk, &said, &format!("{cut:?} after {fault:?} at call {at}, life {life} after it"));
                }
                at += 1;
            }
            assert!(at > 60, "every call was tried, {at} of them");
        }
    }
}

#[test]
fn a_second_crash_at_any_step_of_the_compaction_that_follows_changes_nothing() {
    for (first, second) in
        [(Cut::Kill, Cut::Lost), (Cut::Torn(70), Cut::Holes(64)), (Cut::Zeroed, Cut::Torn(3)), (Cut::Holes(16), Cut::Kill)]
    {
        let (used, mut at) = (MemDisk::default(), 0);
        while let Some((died, _)) = died_at(&used, at, Fault::DiesAfter, first) {
            for again in 0.. {
                let (disk, mut said) = (died.copy(), Said::default());
                disk.plan(again, Fault::DiesAfter, true);
                let lived = live(&disk, &mut said);
                let has_died = disk.is_dead();
                assert!(lived.is_ok() || has_died, "{lived:?}");
                disk.cut(second);
                let mut said = Said::default();
                live(&disk, &mut said).unwrap();
                check(&disk, &said, &format!("{first:?} at call {at}, {second:?} at call {again} of the recovery"));
                if !has_died {
                    break;
                }
            }
            at += 1;
        }
    }
}

#[test]
fn what_is_left_after_all_of_it_is_a_range_for_each_decision_and_the_last_string() {
    let (disk, mut said) = (MemDisk::default(), Said::default());
    for _ in 0..3 {
        live(&disk, &mut said).unwrap();
    }
    let log = String::from_utf8(disk.see(&place().log()).unwrap()).unwrap();
    let kinds: Vec<&str> = log.lines().filter_map(|line| line.split("\"type\":\"").nth(1)?.split('"').next()).collect();
    assert_eq!(kinds, ["LOG", "LIFE", "DECIDED", "DECIDED", "DECIDED", "READY", "COMMIT", "APPLIED", "LIFE"]);
}
