//! What is seen from outside: a new snapshot after each turn that changed something.
//!
//! Building one costs what it shows, so it is built at most every 16 ms for a window, and for a
//! program without one only when the room or the link changed. Deliberately absent: drawing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::core::{Core, Entry};
use super::role::{NodeRole, Scene};
use super::timers::Timers;
use super::{Ending, NodeConfig};
use crate::link::Standing;
use crate::snapshot::{Link, Person, Snapshot};

/// The time between two snapshots: a screen shows no more of them.
const PACE: Duration = Duration::from_millis(16);

/// What is seen before the loop has done anything.
pub(super) fn first_snapshot<R: NodeRole>(config: &NodeConfig) -> Snapshot<R::View> {
    let scene = Scene { me: None, timers: &Timers::default(), room: &BTreeMap::new(), now: Instant::now() };
    Snapshot {
        user: None,
        relay: config.server.clone(),
        link: Link::Offline,
        refusal: None,
        room: Vec::new(),
        messages: Arc::default(),
        warnings: Vec::new(),
        stopped: None,
        data_dir: config.data_dir.clone(),
        role: R::view(None, &mut R::board(config), &scene),
    }
}

impl<R: NodeRole> Core<R> {
    /// When the next snapshot is due, if one is wanted.
    pub(super) fn publishes_at(&self) -> Option<Instant> {
        let is_wanted = if self.front.window { self.dirt.any } else { self.dirt.room };
        is_wanted.then(|| self.dirt.published.map_or(self.now, |before| before + PACE))
    }

    pub(super) fn publish_if_due(&mut self) {
        if self.publishes_at().is_some_and(|at| at <= self.now) {
            self.publish(self.link_shown(), None);
        }
    }

    /// What is seen last.
    pub(super) fn publish_last(&mut self, ending: &Ending) {
        match ending {
            Ending::Quit => self.publish(Link::Offline, None),
            Ending::Replaced => self.publish(Link::Replaced, None),
            Ending::Failed(sentence) => self.publish(Link::Offline, Some(sentence.clone())),
        }
    }

    fn publish(&mut self, link: Link, stopped: Option<String>) {
        self.dirt.any = false;
        self.dirt.room = false;
        self.dirt.published = Some(self.now);
        let user = self.life.as_ref().map(|life| life.user.clone());
        let idle = Timers::default();
        let scene =
            Scene { me: user.as_ref(), timers: self.life.as_ref().map_or(&idle, |life| &life.timers), room: &self.room, now: self.now };
        let role = R::view(self.life.as_ref().map(|life| &life.machine), &mut self.board, &scene);
        self.shared.publish(Snapshot {
            relay: self.config.server.clone(),
            link,
            refusal: self.refusal.clone(),
            room: self.room.iter().map(|(user, role)| Person { user: user.clone(), role: *role }).collect(),
            messages: if self.front.window { self.talk.lines(user.as_ref()) } else { Arc::default() },
            warnings: self.warnings.iter().chain(&self.unsayable).cloned().collect(),
            stopped,
            data_dir: self.config.data_dir.clone(),
            role,
            user,
        });
        (self.front.wake)();
    }

    /// Where the connection stands, for people.
    fn link_shown(&self) -> Link {
        match (&self.entry, self.link.standing()) {
            (Entry::Offline, _) => Link::Offline,
            (_, Standing::Waiting { until, why }) => Link::Reconnecting { at: until, why },
            (Entry::Asking { question: Some(question) }, _) => Link::Asking { question: question.clone() },
            (Entry::Member, Standing::Up) if self.is_in => Link::Connected,
            (
                Entry::Asking { question: None } | Entry::Opening { .. } | Entry::LoggingIn { .. } | Entry::Member,
                Standing::Idle | Standing::Trying | Standing::Up,
            ) => Link::Connecting,
        }
    }
}
