//! What the window looks at: the room, a scenario that is being played, or a run that was recorded.
//!
//! Deliberately absent: what is drawn. New events are taken in when the window asks for them; whoever notes
//! one wakes it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::room::{Remote, Room};
use crate::run::journal::Journal;
use crate::run::{Deed, Event, Happening, folder};
use crate::scenario::play::{Theatre, play};
use crate::scenario::{Report, Scenario};
use crate::verdict::{self, Evidence, VerifyError};
use crate::view::{Judged, Playing, Source};
use crate::watched::Watched;

/// How long the files are left alone after they were judged.
const JUDGED_AGAIN: Duration = Duration::from_millis(700);

/// A run that is looked at, and where its events come from.
pub(crate) struct Stage {
    pub(crate) source: Source,
    pub(crate) watched: Watched,
    journal: Option<Journal>,
    remote: Option<Remote>,
    /// The folder of the run.
    pub(crate) dir: Option<PathBuf>,
    /// The data directory of whoever writes logs in it.
    data: Option<PathBuf>,
    pub(crate) judged: Option<Judged>,
    /// How many events there were when it was judged, and when that was.
    judged_at: Option<(usize, Instant)>,
    news: Option<Receiver<News>>,
    pub(crate) playing: Option<Playing>,
}

/// What is heard of a scenario that is being played.
enum News {
    /// A step begins.
    Step(usize, Journal, Remote, Option<PathBuf>),
    /// It is over.
    Over(Result<Box<Over>, String>),
}

/// What is left of a scenario that is over.
struct Over {
    report: Report,
    dir: PathBuf,
    events: Vec<Event>,
}

impl Stage {
    /// The room itself.
    pub(crate) fn of_room(room: &Room, data: &Path) -> Self {
        Self {
            source: Source::Room,
            journal: Some(room.journal().clone()),
            remote: Some(room.remote()),
            dir: room.run().map(Path::to_path_buf),
            data: Some(data.to_path_buf()),
            ..Self::empty(Source::Room)
        }
    }

    /// A scenario, which is played on a thread of its own.
    pub(crate) fn of_scenario(index: usize, scenario: Scenario, theatre: Theatre) -> Self {
        let (tell, news) = channel();
        let title = scenario.title.clone();
        let wake = theatre.wake.clone();
        thread::spawn(move || {
            let told = tell.clone();
            let on_step = |line: usize, room: &Room| {
                // A window that looks elsewhere hears nothing of it.
                let _ = told.send(News::Step(line, room.journal().clone(), room.remote(), room.run().map(Path::to_path_buf)));
                wake();
            };
            let played = play(&scenario, &theatre, std::io::sink(), &on_step);
            let over = played.map(|played| {
                let report = Report::of(&scenario, &played);
                Box::new(Over { report, dir: played.dir, events: played.events })
            });
            let _ = tell.send(News::Over(over.map_err(|error| error.to_string())));
            wake();
        });
        let playing = Playing { index, line: 0, report: None };
        Self { news: Some(news), playing: Some(playing), ..Self::empty(Source::Scenario(title)) }
    }

    /// A run that was recorded.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn of_recorded(dir: &Path) -> Result<Self, String> {
        let recorded = folder::open(dir).map_err(|error| error.to_string())?;
        let source = Source::Recorded(recorded.dir.clone());
        Ok(Self { watched: Watched::of(recorded.events), dir: Some(recorded.dir), ..Self::empty(source) })
    }

    fn empty(source: Source) -> Self {
        Self {
            source,
            watched: Watched::default(),
            journal: None,
            remote: None,
            dir: None,
            data: None,
            judged: None,
            judged_at: None,
            news: None,
            playing: None,
        }
    }

    /// Takes in what has happened since.
    pub(crate) fn follow(&mut self) {
        let news: Vec<News> = self.news.iter().flat_map(Receiver::try_iter).collect();
        for news in news {
            self.on_news(news);
        }
        if let Some(journal) = &self.journal {
            for event in journal.since(self.watched.events().len()) {
                self.watched.push(event);
            }
        }
    }

    fn on_news(&mut self, news: News) {
        let Some(playing) = &mut self.playing else { return };
        match news {
            News::Step(line, journal, remote, dir) => {
                playing.line = line;
                (self.journal, self.remote, self.dir) = (Some(journal), Some(remote), dir);
            }
            News::Over(over) => {
                playing.report = Some(match over.map(|over| *over) {
                    Ok(Over { report, dir, events }) => {
                        let known = self.watched.events().len();
                        events.into_iter().skip(known).for_each(|event| self.watched.push(event));
                        self.dir = Some(dir);
                        Ok(report)
                    }
                    Err(sentence) => Err(sentence),
                });
                (self.journal, self.remote, self.judged_at) = (None, None, None);
            }
        }
    }

    /// Whether something goes on.
    pub(crate) fn is_live(&self) -> bool {
        self.journal.is_some()
    }

    /// The time now in this run, in microseconds since it began.
    pub(crate) fn now_us(&self) -> u64 {
        match &self.journal {
            Some(journal) if self.watched.is_at_end() => journal.now_us(),
            Some(_) | None => self.watched.now_us(),
        }
    }

    /// Why the run's file is not whole, if it is not.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.journal.as_ref().and_then(Journal::trouble)
    }

    pub(crate) fn act(&self, deed: Deed) {
        if let Some(remote) = &self.remote {
            remote.act(deed);
        }
    }

    /// Judges the files, if something has happened since; how long until it is worth looking again.
    pub(crate) fn judge(&mut self, now: Instant) -> Option<Duration> {
        let events = self.watched.events().len();
        if let Some((known, at)) = self.judged_at {
            if known == events {
                return None;
            }
            let left = JUDGED_AGAIN.saturating_sub(now.duration_since(at));
            if !left.is_zero() {
                return Some(left);
            }
        }
        self.judged_at = Some((events, now));
        self.judged = match self.evidence() {
            Ok(evidence) => Some(Ok(verdict::judge(&evidence))),
            // A room in which nothing was ever voted on has nothing to judge.
            Err(VerifyError::Nothing(_) | VerifyError::NotThere(_) | VerifyError::Unclosed(_)) if self.data.is_some() || self.is_live() => {
                None
            }
            Err(VerifyError::Unclosed(_)) => Some(Err(String::from(
                "This run was not closed, so it has no copy of its room's files, and nothing is judged here. The files themselves are \
                 judged by twopc-lab verify, with the room's data folder and its relay's.",
            ))),
            Err(error) => Some(Err(error.to_string())),
        };
        None
    }

    fn evidence(&self) -> Result<Evidence, VerifyError> {
        let Some(data) = &self.data else {
            return verdict::gather(&self.dir.clone().into_iter().collect::<Vec<_>>());
        };
        let mut evidence = verdict::gather(std::slice::from_ref(data))?;
        for (line, event) in (1..).zip(self.watched.events()) {
            if let Happening::Frame { frame } = &event.what {
                evidence.add_frame(folder::EVENTS, line, frame)?;
            }
        }
        Ok(evidence)
    }
}

/// What wakes a window.
pub(crate) type Wake = Arc<dyn Fn() + Send + Sync>;
