//! The connections that are not logged in. There are only so many: when one more comes, the one
//! that has been silent longest goes.
//!
//! However many come, whoever has just come keeps a moment to say who it is, and nobody is sent
//! away while it is being answered: so a login with a known name gets in through any crowd.
//! Deliberately absent: sockets. Whoever owns one closes it when it is told to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// How long who has just come may stay to log in, though its place is somebody else's already.
const MOMENT: Duration = Duration::from_secs(1);

/// How many such there may be for each place: beyond that the oldest of them goes at once.
const WITHOUT_A_PLACE: usize = 8;

/// Everybody who is not logged in.
#[derive(Debug)]
pub(crate) struct Lobby {
    most: usize,
    strangers: Mutex<Strangers>,
}

#[derive(Debug, Default)]
struct Strangers {
    next: u64,
    /// Those who have a place, by their numbers.
    placed: BTreeMap<u64, Placed>,
    /// The same, those who have been silent longest first.
    by_silence: BTreeSet<(Instant, u64)>,
    /// Those whose place was given away in their first moment, by their numbers: in the order in
    /// which they came.
    last_moments: BTreeMap<u64, Arc<Told>>,
}

#[derive(Debug)]
struct Placed {
    came: Instant,
    heard: Instant,
    told: Arc<Told>,
}

/// What the owner of a connection is told.
#[derive(Debug, Default)]
struct Told {
    /// When it has to go, if it has to.
    goes_at: Mutex<Option<Instant>>,
    changed: Notify,
}

/// One connection that is not logged in; leaves the lobby when dropped.
#[derive(Debug)]
pub(crate) struct Stranger {
    lobby: Arc<Lobby>,
    number: u64,
    came: Instant,
    told: Arc<Told>,
}

