//! What a person does to the text file, as an editor saves it.

use std::fmt;

/// One change by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Edit {
    /// A line is added at the end.
    AddLine(u16),
    /// A line is added at the end, and its newline forgotten.
    AddOpenLine(u16),
    /// A line is put before all others; the editor saves by renaming.
    InsertFirst(u16),
    /// The first line is taken out.
    RemoveFirst,
    /// Line ends become those of another system.
    OtherLineEnds,
    /// The same content is saved by renaming.
    Replace,
    /// The file is deleted.
    Delete,
}

impl Edit {
    /// What the file holds afterwards; `None` if it is gone.
    pub(super) fn of(self, content: &[u8]) -> Option<Vec<u8>> {
        let mut after = content.to_vec();
        match self {
            Self::AddLine(_) | Self::AddOpenLine(_) => {
                if after.last().is_some_and(|byte| *byte != b'\n') {
                    after.push(b'\n');
                }
                after.extend(self.typed().unwrap_or_default().bytes());
                if let Self::AddLine(_) = self {
                    after.push(b'\n');
                }
            }
            Self::InsertFirst(_) => {
                after = self.typed().unwrap_or_default().into_bytes();
                after.push(b'\n');
                after.extend_from_slice(content);
            }
            Self::RemoveFirst => {
                let end = content.iter().position(|byte| *byte == b'\n').map_or(content.len(), |end| end + 1);
                after.drain(..end);
            }
            Self::OtherLineEnds => {
                after = content
                    .iter()
                    .flat_map(|byte| if *byte == b'\n' { &b"\r\n"[..] } else { std::slice::from_ref(byte) })
                    .copied()
                    .collect();
            }
            Self::Replace => {}
            Self::Delete => return None,
        }
        Some(after)
    }

    /// The line that the person typed, if any.
    pub(crate) fn typed(self) -> Option<String> {
        match self {
            Self::AddLine(n) | Self::AddOpenLine(n) | Self::InsertFirst(n) => Some(format!("by hand {n}")),
            Self::RemoveFirst | Self::OtherLineEnds | Self::Replace | Self::Delete => None,
        }
    }

    /// Whether the editor puts a new file in the place of the old one.
    pub(super) fn renames(self) -> bool {
        matches!(self, Self::InsertFirst(_) | Self::Replace)
    }

    /// Its name, for what is counted.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AddLine(_) => "a line added",
            Self::AddOpenLine(_) => "a line without a newline added",
            Self::InsertFirst(_) => "a line inserted",
            Self::RemoveFirst => "a line removed",
            Self::OtherLineEnds => "line ends changed",
            Self::Replace => "replaced by renaming",
            Self::Delete => "deleted",
        }
    }
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
