//! How a stream comes in pieces.

use crate::chance::Chance;

/// How a stream is cut on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cuts {
    /// Not at all.
    Whole,
    /// At places that follow from this seed.
    Random(u64),
    /// At every byte.
    Everywhere,
    /// After each so many bytes.
    Each(usize),
}

/// The pieces that a stream comes in.
#[derive(Debug)]
pub struct Pieces<'a> {
    rest: Option<&'a [u8]>,
    cuts: Cuts,
    chance: Chance,
}

impl<'a> Pieces<'a> {
    /// Cuts a stream. An empty one is one empty piece.
    #[must_use]
    pub fn new(stream: &'a [u8], cuts: Cuts) -> Self {
        let seed = if let Cuts::Random(seed) = cuts { seed } else { 0 };
        Self { rest: Some(stream), cuts, chance: Chance::new(seed) }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest.take()?;
        let length = match self.cuts {
            Cuts::Whole => rest.len(),
            Cuts::Everywhere => 1,
            Cuts::Each(length) => length,
            // Mostly somewhere in the rest, sometimes just a few bytes on.
            Cuts::Random(_) if self.chance.once_in(3) => 1 + self.chance.index(4),
            Cuts::Random(_) => 1 + self.chance.index(rest.len().max(1)),
        };
        match rest.split_at_checked(length) {
            Some((piece, after)) if !after.is_empty() => {
                self.rest = Some(after);
                Some(piece)
            }
            _ => Some(rest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_cuts_the_pieces_are_the_stream() {
        let stream: Vec<u8> = (0..200).collect();
        for cuts in [Cuts::Whole, Cuts::Random(1), Cuts::Random(2), Cuts::Everywhere, Cuts::Each(7)] {
            let pieces: Vec<&[u8]> = Pieces::new(&stream, cuts).collect();
            assert_eq!(pieces.concat(), stream, "{cuts:?}");
            assert_eq!(pieces.len() > 1, cuts != Cuts::Whole);
        }
    }
}
