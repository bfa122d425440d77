//! Streams of messages, made to meet every rule: in order, broken in one chosen way, at the limits
//! and one byte beyond them, cut short, and plain noise.

use super::rows::Row;
use super::strict::{Limits, Reader};
use crate::chance::Chance;

/// Makes streams from a seed.
#[derive(Debug)]
pub struct Maker {
    chance: Chance,
    noise: Vec<u8>,
}

/// What a message is like, apart from its flaw.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Size {
    Usual,
    /// The first line, the head, the headers or the body are as long as they may be.
    Line,
    Head,
    Headers,
    Body,
}

/// What stands on one line of a head.
#[derive(Clone, Copy)]
enum Item {
    Host,
    Length,
    Extra,
    Upgrade,
    Flaw,
}

const TARGETS: [&[u8]; 12] = [
    b"/client.http",
    b"/coordinator.http",
    b"/2pc/VOTE_REQUEST",
    b"/2pc/VOTE_COMMIT",
    b"/2pc/GLOBAL_ABORT",
    b"/2pc/ODD_ONE",
    b"/pong",
    b"/login",
    b"/log?from=3?",
    b"*",
    b"http://localhost:1337/log?x",
    b"HTTP://a",
];

const EXTRAS: [&[u8]; 16] = [
    b"User-Agent: twopc/0.1",
    b"Content-Type: application/json",
    b"Content-Type:text/plain; charset=utf-8",
    b"To: bob",
    b"To: \t Bob_2 \t",
    b"to: bob",
    b"From: z\xc3\xb6e\xff",
    b"Role: coordinator",
    b"Seq: 18446744073709551615",
    b"Date: Sat, 31 Jan 2026 22:34:52 GMT",
    b"Expect: 100-continue",
    b"expect: a , 100-Continue",
    b"Connection: keep-alive",
    b"X-Odd:",
    b"x: a:b: c",
    b"!#$%&'*+-.^_`|~09aZ: \"(),/:;<=>?@[\\]{}\x80",
];

const BODIES: [&[u8]; 10] = [
    b"",
    b"hi",
    b"0:00:17:string: Hello",
    b"{\"txn\":\"chair.1.1\"}",
    b"{\"txn\":\"chair.1.1\",\"state\":\"COMMIT\"}",
    b"{\"user\":\"alice\",\"role\":\"participant\",\"key\":\"0123456789abcdef\"}",
    b"POST /pong HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"\r\n\r\n",
    b"\0\xff\x1b[31m\r",
];

/// What a stream and its reader are.
#[derive(Debug)]
pub struct Stream {
    /// Who reads it.
    pub reader: Reader,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Maker {
    /// Begins at a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let noise = (0..4_096).map(|_| chance.byte()).collect();
        Self { chance, noise }
    }

    /// The next stream; `bytes` is taken for it, so that its memory is used again.
    pub fn stream(&mut self, mut bytes: Vec<u8>) -> Stream {
        bytes.clear();
        let mut reader = [Reader::Plain, Reader::Plain, Reader::Framed, Reader::Framed, Reader::Framed, Reader::Client, Reader::Answers]
            [self.chance.index(7)];
        let first = reader;
        if matches!(reader, Reader::Plain | Reader::Framed) && self.chance.once_in(2_048) {
            self.pipeline(&mut bytes);
            return Stream { reader, bytes };
        }
        if self.chance.once_in(64) {
            self.noise(&mut bytes);
            return Stream { reader, bytes };
        }
        for _ in 0..1 + self.chance.index(5) {
            if matches!(reader, Reader::Plain | Reader::Answers) && self.chance.once_in(4) {
                self.upgrade(&mut reader, &mut bytes);
            } else if self.chance.once_in(4) {
                let flaw = self.flaw(reader);
                self.message(reader, Some(flaw), &mut bytes);
                // What follows must not be read.
                if self.chance.once_in(2) {
                    break;
                }
            } else {
                self.message(reader, None, &mut bytes);
            }
        }
        if self.chance.once_in(12) {
            let length = self.chance.index(bytes.len() + 1);
            bytes.truncate(length);
        }
        if self.chance.once_in(24) {
            self.mutate(&mut bytes);
        }
        Stream { reader: first, bytes }
    }