impl Lobby {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most: most.max(1), strangers: Mutex::default() })
    }

    /// Comes in, in the place of the one that has been silent longest if there is no other.
    pub(crate) fn enter(self: &Arc<Self>) -> Stranger {
        let came = Instant::now();
        let told = Arc::<Told>::default();
        let mut strangers = self.lock();
        let number = strangers.next;
        strangers.next += 1;
        strangers.place(number, Placed { came, heard: came, told: Arc::clone(&told) }, self.most);
        drop(strangers);
        Stranger { lobby: Arc::clone(self), number, came, told }
    }

    /// Makes room for one more connection at once. `false` when there is nobody to send away.
    pub(crate) fn send_one_away(&self) -> bool {
        let mut strangers = self.lock();
        let oldest = strangers.last_moments.pop_first().map(|(_, told)| told);
        let told = oldest.or_else(|| strangers.take_most_silent().map(|(_, placed)| placed.told));
        told.inspect(|told| told.go_at(Some(Instant::now()))).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Strangers> {
        self.strangers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Strangers {
    /// Gives a place to this one.
    fn place(&mut self, number: u64, stranger: Placed, most: usize) {
        while self.placed.len() >= most {
            let Some((number, placed)) = self.take_most_silent() else { break };
            let until = placed.came + MOMENT;
            placed.told.go_at(Some(until));
            if until > Instant::now() {
                self.last_moments.insert(number, placed.told);
            }
        }
        while self.last_moments.len() > most * WITHOUT_A_PLACE {
            let Some((_, told)) = self.last_moments.pop_first() else { break };
            told.go_at(Some(Instant::now()));
        }
        self.by_silence.insert((stranger.heard, number));
        self.placed.insert(number, stranger);
    }

    fn take_most_silent(&mut self) -> Option<(u64, Placed)> {
        let (_, number) = self.by_silence.pop_first()?;
        self.placed.remove(&number).map(|placed| (number, placed))
    }

    fn remove(&mut self, number: u64) {
        if let Some(placed) = self.placed.remove(&number) {
            self.by_silence.remove(&(placed.heard, number));
        }
        self.last_moments.remove(&number);
    }
}

impl Told {
    fn go_at(&self, time: Option<Instant>) {
        *self.goes_at.lock().unwrap_or_else(PoisonError::into_inner) = time;
        self.changed.notify_one();
    }

    fn goes_at(&self) -> Option<Instant> {
        *self.goes_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stranger {
    /// Something came from it.
    pub(crate) fn heard(&self) {
        let now = Instant::now();
        let mut strangers = self.lobby.lock();
        let Some(placed) = strangers.placed.get_mut(&self.number) else { return };
        let before = std::mem::replace(&mut placed.heard, now);
        strangers.by_silence.remove(&(before, self.number));
        strangers.by_silence.insert((now, self.number));
    }

    /// It shows a name and a key: until it has its answer it takes nobody's place, and nobody takes
    /// its.
    pub(crate) fn shows_a_name(&self) {
        let mut strangers = self.lobby.lock();
        strangers.remove(self.number);
        self.told.go_at(None);
    }

    /// It was not let in.
    pub(crate) fn was_refused(&self) {
        let stranger = Placed { came: self.came, heard: Instant::now(), told: Arc::clone(&self.told) };
        self.lobby.lock().place(self.number, stranger, self.lobby.most);
    }

    /// Whether it stays for a moment only, to log in and for nothing else.
    pub(crate) fn is_leaving(&self) -> bool {
        self.told.goes_at().is_some()
    }

    /// Returns when it has to go.
    pub(crate) async fn dismissed(&self) {
        loop {
            match self.told.goes_at() {
                None => self.told.changed.notified().await,
                Some(time) if time <= Instant::now() => return,
                // Told something else meanwhile, or its time is over: the next look says which.
                Some(time) => drop(timeout_at(time, self.told.changed.notified()).await),
            }
        }
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.lobby.lock().remove(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{advance, timeout};

    /// Whether it has to go within the time given, which passes only if it need not.
    async fn goes_within(stranger: &Stranger, time: Duration) -> bool {
        timeout(time, stranger.dismissed()).await.is_ok()
    }

    const NOW: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn the_one_that_has_been_silent_longest_goes() {
        let lobby = Lobby::new(2);
        let (first, second) = (lobby.enter(), lobby.enter());
        advance(MOMENT).await;
        first.heard();
        let third = lobby.enter();
        assert!(goes_within(&second, NOW).await, "the second was silent longest");
        drop(third);
        let _fourth = lobby.enter();
        assert!(!goes_within(&first, MOMENT).await, "there was a place again");
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_just_come_keeps_its_moment_without_a_place() {
        let lobby = Lobby::new(1);
        let first = lobby.enter();
        advance(MOMENT / 4).await;
        let _second = lobby.enter();
        assert!(first.is_leaving() && !goes_within(&first, MOMENT / 2).await);
        assert!(goes_within(&first, MOMENT / 4 + NOW).await, "its moment is over");
    }

    #[tokio::test(start_paused = true)]
    async fn who_shows_a_name_is_not_sent_away_before_it_is_answered() {
        let lobby = Lobby::new(1);
        let first = lobby.enter();
        let second = lobby.enter();
        first.shows_a_name();
        assert!(!goes_within(&first, MOMENT * 10).await);
        first.was_refused();
        assert!(goes_within(&second, NOW).await, "the first has the place again");
        assert!(lobby.send_one_away() && goes_within(&first, NOW).await);
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_only_so_many_without_a_place() {
        let lobby = Lobby::new(1);
        let crowd: Vec<Stranger> = (0..WITHOUT_A_PLACE + 2).map(|_| lobby.enter()).collect();
        assert!(goes_within(&crowd[0], NOW).await, "one too many");
        assert!(!goes_within(&crowd[1], NOW).await);
        assert!(lobby.send_one_away() && goes_within(&crowd[1], NOW).await, "the oldest of them goes when sockets are short");
        drop(crowd);
        assert!(!lobby.send_one_away(), "nobody is left");
        let strangers = lobby.lock();
        assert!(strangers.placed.is_empty() && strangers.by_silence.is_empty() && strangers.last_moments.is_empty());
    }
}
