//! Who may use which name.
//!
//! The first who logs in under a name claims it with a key; of the key a salted hash is kept, over
//! restarts too. A thread of its own keeps the file, so that no connection waits for another's
//! disk; claims that come together are written as one.
//!
//! Deliberately absent: who is in the room now.

mod file;
mod key;

use std::io;
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use tokio::sync::oneshot;
use twopc_proto::UserName;
use twopc_proto::text::Shown;

pub(crate) use file::NamesFile;
pub use file::{NamesError, forget};
pub(crate) use key::KeyHash;

/// How a name stands for somebody who shows a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nobody has claimed it.
    Free,
    /// Claimed with this key.
    Yours,
    /// Claimed with another key.
    Taken,
    /// Nobody has claimed it, and nobody can: as many names are kept as may be.
    NoneLeft,
    /// Nobody has claimed it, and the disk does not take the claim.
    NotWritten,
}

/// The names, and the thread that keeps them.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    questions: mpsc::Sender<Question>,
}

struct Question {
    name: UserName,
    key: Option<String>,
    claims: bool,
    answer: oneshot::Sender<Standing>,
}

impl Names {
    /// Reads the file in this folder and starts the thread. It ends with the last handle.
    ///
    /// # Errors
    /// When the file is there and cannot be read or is damaged.
    pub(crate) fn open(logs: &Path, most: usize) -> Result<Self, NamesError> {
        let mut file = NamesFile::open(logs, most)?;
        let (questions, asked) = mpsc::channel::<Question>();
        thread::Builder::new()
            .name("names".into())
            .spawn(move || {
                while let Ok(first) = asked.recv() {
                    let together: Vec<Question> = std::iter::once(first).chain(asked.try_iter()).collect();
                    answer(&mut file, together);
                }
            })
            .map_err(NamesError::Unusable)?;
        Ok(Self { questions })
    }

    /// How the name stands; without a key it is free or taken.
    pub(crate) async fn standing(&self, name: &UserName, key: Option<&str>) -> Standing {
        self.ask(name, key, false).await
    }

    /// Claims the name if it is free. [`Standing::Yours`] means that the disk has the claim.
    pub(crate) async fn claim(&self, name: &UserName, key: &str) -> Standing {
        self.ask(name, Some(key), true).await
    }

    async fn ask(&self, name: &UserName, key: Option<&str>, claims: bool) -> Standing {
        let (answer, answered) = oneshot::channel();
        let question = Question { name: name.clone(), key: key.map(Into::into), claims, answer };
        // The thread ends only with the last handle; should it have died, nothing is written.
        let _ = self.questions.send(question);
        answered.await.unwrap_or(Standing::NotWritten)
    }
}

/// Answers questions that came together, writing once for all of them.
fn answer(file: &mut NamesFile, together: Vec<Question>) {
    let claims: Vec<(UserName, String)> = together
        .iter()
        .filter(|question| question.claims)
        .filter_map(|question| Some((question.name.clone(), question.key.clone()?)))
        .collect();
    let written = if claims.is_empty() { file.refresh() } else { file.claim(&claims) };
    if let Err(error) = &written {
        tracing::error!(error = %Shown::new(&error.to_string()), "names.json: no name can be claimed");
    }
    for question in together {
        let standing = match file.standing(&question.name, question.key.as_deref()) {
            Standing::Free if question.claims && written.is_err() => Standing::NotWritten,
            Standing::Free if question.claims => Standing::NoneLeft,
            standing => standing,
        };
        // Whoever asked may be gone.
        let _ = question.answer.send(standing);
    }
}

/// The random bytes that salts and the like are made of.
///
/// # Errors
/// When the system has none to give.
pub(crate) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}

/// Bytes as people write them.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
