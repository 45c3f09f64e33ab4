//! Bencoding, as the harness writes it: torrents, and the answers of a tracker. It reads none: no
//! program of this lab sends any.

/// A value that has been written: what a list or a dictionary is made of.
pub(super) type Value = Vec<u8>;

/// `4:spam`.
pub(super) fn string(bytes: impl AsRef<[u8]>) -> Value {
    let bytes = bytes.as_ref();
    [format!("{}:", bytes.len()).as_bytes(), bytes].concat()
}

/// `i-3e`.
pub(super) fn integer(number: i64) -> Value {
    format!("i{number}e").into_bytes()
}

/// `l4:spam4:eggse`.
pub(super) fn list(values: impl IntoIterator<Item = Value>) -> Value {
    let values: Vec<_> = values.into_iter().collect();
    [b"l", &values.concat()[..], b"e"].concat()
}

/// `d3:cow3:moo4:spam4:eggse`: the keys sorted, as raw strings.
pub(super) fn dictionary<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    let mut entries: Vec<_> = entries.into_iter().collect();
    entries.sort();
    let entries = entries.into_iter().flat_map(|(key, value)| [string(key), value]);
    [b"d", &entries.collect::<Vec<_>>().concat()[..], b"e"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_specification_come_out() {
        assert_eq!(string("spam"), b"4:spam");
        assert_eq!(integer(-3), b"i-3e");
        assert_eq!(list([string("spam"), string("eggs")]), b"l4:spam4:eggse");
        let cow = dictionary([("spam", string("eggs")), ("cow", string("moo"))]);
        assert_eq!(cow, b"d3:cow3:moo4:spam4:eggse");
        assert_eq!(dictionary([("spam", list([string("a"), string("b")]))]), b"d4:spaml1:a1:bee");
    }
}
