//! The rows that need real processes and sockets: `twopc-trials` is built and run for them.
//!
//! Deliberately absent: what the trials do. They are a program of their own, so that nothing here
//! needs a socket or a runtime.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Map, Value};

/// What a trial said.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    /// Its figures, by name.
    pub(super) figures: Map<String, Value>,
    /// Whether it was passed.
    pub(super) ok: bool,
}

/// Builds the trials and what they start, as this program was built if it was a release build.
///
/// # Errors
/// A sentence, when cargo is not there or the build fails.
pub(super) fn build() -> Result<PathBuf, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let mut build = Command::new(cargo);
    build.args(["build", "--locked", "--package", "twopc-tests", "--bins", "--message-format", "json-render-diagnostics"]);
    build.args(["--manifest-path", manifest]).stdout(Stdio::piped());
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    let output = build.output().map_err(|error| format!("cargo does not start ({error}); run this by cargo run"))?;
    if !output.status.success() {
        return Err(format!("the trials were not built ({})", output.status));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let artifacts = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let trials = artifacts.filter(|artifact| artifact["target"]["name"] == "twopc-trials");
    let built = trials.filter_map(|artifact| artifact["executable"].as_str().map(PathBuf::from)).next_back();
    built.ok_or_else(|| String::from("cargo built no twopc-trials"))
}

/// Runs one trial. Its progress goes to standard error, as it comes.
///
/// # Errors
/// A sentence, when it does not start or says nothing at its end.
pub(super) fn run(trials: &Path, arguments: &[&str]) -> Result<Trial, String> {
    let mut command = Command::new(trials);
    let mut child = command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{} does not start ({error})", trials.display()))?;
    let said = child.stdout.take().map(|stdout| BufReader::new(stdout).lines().map_while(Result::ok).last());
    let status = child.wait().map_err(|error| format!("{} cannot be waited for ({error})", trials.display()))?;
    let last = said.flatten().ok_or_else(|| format!("twopc-trials {} said nothing ({status})", arguments.join(" ")))?;
    let finding: Value = serde_json::from_str(&last).map_err(|_| format!("twopc-trials {} ended with: {last}", arguments.join(" ")))?;
    let figures = finding["figures"].as_object().cloned().unwrap_or_default();
    Ok(Trial { figures, ok: finding["ok"] == true && status.success() })
}
