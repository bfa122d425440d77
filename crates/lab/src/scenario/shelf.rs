//! The scenarios that the lab brings along, from the simplest on.
//!
//! They are the files of the folder `scenarios`, compiled in, so that they are there wherever the program
//! is. Deliberately absent: what cannot be read; a test reads them all.

use super::text::Scenario;

macro_rules! shelf {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../../scenarios/", $name, ".scenario")))),*]
    };
}

/// Each by its name and its text.
pub const TEXTS: [(&str, &str); 13] = shelf![
    "01-all-commit",
    "02-one-says-no",
    "03-one-says-nothing",
    "04-a-held-vote",
    "05-a-lost-decision",
    "06-coordinator-tells-one",
    "07-all-in-doubt",
    "08-the-no-that-a-crash-forgot",
    "09-the-vote-that-comes-too-late",
    "10-relay-gone-in-the-middle",
    "11-frozen-not-dead",
    "12-told-twice",
    "13-the-power-goes-out",
];

/// All of them.
#[must_use]
pub fn scenarios() -> Vec<Scenario> {
    TEXTS.iter().filter_map(|(name, text)| Scenario::read(name, text).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_that_comes_along_can_be_read() {
        for (name, text) in TEXTS {
            Scenario::read(name, text).unwrap_or_else(|error| panic!("{error}"));
        }
        assert_eq!(scenarios().len(), TEXTS.len());
    }
}
