//! The verdict on the run, an invariant a row, with the lines that prove it.
//!
//! Deliberately absent: the judging, which is the same as that of `twopc-lab verify`.

use egui::{Label, RichText, Ui};
use twopc_ui::mark::{self, Mark};
use twopc_ui::pane::{empty_ui, scrolled_pane_ui};
use twopc_ui::text::error_ui;

use crate::verdict::{Finding, Mark as Stands, Outcome, Verdict};

/// What the files say, or why they say nothing.
pub type Judged = Result<Verdict, String>;

/// What is said before anything was put to the vote.
const NOTHING: &str = "As soon as a transaction stands in a log, the files are judged here. Say string: Hello in the coordinator's window \
                       and press Request, or play a scenario.";

/// Draws the verdict; nothing was judged yet without one.
pub(super) fn verdict_ui(ui: &mut Ui, judged: Option<&Judged>) {
    scrolled_pane_ui(ui, "Verdict", |ui| match judged {
        None => empty_ui(ui, NOTHING),
        // Logs without a transaction keep every promise, and prove nothing.
        Some(Ok(verdict)) if verdict.outcome == Outcome::Atomic && verdict.committed + verdict.aborted + verdict.undecided == 0 => {
            empty_ui(ui, NOTHING);
        }
        Some(Err(sentence)) => drop(error_ui(ui, sentence)),
        Some(Ok(verdict)) => rows_ui(ui, verdict),
    });
}

/// What is said while an earlier moment is looked at.
pub(super) fn elsewhere_ui(ui: &mut Ui) {
    scrolled_pane_ui(ui, "Verdict", |ui| {
        empty_ui(ui, "You look at an earlier moment. The verdict rests on the files as they are at the end: press End to see it.");
    });
}

fn rows_ui(ui: &mut Ui, verdict: &Verdict) {
    let mark = match verdict.outcome {
        Outcome::Atomic => Mark::Commit,
        Outcome::InDoubt => Mark::InDoubt,
        Outcome::Violated => Mark::Abort,
    };
    ui.horizontal(|ui| {
        mark::mark_ui(ui, mark);
        let word = ui.label(RichText::new(verdict.outcome.as_str()).heading().strong());
        mark::announce(&word);
        ui.weak(format!("{} committed, {} aborted, {} undecided", verdict.committed, verdict.aborted, verdict.undecided));
    });
    for row in &verdict.rows {
        ui.horizontal(|ui| {
            mark::mark_ui(ui, shape(row.mark));
            ui.label(format!("{}: {}", row.invariant.as_str(), row.mark.as_str()));
        });
        for finding in &row.findings {
            finding_ui(ui, finding);
        }
    }
    for note in &verdict.notes {
        ui.add(Label::new(RichText::new(note).weak()).wrap());
    }
}

fn shape(mark: Stands) -> Mark {
    match mark {
        Stands::Holds => Mark::Commit,
        Stands::Open => Mark::InDoubt,
        Stands::Broken => Mark::Abort,
    }
}

fn finding_ui(ui: &mut Ui, finding: &Finding) {
    ui.indent(&finding.says, |ui| {
        ui.add(Label::new(&finding.says).wrap());
        for quote in &finding.quotes {
            let place = quote.line.map_or_else(|| quote.file.clone(), |line| format!("{}:{line}", quote.file));
            ui.add(Label::new(RichText::new(format!("{place}  {}", quote.text)).monospace()).wrap());
        }
    });
}
