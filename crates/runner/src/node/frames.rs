//! What the relay's frames mean to a node.
//!
//! Deliberately absent: belief. A message goes to the machine with the sender that the relay
//! stamped, and the machine knows whom to obey.

use twopc_proto::frame::{BadFrame, Chat, ErrorBody, ErrorCode, FromRelay, Person, Protocol, Welcome};
use twopc_proto::{Input, LinkState, Presence};

use super::Ending;
use super::core::{Core, Entry};
use super::role::NodeRole;
use super::words;
use crate::event::Event;
use crate::link::Connection;

impl<R: NodeRole> Core<R> {
    /// Takes what the relay has sent. One read's frames are one turn's.
    pub(super) async fn take_frames(&mut self) {
        let now = self.now;
        match self.link.connection().map(|connection| connection.read(now)) {
            None => return,
            Some(Ok(())) => {}
            // Frames that came before the end are taken all the same.
            Some(Err(lost)) => self.lost = Some(lost),
        }
        while self.ending.is_none() {
            match self.link.connection().map(Connection::next_frame) {
                Some(Ok(Some(frame))) => self.on_frame(frame).await,
                Some(Ok(None)) | None => break,
                Some(Err(lost)) => {
                    self.lost = Some(lost);
                    break;
                }
            }
        }
    }

    async fn on_frame(&mut self, frame: Result<FromRelay, BadFrame>) {
        match frame {
            Ok(FromRelay::Welcome(welcome)) => self.on_welcome(welcome).await,
            Ok(FromRelay::Protocol(protocol)) if self.is_in => self.on_protocol(protocol).await,
            Ok(FromRelay::Chat(chat)) if self.is_in => self.on_chat(chat),
            Ok(FromRelay::Joined(person)) if self.is_in => self.on_joined(person).await,
            Ok(FromRelay::Left(person)) if self.is_in => self.on_left(person).await,
            Ok(FromRelay::Ping) => self.on_ping(),
            Ok(FromRelay::Error(error)) => self.on_error(error).await,
            // Before the welcome nothing is said to this node, and observers alone get traces.
            Ok(
                FromRelay::Protocol(_)
                | FromRelay::Chat(_)
                | FromRelay::Joined(_)
                | FromRelay::Left(_)
                | FromRelay::Trace { .. }
                | FromRelay::Lab(_)
                | FromRelay::Unknown,
            ) => {}
            Err(bad) => {
                if let Some(sentence) = self.oddities.on_bad_frame(&bad.to_string()) {
                    self.warn(sentence);
                }
            }
        }
    }

    /// The relay let this node in: who is here, and what was said before.
    async fn on_welcome(&mut self, welcome: Welcome) {
        tracing::info!(room = welcome.room, users = welcome.users.len(), "logged in");
        self.talk.on_welcome(&welcome, self.now);
        self.link.on_welcome();
        self.entry = Entry::Member;
        self.is_in = true;
        self.said_disconnected = false;
        self.refusal = None;
        self.room = welcome.users.into_iter().map(|person| (person.user, person.role)).collect();
        self.dirt.mark_room();
        self.tell(Event::Login { user: welcome.user });
        self.tell_welcome(welcome.trace, &welcome.room);
        self.take(Input::Link(LinkState::Up(self.room.clone()))).await;
    }

    async fn on_protocol(&mut self, protocol: Protocol) {
        match protocol.message() {
            // A type that nodes do not know.
            None => {}
            Some(Ok(message)) => {
                self.tell_received(&protocol, &message);
                self.take(Input::Received { from: protocol.from, role: protocol.role, message }).await;
            }
            Some(Err(bad)) => {
                if let Some(sentence) = self.oddities.on_bad_body(&protocol.from, &bad) {
                    self.warn(sentence);
                }
            }
        }
    }

    fn on_chat(&mut self, chat: Chat) {
        let is_live = !chat.history;
        let Some(heard) = self.talk.on_chat(self.life.as_ref().map(|life| &life.user), chat) else { return };
        self.dirt.mark();
        if is_live {
            self.tell(Event::Chat { from: heard.from, text: heard.text });
            if let Some(string) = heard.proposal {
                self.tell(Event::Proposal { string });
            }
        }
    }

    async fn on_joined(&mut self, Person { user, role }: Person) {
        self.room.insert(user.clone(), role);
        self.talk.note(words::connected(&user));
        self.dirt.mark_room();
        self.tell(Event::Joined { user: user.clone() });
        self.take(Input::Peer(user, Presence::Joined(role))).await;
    }

    async fn on_left(&mut self, Person { user, role: _ }: Person) {
        self.room.remove(&user);
        self.talk.note(words::offline(&user));
        self.dirt.mark_room();
        self.tell(Event::Left { user: user.clone() });
        self.take(Input::Peer(user, Presence::Left)).await;
    }

    fn on_ping(&mut self) {
        // What the relay had kept for this login came before anything else.
        if let Some(life) = &self.life {
            self.talk.on_history_over(life.user.as_str());
        }
        let pong = self.link.frames.pong();
        if let Some(connection) = self.link.connection() {
            connection.push(&pong);
        }
    }

    /// The relay refused something of ours.
    async fn on_error(&mut self, error: ErrorBody) {
        match (error.code(), &error.to) {
            (Some(ErrorCode::NotHere), Some(to)) => {
                let to = to.clone();
                if self.room.remove(&to).is_some() {
                    self.dirt.mark_room();
                }
                return self.take(Input::Peer(to, Presence::NotHere)).await;
            }
            (Some(ErrorCode::Replaced), _) => self.ending = Some(Ending::Replaced),
            (Some(ErrorCode::BadText), _) => {
                if let Some(life) = &self.life {
                    self.talk.on_refused(life.user.as_str());
                }
            }
            (_, _) => {}
        }
        if self.oddities.on_refused(&error.error) {
            let message = words::in_its_words(&error);
            tracing::warn!(code = %twopc_proto::text::Shown::new(&error.error), message, "the relay refused a frame");
            let sentence = format!("The relay refused something: {message}");
            self.tell_oddity(&sentence);
            self.show_warning(sentence);
            self.tell(Event::Error { error: error.error, message });
        }
    }
}
