//! The connections that are not logged in. There are only so many: when one more comes, the one
//! that has been silent longest goes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

/// Everybody who is not logged in.
#[derive(Debug)]
pub(crate) struct Lobby {
    most: usize,
    strangers: Mutex<Strangers>,
}

#[derive(Debug, Default)]
struct Strangers {
    next: u64,
    here: BTreeMap<u64, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    heard: Instant,
    dismissed: Arc<Notify>,
}

/// One connection that is not logged in; leaves the lobby when dropped.
#[derive(Debug)]
pub(crate) struct Stranger {
    lobby: Arc<Lobby>,
    number: u64,
    dismissed: Arc<Notify>,
}

impl Lobby {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, strangers: Mutex::default() })
    }

    /// Comes in, in the place of the one that has been silent longest if there is no other.
    pub(crate) fn enter(self: &Arc<Self>) -> Stranger {
        let dismissed = Arc::new(Notify::new());
        let mut strangers = self.lock();
        while strangers.here.len() >= self.most.max(1) {
            strangers.dismiss_most_silent();
        }
        let number = strangers.next;
        strangers.next += 1;
        strangers.here.insert(number, Waiting { heard: Instant::now(), dismissed: Arc::clone(&dismissed) });
        Stranger { lobby: Arc::clone(self), number, dismissed }
    }

    /// Makes room for one more.
    pub(crate) fn dismiss_most_silent(&self) {
        self.lock().dismiss_most_silent();
    }

    fn lock(&self) -> MutexGuard<'_, Strangers> {
        self.strangers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Strangers {
    fn dismiss_most_silent(&mut self) {
        if let Some(number) = self.here.iter().min_by_key(|(_, waiting)| waiting.heard).map(|(number, _)| *number)
            && let Some(waiting) = self.here.remove(&number)
        {
            waiting.dismissed.notify_one();
        }
    }
}

impl Stranger {
    /// Something came from it.
    pub(crate) fn heard(&self) {
        if let Some(waiting) = self.lobby.lock().here.get_mut(&self.number) {
            waiting.heard = Instant::now();
        }
    }

    /// Returns when it has to go.
    pub(crate) async fn dismissed(&self) {
        self.dismissed.notified().await;
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.lobby.lock().here.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn the_one_that_has_been_silent_longest_goes() {
        let lobby = Lobby::new(2);
        let (first, second) = (lobby.enter(), lobby.enter());
        tokio::time::advance(Duration::from_secs(1)).await;
        first.heard();
        let third = lobby.enter();
        tokio::time::timeout(Duration::from_secs(1), second.dismissed()).await.expect("the second was silent longest");
        drop(third);
        let _fourth = lobby.enter();
        assert!(tokio::time::timeout(Duration::from_secs(1), first.dismissed()).await.is_err(), "there was a place again");
    }
}
