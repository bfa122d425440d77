//! Exactly once, of a text file that people may have edited: each committed string stands in it once,
//! in the order of the COMMIT records, whatever else stands there.
//!
//! [`projection`](super::projection) asks more, of a file that nobody but the program has written.
//! Deliberately absent: the bytes. Whoever reads the file knows where its lines end, and compares the
//! place that a COMMIT record names.
//!
//! Source: the text file is a projection of the log; see the log format's page. Gray and Reuter,
//! *Transaction Processing*, 10.3, on redo that may be repeated.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// A line that a COMMIT record promises to the text file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise<'a> {
    /// What the line says.
    pub string: &'a str,
    /// Whether it must stand by now: it was called applied, or was acknowledged.
    pub must_stand: bool,
    /// The line that stands where the record says, if everything before it is as it was when the
    /// record was written.
    pub place: Option<usize>,
}

/// How the lines of a text file stand to what was promised. Promises and lines are told by their
/// indices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What is not as it must be.
    pub amiss: Vec<Amiss>,
    /// Promises whose line does not stand yet, and need not.
    pub awaited: Vec<usize>,
    /// Lines that no promise explains: a person has typed them.
    pub added: Vec<usize>,
}

/// Something in a text file that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Amiss {
    /// A string stands less often than it must.
    Missing {
        /// Every promise of that string.
        promises: Vec<usize>,
        /// Where it does stand.
        lines: Vec<usize>,
    },
    /// A string stands more often than it was committed.
    Doubled {
        /// Every promise of that string.
        promises: Vec<usize>,
        /// Where it stands.
        lines: Vec<usize>,
    },
    /// A line stands before that of an earlier COMMIT record.
    OutOfOrder {
        /// The earlier promise, and its line.
        earlier: (usize, usize),
        /// The next one that stands, and its line, which is further up.
        later: (usize, usize),
    },
}

