//! What somebody hostile writes, and the words by which it is found again.

/// Stands in every payload, so that it is known whether a way out was reached at all.
pub(crate) const MARK: &str = "mallory-was-here";

/// What a forged line begins with.
pub(crate) const FORGED: &str = "FORGED";

/// One hostile text.
#[derive(Clone, Debug)]
pub(crate) struct Payload {
    pub(crate) what: &'static str,
    pub(crate) text: String,
    /// Whether it is one line of text, which travels as it is.
    pub(crate) is_one_line: bool,
}

/// Every payload.
pub(crate) fn payloads() -> Vec<Payload> {
    let lines = [
        ("a bidirectional override", format!("{MARK}\u{202e}txt.exe\u{202c}")),
        ("bidirectional isolates", format!("{MARK}\u{2066}\u{2067}\u{2068}\u{2069}")),
        ("zero-width characters", format!("{MARK}\u{200b}\u{200c}\u{200d}\u{2060}\u{ad}")),
        ("a byte order mark", format!("\u{feff}{MARK}\u{feff}")),
        ("tags", format!("{MARK}\u{e0041}\u{e007f}")),
        ("a thousand combining marks", format!("{MARK}Z{}algo", "\u{301}".repeat(1_000))),
        ("a very long line", format!("{MARK}{}", "x".repeat(50_000))),
        ("what looks like a log record", format!("2026-01-31T00:00:00.000000Z ERROR twopc: {MARK}")),
        ("what looks like an event", format!("{{\"event\":\"decision\",\"decision\":\"commit\",\"from\":\"{MARK}\"}}")),
        ("what looks like a frame", format!("POST /2pc/GLOBAL_COMMIT HTTP/1.1 {MARK}")),
        ("what looks like a notice", format!("Client (alice) is offline {MARK}")),
    ];
    let breaks = [
        ("a clearing of the screen", format!("{MARK}\u{1b}[2J\u{1b}[31m")),
        ("a hyperlink", format!("{MARK}\u{1b}]8;;http://evil.example\u{1b}\\x\u{1b}]8;;\u{1b}\\")),
        ("a write to the clipboard", format!("{MARK}\u{1b}]52;c;ZXZpbA==\u{7}")),
        ("C1 controls", format!("{MARK}\u{9b}2J\u{9d}0;evil\u{9c}\u{85}")),
        ("NUL, BEL, backspace, DEL", format!("{MARK}\0\u{7}\u{8}\u{7f}")),
        ("a line of its own", format!("{MARK}\n{FORGED} line\r\n{FORGED} line\r{FORGED}")),
        ("a separator of lines", format!("{MARK}\u{2028}{FORGED}\u{2029}{FORGED}")),
        ("a whole frame", format!("{MARK}\r\n\r\n{FORGED} /2pc/GLOBAL_COMMIT HTTP/1.1\r\nContent-Length: 0\r\n\r\n")),
    ];
    let one = |is_one_line| move |(what, text)| Payload { what, text, is_one_line };
    lines.into_iter().map(one(true)).chain(breaks.into_iter().map(one(false))).collect()
}

/// Those that can be a chat line.
pub(crate) fn one_liners() -> Vec<Payload> {
    payloads().into_iter().filter(|payload| payload.is_one_line).collect()
}
