//! Names: the labels, their form on the wire, and their form for people.

use std::hash::{Hash, Hasher};

/// The longest name on the wire, with its length bytes and the zero at its end (RFC 1035 2.3.4).
const LONGEST: usize = 255;
/// The longest label.
const LONGEST_LABEL: usize = 63;

/// A name, label by label, from the left. Two names are equal where their labels are, without
/// regard to upper and lower case (ASCII).
#[derive(Clone, Debug, Eq)]
pub struct Name {
    labels: Vec<Vec<u8>>,
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        let (mine, theirs) = (&self.labels, &other.labels);
        mine.len() == theirs.len()
            && mine.iter().zip(theirs).all(|(a, b)| a.eq_ignore_ascii_case(b))
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for label in &self.labels {
            label.to_ascii_lowercase().hash(state);
        }
    }
}

impl Name {
    /// The name of these labels; `None` where it is too long, or where a label is, or is empty.
    pub fn new(labels: Vec<Vec<u8>>) -> Option<Self> {
        let fit = labels.iter().all(|label| (1..=LONGEST_LABEL).contains(&label.len()));
        let length: usize = labels.iter().map(|label| 1 + label.len()).sum();
        (fit && length < LONGEST).then_some(Self { labels })
    }

    /// The name that a person writes: labels with dots between them, and none at the end.
    pub fn parse(text: &[u8]) -> Option<Self> {
        Self::new(text.split(|byte| *byte == b'.').map(<[u8]>::to_vec).collect())
    }

    /// Adds it to a message: each label behind its length, and a zero.
    pub fn write_to(&self, message: &mut Vec<u8>) {
        for label in &self.labels {
            // At most 63: `new` has seen to that.
            message.push(label.len() as u8);
            message.extend(label);
        }
        message.push(0);
    }

    /// Reads the name at `start`, which may end in a pointer to an earlier one (RFC 1035 4.1.4).
    /// Returns it, and where the message goes on behind it.
    pub fn read(message: &[u8], start: usize) -> Option<(Self, usize)> {
        let (mut labels, mut room) = (Vec::new(), LONGEST - 1);
        // A pointer leads to before the labels that are just being read, so each leads further back
        // than the one before it: none can lead in a circle.
        let (mut at, mut began, mut behind) = (start, start, None);
        loop {
            let length = *message.get(at)?;
            match length {
                0 => return Some((Self::new(labels)?, behind.unwrap_or(at + 1))),
                1..=63 => {
                    let end = at + 1 + usize::from(length);
                    labels.push(message.get(at + 1..end)?.to_vec());
                    room = usize::checked_sub(room, end - at)?;
                    at = end;
                }
                0xC0.. => {
                    let target = u16::from_be_bytes([length & 0x3F, *message.get(at + 1)?]);
                    let target = usize::from(target);
                    behind.get_or_insert(at + 2);
                    if target >= began {
                        return None;
                    }
                    (at, began) = (target, target);
                }
                _ => return None,
            }
        }
    }

    /// Whether it is `other`, or a name below it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.and_above().any(|name| name == *other)
    }

    /// It, the name above it, and so on up to the root.
    pub fn and_above(&self) -> impl Iterator<Item = Self> + '_ {
        (0..=self.labels.len()).map(|first| Self { labels: self.labels[first..].to_vec() })
    }

    /// It, for people: a dot within a label, and what can't be printed, is escaped.
    pub fn shown(&self) -> String {
        if self.labels.is_empty() {
            return ".".to_owned();
        }
        let shown = |label: &Vec<u8>| label.iter().map(|byte| shown(*byte)).collect::<String>();
        self.labels.iter().map(shown).collect::<Vec<_>>().join(".")
    }
}

fn shown(byte: u8) -> String {
    match byte {
        b'.' | b'\\' => format!("\\{}", char::from(byte)),
        33..=126 => char::from(byte).to_string(),
        _ => format!("\\{byte:03}"),
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    fn name(text: &str) -> Name {
        Name::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn names_are_compared_label_by_label_and_without_case() {
        assert_eq!(name("WWW.example.TEST"), name("www.Example.test"));
        let dotted = Name::new(vec![b"www.example".to_vec(), b"test".to_vec()]).unwrap();
        assert_ne!(dotted, name("www.example.test"));
        assert_eq!(dotted.shown(), "www\\.example.test");
    }

    #[test]
    fn a_name_is_within_another_where_whole_labels_say_so() {
        assert!(name("a.example.test").is_within(&name("EXAMPLE.test")));
        assert!(name("example.test").is_within(&name("example.test")));
        assert!(!name("xexample.test").is_within(&name("example.test")));
        assert!(!name("test").is_within(&name("example.test")));
    }

    #[test]
    fn a_name_has_at_most_255_bytes_and_a_label_63() {
        let label = "a".repeat(63);
        let longest = format!("{label}.{label}.{label}.{}", &label[..61]);
        let mut bytes = Vec::new();
        name(&longest).write_to(&mut bytes);
        assert_eq!(bytes.len(), 255);
        assert_eq!(Name::parse(format!("{longest}a").as_bytes()), None);
        assert_eq!(Name::parse("a".repeat(64).as_bytes()), None);
        for bad in ["", ".", "a..b", ".a", "a."] {
            assert_eq!(Name::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_pointer_leads_back_and_nowhere_else() {
        // 0: "a", 3: "b" and a pointer to "a", 7: the same again, by a pointer alone.
        let message = b"\x01a\0\x01b\xC0\x00\xC0\x03";
        assert_eq!(Name::read(message, 3), Some((name("b.a"), 7)));
        assert_eq!(Name::read(message, 7), Some((name("b.a"), 9)));
        for loops in
            [&b"\xC0\x00"[..], b"\xC0\x01\0", b"\x01a\xC0\x00", b"\xC0\x02\xC0\x00", b"\x01a\xC0"]
        {
            assert_eq!(Name::read(loops, 0), None, "{loops:?}");
        }
    }

    #[test]
    fn the_root_and_odd_bytes_can_be_shown() {
        assert_eq!(Name::new(Vec::new()).unwrap().shown(), ".");
        assert_eq!(Name::new(vec![b"a\\ \xFF".to_vec()]).unwrap().shown(), "a\\\\\\032\\255");
    }
}
