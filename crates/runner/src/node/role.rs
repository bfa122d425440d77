//! What the loop asks of a role beside its machine: words, presses, and the view for a window.
//!
//! Deliberately absent: a decision. Whatever could change a transaction goes through the machine.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::PathBuf;
use std::time::Instant;

use twopc_proto::{CommittedString, Machine, Notice, Role, TxnId, UserName};

use super::timers::Timers;
use super::{AutoVote, NodeConfig};
use crate::snapshot::DoubtView;

/// A machine that a [`Node`](super::Node) can run.
pub trait NodeRole: Machine<Command: Send, Record: Send, Timer: Send> + Send + 'static {
    /// What only this role's person can press.
    type Press: Clone + Debug + Send + 'static;
    /// What only this role's window shows.
    type View: Clone + Debug + Send + Sync + 'static;
    /// What the view needs and the machine has no use for: instants, outcomes that the machine has
    /// compressed, the last proposal.
    type Board: Send + 'static;

    /// An empty board, before anybody has logged in.
    fn board(config: &NodeConfig) -> Self::Board;

    /// The files of this name were opened and the machine was recovered from them.
    fn on_opened(&self, board: &mut Self::Board, file: TextFile, now: Instant);

    /// A person has changed the text file, which has these lines now.
    fn on_text(board: &mut Self::Board, lines: Vec<String>);

    /// The machine has said something.
    fn on_notice(&self, board: &mut Self::Board, notice: &Notice, now: Instant);

    /// The same for what is remembered whether or not anybody looks: when a doubt began, and who was asked.
    fn remember(board: &mut Self::Board, notice: &Notice, now: Instant);

    /// This node's own proposal was handed to a link.
    fn on_proposed(board: &mut Self::Board, string: CommittedString);

    /// What a press asks of the machine.
    ///
    /// # Errors
    /// A sentence, when it cannot be asked yet.
    fn command(board: &Self::Board, press: Self::Press) -> Result<Self::Command, String>;

    /// What is answered to this notice without a person.
    fn auto_vote(vote: AutoVote, notice: &Notice) -> Option<Self::Command>;

    /// The command that a leaving node begins with.
    fn leave() -> Self::Command;

    /// Whether nothing is on its way to the disk that has something to say.
    fn is_at_rest(&self) -> bool;

    /// What stays in doubt when this node leaves now.
    fn doubts(&self) -> Vec<(TxnId, CommittedString)>;

    /// What is known of a transaction that is in doubt; `None` of any other.
    fn doubt(&self, board: &Self::Board, txn: &TxnId, scene: &Scene<'_, Self>) -> Option<DoubtView>;

    /// The string of an open transaction, where it is known.
    fn string_of(&self, txn: &TxnId) -> Option<&CommittedString>;

    /// What a person presses who gives this command, and on which transaction.
    fn pressed(command: &Self::Command) -> (&'static str, Option<&TxnId>);

    /// What a timer is called, and which transaction's it is.
    fn timer(timer: &Self::Timer) -> (&'static str, Option<&TxnId>);

    /// What a window shows of this role; `machine` is there once the files are open.
    fn view(machine: Option<&Self>, board: &mut Self::Board, scene: &Scene<'_, Self>) -> Self::View;
}

/// What a view is built from beside the machine and its board.
#[derive(Debug)]
pub struct Scene<'a, R: Machine> {
    /// This node's name, once its files are open.
    pub me: Option<&'a UserName>,
    /// Every timer that runs, with its instant.
    pub timers: &'a Timers<R::Timer>,
    /// Who is logged in, this node included.
    pub room: &'a BTreeMap<UserName, Role>,
    /// Now.
    pub now: Instant,
}

/// The text file as it was opened.
#[derive(Clone, Debug, Default)]
pub struct TextFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its lines.
    pub lines: Vec<String>,
}