/// Compares lines, without their ends, with the promises of a log, oldest first.
///
/// A copy of a string that stands before the place of its first COMMIT record was there when that
/// record was written, so a person has typed it; any other copy too many is a line written twice.
#[must_use]
pub fn standing(promises: &[Promise<'_>], lines: &[&[u8]]) -> Standing {
    let mut strings: BTreeMap<&[u8], Kin> = BTreeMap::new();
    for (index, promise) in promises.iter().enumerate() {
        strings.entry(promise.string.as_bytes()).or_default().promises.push(index);
    }
    let mut standing = Standing::default();
    for (index, line) in lines.iter().enumerate() {
        match strings.get_mut(line) {
            Some(kin) => kin.lines.push(index),
            None => standing.added.push(index),
        }
    }
    let mut placed = Vec::with_capacity(promises.len());
    let mut kins: Vec<Kin> = strings.into_values().collect();
    kins.sort_by_key(|kin| kin.promises.first().copied());
    for kin in kins {
        kin.judge(promises, &mut standing, &mut placed);
    }
    placed.sort_unstable();
    for pair in placed.windows(2) {
        if let &[earlier, later] = pair
            && later.1 < earlier.1
        {
            standing.amiss.push(Amiss::OutOfOrder { earlier, later });
        }
    }
    standing.awaited.sort_unstable();
    standing.added.sort_unstable();
    standing
}

/// The promises of one string, and the lines that hold it.
#[derive(Default)]
struct Kin {
    promises: Vec<usize>,
    lines: Vec<usize>,
}

impl Kin {
    fn judge(self, all: &[Promise<'_>], standing: &mut Standing, placed: &mut Vec<(usize, usize)>) {
        let Self { promises, mut lines } = self;
        let first_place = promises.first().and_then(|first| all[*first].place);
        if let (Some(place), true) = (first_place, lines.len() > promises.len()) {
            let before = lines.iter().take_while(|line| **line < place).count();
            let typed = before.min(lines.len() - promises.len());
            standing.added.extend(lines.drain(..typed));
        }
        let needed = promises.iter().filter(|index| all[**index].must_stand).count();
        if lines.len() < needed {
            standing.amiss.push(Amiss::Missing { promises, lines });
        } else if lines.len() > promises.len() {
            standing.amiss.push(Amiss::Doubled { promises, lines });
        } else {
            let mut absent = promises.len() - lines.len();
            let mut there = Vec::with_capacity(lines.len());
            for index in promises.into_iter().rev() {
                if absent > 0 && !all[index].must_stand {
                    absent -= 1;
                    standing.awaited.push(index);
                } else {
                    there.push(index);
                }
            }
            placed.extend(there.into_iter().rev().zip(lines));
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    /// A promise by its string; in capitals, one that must stand.
    fn promise(string: &str) -> Promise<'_> {
        Promise { string, must_stand: string.bytes().all(|byte| byte.is_ascii_uppercase()), place: None }
    }

    fn of(promises: &[&str], lines: &[&str]) -> Standing {
        let promises: Vec<Promise<'_>> = promises.iter().map(|string| promise(string)).collect();
        let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
        standing(&promises, &lines)
    }

    #[test]
    fn what_stands_as_promised_is_well_whatever_was_typed_between() {
        assert_eq!(of(&[], &[]), Standing::default());
        assert_eq!(of(&["A", "B", "A"], &["A", "B", "A"]), Standing::default());
        assert_eq!(of(&["A", "B"], &["x", "A", "", "B", "y"]), Standing { added: vec![0, 2, 4], ..Standing::default() });
    }

    #[test]
    fn a_string_that_stands_less_often_than_it_must_is_missing() {
        let missing = |promises, lines| vec![Amiss::Missing { promises, lines }];
        assert_eq!(of(&["A", "B"], &["A"]).amiss, missing(vec![1], vec![]));
        assert_eq!(of(&["A", "B", "A"], &["A", "B"]).amiss, missing(vec![0, 2], vec![0]));
        assert_eq!(of(&["A", "B", "A"], &["B", "A"]).amiss, missing(vec![0, 2], vec![1]), "and nothing is out of order");
    }

    #[test]
    fn a_string_that_stands_more_often_than_it_was_committed_is_doubled() {
        let doubled = |promises, lines| vec![Amiss::Doubled { promises, lines }];
        assert_eq!(of(&["A", "B"], &["A", "A", "B"]).amiss, doubled(vec![0], vec![0, 1]));
        assert_eq!(of(&["A", "B", "A"], &["A", "B", "A", "A"]).amiss, doubled(vec![0, 2], vec![0, 2, 3]));
    }

    #[test]
    fn a_line_before_that_of_an_earlier_record_is_out_of_order() {
        assert_eq!(of(&["A", "B", "C"], &["B", "A", "C"]).amiss, [Amiss::OutOfOrder { earlier: (0, 1), later: (1, 0) }]);
        assert_eq!(of(&["A", "B", "A"], &["A", "A", "B"]).amiss, [Amiss::OutOfOrder { earlier: (1, 2), later: (2, 1) }]);
    }

    #[test]
    fn a_line_that_need_not_stand_is_awaited_and_of_equal_ones_the_last() {
        assert_eq!(of(&["A", "b"], &["A"]), Standing { awaited: vec![1], ..Standing::default() });
        assert_eq!(of(&["b", "c", "b"], &["b", "c"]), Standing { awaited: vec![2], ..Standing::default() });
        assert_eq!(of(&["A", "b"], &["A", "b"]), Standing::default());
        assert_eq!(of(&["A", "b"], &["b", "A"]).amiss.len(), 1, "what stands, stands in order");
    }

    #[test]
    fn a_copy_that_was_there_when_the_record_was_written_was_typed() {
        let promises = [Promise { place: Some(1), ..promise("A") }];
        let typed = |lines: &[&[u8]]| standing(&promises, lines);
        assert_eq!(typed(&[b"A", b"A"]), Standing { added: vec![0], ..Standing::default() });
        assert_eq!(typed(&[b"x", b"A", b"A"]).amiss, [Amiss::Doubled { promises: vec![0], lines: vec![1, 2] }]);
    }
}
