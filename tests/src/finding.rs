//! What a trial found: its row in the table of promises, its figures, and everything that is not as
//! it must be.
//!
//! Deliberately absent: printing. A program decides what of this a person reads, and where.

use serde_json::{Map, Value, json};

/// What one trial found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The name of its row.
    pub row: &'static str,
    /// What was counted and measured, by name.
    pub figures: Map<String, Value>,
    /// What is not as it must be, one entry each; the trial was passed if there is none.
    pub failures: Vec<String>,
}

impl Finding {
    /// A trial that has not failed so far.
    #[must_use]
    pub fn new(row: &'static str) -> Self {
        Self { row, figures: Map::new(), failures: Vec::new() }
    }

    /// Adds a figure.
    pub fn figure(&mut self, name: &str, value: impl Into<Value>) {
        self.figures.insert(String::from(name), value.into());
    }

    /// Whether everything was as it must be.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.failures.is_empty()
    }

    /// The finding as a line of JSON, for the program that started this one.
    #[must_use]
    pub fn to_line(&self) -> String {
        json!({ "row": self.row, "ok": self.is_ok(), "figures": self.figures }).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line_and_is_good_only_without_a_failure() {
        let mut finding = Finding::new("kill");
        finding.figure("cycles", 300);
        assert_eq!(finding.to_line(), r#"{"figures":{"cycles":300},"ok":true,"row":"kill"}"#);
        finding.failures.push(String::from("alice is\nin doubt"));
        assert_eq!(finding.to_line(), r#"{"figures":{"cycles":300},"ok":false,"row":"kill"}"#);
    }
}
