//! Protocol messages on their way: each goes straight on, unless the lab has asked for something else.
//!
//! A message has its number, stands in the record and has come to the observers before it is looked up
//! what becomes of it. So the room's order is the order of the sending, whatever is held up later, and an
//! observer hears of a message first and then of its fate.
//!
//! While a message is held nobody owes anything for it, so its sender goes on sending; it counts among all
//! that waits, and what is held is bounded. Deliberately absent: bodies.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use twopc_proto::bench::{Command, Fate, Then};
use twopc_proto::frame::{ErrorCode, Refusal, Stamp};
use twopc_proto::{Role, UserName};

use super::bench::{ENTRY, Held};
use super::{Room, Seat, State};
use crate::outbox::{Debt, Delivery};

impl Room {
    /// Takes a protocol frame for one user: passes it on to that one, or does with it what the lab's
    /// rules say, and passes a copy on to the observers.
    pub(crate) fn protocol(&self, seat: &Seat, to: &UserName, word: &str, body: &[u8], debt: &Arc<Debt>) -> Result<(), Refusal> {
        let mut state = self.lock();
        if !state.members.seat(seat) {
            return Ok(());
        }
        let Some(role) = state.members.role(to) else { return Err(Refusal::not_here(to.clone())) };
        state.seq += 1;
        let seq = state.seq;
        let stamp = Stamp { from: &seat.name, role: seat.role, seq };
        let stamped: Arc<[u8]> = self.frames.protocol(&stamp, to, word, body).into();
        let copy = Delivery::owed(Arc::clone(&stamped), debt);
        // An observer has its copy at once, and nothing is to be held up for it.
        let then = if role == Role::Observer { Then::Pass } else { state.bench.then(&seat.name, to, word) };
        let late = match then {
            Then::Pass => state.members.tell_one_and_observers(to, &copy),
            Then::Hold => self.hold(&mut state, seq, to, &copy, debt, None),
            Then::Delay { ms } => self.hold(&mut state, seq, to, &copy, debt, Some(ms)),
            Then::Drop => self.tell_copy_and_fate(&state, &copy, &Fate::Dropped { seq, gone: false }, debt),
        };
        self.record.put(stamped.len(), stamped);
        self.settle(&mut state, late);
        Ok(())
    }

    /// Does what an observer asks for. `debt` is the observer's: what it causes, it pays for.
    pub(crate) fn lab(&self, seat: &Seat, command: Command, debt: &Arc<Debt>) -> Result<(), Refusal> {
        let mut state = self.lock();
        if !state.members.seat(seat) {
            return Ok(());
        }
        let late = match command {
            Command::Rules { rules } => {
                state.bench.set(rules);
                self.tell_fate(&state, &state.bench.rules(), debt)
            }
            Command::Deliver { seq } => {
                let held = state.bench.take(seq).ok_or_else(|| not_held(seq))?;
                self.go_on(&mut state, seq, held)
            }
            Command::Drop { seq } => {
                state.bench.take(seq).ok_or_else(|| not_held(seq))?;
                self.tell_fate(&state, &Fate::Dropped { seq, gone: false }, debt)
            }
            Command::Duplicate { seq } => {
                let Held { to, frame, .. } = state.bench.held(seq).ok_or_else(|| not_held(seq))?;
                let copy = Delivery::owed(Arc::clone(frame), debt);
                let mut late = state.members.tell_one(to, &copy).ok_or_else(|| Refusal::not_here(to.clone()))?;
                late.extend(self.tell_fate(&state, &Fate::Duplicated { seq }, debt));
                late
            }
            Command::Release if state.bench.holds_nothing() => return Err(nothing_held()),
            Command::Release => self.let_all_go(&mut state),
        };
        self.settle(&mut state, late);
        Ok(())
    }

    /// Lets delayed messages go on when their time has come. Never ends.
    pub(crate) async fn keep_time(&self) {
        loop {
            let due = self.lock().bench.next_due();
            match due {
                None => self.delayed.notified().await,
                Some(due) => tokio::select! {
                    biased;
                    () = sleep_until(due) => self.let_due_go(),
                    // Another is to go on earlier.
                    () = self.delayed.notified() => {}
                },
            }
        }
    }

    fn let_due_go(&self) {
        let mut state = self.lock();
        let (now, mut late) = (Instant::now(), Vec::new());
        while let Some((seq, held)) = state.bench.take_due(now) {
            late.extend(self.go_on(&mut state, seq, held));
        }
        self.settle(&mut state, late);
    }

    /// Keeps a message back, for so many milliseconds or until somebody says what becomes of it. Where
    /// more is held than may be, the oldest goes on. Returns those for whom too much waits now.
    fn hold(&self, state: &mut State, seq: u64, to: &UserName, copy: &Delivery, debt: &Arc<Debt>, ms: Option<u64>) -> Vec<UserName> {
        let due = ms.map(|ms| Instant::now() + Duration::from_millis(ms));
        let (frame, kept) = (Arc::clone(&copy.bytes), self.totals.keep(copy.bytes.len() + ENTRY));
        state.bench.hold(seq, Held { to: to.clone(), frame, debt: Arc::clone(debt), due, kept });
        if due.is_some() && due == state.bench.next_due() {
            self.delayed.notify_one();
        }
        let mut late = self.tell_copy_and_fate(state, copy, &Fate::Held { seq, ms }, debt);
        while let Some((seq, held)) = state.bench.take_surplus(self.totals.most_kept()) {
            late.extend(self.go_on(state, seq, held));
        }
        late
    }

    /// Observers get a message that its receiver does not get now, and why.
    fn tell_copy_and_fate(&self, state: &State, copy: &Delivery, fate: &Fate, debt: &Arc<Debt>) -> Vec<UserName> {
        let mut late = state.members.tell_observers(copy);
        late.extend(self.tell_fate(state, fate, debt));
        late
    }

    /// All that is held goes on, in the order of the numbers.
    fn let_all_go(&self, state: &mut State) -> Vec<UserName> {
        let mut late = Vec::new();
        while let Some((seq, held)) = state.bench.take_first() {
            late.extend(self.go_on(state, seq, held));
        }
        late
    }

    /// Nobody watches any more: no rules, and nothing held.
    pub(super) fn clear_bench(&self, state: &mut State) -> Vec<UserName> {
        state.bench.set(Vec::new());
        self.let_all_go(state)
    }

    /// A message that was held goes on to whoever has that name now. Its sender pays for it again.
    fn go_on(&self, state: &mut State, seq: u64, held: Held) -> Vec<UserName> {
        let Held { to, frame, debt, .. } = held;
        let told = state.members.tell_one(&to, &Delivery::owed(frame, &debt));
        let fate = if told.is_some() { Fate::Delivered { seq } } else { Fate::Dropped { seq, gone: true } };
        let mut late = told.unwrap_or_default();
        late.extend(self.tell_fate(state, &fate, &debt));
        late
    }

    fn tell_fate(&self, state: &State, fate: &Fate, debt: &Arc<Debt>) -> Vec<UserName> {
        if !state.members.are_watched() {
            return Vec::new();
        }
        state.members.tell_observers(&Delivery::owed(self.frames.lab(fate), debt))
    }
}

fn nothing_held() -> Refusal {
    let message = "Nothing is held, so there is nothing to release: what was held has gone on or is lost, or nothing ever was.";
    Refusal::new(400, ErrorCode::BadRequest, String::from(message))
}

fn not_held(seq: u64) -> Refusal {
    let message = format!("No message with the number {seq} is held: it has gone on, it is lost, or it never was held.");
    Refusal::new(400, ErrorCode::BadRequest, message)
}
