//! One row of the table in `TRUST.md`: what was run, what it gave, and where the bar is.

use std::fmt;
use std::time::Duration;

use crate::progress::Clock;

/// A row.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was run.
    pub what: String,
    /// The command that runs this row alone.
    pub command: String,
    /// What it gave.
    pub figure: String,
    /// What it must give at least.
    pub bar: &'static str,
    /// The highest that is known of another system.
    pub elsewhere: &'static str,
    /// Everything that is not as it must be; the row is at the bar if there is nothing.
    pub failures: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

impl Row {
    /// Whether the bar was reached.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.failures.is_empty()
    }
}

/// The rows as a table in Markdown.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a>(pub &'a [Row]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what was run | what it gave | the bar | the highest known elsewhere | took | by itself |")?;
        writeln!(f, "| --- | --- | --- | --- | ---: | --- |")?;
        for row in self.0 {
            let Row { what, command, figure, bar, elsewhere, failures, took } = row;
            let below = if failures.is_empty() { "" } else { "**below the bar**: " };
            writeln!(f, "| {what} | {below}{figure} | {bar} | {elsewhere} | {} | `{command}` |", Clock(*took))?;
        }
        Ok(())
    }
}

/// A count with its thousands set apart.
#[derive(Clone, Copy, Debug)]
pub struct Count(pub u64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_below_the_bar_says_so_in_the_table() {
        let row = |failures| Row {
            what: "kill -9".into(),
            command: "twopc-trials kill --cycles 10000".into(),
            figure: "9,999 cycles".into(),
            bar: "10,000 cycles",
            elsewhere: "minutes",
            failures,
            took: Duration::from_millis(61_600),
        };
        let rows = [row(Vec::new()), row(vec!["alice is in doubt".into()])];
        let table = Table(&rows).to_string();
        let lines: Vec<&str> = table.lines().skip(2).collect();
        let end = "9,999 cycles | 10,000 cycles | minutes | 1:02 | `twopc-trials kill --cycles 10000` |";
        assert_eq!(lines, [format!("| kill -9 | {end}"), format!("| kill -9 | **below the bar**: {end}")]);
    }

    #[test]
    fn thousands_are_set_apart() {
        let shown = [0, 999, 1_000, 61_500_000].map(|count| Count(count).to_string());
        assert_eq!(shown, ["0", "999", "1,000", "61,500,000"]);
    }
}
