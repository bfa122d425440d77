//! What a person is in the middle of typing: all that a window owns.

use crate::messages::Reading;

/// What both windows let a person type, and where the person is in the conversation.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// The relay's address.
    pub address: String,
    /// The user name.
    pub name: String,
    /// The message.
    pub message: String,
    /// Where the person is in the conversation.
    pub reading: Reading,
    /// The relay's question is on the screen: its field has had the focus.
    pub(crate) was_asked: bool,
    /// The person has been let in: the message's field has had the focus.
    pub(crate) was_in: bool,
}

impl Draft {
    /// The fields as they stand when the window opens.
    #[must_use]
    pub fn new(address: impl Into<String>, name: impl Into<String>) -> Self {
        Self { address: address.into(), name: name.into(), ..Self::default() }
    }
}
