//! A wall clock that a test throws, for one program.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use chrono::{Datelike as _, TimeDelta, Utc};
use tempfile::TempDir;

/// What stands between a program and the system's wall clock; built once, by the compiler that links
/// the test itself.
static BETWEEN: LazyLock<PathBuf> = LazyLock::new(|| {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wall_clock/thrown.c");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let library = folder.join("libthrown.so");
    // Another run may load the one of before: it is replaced, not written over.
    let new = folder.join(format!("libthrown.{}.so", std::process::id()));
    let built = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]).arg(&new).arg(source).status();
    assert!(built.expect("there is a C compiler, as for every program in Rust").success(), "{source} is not built");
    fs::rename(new, &library).expect("the library is put in its place");
    library
});

/// So many years, of 365 days.
fn length(years: i8) -> TimeDelta {
    TimeDelta::days(365 * i64::from(years))
}

/// The year, so many years from now.
pub(crate) fn year(years: i8) -> i32 {
    (Utc::now() + length(years)).year()
}

/// The wall clock of one program.
#[derive(Debug)]
pub(crate) struct WallClock {
    folder: TempDir,
    file: File,
}

impl WallClock {
    /// One that is right so far.
    pub(crate) fn right() -> Self {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let file = File::create(folder.path().join("clock")).expect("the clock's file is made");
        let clock = Self { folder, file };
        clock.throw(0);
        clock
    }

    /// Throws it so many years from where it would be. The program has it at its next look.
    pub(crate) fn throw(&self, years: i8) {
        let seconds = length(years).num_seconds();
        self.file.write_all_at(&seconds.to_ne_bytes(), 0).expect("the clock's file is written");
    }

    /// What a program is started with to have this clock.
    pub(crate) fn variables(&self) -> [(&'static str, OsString); 2] {
        [("LD_PRELOAD", BETWEEN.clone().into()), ("THROWN_CLOCK", self.folder.path().join("clock").into())]
    }
}
