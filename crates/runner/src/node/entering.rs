//! The way into the room: the relay's question, the name, the files of that name, the login.
//!
//! A person at a window can correct whatever is refused on the way; without one, a first login that
//! is refused ends the node. Once the relay has let a name in, every later login is tried until it
//! succeeds. Deliberately absent: the attempts themselves, which are the link's.

use twopc_proto::frame::ErrorBody;
use twopc_proto::trace::What;
use twopc_proto::{Identity, UserName};
use twopc_store::Place;

use super::Ending;
use super::core::{Core, Entry, Life};
use super::disk::Files;
use super::role::{NodeRole, TextFile};
use super::timers::Timers;
use super::words;
use crate::event::Event;
use crate::link::{Address, Stirring};

impl<R: NodeRole> Core<R> {
    /// A node that was given its name goes in by itself.
    pub(super) fn begin(&mut self) {
        let Some(user) = self.config.user.clone() else { return };
        match Address::parse(&self.config.server) {
            Ok(_) => self.open_files(user, None),
            Err(sentence) if self.front.window => self.refusal = Some(sentence),
            Err(sentence) => self.ending = Some(Ending::Failed(sentence)),
        }
    }

    /// The person pressed Login. In the room that means nothing; without a link, the address counts
    /// from now on.
    pub(super) fn on_login(&mut self, typed: String) {
        if self.is_in {
            return;
        }
        self.dirt.mark_room();
        let address = match Address::parse(&typed) {
            Ok(address) => address,
            Err(sentence) => {
                self.refusal = Some(sentence);
                return;
            }
        };
        self.config.server = typed;
        self.refusal = None;
        self.link.set_address(address);
        match (&self.entry, &self.config.user) {
            (Entry::Offline, Some(user)) => self.open_files(user.clone(), None),
            (Entry::Offline, None) | (Entry::Asking { .. }, _) => self.ask(),
            // The address is used when the files are open.
            (Entry::Opening { .. }, _) => {}
            (Entry::LoggingIn { .. } | Entry::Member, _) => self.try_login(),
        }
    }

    /// The person answered the relay's question.
    pub(super) fn on_name(&mut self, typed: &str) {
        let Entry::Asking { question: Some(question) } = &self.entry else { return };
        let question = Some(question.clone());
        self.dirt.mark();
        match UserName::parse(typed.trim()) {
            Err(error) => self.refusal = Some(format!("That is no user name: {error}.")),
            Ok(user) => {
                self.refusal = None;
                self.open_files(user, question);
            }
        }
    }

    /// Opens the files of a name, or goes on with those that are open if they are its own.
    fn open_files(&mut self, user: UserName, question: Option<String>) {
        if self.life.as_ref().is_some_and(|life| life.user == user) {
            self.entry = Entry::LoggingIn { question };
            return self.try_login();
        }
        self.forget_life();
        self.disk.open(Place { dir: self.config.data_dir.clone(), user: user.clone(), role: R::ROLE });
        self.entry = Entry::Opening { user, question };
    }

    /// Lets go of the machine of a name that was not let in.
    fn forget_life(&mut self) {
        self.life = None;
        self.board = R::board(&self.config);
        self.recorder.begin_again();
        self.told_doubts.clear();
        self.warnings.clear();
        self.follow_ups.clear();
    }

    /// The files of the name are open: the machine is rebuilt from them, and the relay is asked.
    pub(super) async fn on_opened(&mut self, files: Files<R::Record>) {
        let Entry::Opening { user, question } = self.entry.clone() else { return };
        let Files { key, text_path, opened } = files;
        tracing::Span::current().record("user", user.as_str());
        tracing::info!(records = opened.records.len(), incarnation = opened.incarnation, "files opened");
        let identity = Identity { user: user.clone() };
        let (machine, effects) = R::recover(&identity, &self.config.settings, opened.incarnation, &opened.records);
        if self.front.window {
            let file = TextFile { path: text_path.unwrap_or_default(), lines: opened.lines };
            machine.on_opened(&mut self.board, file, self.now);
        }
        self.life = Some(Life { user, key, machine, timers: Timers::default(), jobs: Vec::new() });
        self.dirt.mark();
        self.trace(|| What::Start { records: opened.records.len() as u64 });
        for report in &opened.reports {
            self.report(report);
        }
        self.run_effects(effects).await;
        self.entry = Entry::LoggingIn { question };
        self.try_login();
    }

    /// The name cannot be used, here or at this relay.
    pub(super) fn on_entry_refused(&mut self, sentence: String) {
        if !self.front.window {
            self.ending = Some(Ending::Failed(sentence));
            return;
        }
        self.refusal = Some(sentence);
        self.dirt.mark_room();
        match std::mem::replace(&mut self.entry, Entry::Offline) {
            Entry::Opening { question: Some(question), .. } | Entry::LoggingIn { question: Some(question) } => {
                self.entry = Entry::Asking { question: Some(question) };
            }
            // Whoever was given its name at the start has not heard the question yet.
            Entry::Opening { question: None, .. }
            | Entry::LoggingIn { question: None }
            | Entry::Offline
            | Entry::Asking { .. }
            | Entry::Member => {
                self.ask();
            }
        }
    }

    fn ask(&mut self) {
        self.entry = Entry::Asking { question: None };
        self.link.ask();
        self.dirt.mark_room();
    }

    fn try_login(&mut self) {
        if let Some(login) = self.login() {
            self.link.log_in(login);
            self.dirt.mark_room();
        }
    }

    /// The link has something to say.
    pub(super) fn on_stirring(&mut self, stirring: Stirring) {
        match stirring {
            // The turn reads what there is.
            Stirring::Socket => {}
            Stirring::LoggedIn => self.dirt.mark_room(),
            Stirring::Question(question) => {
                self.said_disconnected = false;
                if let Entry::Asking { question: wanted } = &mut self.entry {
                    *wanted = Some(question);
                }
                self.dirt.mark_room();
            }
            Stirring::Refused(error) => self.on_login_refused(&error),
            Stirring::Unreached(why) => {
                tracing::info!(why, "the relay was not reached");
                self.link.wait(self.now, why);
                self.say_disconnected();
            }
            Stirring::TryAgain => match self.entry {
                Entry::Asking { .. } => self.ask(),
                Entry::LoggingIn { .. } | Entry::Member => self.try_login(),
                Entry::Offline | Entry::Opening { .. } => {}
            },
        }
    }

    fn on_login_refused(&mut self, error: &ErrorBody) {
        let Some(user) = self.life.as_ref().map(|life| life.user.clone()) else { return };
        let sentence = words::login_refused(error, &user);
        tracing::warn!(code = %twopc_proto::text::Shown::new(&error.error), "the login was refused");
        match self.entry {
            Entry::Member => {
                // What changed may change back: somebody leaves a full room, a name is freed.
                if self.oddities.on_refused(&error.error) {
                    self.tell(Event::Error { error: error.error.clone(), message: sentence.clone() });
                }
                self.refusal = Some(sentence);
                self.link.wait(self.now, words::in_its_words(error));
                self.say_disconnected();
            }
            Entry::Offline | Entry::Asking { .. } | Entry::Opening { .. } | Entry::LoggingIn { .. } => {
                self.tell(Event::Error { error: error.error.clone(), message: sentence.clone() });
                self.on_entry_refused(sentence);
            }
        }
    }
}
