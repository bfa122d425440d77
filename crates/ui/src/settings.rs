//! What a window remembers from one life to the next: its place, its zoom and its theme for each user
//! name, and which name and which relay were used last.
//!
//! Nothing depends on it: a file that cannot be read gives the defaults, one that cannot be written is
//! not written. Deliberately absent: anything of the protocol.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use egui::{Context, ThemePreference};
use serde::{Deserialize, Serialize};
use twopc_proto::{Role, UserName};

/// Where the settings are, for whoever does not want them in the system's place.
const VARIABLE: &str = "TWOPC_CONFIG_DIR";
/// A window that is being moved is written down this often at most.
const PACE: Duration = Duration::from_secs(1);

/// The name and the relay that this role's window used last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Last {
    /// The user name; empty if there was none.
    pub name: String,
    /// The relay's address; empty if there was none.
    pub relay: String,
}

/// How the window of one name looks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Look {
    /// The upper left corner of its frame, in points before any zoom.
    pub at: Option<[f32; 2]>,
    /// The size of what is inside the frame, in points before any zoom.
    pub size: Option<[f32; 2]>,
    /// How much larger than usual everything is drawn.
    pub zoom: Option<f32>,
    /// Light, dark, or as the system says.
    pub theme: Theme,
}

impl Look {
    /// How a window looks now. Where the system does not tell its place, and while it fills the
    /// screen, the last place stays.
    #[must_use]
    pub fn of(ctx: &Context, before: &Self) -> Self {
        let zoom = ctx.zoom_factor();
        let theme = ctx.options(|options| options.theme_preference).into();
        ctx.input(|input| {
            let viewport = input.viewport();
            let is_usual = [viewport.minimized, viewport.maximized, viewport.fullscreen].iter().all(|state| *state != Some(true));
            let points = |x: f32, y: f32| Some([(x * zoom).round(), (y * zoom).round()]);
            let at = viewport.outer_rect.filter(|_| is_usual).and_then(|rect| points(rect.left(), rect.top()));
            let size = viewport.inner_rect.map(|rect| rect.size()).or_else(|| Some(input.viewport_rect().size())).filter(|_| is_usual);
            Self {
                at: at.or(before.at),
                size: size.filter(|size| size.min_elem() >= 1.0).and_then(|size| points(size.x, size.y)).or(before.size),
                zoom: Some(zoom),
                theme,
            }
        })
    }

    /// Gives a window its theme and its zoom; its place and its size are given where it is opened.
    pub fn show_in(&self, ctx: &Context) {
        ctx.set_theme(self.theme);
        if let Some(zoom) = self.zoom {
            ctx.set_zoom_factor(zoom.clamp(0.2, 5.0));
        }
    }
}

/// The person's choice of a theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl From<Theme> for ThemePreference {
    fn from(theme: Theme) -> Self {
        match theme {
            Theme::System => Self::System,
            Theme::Light => Self::Light,
            Theme::Dark => Self::Dark,
        }
    }
}

impl From<ThemePreference> for Theme {
    fn from(theme: ThemePreference) -> Self {
        match theme {
            ThemePreference::System => Self::System,
            ThemePreference::Light => Self::Light,
            ThemePreference::Dark => Self::Dark,
        }
    }
}

/// The settings of one window, and the files that they are kept in: `participant.json` for what was
/// used last, `participant.alice.json` for how alice's window looks.
#[derive(Debug)]
pub struct Settings {
    /// `None` where the system has no place for settings.
    dir: Option<PathBuf>,
    role: Role,
    /// Whose look it is.
    user: Option<String>,
    last: Last,
    look: Look,
    /// Something has not been written yet; not before this.
    due: Option<Instant>,
}

impl Settings {
    /// Reads the settings of `user`'s window, or of whoever used this role's window last.
    #[must_use]
    pub fn open(role: Role, user: Option<&UserName>) -> Self {
        Self::open_in(default_dir(), role, user)
    }

    fn open_in(dir: Option<PathBuf>, role: Role, user: Option<&UserName>) -> Self {
        let mut settings = Self { dir, role, user: None, last: Last::default(), look: Look::default(), due: None };
        settings.last = settings.path(None).and_then(|path| read(&path)).unwrap_or_default();
        // The name comes from a file: one that is no name names no file.
        let user = user.cloned().or_else(|| UserName::parse(&settings.last.name).ok());
        settings.user = user.map(|user| user.as_str().to_owned());
        settings.look = settings.path(settings.user.as_deref()).and_then(|path| read(&path)).unwrap_or_default();
        settings
    }

    /// What was used last.
    #[must_use]
    pub fn last(&self) -> &Last {
        &self.last
    }

    /// How the window looks.
    #[must_use]
    pub fn look(&self) -> &Look {
        &self.look
    }

