//! A relay to test, and clients that read with a deadline.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::sync::oneshot;
use twopc_proto::bench::{Command, Fate, Rule};
use twopc_proto::frame::{
    Answers, Chat, ClientFrames, Decoder, ErrorBody, ErrorCode, FromRelay, Login, Person, Protocol, Response, Welcome,
};
use twopc_proto::{Role, UserName, json};
use twopc_server::{Config, RelayError, run};

/// How long a test waits for what has to come.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A relay on a port and in a folder of its own.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    pub(crate) logs: Arc<TempDir>,
    screen: Screen,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), RelayError>>>,
}

/// What a relay prints.
#[derive(Clone, Default)]
pub(crate) struct Screen(Arc<Mutex<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Relay {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    pub(crate) fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_in(Arc::new(tempfile::tempdir().unwrap()), "127.0.0.1:0", change)
    }

    pub(crate) fn start_in(logs: Arc<TempDir>, listen: &str, change: impl FnOnce(&mut Config)) -> Self {
        Self::start_on(std::net::TcpListener::bind(listen).unwrap(), logs, change)
    }

    /// On a port where somebody may be waiting already.
    pub(crate) fn start_on(listener: std::net::TcpListener, logs: Arc<TempDir>, change: impl FnOnce(&mut Config)) -> Self {
        let screen = Screen::default();
        let mut config = Config { screen: Box::new(screen.clone()), ..Config::new(logs.path()) };
        change(&mut config);
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let stopped = async {
                    let _ = stopped.await;
                };
                run(listener, config, stopped).await
            })
        });
        Self { address, logs, screen, stop: Some(stop), thread: Some(thread) }
    }

    /// A connection that is not logged in.
    pub(crate) fn connect(&self) -> Plain {
        Plain::connect(self.address)
    }

    /// One request on a connection of its own.
    pub(crate) fn ask(&self, request: &str) -> Response {
        let mut plain = self.connect();
        plain.send(request.as_bytes());
        plain.answer()
    }

    /// Logs in; the welcome has been read.
    pub(crate) fn login(&self, name: &str, role: Role) -> Client {
        self.enter(name, role).0
    }

    pub(crate) fn participant(&self, name: &str) -> Client {
        self.login(name, Role::Participant)
    }

    pub(crate) fn enter(&self, name: &str, role: Role) -> (Client, Welcome) {
        let mut client = self.connect().upgrade(&login(name, role));
        let FromRelay::Welcome(welcome) = client.next() else { panic!("the first frame is no welcome") };
        (client, welcome)
    }

    /// A relay that lets observers in.
    pub(crate) fn start_lab() -> Self {
        Self::start_with(|config| config.lab = Some(LAB.into()))
    }

    /// Logs in as an observer; the welcome has been read, and the rules that hold and what is held.
    pub(crate) fn watch(&self, name: &str) -> (Client, Vec<Rule>, Vec<u64>) {
        let mut client = self.connect().upgrade(&Login { lab: Some(LAB.into()), ..login(name, Role::Observer) });
        assert!(matches!(client.next(), FromRelay::Welcome(_)), "the first frame is the welcome");
        let Fate::Rules { rules, held } = client.fate() else { panic!("the second frame says no rules") };
        (client, rules, held)
    }

    /// Waits until the relay has printed this.
    pub(crate) fn await_print(&self, text: &str) -> String {
        let printed = || String::from_utf8(self.screen.0.lock().unwrap().clone()).unwrap();
        wait_until(&format!("the relay prints {text:?}"), || printed().contains(text));
        printed()
    }

    pub(crate) fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path().join(file)).unwrap()
    }

    pub(crate) fn path(&self) -> &Path {
        self.logs.path()
    }

    /// What became of a relay that ends by itself.
    pub(crate) fn ended(&mut self) -> Result<(), RelayError> {
        self.thread.take().unwrap().join().unwrap()
    }

    /// Ends the relay as ctrl-c does, and hands back its folder.
    pub(crate) fn stop(mut self) -> Arc<TempDir> {
        let _ = self.stop.take().unwrap().send(());
        self.thread.take().unwrap().join().unwrap().unwrap();
        Arc::clone(&self.logs)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What observers show.
pub(crate) const LAB: &str = "the lab's own key";

/// The key that a name's tests use.
pub(crate) fn key(name: &str) -> String {
    format!("the key of {name:-<32}")
}

pub(crate) fn login(name: &str, role: Role) -> Login {
    Login { user: name.into(), role, key: key(&name.to_lowercase()), lab: None }
}

pub(crate) fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

pub(crate) fn frames() -> ClientFrames {
    ClientFrames::new("127.0.0.1", "test/1")
}

/// Waits for something that has to become true, looking again and again.
pub(crate) fn wait_until(what: &str, mut is_true: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_true() {
        assert!(Instant::now() < deadline, "it never happened that {what}");
        std::thread::yield_now();
    }
}

/// A connection before the upgrade.
pub(crate) struct Plain {
    pub(crate) stream: TcpStream,
    answers: Answers,
}

impl Plain {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, answers: Answers::new() }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    pub(crate) fn answer(&mut self) -> Response {
        self.try_answer().expect("an answer, and not the end of the connection")
    }

    /// The next answer; `None` at the end.
    pub(crate) fn try_answer(&mut self) -> Option<Response> {
        loop {
            if let Some(answer) = self.answers.next_answer().unwrap() {
                return Some(answer);
            }
            let bytes = read_some(&mut self.stream);
            if bytes.is_empty() {
                return None;
            }
            self.answers.feed(&bytes);
        }
    }

    /// The next answer's status, and its error code if it has one.
    pub(crate) fn verdict(&mut self) -> (u16, Option<ErrorCode>) {
        let answer = self.answer();
        (answer.status(), json::parse::<ErrorBody>(answer.body()).ok().and_then(|body| body.code()))
    }

    /// Ends its own half of the connection.
    pub(crate) fn hang_up(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    pub(crate) fn closes(mut self) -> bool {
        self.try_answer().is_none()
    }

    /// Whether another request is answered.
    pub(crate) fn is_open(&mut self) -> bool {
        self.send(b"GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.try_answer().is_some_and(|answer| answer.status() == 200)
    }

    /// After the relay's 101.
    pub(crate) fn into_client(self) -> Client {
        Client { stream: self.stream, decoder: self.answers.into_frames(), role: Role::Participant }
    }

    pub(crate) fn upgrade(mut self, login: &Login) -> Client {
        self.send(&frames().login(login));
        let answer = self.answer();
        assert!(answer.is_upgrade(), "{answer:?} {}", String::from_utf8_lossy(answer.body()));
        Client { role: login.role, ..self.into_client() }
    }
}

/// A connection after the upgrade.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    pub(crate) decoder: Decoder,
    pub(crate) role: Role,
}

impl Client {
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    pub(crate) fn say(&mut self, line: &str) {
        let frame = frames().chat(self.role, line, "Thu, 01 Jan 1970 00:00:00 GMT");
        self.send(&frame);
    }

    pub(crate) fn next(&mut self) -> FromRelay {
        self.try_next().expect("a frame, and not the end of the connection")
    }

    /// The next frame; `None` at the end.
    pub(crate) fn try_next(&mut self) -> Option<FromRelay> {
        loop {
            if let Some(frame) = self.decoder.next_frame().unwrap() {
                return Some(FromRelay::read(&frame).unwrap());
            }
            let bytes = read_some(&mut self.stream);
            if bytes.is_empty() {
                return None;
            }
            self.decoder.feed(&bytes);
        }
    }

    pub(crate) fn joined(&mut self) -> Person {
        match self.next() {
            FromRelay::Joined(person) => person,
            other => panic!("nobody joined, but {other:?}"),
        }
    }

    pub(crate) fn left(&mut self) -> Person {
        match self.next() {
            FromRelay::Left(person) => person,
            other => panic!("nobody left, but {other:?}"),
        }
    }

    pub(crate) fn chat(&mut self) -> Chat {
        match self.next() {
            FromRelay::Chat(chat) => chat,
            other => panic!("no chat, but {other:?}"),
        }
    }

    pub(crate) fn protocol(&mut self) -> Protocol {
        match self.next() {
            FromRelay::Protocol(protocol) => protocol,
            other => panic!("no protocol message, but {other:?}"),
        }
    }

    pub(crate) fn fate(&mut self) -> Fate {
        match self.next() {
            FromRelay::Lab(fate) => fate,
            other => panic!("no fate, but {other:?}"),
        }
    }

    /// Asks for something as an observer does.
    pub(crate) fn ask(&mut self, command: &Command) {
        self.send(&frames().lab(command));
    }

    pub(crate) fn error(&mut self) -> ErrorBody {
        match self.next() {
            FromRelay::Error(body) => body,
            other => panic!("no error, but {other:?}"),
        }
    }

    /// The next frame is an error of this code.
    pub(crate) fn refused(&mut self) -> ErrorCode {
        self.error().code().unwrap()
    }

    pub(crate) fn closes(mut self) -> bool {
        self.try_next().is_none()
    }

    /// Whether a chat line still comes back as the next frame.
    pub(crate) fn is_open(&mut self) -> bool {
        self.say("still here");
        matches!(self.try_next(), Some(FromRelay::Chat(chat)) if chat.text == "still here")
    }

    /// Shuts the sending half.
    pub(crate) fn hang_up(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }
}

/// Some bytes; none at the end, which may be rough.
pub(crate) fn read_some(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = vec![0; 64 * 1024];
    match stream.read(&mut bytes) {
        Ok(length) => bytes.truncate(length),
        Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted) => bytes.clear(),
        Err(error) => panic!("nothing came within {DEADLINE:?}: {error}"),
    }
    bytes
}