    /// More, without a pause, than a decoder may hold at once.
    fn pipeline(&mut self, out: &mut Vec<u8>) {
        while out.len() < 300_000 {
            out.extend_from_slice(b"POST /client.http HTTP/1.1\r\nHost: a\r\n");
            let body = 1_000 + self.chance.index(6_000);
            self.length(body, out);
            out.extend_from_slice(b"\r\n\r\n");
            self.body(body, out);
        }
    }

    fn flaw(&mut self, reader: Reader) -> Row {
        loop {
            let row = Row::ALL[self.chance.index(Row::ALL.len())];
            // The long ones take long, so they are rarer.
            let is_long = matches!(row, Row::LineTooLong | Row::HeadTooLong);
            if row.is_for(reader) && (!is_long || self.chance.once_in(8)) {
                return row;
            }
        }
    }

    fn size(&mut self, reader: Reader) -> Size {
        let rare = if matches!(reader, Reader::Plain | Reader::Framed) { 1 } else { 8 };
        match self.chance.index(4_096) {
            0..8 => Size::Line,
            8..16 => Size::Head,
            16..32 => Size::Headers,
            32 | 33 if self.chance.once_in(rare * rare) => Size::Body,
            _ => Size::Usual,
        }
    }

    /// One message, broken in this way.
    fn message(&mut self, reader: Reader, flaw: Option<Row>, out: &mut Vec<u8>) {
        match flaw {
            Some(Row::Tls) => return out.extend_from_slice(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
            Some(Row::Noise) if self.chance.once_in(2) => {
                return out.extend_from_slice(self.chance.one_of(&[
                    b"SSH-2.0-OpenSSH_9.9\r\n",
                    b"POST /\r\n",
                    b"POST  / HTTP/1.1\r\n",
                    b"220 mail.example ESMTP\r\n",
                    b"\x20\r\n",
                ]));
            }
            _ => {}
        }
        let limits = reader.limits();
        let size = if flaw.is_none() { self.size(reader) } else { Size::Usual };
        let blanks = if flaw == Some(Row::EmptyLines) { 2 } else { usize::from(self.chance.once_in(16)) };
        out.extend_from_slice(&b"\r\n\r\n"[..2 * blanks]);
        let start = out.len();
        let body = self.body_length(size, &limits);

        // The line whose end is broken, or that has a byte that no head has.
        let broken = self.chance.index(4);
        self.first_line(reader, flaw, size, &limits, out);
        self.line_end(flaw, broken == 0, out);
        let mut items = self.items(reader, flaw);
        let count = items.len();
        for (number, item) in items.drain(..).enumerate() {
            self.line(item, flaw, body, out);
            self.line_end(flaw, broken > 0 && number == (broken - 1).min(count - 1), out);
        }
        match (flaw, size) {
            (Some(Row::TooManyHeaders), _) => (count..=limits.headers).for_each(|_| out.extend_from_slice(b"X: y\r\n")),
            (_, Size::Headers) => {
                (count..limits.headers).for_each(|_| out.extend_from_slice(b"X: y\r\n"));
                if self.chance.once_in(8) {
                    return out.push(b'\n');
                }
            }
            (Some(Row::HeadTooLong), _) => pad(out, start, limits.head + 1 + self.chance.index(2) * self.chance.index(5_000)),
            (_, Size::Head) => pad(out, start, limits.head),
            _ => {}
        }
        out.extend_from_slice(b"\r\n");
        self.body(body, out);
    }

    fn first_line(&mut self, reader: Reader, flaw: Option<Row>, size: Size, limits: &Limits, out: &mut Vec<u8>) {
        let start = out.len();
        let version: &[u8] = match flaw {
            Some(Row::OtherVersion) => self.chance.one_of(&[b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.2", b"HTTP/3.1", b"HTTP/11."]),
            Some(Row::Noise) => self.chance.one_of(&[b"HTTP/1.x", b"http/1.1", b"HTTP/", b"HTTP/1.1 "]),
            // Only 1.1 has to say its host.
            Some(Row::HostMissing) => b"HTTP/1.1",
            _ if self.chance.once_in(16) => b"HTTP/1.0",
            _ => b"HTTP/1.1",
        };
        if reader == Reader::Answers {
            out.extend_from_slice(version);
            out.extend_from_slice(self.chance.one_of(&[
                &b" 200 OK"[..],
                b" 200 OK",
                b" 426 Upgrade Required",
                b" 200",
                b" 204 ",
                b" 409 Conflict",
            ]));
        } else {
            let method: &[u8] = match flaw {
                Some(Row::OtherMethod) => self.chance.one_of(&[b"GET", b"PUT", b"post", b"HEAD", b"P"]),
                _ if reader == Reader::Plain && flaw != Some(Row::LengthMissing) && self.chance.once_in(3) => b"GET",
                _ => b"POST",
            };
            out.extend_from_slice(method);
            out.push(b' ');
            out.extend_from_slice(TARGETS[self.chance.index(TARGETS.len())]);
        }
        let stray = match flaw {
            Some(Row::NotAscii) if self.chance.once_in(2) => 0x80 | self.chance.byte(),
            Some(Row::Control) if self.chance.once_in(2) => b"\0\t\x1b\x7f\x01"[self.chance.index(5)],
            _ => b'x',
        };
        out.push(stray);
        let most = match (flaw, size) {
            (Some(Row::LineTooLong), _) => limits.line + 1 + self.chance.index(2) * self.chance.index(9_000),
            (_, Size::Line) => limits.line,
            _ => 0,
        };
        let tail = if reader == Reader::Answers { 0 } else { 1 + version.len() };
        let length = out.len() - start + tail;
        out.resize(out.len() + most.saturating_sub(length), b'x');
        if reader != Reader::Answers {
            out.push(b' ');
            out.extend_from_slice(version);
        }
    }

    /// The lines of a head, in any order.
    fn items(&mut self, reader: Reader, flaw: Option<Row>) -> Vec<Item> {
        let mut items = Vec::with_capacity(10);
        if reader == Reader::Plain || self.chance.once_in(2) {
            match flaw {
                Some(Row::HostMissing) => {}
                Some(Row::HostTwice) => items.extend([Item::Host, Item::Host]),
                _ => items.push(Item::Host),
            }
        }
        match flaw {
            Some(Row::LengthMissing | Row::Coded | Row::AnswerEndless) => {}
            Some(Row::LengthTwice) => items.extend([Item::Length, Item::Length]),
            _ => items.push(Item::Length),
        }
        for _ in 0..self.chance.index(5) {
            items.push(Item::Extra);
        }
        // As many as may break: by their ends (the first line's too), or by a line of their own.
        while items.len() < 3 {
            items.push(if flaw.is_some() { Item::Flaw } else { Item::Extra });
        }
        if flaw.is_some() {
            items.push(Item::Flaw);
        }
        for at in (1..items.len()).rev() {
            items.swap(at, self.chance.index(at + 1));
        }
        items
    }

    fn line(&mut self, item: Item, flaw: Option<Row>, body: usize, out: &mut Vec<u8>) {
        let text: &[u8] = match (item, flaw) {
            (Item::Host, Some(Row::HostUnsound)) => {
                self.chance.one_of(&[b"Host: a b", b"host: a/b", b"Host: a@b", b"Host: \"a\"", b"Host: \xff"])
            }
            (Item::Host, _) => self.chance.one_of(&[b"Host: localhost", b"host:127.0.0.1:1337", b"Host: [::1]:1337", b"HOST:"]),
            (Item::Length, Some(Row::LengthNotDigits)) => self.chance.one_of(&[
                b"Content-Length: +5",
                b"Content-Length:",
                b"Content-Length: 5, 5",
                b"Content-Length: 0x5",
                b"content-length: 12345678901",
                b"Content-Length: 5 5",
                b"Content-Length: 1e3",
                b"Content-Length: -1",
                b"Content-Length: \xd9\xa5",
            ]),
            (Item::Length, Some(Row::BodyTooLong)) => {
                self.chance.one_of(&[b"Content-Length: 2097153", b"Content-Length: 4294967296", b"Content-Length: 9999999999"])
            }
            (Item::Length, _) => return self.length(body, out),
            (Item::Flaw, Some(Row::Coded | Row::CodedWithLength)) => {
                self.chance.one_of(&[b"Transfer-Encoding: chunked", b"transfer-encoding: identity", b"Transfer-Encoding:"])
            }
            (Item::Flaw, Some(Row::ColonMissing)) => self.chance.one_of(&[b"To", b"To bob", b"x"]),
            (Item::Flaw, Some(Row::NameNoToken)) => self.chance.one_of(&[b": x", b"T@o: bob", b"(To): bob", b"To\"b\": c"]),
            (Item::Flaw, Some(Row::NotAscii)) => self.chance.one_of(&[b"T\xc3\xb6: bob", b"\xff: x"]),
            (Item::Flaw, Some(Row::Folded)) => self.chance.one_of(&[b" bob", b"\tbob", b" ", b" a: b"]),
            (Item::Flaw, Some(Row::BlankBeforeColon)) => self.chance.one_of(&[b"To : bob", b"To\t: bob", b"Content-Length : 5"]),
            (Item::Flaw, Some(Row::Control)) => self.chance.one_of(&[b"To: b\0b", b"To: \x1b[31m", b"T\x01o: bob", b"To: \x7f", b"\0: x"]),
            (Item::Upgrade, _) => b"Upgrade: twopc/1",
            (Item::Flaw | Item::Extra, _) => EXTRAS[self.chance.index(EXTRAS.len())],
        };
        out.extend_from_slice(text);
    }

    fn length(&mut self, body: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(self.chance.one_of(&[b"Content-Length: ", b"Content-Length: ", b"content-length:", b"CONTENT-LENGTH:\t 0"]));
        out.extend_from_slice(body.to_string().as_bytes());
        if self.chance.once_in(16) {
            out.extend_from_slice(b" \t");
        }
    }

    fn line_end(&mut self, flaw: Option<Row>, broken: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(match flaw {
            Some(Row::BareLineFeed) if broken => b"\n",
            Some(Row::BareReturn) if broken => b"\r",
            _ => b"\r\n",
        });
    }

    fn body_length(&mut self, size: Size, limits: &Limits) -> usize {
        match size {
            Size::Body => limits.body,
            Size::Usual | Size::Line | Size::Head | Size::Headers => match self.chance.index(64) {
                0 => self.chance.index(6_000),
                1..16 => self.chance.index(64),
                choice => BODIES[choice % BODIES.len()].len(),
            },
        }
    }

    fn body(&mut self, length: usize, out: &mut Vec<u8>) {
        if let Some(body) = BODIES.iter().find(|body| body.len() == length) {
            return out.extend_from_slice(body);
        }
        let end = out.len() + length;
        while out.len() < end {
            let part = self.noise.len().min(end - out.len());
            out.extend_from_slice(&self.noise[..part]);
        }
    }

    /// What ends plain HTTP: a login, or the relay's 101.
    fn upgrade(&mut self, reader: &mut Reader, out: &mut Vec<u8>) {
        if *reader == Reader::Answers {
            out.extend_from_slice(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: twopc/1\r\n\r\n");
            *reader = Reader::Client;
            return;
        }
        out.extend_from_slice(b"POST /login HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n");
        self.line(Item::Upgrade, None, 0, out);
        let body = BODIES[5];
        out.extend_from_slice(b"\r\n");
        self.length(body.len(), out);
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(body);
        *reader = Reader::Framed;
    }

    fn noise(&mut self, out: &mut Vec<u8>) {
        let length = self.chance.index(200);
        let alphabet: &[u8] = if self.chance.once_in(2) { b"POST / HTTP/1.1\r\n\r\n: \tContent-Length: 1\0" } else { b"" };
        for _ in 0..length {
            out.push(if alphabet.is_empty() { self.chance.byte() } else { alphabet[self.chance.index(alphabet.len())] });
        }
    }

    /// Changes, adds, leaves out or repeats a few bytes anywhere.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..1 + self.chance.index(3) {
            let at = self.chance.index(bytes.len() + 1);
            let end = (at + self.chance.index(20)).min(bytes.len());
            match self.chance.index(4) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.chance.index(8),
                1 => bytes.insert(at, b"\r\n:\0 \xffx0"[self.chance.index(8)]),
                2 => drop(bytes.drain(at..end)),
                _ => {
                    let again = bytes[at..end].to_vec();
                    bytes.splice(at..at, again);
                }
            }
        }
    }
}

/// A header that makes the head, with the empty line that is still to come, as long as this.
fn pad(out: &mut Vec<u8>, start: usize, head: usize) {
    out.extend_from_slice(b"X-Pad: ");
    let rest = head.saturating_sub(out.len() - start + 4);
    out.resize(out.len() + rest, b'y');
    out.extend_from_slice(b"\r\n");
}
