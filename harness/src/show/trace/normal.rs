//! What differs from run to run, made alike: so that a recording can be compared with the next.

/// The ports that the harness gives away begin here; the reader knows 7007.
const OWN: std::ops::RangeInclusive<u32> = 7107..=7999;
/// What the kernel gives away (`ip_local_port_range`).
const EPHEMERAL: std::ops::RangeInclusive<u32> = 32_768..=60_999;
/// In a recording they are numbered from here, in the order in which they appear.
const FIRST_EPHEMERAL: usize = 50_001;
/// The number before the reader's first port of a server.
const FIRST_OWN: usize = 7007;

/// The text with ports as if every run were the first of a fresh machine: the harness's own
/// become 7007, 7008 …, ephemeral ones 50001, 50002 …, in the order in which they appear.
///
/// ```
/// let text = sockets_lab::show::trace::normalise("127.0.0.1:7112 with 127.0.0.1:40123");
/// assert_eq!(text, "127.0.0.1:7007 with 127.0.0.1:50001");
/// ```
pub fn normalise(text: &str) -> String {
    named(text, &mut Ports::default())
}

/// The ports that were seen in a text, each kind in the order in which it appears.
#[derive(Debug, Default)]
pub struct Ports {
    own: Vec<u32>,
    ephemeral: Vec<u32>,
}

impl Ports {
    /// Those of a text.
    pub fn of(text: &str) -> Self {
        let mut ports = Self::default();
        named(text, &mut ports);
        ports
    }

    /// Gives the ports in what a program has said the names that they have in the text: numbers
    /// that stand by themselves.
    pub fn rename(&self, bytes: &mut [u8]) {
        let mut at = 0;
        while at < bytes.len() {
            let is_in_word = |byte: &u8| byte.is_ascii_alphanumeric();
            let length = bytes[at..].iter().take_while(|byte| is_in_word(byte)).count();
            let word = &mut bytes[at..at + length];
            let number = str::from_utf8(word).ok().and_then(|word| word.parse().ok());
            if let Some(name) = number.and_then(|number| self.name(number)) {
                // They have as many digits as the real ones.
                word.copy_from_slice(name.to_string().as_bytes());
            }
            at += length + 1;
        }
    }

    fn name(&self, port: u32) -> Option<usize> {
        let place = |seen: &[u32]| seen.iter().position(|known| *known == port);
        let own = place(&self.own).map(|place| FIRST_OWN + place);
        own.or_else(|| place(&self.ephemeral).map(|place| FIRST_EPHEMERAL + place))
    }
}

fn named(text: &str, Ports { own, ephemeral }: &mut Ports) -> String {
    replace_numbers(text, |before, number| {
        let is_port = [":", "port ", "htons("].iter().any(|lead| before.ends_with(lead));
        match number {
            _ if !is_port => None,
            _ if OWN.contains(&number) => Some(FIRST_OWN + place(own, number)),
            _ if EPHEMERAL.contains(&number) => Some(FIRST_EPHEMERAL + place(ephemeral, number)),
            _ => None,
        }
    })
}

/// The date of each recording (RFC 9110 has it as an example).
const DATE: &[u8] = b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

/// Puts one and the same date into the field Date of a reply, or into as much of it as there is.
pub fn undate(bytes: &mut [u8]) {
    let name = b"\r\nDate: ";
    let found = bytes.windows(name.len()).position(|window| window == name);
    let field = found.map_or(&mut [][..], |at| &mut bytes[at + 2..]);
    for (byte, own) in field.iter_mut().zip(DATE) {
        *byte = *own;
    }
}

/// The text without the numbers that are marked as different in each run.
///
/// ```
/// assert_eq!(sockets_lab::show::trace::mask("≈150336 bytes of 4"), "≈0 bytes of 4");
/// ```
pub fn mask(text: &str) -> String {
    replace_numbers(text, |before, _| before.ends_with('≈').then_some(0))
}

/// The number's place among those that were seen, which it joins.
fn place(seen: &mut Vec<u32>, number: u32) -> usize {
    seen.iter().position(|known| *known == number).unwrap_or_else(|| {
        seen.push(number);
        seen.len() - 1
    })
}

/// Each number in turn, with all of the text before it: what to put in its place.
fn replace_numbers(text: &str, mut with: impl FnMut(&str, u32) -> Option<usize>) -> String {
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    while let Some(offset) = text[at..].find(|c: char| c.is_ascii_digit()) {
        let start = at + offset;
        let rest = &text[start..];
        let end = start + rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        out.push_str(&text[at..start]);
        let number = text[start..end].parse().ok().and_then(|number| with(&text[..start], number));
        match number {
            Some(number) => out.push_str(&number.to_string()),
            None => out.push_str(&text[start..end]),
        }
        at = end;
    }
    out + &text[at..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_port_has_the_same_name_everywhere() {
        let text = "127.0.0.1:7108 127.0.0.1:50234 port 40000 port 50234 htons(7108) x:7109";
        let normal = "127.0.0.1:7007 127.0.0.1:50001 port 50002 port 50001 htons(7007) x:7008";
        assert_eq!(normalise(text), normal);
        assert_eq!(normalise(normal), normal, "a recording is its own normal form");
    }

    #[test]
    fn what_a_program_says_of_ports_has_the_same_names() {
        let ports = Ports::of("127.0.0.1:7108 127.0.0.1:50234 127.0.0.1:7110");
        let mut said = *b"JOIN bob 7110, WELCOME 127.0.0.1:7108 7109 a7110 50234 97110";
        ports.rename(&mut said);
        let names = b"JOIN bob 7008, WELCOME 127.0.0.1:7007 7109 a7110 50001 97110";
        assert_eq!(&said, names);
    }

    #[test]
    fn replies_have_the_same_date_in_every_run() {
        let mut reply =
            *b"HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 16:10:29 GMT\r\nConnection: close\r\n";
        undate(&mut reply);
        let same =
            b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: close\r\n";
        assert_eq!(&reply, same);
        let mut cut = *b"HTTP/1.1 200 OK\r\nDate: Sat";
        undate(&mut cut);
        assert_eq!(&cut, b"HTTP/1.1 200 OK\r\nDate: Sun");
    }

    #[test]
    fn other_numbers_stay() {
        for text in ["7107 bytes", "Ok(40000)", "127.0.0.1:80", "≈7107", "99999999999999999999:"]
        {
            assert_eq!(normalise(text), text);
        }
    }
}
