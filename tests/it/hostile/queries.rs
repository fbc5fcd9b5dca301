//! Queries that are whole and right but for one parameter.

use super::values::{Kind, sample, wrong_texts};
use crate::stage::Operation;

type Pairs = Vec<(String, String)>;

/// A query, which of its parameters is wrong, and how.
pub struct Query {
    pub name: String,
    pub what: String,
    pub pairs: Pairs,
}

/// Every way to spoil one parameter of a right query.
pub fn queries(operation: &Operation, right: &Pairs) -> Vec<Query> {
    let surplus = ("surplus".to_owned(), "1".to_owned());
    let unknown = [right.clone(), vec![surplus]].concat();
    let mut found = vec![Query { name: "surplus".to_owned(), what: "unknown".to_owned(), pairs: unknown }];
    for parameter in operation.parameters("query") {
        let (name, kind) = (parameter["name"].as_str().unwrap(), Kind::of(&parameter["schema"]));
        let others: Pairs = right.iter().filter(|(other, _)| other != name).cloned().collect();
        let mut add = |what: &str, values: &[String]| {
            let own = values.iter().map(|value| (name.to_owned(), value.clone()));
            let pairs = others.iter().cloned().chain(own).collect();
            found.push(Query { name: name.to_owned(), what: what.to_owned(), pairs });
        };
        if parameter["required"] == true {
            add("missing", &[]);
        }
        let sample = sample(&kind);
        let sample = sample.as_str().map_or_else(|| sample.to_string(), encoded);
        add("given twice", &[sample.clone(), sample]);
        wrong(&kind).into_iter().for_each(|(what, value)| add(what, &[value]));
    }
    found
}

/// Wrong values as they stand in an address.
fn wrong(kind: &Kind<'_>) -> Vec<(&'static str, String)> {
    let mut found = vec![("bad UTF-8", "%F0%28%8C%BC".to_owned())];
    if kind.is("string") {
        // Parameters are not normalised: what is not seen is a text.
        let texts = wrong_texts(kind).into_iter().filter(|(what, _)| *what != "invisible" || !kind.takes_any_visible());
        found.extend(texts.map(|(what, text)| (what, encoded(&text))));
        return found;
    }
    let no_numbers = ["", "x", "1.5", "99999999999999999999", "null", "%00"];
    found.extend(no_numbers.map(|value| ("no number, no truth", value.to_owned())));
    if kind.is("integer") {
        let bounds = [kind.number("minimum").map(|least| least - 1), kind.number("maximum").map(|most| most + 1)];
        found.extend(bounds.into_iter().flatten().map(|number| ("out of bounds", number.to_string())));
        found.push(("out of bounds", i64::MIN.to_string()));
    }
    found
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let each = |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(each).collect()
}
