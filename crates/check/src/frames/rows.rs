//! The rules that a message can break, one row each, and what the wire says that it gets.
//!
//! Deliberately absent: rules about what a message asks for (its path, its role), which are judged
//! when a whole message is there, and rules about time.

use twopc_proto::frame::ErrorCode;

use super::strict::Reader;

/// A rule of the wire for heads and lengths, by the way in which it is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    /// Two `Content-Length` headers, equal or not.
    LengthTwice,
    /// A `Content-Length` that is not 1 to 10 plain digits.
    LengthNotDigits,
    /// `Transfer-Encoding` alone.
    Coded,
    /// `Transfer-Encoding` and `Content-Length` in one head.
    CodedWithLength,
    /// A `POST` without `Content-Length`.
    LengthMissing,
    /// A body announced that is longer than this reader takes.
    BodyTooLong,
    /// A header line without a colon.
    ColonMissing,
    /// A header name with a character that no name has, or without any.
    NameNoToken,
    /// A byte over 0x7F outside a header's value.
    NotAscii,
    /// A line feed without its carriage return.
    BareLineFeed,
    /// A carriage return without its line feed.
    BareReturn,
    /// A header line that begins with a blank.
    Folded,
    /// A blank between a header's name and its colon.
    BlankBeforeColon,
    /// NUL or another control character in the head.
    Control,
    /// More than one empty line before the first line.
    EmptyLines,
    /// A first line that is too long.
    LineTooLong,
    /// A head that is too long.
    HeadTooLong,
    /// Too many headers.
    TooManyHeaders,
    /// A version of HTTP other than 1.1 and 1.0.
    OtherVersion,
    /// The first bytes of a TLS connection.
    Tls,
    /// A first line of ASCII that is no request (or, where answers are read, no answer).
    Noise,
    /// Before the upgrade: HTTP/1.1 without a `Host`.
    HostMissing,
    /// Before the upgrade: two `Host` headers.
    HostTwice,
    /// Before the upgrade: a `Host` with a character that no host has.
    HostUnsound,
    /// After the upgrade: another method than `POST`.
    OtherMethod,
    /// An answer that does not say how long it is.
    AnswerEndless,
}

impl Row {
    /// Every row, in the order of the wire's table.
    pub const ALL: [Self; 26] = [
        Self::LengthTwice,
        Self::LengthNotDigits,
        Self::Coded,
        Self::CodedWithLength,
        Self::LengthMissing,
        Self::BodyTooLong,
        Self::ColonMissing,
        Self::NameNoToken,
        Self::NotAscii,
        Self::BareLineFeed,
        Self::BareReturn,
        Self::Folded,
        Self::BlankBeforeColon,
        Self::Control,
        Self::EmptyLines,
        Self::LineTooLong,
        Self::HeadTooLong,
        Self::TooManyHeaders,
        Self::OtherVersion,
        Self::Tls,
        Self::Noise,
        Self::HostMissing,
        Self::HostTwice,
        Self::HostUnsound,
        Self::OtherMethod,
        Self::AnswerEndless,
    ];

    /// The status and the word that such a message is answered with. Each of them closes.
    #[must_use]
    pub fn answer(self) -> (u16, ErrorCode) {
        match self {
            Self::LengthMissing => (411, ErrorCode::LengthRequired),
            Self::BodyTooLong => (413, ErrorCode::TooLarge),
            Self::LineTooLong => (414, ErrorCode::TooLarge),
            Self::HeadTooLong | Self::TooManyHeaders => (431, ErrorCode::TooLarge),
            Self::Coded => (501, ErrorCode::BadFraming),
            Self::OtherVersion => (505, ErrorCode::BadFraming),
            Self::HostMissing | Self::HostTwice | Self::HostUnsound => (400, ErrorCode::BadRequest),
            Self::OtherMethod => (405, ErrorCode::NotAllowed),
            Self::LengthTwice
            | Self::LengthNotDigits
            | Self::CodedWithLength
            | Self::ColonMissing
            | Self::NameNoToken
            | Self::NotAscii
            | Self::BareLineFeed
            | Self::BareReturn
            | Self::Folded
            | Self::BlankBeforeColon
            | Self::Control
            | Self::EmptyLines
            | Self::Tls
            | Self::Noise
            | Self::AnswerEndless => (400, ErrorCode::BadFraming),
        }
    }

    /// Whether this reader knows the rule.
    #[must_use]
    pub fn is_for(self, reader: Reader) -> bool {
        match self {
            Self::HostMissing | Self::HostTwice | Self::HostUnsound => reader == Reader::Plain,
            Self::OtherMethod => matches!(reader, Reader::Framed | Reader::Client),
            Self::LengthMissing => reader != Reader::Answers,
            Self::AnswerEndless => reader == Reader::Answers,
            Self::LengthTwice
            | Self::LengthNotDigits
            | Self::Coded
            | Self::CodedWithLength
            | Self::BodyTooLong
            | Self::ColonMissing
            | Self::NameNoToken
            | Self::NotAscii
            | Self::BareLineFeed
            | Self::BareReturn
            | Self::Folded
            | Self::BlankBeforeColon
            | Self::Control
            | Self::EmptyLines
            | Self::LineTooLong
            | Self::HeadTooLong
            | Self::TooManyHeaders
            | Self::OtherVersion
            | Self::Tls
            | Self::Noise => true,
        }
    }

    /// The rule in a few words, for a table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LengthTwice => "two Content-Length headers",
            Self::LengthNotDigits => "a Content-Length that is not 1 to 10 plain digits",
            Self::Coded => "Transfer-Encoding",
            Self::CodedWithLength => "Transfer-Encoding beside Content-Length",
            Self::LengthMissing => "a POST without Content-Length",
            Self::BodyTooLong => "a body announced that is too long",
            Self::ColonMissing => "a line without a colon",
            Self::NameNoToken => "a header name that is no token",
            Self::NotAscii => "a byte over 0x7F outside a header's value",
            Self::BareLineFeed => "a bare LF",
            Self::BareReturn => "a bare CR",
            Self::Folded => "a folded header",
            Self::BlankBeforeColon => "a space before the colon",
            Self::Control => "NUL or another control character",
            Self::EmptyLines => "more than one empty line before a request line",
            Self::LineTooLong => "a request line that is too long",
            Self::HeadTooLong => "a head that is too long",
            Self::TooManyHeaders => "too many headers",
            Self::OtherVersion => "another version of HTTP",
            Self::Tls => "a TLS hello",
            Self::Noise => "noise",
            Self::HostMissing => "HTTP/1.1 without Host",
            Self::HostTwice => "two Host headers",
            Self::HostUnsound => "a Host that is none",
            Self::OtherMethod => "after the upgrade, another method than POST",
            Self::AnswerEndless => "an answer without its length",
        }
    }
}