    /// The relay has let `user` in.
    pub fn on_login(&mut self, user: &UserName, relay: &str, now: Instant) {
        let last = Last { name: user.to_string(), relay: relay.to_owned() };
        if last != self.last || self.user.as_deref() != Some(user.as_str()) {
            self.user = Some(user.to_string());
            self.last = last;
            self.due.get_or_insert(now);
        }
    }

    /// The window looks like this now.
    pub fn on_look(&mut self, look: Look, now: Instant) {
        if look != self.look {
            self.look = look;
            self.due.get_or_insert(now + PACE);
        }
    }

    /// Writes what has changed, if it is time; tells when it will be.
    pub fn keep(&mut self, now: Instant) -> Option<Duration> {
        let due = self.due?;
        if due > now {
            return Some(due - now);
        }
        self.write();
        None
    }

    /// Writes what has changed, now.
    pub fn write(&mut self) {
        if self.due.take().is_some()
            && let (Some(last), Some(look)) = (self.path(None), self.path(self.user.as_deref()))
        {
            // Without a name there is no look to keep: the next name has its own.
            if self.user.is_some() {
                write(&look, &self.look);
            }
            write(&last, &self.last);
        }
    }

    fn path(&self, user: Option<&str>) -> Option<PathBuf> {
        let file = match user {
            Some(user) => format!("{}.{user}.json", self.role),
            None => format!("{}.json", self.role),
        };
        Some(self.dir.as_ref()?.join(file))
    }
}

fn default_dir() -> Option<PathBuf> {
    let given = std::env::var_os(VARIABLE).filter(|dir| !dir.is_empty()).map(PathBuf::from);
    given.or_else(|| Some(directories::ProjectDirs::from("", "", "twopc")?.config_dir().to_path_buf()))
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Beside the file, then in its place: a window that dies while writing leaves the old settings.
fn write(path: &Path, value: &impl Serialize) {
    let Ok(text) = serde_json::to_string_pretty(value) else { return };
    let beside = path.with_extension("json.new");
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&beside, text + "\n"));
    // A window that cannot keep its place is still a window.
    let _ = written.and_then(|()| fs::rename(&beside, path));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alice() -> UserName {
        UserName::parse("alice").unwrap()
    }

    fn look() -> Look {
        Look { at: Some([10.0, 20.0]), size: Some([860.0, 560.0]), zoom: Some(1.5), theme: Theme::Dark }
    }

    #[test]
    fn a_window_finds_its_look_its_name_and_its_relay_again() {
        let dir = tempfile::tempdir().unwrap();
        let open = |user: Option<&UserName>| Settings::open_in(Some(dir.path().join("twopc")), Role::Participant, user);
        let now = Instant::now();
        let mut settings = open(None);
        assert_eq!((settings.last(), settings.look()), (&Last::default(), &Look::default()));
        settings.on_login(&alice(), "relay:7", now);
        settings.on_look(look(), now);
        assert_eq!(settings.keep(now), None, "a login is kept at once");

        let again = open(None);
        assert_eq!(again.last(), &Last { name: "alice".into(), relay: "relay:7".into() });
        assert_eq!(again.look(), &look(), "the one who was here last");
        let bob = open(Some(&UserName::parse("bob").unwrap()));
        assert_eq!(bob.look(), &Look::default(), "another name, another look");
        assert_eq!(Settings::open_in(Some(dir.path().join("twopc")), Role::Coordinator, Some(&alice())).look(), &Look::default());
    }

    #[test]
    fn a_window_that_is_moved_is_written_once_a_second() {
        let dir = tempfile::tempdir().unwrap();
        let now = Instant::now();
        let mut settings = Settings::open_in(Some(dir.path().into()), Role::Participant, Some(&alice()));
        let file = dir.path().join("participant.alice.json");
        settings.on_look(look(), now);
        assert_eq!(settings.keep(now), Some(PACE));
        assert!(!file.exists());
        settings.on_look(Look { zoom: None, ..look() }, now + PACE / 2);
        assert_eq!(settings.keep(now + PACE), None);
        assert_eq!(read::<Look>(&file), Some(Look { zoom: None, ..look() }));
    }

    #[test]
    fn settings_that_cannot_be_read_are_the_defaults() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("participant.json"), r#"{"name":"../../etc/passwd","relay":7}"#).unwrap();
        let settings = Settings::open_in(Some(dir.path().into()), Role::Participant, None);
        assert_eq!((settings.last(), settings.look()), (&Last::default(), &Look::default()));
        fs::write(dir.path().join("participant.json"), r#"{"name":"../../etc/passwd"}"#).unwrap();
        let settings = Settings::open_in(Some(dir.path().into()), Role::Participant, None);
        assert_eq!(settings.user, None, "what is no name names no file");
    }
}
