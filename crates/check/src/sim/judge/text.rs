//! Exactly once: the text file holds the committed strings, each once, in the order of their records,
//! and whatever a person typed.
//!
//! Source: the text file is a projection of the log; see the log format's page. A person's own changes
//! are kept, so of a file that was edited less can be asked: what stands, stands once; what a person
//! typed, stands; a string is missing only if a person took it out.

use twopc_proto::TxnId;
use twopc_proto::audit::Violation;

use super::book::{Book, lines};

const PROPERTY: &str = "exactly once";

/// An ACK leaves: the string stands.
///
/// # Errors
/// That it does not.
pub(super) fn stands(book: &Book, txn: &TxnId, text: Option<&[u8]>) -> Result<(), Violation> {
    let Some(place) = book.commits.iter().position(|(this, _)| this == txn) else { return Ok(()) };
    let string = &book.commits[place].1;
    let there = lines(text.unwrap_or_default());
    let is_there =
        if book.was_edited { there.contains(string) || book.taken_out.contains(string) } else { there.get(place) == Some(string) };
    if is_there {
        return Ok(());
    }
    let evidence = format!("{} acknowledges {txn}, and “{string}” does not stand in its text file", book.user);
    Err(Violation { property: "acknowledged only what stands in the file", evidence })
}

/// Everything is over.
///
/// # Errors
/// What is missing, doubled, out of order or too much.
pub(super) fn holds(book: &Book, text: Option<&[u8]>) -> Result<(), Violation> {
    let there = lines(text.unwrap_or_default());
    if !book.was_edited {
        let expected: String = book.commits.iter().map(|(_, string)| format!("{string}\n")).collect();
        if text.unwrap_or_default() != expected.as_bytes() {
            let evidence = format!("{}'s text file holds {there:?}, and its log {:?}", book.user, book.commits);
            return Err(Violation { property: PROPERTY, evidence });
        }
        return Ok(());
    }
    edited(book, &there)
}

fn edited(book: &Book, there: &[String]) -> Result<(), Violation> {
    let violation = |evidence| Err(Violation { property: PROPERTY, evidence });
    for (txn, string) in &book.commits {
        let count = there.iter().filter(|line| *line == string).count();
        if count == 0 && !book.taken_out.contains(string) {
            return violation(format!("“{string}” of {txn} does not stand in {}'s text file, and nobody took it out", book.user));
        }
        if count > 1 && !book.moved.contains(string) {
            return violation(format!("“{string}” of {txn} stands {count} times in {}'s text file", book.user));
        }
    }
    for typed in &book.typed {
        if !there.contains(typed) {
            return violation(format!("“{typed}”, which a person typed into {}'s text file, is gone", book.user));
        }
    }
    Ok(())
}
