//! What waits for one client, who pays for it, and how much waits for all.
//!
//! A frame that goes to many is one allocation that their outboxes share. Whoever sent it is in
//! *debt* for it until everyone has taken it, and is read no further while the debt is high: so a
//! fast writer is slowed down, it alone, and nothing is lost. A client that does not read is
//! forgiven on the senders' side: nobody waits for it, its outbox grows to the limit, and it is
//! dropped.
//!
//! Deliberately absent: sockets. Whoever owns one takes from here.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::config::Limits;

/// What a queue takes for each frame in it, in bytes; it grows by doubling.
const ENTRY: usize = 2 * size_of::<Delivery>();

/// One frame on its way to one client.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) bytes: Arc<[u8]>,
    /// Kept alive by every outbox that still has the frame and is waited for.
    claim: Option<Arc<Claim>>,
}

impl Delivery {
    /// Of the relay's own making: nobody pays.
    pub(crate) fn own(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self { bytes: bytes.into(), claim: None }
    }

    /// Paid for by whoever caused it.
    pub(crate) fn owed(bytes: impl Into<Arc<[u8]>>, debt: &Arc<Debt>) -> Self {
        let bytes = bytes.into();
        debt.bytes.fetch_add(bytes.len(), Ordering::Relaxed);
        let claim = Claim { debt: Arc::clone(debt), bytes: bytes.len() };
        Self { bytes, claim: Some(Arc::new(claim)) }
    }

    /// What it takes of the memory while it waits: a flood of small frames is as large as one of
    /// large ones.
    fn weight(&self) -> usize {
        self.bytes.len() + ENTRY
    }

    /// From now on nobody pays for this copy.
    pub(crate) fn forgive(&mut self) {
        self.claim = None;
    }
}

/// The bytes of one sender that somebody has not taken yet.
#[derive(Debug, Default)]
pub(crate) struct Debt {
    bytes: AtomicUsize,
    /// Told whenever it shrinks.
    pub(crate) eased: Notify,
}

impl Debt {
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// A share in a sender's debt; gone when the last who waits for the frame has it.
#[derive(Debug)]
struct Claim {
    debt: Arc<Debt>,
    bytes: usize,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.debt.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.debt.eased.notify_one();
    }
}

/// How much waits for everybody together.
#[derive(Debug)]
pub(crate) struct Totals {
    limits: Limits,
    /// Bytes that wait for anybody.
    all: AtomicUsize,
    /// Those of them that wait for clients who do read.
    awaited: AtomicUsize,
    /// Clients who do read, and for whom half of what may wait does.
    crowded: AtomicUsize,
}

impl Totals {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        let zero = AtomicUsize::default;
        Arc::new(Self { limits, all: zero(), awaited: zero(), crowded: zero() })
    }

    /// Counts so many bytes among all that waits, though they wait for nobody yet.
    pub(crate) fn keep(self: &Arc<Self>, bytes: usize) -> Kept {
        shift(&self.all, 0, bytes);
        Kept { totals: Arc::clone(self), bytes }
    }

    /// How much may be kept back: half of what may wait for one client, so that all of it can go on to
    /// one at once.
    pub(crate) fn most_kept(&self) -> usize {
        self.limits.waiting / 2
    }

    /// Whether more waits than may: somebody has to go.
    pub(crate) fn are_over(&self) -> bool {
        self.all.load(Ordering::Relaxed) > self.limits.waiting_in_all
    }

    /// How much waits.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.all.load(Ordering::Relaxed)
    }

    /// Whether so much waits for those who do read that nobody may add to it.
    pub(crate) fn are_congested(&self) -> bool {
        self.crowded.load(Ordering::Relaxed) > 0 || self.awaited.load(Ordering::Relaxed) >= self.limits.waiting_in_all / 2
    }
}

/// A share in all that waits, of something that is kept back; gone when dropped.
#[derive(Debug)]
pub(crate) struct Kept {
    totals: Arc<Totals>,
    bytes: usize,
}

