//! The participant's role: it votes, promises, asks around while in doubt, and never guesses.
