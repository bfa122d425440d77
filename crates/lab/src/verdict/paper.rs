//! The lines of a file, kept so that they can be quoted.

use std::sync::Arc;

use twopc_proto::text::Shown;

use super::Quote;

/// A file's bytes, and where its lines begin.
#[derive(Clone, Debug)]
pub(super) struct Paper {
    file: Arc<str>,
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl Paper {
    pub(super) fn new(file: &str, bytes: Vec<u8>) -> Self {
        let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(ends).filter(|start| *start < bytes.len()).collect();
        Self { file: file.into(), bytes, starts }
    }

    /// What the file is called.
    pub(super) fn file(&self) -> &str {
        &self.file
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many lines it has; the last may lack its end.
    pub(super) fn count(&self) -> usize {
        self.starts.len()
    }

    /// Its lines without their ends, whatever an editor made of those, and without the mark that some
    /// put before the first.
    pub(super) fn lines(&self) -> Vec<&[u8]> {
        (0..self.count()).map(|index| self.at(index)).collect()
    }

    /// The line that begins at this byte, counted from 0.
    pub(super) fn line_at(&self, byte: u64) -> Option<usize> {
        self.starts.binary_search(&usize::try_from(byte).ok()?).ok()
    }

    /// How many lines begin before this byte.
    pub(super) fn lines_before(&self, byte: u64) -> usize {
        self.starts.partition_point(|start| (*start as u64) < byte)
    }

    /// A line, counted from 1, as it stands.
    pub(super) fn quote(&self, line: u64) -> Quote {
        let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        let text = if index < self.count() { String::from_utf8_lossy(self.at(index)) } else { "".into() };
        Quote::line(&self.file, line, &text)
    }

    /// What is not in this file.
    pub(super) fn lacks(&self, what: &str) -> Quote {
        let count = self.count();
        let lines = if count == 1 { "its one line" } else { "its {} lines" };
        Quote::whole(&self.file, &format!("no {} among {}", Shown::new(what), lines.replace("{}", &count.to_string())))
    }

    fn at(&self, index: usize) -> &[u8] {
        const MARK: &[u8] = "\u{feff}".as_bytes();
        let end = self.starts.get(index + 1).copied().unwrap_or(self.bytes.len());
        let line = &self.bytes[self.starts[index]..end];
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if index == 0 { line.strip_prefix(MARK).unwrap_or(line) } else { line }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_by_number_and_by_byte_whatever_their_ends() {
        let paper = Paper::new("a.txt", b"\xef\xbb\xbfone\r\n\ntwo".to_vec());
        assert_eq!(paper.lines(), [&b"one"[..], b"", b"two"]);
        assert_eq!((paper.line_at(0), paper.line_at(9), paper.line_at(4), paper.lines_before(9)), (Some(0), Some(2), None, 2));
        assert_eq!(paper.quote(3).to_string(), "a.txt:3: two");
        assert_eq!(paper.lacks("READY").to_string(), "a.txt: no READY among its 3 lines");
        assert_eq!(Paper::new("a.txt", Vec::new()).count(), 0);
    }
}