impl Kept {
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        shift(&self.totals.all, self.bytes, 0);
    }
}

/// Why an outbox takes nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// What is in it is still to be sent, then the connection ends.
    Finish,
    /// The connection ends at once.
    Cut,
}

/// What waits for one client.
#[derive(Debug)]
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    totals: Arc<Totals>,
    /// Told when there is something to take, and at the end.
    pub(crate) wake: Notify,
}

#[derive(Debug)]
struct Queue {
    entries: VecDeque<Delivery>,
    /// The weight of the entries, and of what is in the hands of whoever sends them, as far as the
    /// kernel has not taken it.
    waiting: usize,
    /// Whether senders wait for this client.
    reads: bool,
    end: Option<End>,
    noted: Noted,
}

/// What of a queue stands in the totals.
#[derive(Clone, Copy, Debug, Default)]
struct Noted {
    waiting: usize,
    awaited: usize,
    crowded: usize,
}

impl Outbox {
    pub(crate) fn new(totals: &Arc<Totals>) -> Arc<Self> {
        let queue = Queue { entries: VecDeque::new(), waiting: 0, reads: true, end: None, noted: Noted::default() };
        Arc::new(Self { queue: Mutex::new(queue), totals: Arc::clone(totals), wake: Notify::new() })
    }

    /// Adds a frame; after the end it goes nowhere. `false` when more waits now than may.
    pub(crate) fn push(&self, mut delivery: Delivery) -> bool {
        let mut queue = self.lock();
        if queue.end.is_some() {
            return true;
        }
        if !queue.reads {
            delivery.forgive();
        }
        queue.waiting += delivery.weight();
        let was_empty = queue.entries.is_empty();
        queue.entries.push_back(delivery);
        queue.note(&self.totals);
        let fits = queue.waiting <= self.totals.limits.waiting;
        drop(queue);
        if was_empty {
            self.wake.notify_one();
        }
        fits
    }

    /// Hands out all that is there.
    pub(crate) fn take(&self, hand: &mut VecDeque<Delivery>) {
        debug_assert!(hand.is_empty(), "what was handed out before is sent first");
        std::mem::swap(hand, &mut self.lock().entries);
    }

    /// So many bytes are the kernel's business now, and with them so many frames are done.
    pub(crate) fn taken(&self, bytes: usize, frames: usize) {
        let mut queue = self.lock();
        queue.waiting = queue.waiting.saturating_sub(bytes + frames * ENTRY);
        if queue.waiting == 0 {
            queue.reads = true;
        }
        queue.note(&self.totals);
    }

    /// Whether senders wait for this client; if not, they do again once it has taken everything.
    pub(crate) fn wait_for_it(&self, reads: bool) {
        let mut queue = self.lock();
        queue.reads = reads;
        if !reads {
            queue.entries.iter_mut().for_each(Delivery::forgive);
        }
        queue.note(&self.totals);
    }

    /// Takes nothing any more.
    pub(crate) fn end(&self, end: End) {
        let mut queue = self.lock();
        if queue.end.is_none() || end == End::Cut {
            queue.end = Some(end);
        }
        if end == End::Cut {
            // What is in the hands of whoever sends is thrown away too, as soon as it looks up.
            queue.entries = VecDeque::new();
            queue.waiting = 0;
            queue.note(&self.totals);
        }
        drop(queue);
        self.wake.notify_one();
    }

    pub(crate) fn ended(&self) -> Option<End> {
        self.lock().end
    }

    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        let mut queue = self.lock();
        queue.waiting = 0;
        queue.note(&self.totals);
    }
}

impl Queue {
    /// Brings the totals up to date.
    fn note(&mut self, totals: &Totals) {
        let awaited = if self.reads { self.waiting } else { 0 };
        let now = Noted { waiting: self.waiting, awaited, crowded: usize::from(awaited > totals.limits.waiting / 2) };
        let was = std::mem::replace(&mut self.noted, now);
        shift(&totals.all, was.waiting, now.waiting);
        shift(&totals.awaited, was.awaited, now.awaited);
        shift(&totals.crowded, was.crowded, now.crowded);
    }
}

