//! Names, types, codes and records as people write them.

use std::fmt;
use std::net::Ipv6Addr;

use super::message::{A, AAAA, ANY, CNAME, IN, MX, NS, Record, TXT};

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, kind, class, ttl, data } = self;
        write!(f, "{} {ttl} ", shown_name(name))?;
        if *class != IN {
            write!(f, "CLASS{class} ")?;
        }
        write!(f, "{} {}", type_name(*kind), shown_data(*kind, data))
    }
}

/// `MX`, or `TYPE65`.
pub(super) fn type_name(kind: u16) -> String {
    let known = [
        (A, "A"),
        (NS, "NS"),
        (CNAME, "CNAME"),
        (MX, "MX"),
        (TXT, "TXT"),
        (AAAA, "AAAA"),
        (ANY, "ANY"),
    ];
    let name = known.iter().find(|(number, _)| *number == kind);
    name.map_or_else(|| format!("TYPE{kind}"), |(_, name)| (*name).to_owned())
}

/// `NXDOMAIN`, or `RCODE6`.
pub(super) fn code_name(code: u16) -> String {
    let known = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];
    known.get(usize::from(code)).map_or_else(|| format!("RCODE{code}"), |name| (*name).to_owned())
}

/// A name on the wire, for people.
pub(super) fn shown_name(name: &[u8]) -> String {
    let mut labels = Vec::new();
    let mut rest = name;
    while let [length @ 1..=63, behind @ ..] = rest {
        let (label, behind) = behind.split_at(usize::from(*length).min(behind.len()));
        labels.push(label.escape_ascii().to_string());
        rest = behind;
    }
    if labels.is_empty() { ".".into() } else { labels.join(".") }
}

fn shown_data(kind: u16, data: &[u8]) -> String {
    match (kind, data) {
        (A, [a, b, c, d]) => format!("{a}.{b}.{c}.{d}"),
        (AAAA, data) if data.len() == 16 => {
            Ipv6Addr::from(<[u8; 16]>::try_from(data).unwrap_or_default()).to_string()
        }
        (NS | CNAME, data) => shown_name(data),
        (MX, [high, low, name @ ..]) => {
            format!("{} {}", u16::from_be_bytes([*high, *low]), shown_name(name))
        }
        (_, data) => {
            let hex: String = data.iter().take(24).map(|byte| format!("{byte:02x}")).collect();
            let more = if data.len() > 24 { " …" } else { "" };
            format!("\\# {} {hex}{more}", data.len())
        }
    }
}
