//! What must come back from lab 6's server, by a reading of RFC 1035 section 4 that shares nothing
//! with the lab's.

/// What a message must come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Silence,
    /// A header with this code, with the question or without it.
    Refusal(u8),
    /// An answer to the question, which has so many bytes: one of these codes.
    Answer(usize, &'static [u8]),
}

const SERVERS_OWN: &[u8] = &[0, 2, 3];
const REFUSED: &[u8] = &[5];
const OPCODE: u8 = 0x78;
const RD: u8 = 0x01;

pub(super) fn due(message: &[u8]) -> Due {
    if message.len() < 12 || message[2] >= 0x80 {
        return Due::Silence;
    }
    if message[2] & OPCODE != 0 {
        return Due::Refusal(4);
    }
    match question(message).filter(|_| message[4..6] == [0, 1]) {
        None => Due::Refusal(1),
        Some((length, true)) => Due::Answer(length, SERVERS_OWN),
        Some((length, false)) => Due::Answer(length, REFUSED),
    }
}

/// The length of the question, and whether it is for a name of the zone.
fn question(message: &[u8]) -> Option<(usize, bool)> {
    let mut labels: Vec<Vec<u8>> = Vec::new();
    let mut rest = &message[12..];
    loop {
        let (length, behind) = rest.split_first()?;
        if *length == 0 {
            rest = behind;
            break;
        }
        let (label, behind) = behind.split_at_checked(usize::from(*length))?;
        if *length > 63 {
            return None;
        }
        labels.push(label.to_ascii_lowercase());
        rest = behind;
    }
    let name = message.len() - 12 - rest.len();
    if name > 255 || rest.len() < 4 {
        return None;
    }
    let apex = [b"example".to_vec(), b"test".to_vec()];
    Some((name + 4, labels.ends_with(&apex) && rest[2..4] == [0, 1]))
}

/// What is wrong with the answer to a message.
pub(super) fn judge(message: &[u8], answer: &[u8], limit: usize) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("{what}: {answer:02x?}"));
    let code = |answer: &[u8]| answer[3] & 0x0f;
    let number = |at: usize| usize::from(u16::from_be_bytes([answer[at], answer[at + 1]]));
    if answer.len() < 12 || answer.len() > limit {
        return wrong("its length");
    }
    let copied = message[2] & (OPCODE | RD);
    // AA and TC depend on what was asked.
    if answer[..2] != message[..2] || answer[2] & !0x06 != 0x80 | copied || answer[3] & 0xf0 != 0 {
        return wrong("its header");
    }
    if number(8) != 0 || number(10) != 0 {
        return wrong("it has other sections");
    }
    match due(message) {
        Due::Silence => wrong("there must be none"),
        Due::Refusal(due) if code(answer) == due && number(6) == 0 => Ok(()),
        Due::Refusal(due) => wrong(&format!("its code is not {due}")),
        Due::Answer(_, codes) if !codes.contains(&code(answer)) => wrong("its code"),
        Due::Answer(length, _) => {
            if answer[12..].starts_with(&message[12..12 + length]) && number(4) == 1 {
                records(answer, 12 + length, number(6))
                    .filter(|end| *end == answer.len())
                    .map_or_else(|| wrong("its records"), |_| Ok(()))
            } else {
                wrong("its question")
            }
        }
    }
}

/// Where so many records end; nothing where they are not whole.
fn records(answer: &[u8], mut at: usize, count: usize) -> Option<usize> {
    for _ in 0..count {
        loop {
            match answer.get(at)? {
                0 => break at += 1,
                0xc0.. => break at += 2,
                length => at += 1 + usize::from(*length),
            }
        }
        let length = answer.get(at + 8..at + 10)?;
        at += 10 + usize::from(u16::from_be_bytes([length[0], length[1]]));
    }
    (at <= answer.len()).then_some(at)
}

#[test]
fn what_is_due_is_what_the_rfc_says() {
    let [www, other] = [super::query("www.example.test", 1), super::query("xexample.test", 1)];
    assert_eq!(due(&www), Due::Answer(22, SERVERS_OWN));
    assert_eq!(due(&other), Due::Answer(19, REFUSED));
    assert_eq!(due(&www[..11]), Due::Silence);
    assert_eq!(due(&www[..www.len() - 1]), Due::Refusal(1));
    let changed = |at: usize, value: u8| {
        let mut message = www.clone();
        message[at] = value;
        due(&message)
    };
    assert_eq!(changed(2, 0x80), Due::Silence);
    assert_eq!(changed(2, 0x10), Due::Refusal(4));
    assert_eq!(changed(4, 1), Due::Refusal(1));
    assert_eq!(changed(12, 0xc0), Due::Refusal(1));
    let text = std::fs::read_to_string("fixtures/06-names/zones/clients.zone").unwrap();
    assert!(text.contains("zone example.test\n"), "the zone that `question` knows");
}