/// Replaces one part of a sum.
fn shift(sum: &AtomicUsize, was: usize, now: usize) {
    if now >= was {
        sum.fetch_add(now - was, Ordering::Relaxed);
    } else {
        sum.fetch_sub(was - now, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For one frame of 90 bytes, and for three.
    const LIMITS: Limits = Limits { waiting: 90 + 2 * ENTRY, waiting_in_all: 3 * (90 + ENTRY), strangers: 1, names: 1, connections: 1 };

    fn take(outbox: &Outbox) -> VecDeque<Delivery> {
        let mut hand = VecDeque::new();
        outbox.take(&mut hand);
        hand
    }

    #[test]
    fn a_sender_is_in_debt_until_everybody_has_the_frame() {
        let totals = Totals::new(LIMITS);
        let (one, other) = (Outbox::new(&totals), Outbox::new(&totals));
        let debt = Arc::default();
        let delivery = Delivery::owed(*b"0123456789", &debt);
        assert!(one.push(delivery.clone()) && other.push(delivery));
        assert_eq!(debt.bytes(), 10);
        drop(take(&one));
        assert_eq!(debt.bytes(), 10);
        drop(take(&other));
        assert_eq!(debt.bytes(), 0);
    }

    #[test]
    fn nobody_pays_for_who_does_not_read_until_it_has_read_everything() {
        let totals = Totals::new(LIMITS);
        let outbox = Outbox::new(&totals);
        let debt = Arc::default();
        assert!(outbox.push(Delivery::owed(*b"0123456789", &debt)));
        outbox.wait_for_it(false);
        assert_eq!(debt.bytes(), 0);
        assert!(outbox.push(Delivery::owed(*b"0123456789", &debt)));
        assert_eq!(debt.bytes(), 0);
        drop(take(&outbox));
        outbox.taken(20, 2);
        assert!(outbox.push(Delivery::owed(*b"0123456789", &debt)));
        assert_eq!(debt.bytes(), 10);
    }

    #[test]
    fn what_waits_is_counted_until_the_kernel_has_it() {
        let totals = Totals::new(LIMITS);
        let outbox = Outbox::new(&totals);
        assert!(outbox.push(Delivery::own([0; 60])));
        assert!(totals.are_congested(), "more than half of what may wait for one who reads");
        assert!(outbox.push(Delivery::own([0; 30])));
        drop(take(&outbox));
        assert_eq!(outbox.waiting(), 90 + 2 * ENTRY);
        assert!(!outbox.push(Delivery::own([0; 1])), "the limit for one is passed");
        outbox.wait_for_it(false);
        assert!(!totals.are_congested());
        outbox.taken(90, 2);
        assert_eq!(outbox.waiting(), 1 + ENTRY);
        drop(outbox);
        assert_eq!(totals.all.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_flood_of_empty_frames_is_not_for_nothing() {
        let totals = Totals::new(LIMITS);
        let outbox = Outbox::new(&totals);
        let pushed = (0..1000).take_while(|_| outbox.push(Delivery::own([]))).count();
        assert!(pushed < 10, "{pushed}");
    }

    #[test]
    fn a_cut_outbox_lets_go_of_what_is_in_it() {
        let totals = Totals::new(LIMITS);
        let outboxes: Vec<_> = (0..4).map(|_| Outbox::new(&totals)).collect();
        assert!(outboxes.iter().all(|outbox| outbox.push(Delivery::own([0; 90]))));
        assert!(totals.are_over());
        outboxes[0].end(End::Cut);
        assert!(!totals.are_over());
        assert!(outboxes[0].push(Delivery::own([0; 90])) && outboxes[0].waiting() == 0, "nothing goes in after the end");
    }
}
