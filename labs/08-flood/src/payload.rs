//! What descriptors say behind their headers. Numbers are little-endian, IP addresses in the order
//! in which they are written.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::descriptor::Id;
use crate::folder::{Shared, is_file_name};

/// What is in a Pong.
#[derive(Debug, PartialEq, Eq)]
pub struct Pong {
    /// Where its servent listens.
    pub address: SocketAddrV4,
    /// So many files are shared there,
    pub files: u32,
    /// and so many kilobytes.
    pub kilobytes: u32,
}

/// A file that somebody has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Where it can be got.
    pub address: SocketAddrV4,
    /// Its number there.
    pub index: u32,
    /// Its size, in bytes.
    pub size: u32,
    /// Its name.
    pub name: String,
}

/// The payload of a Pong.
pub fn pong(address: SocketAddrV4, files: u32, kilobytes: u32) -> Vec<u8> {
    let mut payload = address.port().to_le_bytes().to_vec();
    payload.extend(address.ip().octets());
    payload.extend(files.to_le_bytes());
    payload.extend(kilobytes.to_le_bytes());
    payload
}

/// Reads the payload of a Pong. `None`: it is too short. What else is in it does not count.
pub fn read_pong(payload: &[u8]) -> Option<Pong> {
    let mut rest = payload;
    let address = take_address(&mut rest)?;
    let [files, kilobytes] = [take(&mut rest)?, take(&mut rest)?].map(u32::from_le_bytes);
    Some(Pong { address, files, kilobytes })
}

/// The payload of a Query for this text, in which there is no NUL.
pub fn query(text: &str) -> Vec<u8> {
    let mut payload = 0_u16.to_le_bytes().to_vec();
    payload.extend(text.as_bytes());
    payload.push(0);
    payload
}

/// The words that a Query asks for. `None`: it is broken. What follows its text is ignored.
pub fn words(payload: &[u8]) -> Option<Vec<&[u8]>> {
    let text = until_nul(payload.get(2..)?)?;
    Some(text.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).collect())
}

/// The payload of a QueryHit with these files, at most 255, of the servent with this id.
pub fn query_hit(address: SocketAddrV4, files: &[Shared], servent: &Id) -> Vec<u8> {
    let mut payload = vec![files.len() as u8];
    payload.extend(address.port().to_le_bytes());
    payload.extend(address.ip().octets());
    payload.extend(0_u32.to_le_bytes());
    for file in files {
        payload.extend(file.index.to_le_bytes());
        payload.extend(file.size.to_le_bytes());
        payload.extend(file.name.as_bytes());
        payload.extend([0, 0]);
    }
    payload.extend(servent);
    payload
}

/// Reads the payload of a QueryHit: its hits, but for those whose names are no names of files.
/// `None`: it has fewer hits than it says.
pub fn read_query_hit(payload: &[u8]) -> Option<Vec<Hit>> {
    let (hits, _servent) = payload.split_last_chunk::<16>()?;
    let mut rest = hits;
    let [count] = take(&mut rest)?;
    let address = take_address(&mut rest)?;
    let _speed: [u8; 4] = take(&mut rest)?;
    let mut hits = Vec::new();
    for _ in 0..count {
        let [index, size] = [take(&mut rest)?, take(&mut rest)?].map(u32::from_le_bytes);
        let name = until_nul(rest)?;
        rest = &rest[name.len() + 1..];
        // Between the two NULs later versions put more about the file.
        rest = &rest[until_nul(rest)?.len() + 1..];
        if let Some(name) = str::from_utf8(name).ok().filter(|name| is_file_name(name)) {
            hits.push(Hit { address, index, size, name: name.to_owned() });
        }
    }
    Some(hits)
}

/// A port and an address, as they stand in both kinds of answer.
fn take_address(rest: &mut &[u8]) -> Option<SocketAddrV4> {
    let port = u16::from_le_bytes(take(rest)?);
    Some(SocketAddrV4::new(Ipv4Addr::from(take::<4>(rest)?), port))
}

/// The next bytes.
fn take<const COUNT: usize>(rest: &mut &[u8]) -> Option<[u8; COUNT]> {
    let (taken, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*taken)
}

/// What stands before the first NUL.
fn until_nul(bytes: &[u8]) -> Option<&[u8]> {
    bytes.iter().position(|byte| *byte == 0).map(|end| &bytes[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 1), 0x1B59);

    fn two() -> Vec<Shared> {
        let file = |index, size, name: &str| Shared { index, size, name: name.to_owned() };
        vec![file(0, 300_000, "my song.ogg"), file(7, 1, "a")]
    }

    #[test]
    fn a_pong_has_its_numbers_little_endian_and_its_address_as_it_is_written() {
        let payload = pong(ADDRESS, 12, 4096);
        assert_eq!(payload, [0x59, 0x1B, 127, 0, 0, 1, 12, 0, 0, 0, 0, 16, 0, 0]);
        let longer = [&payload[..], b"more"].concat();
        assert_eq!(read_pong(&longer), Some(Pong { address: ADDRESS, files: 12, kilobytes: 4096 }));
        assert_eq!(read_pong(&payload[..13]), None);
    }

    #[test]
    fn the_words_of_a_query_stand_between_blanks_before_the_nul() {
        assert_eq!(words(&query("my  song ")), Some(vec![&b"my"[..], b"song"]));
        assert_eq!(words(b"\0\0a\0b\0"), Some(vec![&b"a"[..]]));
        assert_eq!(words(&query("")), Some(vec![]));
        for broken in [&b""[..], b"\0", b"\0\0", b"\0\0song"] {
            assert_eq!(words(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn hits_come_back_as_they_were() {
        let hits = read_query_hit(&query_hit(ADDRESS, &two(), &[9; 16])).unwrap();
        let names: Vec<_> =
            hits.iter().map(|hit| (hit.index, hit.size, hit.name.as_str())).collect();
        assert_eq!(names, [(0, 300_000, "my song.ogg"), (7, 1, "a")]);
        assert!(hits.iter().all(|hit| hit.address == ADDRESS));
    }

    #[test]
    fn what_stands_between_two_nuls_and_behind_the_last_hit_is_skipped() {
        let mut payload = query_hit(ADDRESS, &two()[1..], &[9; 16]);
        let end = payload.len() - 16;
        payload.splice(end..end, *b"behind");
        payload.splice(end - 1..end - 1, *b"128 kbit/s");
        assert_eq!(read_query_hit(&payload).map(|hits| hits.len()), Some(1));
    }

    #[test]
    fn what_does_not_fit_has_no_hits() {
        let payload = query_hit(ADDRESS, &two(), &[9; 16]);
        for end in 0..payload.len() {
            assert_eq!(read_query_hit(&payload[..end]), None, "{end}");
        }
        let mut lying = payload;
        lying[0] = 255;
        assert_eq!(read_query_hit(&lying), None);
    }

    #[test]
    fn a_hit_whose_name_is_none_is_left_out() {
        let mut files = two();
        files[0].name = "../song.ogg".to_owned();
        let hits = read_query_hit(&query_hit(ADDRESS, &files, &[9; 16])).unwrap();
        assert_eq!(hits.len(), 1);
        assert_eq!(hits[0].name, "a");
    }
}
