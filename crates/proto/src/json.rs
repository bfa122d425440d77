//! JSON as the wire has it: RFC 8259, and no object with the same member twice.
//!
//! `serde_json` alone keeps the last of two equal members; two readers of one body could then
//! disagree about what it says, so here such a body does not parse.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Why a body does not parse, for people.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct JsonError(#[from] serde_json::Error);

/// Reads a body into `T`. Members that `T` does not know are skipped, wherever they stand.
///
/// # Errors
/// [`JsonError`] when the body is not UTF-8, not JSON, no object, has a member twice anywhere, or does
/// not fit `T`; also beyond the limits that RFC 8259, 9 allows: it nests deeper than 127, has a
/// number that no double holds, or half of a surrogate pair.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, JsonError> {
    let Unique(value) = serde_json::from_slice(body)?;
    // serde would take an array of the values for the members.
    if !value.is_object() {
        return Err(serde_json::Error::custom("a body is an object").into());
    }
    Ok(serde_json::from_value(value)?)
}

/// Writes a body, members in the order of `T`'s fields, without blanks.
///
/// # Panics
/// Never for this crate's types: they hold no map with keys that are not strings.
#[must_use]
pub fn body<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// A JSON value all of whose objects have different members.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Self)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Unique(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((member, Unique(value))) = access.next_entry::<String, Unique>()? {
            if map.insert(member, value).is_some() {
                return Err(A::Error::custom("a member stands twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct One {
        a: u64,
    }

    #[test]
    fn unknown_members_are_skipped_and_double_ones_refused() {
        assert_eq!(parse::<One>(br#" {"a":1,"b":[{"c":null}]} "#).unwrap(), One { a: 1 });
        for body in [
            &br#"{"a":1,"a":1}"#[..],
            br#"{"a":1,"b":{"c":1,"c":2}}"#,
            br#"{"a":1,"\u0061":1}"#,
            br#"{"a":1} x"#,
            br#"{"a":1,}"#,
            br#"{"a":"1"}"#,
            br#"{"a":1.0}"#,
            br#"[1]"#,
            br#"{'a':1}"#,
            b"{\"a\":1,\"b\":\"\xff\"}",
            br#"{"a":1,"b":"\ud800"}"#,
            br#"{"a":1,"b":NaN}"#,
            b"",
            b"\xef\xbb\xbf{\"a\":1}",
        ] {
            assert!(parse::<One>(body).is_err(), "{}", String::from_utf8_lossy(body));
        }
    }
}
