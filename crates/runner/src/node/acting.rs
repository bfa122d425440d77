//! What a person does: says a line, presses what the role has, leaves.
//!
//! Deliberately absent: the way into the room, which is [`super::entering`]'s.

use std::time::Duration;

use chrono::Utc;
use twopc_proto::Input;
use twopc_proto::frame::DATE;

use super::core::Core;
use super::role::NodeRole;
use super::{Ending, words};
use crate::event::Event;
use crate::snapshot::Action;

/// How long a node that leaves waits for its disk and for the relay to take its last words.
const FAREWELL: Duration = Duration::from_secs(4);

/// How long the relay may take to close after the goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

impl<R: NodeRole> Core<R> {
    pub(super) async fn on_action(&mut self, action: Action<R::Press>) {
        match action {
            Action::Login { address } => self.on_login(address),
            Action::GiveName(name) => self.on_name(&name),
            Action::Say(text) => self.on_say(&text),
            Action::Press(press) => self.on_press(press).await,
            Action::Quit => self.on_quit().await,
        }
    }

    /// A line for the room. One that the relay would refuse does not leave, and the person is told
    /// why until another one does.
    fn on_say(&mut self, text: &str) {
        let Some(me) = self.life.as_ref().map(|life| life.user.clone()) else { return };
        if text.is_empty() {
            return;
        }
        self.dirt.mark();
        let proposed = match self.talk.check(text) {
            Ok(proposed) => proposed,
            Err(sentence) => {
                self.tell_oddity(&sentence);
                self.tell(Event::Notice { message: sentence.clone() });
                self.unsayable = Some(sentence);
                return;
            }
        };
        self.unsayable = None;
        if !self.is_in || self.lost.is_some() {
            self.talk.say_in_vain(me.as_str(), text);
            self.tell(Event::Notice { message: "That line was not sent: there is no link to the relay.".into() });
            return;
        }
        let line = self.talk.say(text, self.now);
        let frame = self.link.frames.chat(R::ROLE, &line, &Utc::now().format(DATE).to_string());
        if let Some(connection) = self.link.connection() {
            connection.push(&frame);
        }
        if let Some(string) = proposed {
            R::on_proposed(&mut self.board, string);
        }
    }

    async fn on_press(&mut self, press: R::Press) {
        match R::command(&self.board, press) {
            Ok(command) => self.take(Input::Command(command)).await,
            Err(sentence) => {
                self.tell_oddity(&sentence);
                self.tell(Event::RequestRefused { message: sentence });
            }
        }
    }

    /// The person leaves: the machine says what is to be said first.
    async fn on_quit(&mut self) {
        if self.leaves_by.is_some() {
            return;
        }
        self.leaves_by = Some(self.now + FAREWELL);
        self.take(Input::Command(R::leave())).await;
        let doubts = self.life.as_ref().map(|life| life.machine.doubts()).unwrap_or_default();
        for (txn, string) in doubts {
            self.warn(words::left_in_doubt(&txn, &string));
        }
    }

    /// Ends a leaving node once everything that it has to say is said, or its time is over.
    pub(super) async fn leave_if_done(&mut self) {
        let Some(by) = self.leaves_by.filter(|_| self.ending.is_none()) else { return };
        let is_at_rest = self.life.as_ref().is_none_or(|life| life.machine.is_at_rest());
        let is_said = self.link.connection().is_none_or(|connection| !connection.has_unwritten());
        if (is_at_rest && is_said) || self.now >= by {
            if self.is_in {
                let logout = self.link.frames.logout();
                if let Some(connection) = self.link.connection() {
                    // A relay that does not answer the goodbye is left without.
                    let _ = tokio::time::timeout(GOODBYE, connection.say_goodbye(&logout)).await;
                }
            }
            self.ending = Some(Ending::Quit);
        }
    }
}
