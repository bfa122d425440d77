//! JSON read a second time: RFC 8259 as the wire has it, with no member twice.
//!
//! As plain as can be. The limits that RFC 8259, 9 allows are the reader's that ships: 127 levels, no
//! half of a surrogate pair, no number beyond a double. Deliberately absent: numbers as numbers.

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as it stands.
    Number(String),
    /// A string, its escapes read.
    Text(String),
    /// An array.
    List(Vec<Self>),
    /// An object, its members as they stand.
    Object(Vec<(String, Self)>),
}

/// Why bytes are no JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotJson {
    /// They break a rule.
    Broken,
    /// A number in them is about as great as a double can be, or greater: nobody has to read it, and
    /// nobody has to refuse it.
    TooGreat,
}

const MOST_LEVELS: usize = 127;

/// Reads one value with blanks around it.
///
/// # Errors
/// [`NotJson`].
pub fn read(bytes: &[u8]) -> Result<Json, NotJson> {
    let text = std::str::from_utf8(bytes).map_err(|_| NotJson::Broken)?;
    let mut reader = Reader { rest: text, levels: 0 };
    let value = reader.value()?;
    reader.blanks();
    if reader.rest.is_empty() { Ok(value) } else { Err(NotJson::Broken) }
}

impl Json {
    /// A member of an object.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(found, _)| found == name).map(|(_, value)| value)
    }

    /// A string's text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// A whole number that is not negative and not written as a fraction.
    #[must_use]
    pub fn whole(&self) -> Option<u64> {
        if let Self::Number(digits) = self { digits.parse().ok() } else { None }
    }
}

struct Reader<'a> {
    rest: &'a str,
    levels: usize,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    /// Takes this off the front, if it stands there.
    fn take(&mut self, word: &str) -> bool {
        let after = self.rest.strip_prefix(word);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn must_take(&mut self, word: &str) -> Result<(), NotJson> {
        if self.take(word) { Ok(()) } else { Err(NotJson::Broken) }
    }

    fn value(&mut self) -> Result<Json, NotJson> {
        self.blanks();
        match self.rest.bytes().next() {
            Some(b'n') => self.must_take("null").map(|()| Json::Null),
            Some(b't') => self.must_take("true").map(|()| Json::Bool(true)),
            Some(b'f') => self.must_take("false").map(|()| Json::Bool(false)),
            Some(b'"') => self.text().map(Json::Text),
            Some(b'[') => self.nested(Self::list),
            Some(b'{') => self.nested(Self::object),
            Some(b'-' | b'0'..=b'9') => self.number().map(Json::Number),
            _ => Err(NotJson::Broken),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Json, NotJson>) -> Result<Json, NotJson> {
        self.levels += 1;
        if self.levels > MOST_LEVELS {
            return Err(NotJson::Broken);
        }
        let value = read(self);
        self.levels -= 1;
        value
    }

    fn list(&mut self) -> Result<Json, NotJson> {
        self.must_take("[")?;
        let mut items = Vec::new();
        self.blanks();
        if self.take("]") {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value()?);
            self.blanks();
            if self.take("]") {
                return Ok(Json::List(items));
            }
            self.must_take(",")?;
        }
    }

    fn object(&mut self) -> Result<Json, NotJson> {
        self.must_take("{")?;
        let mut members: Vec<(String, Json)> = Vec::new();
        self.blanks();
        if self.take("}") {
            return Ok(Json::Object(members));
        }
        loop {
            self.blanks();
            let name = self.text()?;
            self.blanks();
            self.must_take(":")?;
            let value = self.value()?;
            if members.iter().any(|(other, _)| *other == name) {
                return Err(NotJson::Broken);
            }
            members.push((name, value));
            self.blanks();
            if self.take("}") {
                return Ok(Json::Object(members));
            }
            self.must_take(",")?;
        }
    }

    fn text(&mut self) -> Result<String, NotJson> {
        self.must_take("\"")?;
        let mut text = String::new();
        loop {
            let c = self.rest.chars().next().ok_or(NotJson::Broken)?;
            self.rest = &self.rest[c.len_utf8()..];
            match c {
                '"' => return Ok(text),
                '\\' => text.push(self.escape()?),
                '\0'..='\u{1f}' => return Err(NotJson::Broken),
                _ => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, NotJson> {
        for (word, c) in [("\"", '"'), ("\\", '\\'), ("/", '/'), ("b", '\u{8}'), ("f", '\u{c}'), ("n", '\n'), ("r", '\r'), ("t", '\t')] {
            if self.take(word) {
                return Ok(c);
            }
        }
        let unit = self.unit()?;
        if !(0xd800..0xe000).contains(&unit) {
            return char::from_u32(unit).ok_or(NotJson::Broken);
        }
        self.must_take("\\")?;
        let low = self.unit()?;
        if unit >= 0xdc00 || !(0xdc00..0xe000).contains(&low) {
            return Err(NotJson::Broken);
        }
        char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00)).ok_or(NotJson::Broken)
    }

    /// `u` and four hexadecimal digits.
    fn unit(&mut self) -> Result<u32, NotJson> {
        self.must_take("u")?;
        let digits = self.rest.get(..4).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit())).ok_or(NotJson::Broken)?;
        self.rest = &self.rest[4..];
        u32::from_str_radix(digits, 16).map_err(|_| NotJson::Broken)
    }

    fn number(&mut self) -> Result<String, NotJson> {
        let start = self.rest;
        self.take("-");
        if !self.take("0") {
            self.digits()?;
        }
        if self.take(".") {
            self.digits()?;
        }
        if self.take("e") || self.take("E") {
            let _ = self.take("+") || self.take("-");
            self.digits()?;
        }
        let number = &start[..start.len() - self.rest.len()];
        // An infinite one is greater than any.
        let is_too_great = number.parse().is_ok_and(|value: f64| value.abs() > 1.79e308);
        if is_too_great { Err(NotJson::TooGreat) } else { Ok(number.to_owned()) }
    }

    fn digits(&mut self) -> Result<(), NotJson> {
        let after = self.rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let some = after.len() < self.rest.len();
        self.rest = after;
        if some { Ok(()) } else { Err(NotJson::Broken) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_read_as_rfc_8259_has_it() {
        for sound in [r#" {"a":[1,-0.5e+3,true,null,"\ud83d\ude00\u00e9\n"]} "#, "0", r#""""#, "[]", "{}", r#"{"":{"":0}}"#] {
            assert!(read(sound.as_bytes()).is_ok(), "{sound}");
        }
        for broken in [
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "01",
            "1.",
            ".5",
            "1e",
            "+1",
            "--1",
            "tru",
            "\"\\x\"",
            "\"\t\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\u+041\"",
            "1 2",
            "{\"a\":1,\"\\u0061\":2}",
            "\u{feff}1",
            "'a'",
            "NaN",
            "[1 2]",
        ] {
            assert_eq!(read(broken.as_bytes()), Err(NotJson::Broken), "{broken}");
        }
        assert_eq!(read(b"1e999"), Err(NotJson::TooGreat));
        let levels = |count: usize| [b"[".repeat(count), b"]".repeat(count)].concat();
        assert!(read(&levels(127)).is_ok() && read(&levels(128)).is_err());
    }
}
