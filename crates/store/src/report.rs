//! What a person should know of the files, though the node goes on.

use std::fmt;
use std::path::PathBuf;

use twopc_proto::log::Torn;

/// Something odd that was found in a node's files, and what was done about it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Report {
    /// The log ended in the middle of a write.
    TornTail {
        /// The log.
        log: PathBuf,
        /// From which line on it was cut off.
        line: u64,
        /// Where what was cut off is kept.
        kept: PathBuf,
    },
    /// The key was not there, though the log was.
    KeyMade {
        /// The key file.
        key: PathBuf,
    },
    /// The text file is not as this program left it.
    Edited {
        /// The text file.
        text: PathBuf,
        /// Committed strings that do not stand in it (any more).
        missing: Vec<String>,
        /// How many lines stand in it that no committed string explains.
        added: usize,
        /// The lines were changed whose strings the log was rid of when it was compacted, so that
        /// those cannot be told from what was added.
        older_changed: bool,
    },
    /// The text file was gone.
    Rebuilt {
        /// The text file.
        text: PathBuf,
        /// How many committed strings were written again.
        lines: usize,
        /// How many could not be: the log was rid of them when it was compacted.
        lost: u64,
    },
    /// The log is large and stays so for now.
    NotCompacted {
        /// The log.
        log: PathBuf,
        /// What the system said.
        why: String,
    },
    /// A line of the text file was there in part.
    Completed {
        /// The text file.
        text: PathBuf,
        /// The line.
        string: String,
    },
}

impl Report {
    /// For a torn tail that was kept in this file.
    pub(crate) fn torn_tail(log: PathBuf, torn: Torn, kept: PathBuf) -> Self {
        Self::TornTail { log, line: torn.line, kept }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TornTail { log, line, kept } => write!(
                f,
                "{} ended in the middle of a write, on which nothing was promised; it was cut off from line {line} on and kept in {}",
                log.display(),
                kept.display()
            ),
            Self::KeyMade { key } => write!(
                f,
                "{} was not there, so a new key was made; if the relay knows this name by the old one, it refuses the login",
                key.display()
            ),
            Self::Edited { text, missing, added, older_changed } => {
                write!(f, "{} was changed by hand", text.display())?;
                if *older_changed {
                    f.write_str(" among older lines, which the log has no copy of any more")?;
                }
                match added {
                    0 => {}
                    1 => f.write_str(", one line is not a committed string")?,
                    n => write!(f, ", {n} lines are not committed strings")?,
                }
                if !missing.is_empty() {
                    f.write_str(", no longer in it: ")?;
                    for (i, string) in missing.iter().take(3).enumerate() {
                        write!(f, "{}“{string}”", if i > 0 { ", " } else { "" })?;
                    }
                    if missing.len() > 3 {
                        write!(f, " and {} more", missing.len() - 3)?;
                    }
                }
                f.write_str("; it is kept as it is, and what is committed next follows at its end")
            }
            Self::Rebuilt { text, lines, lost } => {
                let (s, stands) = if *lines == 1 { ("", "stands") } else { ("s", "stand") };
                write!(f, "{} was gone; {lines} committed string{s} from the log now {stands} in a new one", text.display())?;
                match lost {
                    0 => Ok(()),
                    1 => f.write_str(", 1 older string is lost, since the log has no copy of it any more; look for a copy of the file"),
                    n => write!(f, ", {n} older strings are lost, since the log has no copy of them any more; look for a copy of the file"),
                }
            }
            Self::NotCompacted { log, why } => {
                write!(
                    f,
                    "{} is large and was not compacted, since no new file can be written beside it ({why}); it is used as it is",
                    log.display()
                )
            }
            Self::Completed { text, string } => {
                write!(f, "the line “{string}” stood in {} in part, since the last write was interrupted; it was completed", text.display())
            }
        }
    }
}
