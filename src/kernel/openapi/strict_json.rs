//! JSON in which no object names a key twice: parsers disagree on which of the two counts.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Repeated keys that are reported.
const REPORTED: usize = 100;

/// Reads a document. Returns it together with the JSON pointers of repeated keys; of those the first value is kept.
///
/// # Errors
/// When the bytes are not JSON.
pub fn parse(bytes: &[u8]) -> Result<(Value, Vec<String>), serde_json::Error> {
    let repeated = RefCell::default();
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Node { pointer: String::new(), repeated: &repeated }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok((value, repeated.into_inner()))
}

/// One value of the document, at its place.
struct Node<'a> {
    pointer: String,
    repeated: &'a RefCell<Vec<String>>,
}

impl Node<'_> {
    fn child(&self, name: &str) -> Self {
        let name = name.replace('~', "~0").replace('/', "~1").replace('\0', "");
        Node { pointer: format!("{}/{name}", self.pointer), repeated: self.repeated }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("the number is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.child(&list.len().to_string()))? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            let child = self.child(&name);
            let pointer = child.pointer.clone();
            let value = fields.next_value_seed(child)?;
            if object.contains_key(&name) {
                let mut repeated = self.repeated.borrow_mut();
                if repeated.len() < REPORTED {
                    repeated.push(pointer);
                }
            } else {
                object.insert(name, value);
            }
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn repeated_keys_are_named_wherever_they_are() {
        let (value, repeated) = parse(br#"{"a": 1, "b": [{"c/d": 2, "c\/d": 3}], "\u0061": 4}"#).unwrap();
        assert_eq!(value, json!({"a": 1, "b": [{"c/d": 2}]}));
        assert_eq!(repeated, ["/b/0/c~1d", "/a"]);
    }

    #[test]
    fn all_else_is_read_as_usual() {
        let text = r#"{"a": [null, true, -1, 18446744073709551615, 1.5, "ấ"], "b": {}}"#;
        assert_eq!(parse(text.as_bytes()).unwrap(), (serde_json::from_str(text).unwrap(), Vec::new()));
        for bytes in [&b"{"[..], b"{} {}", b"\xff", "[".repeat(10_000).as_bytes()] {
            assert!(parse(bytes).is_err());
        }
    }
}
