//! The wire between two programs: what it holds back, what it cuts, and how fast it lets bytes pass.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sockets_lab::net::{Cut, Rate, Way, Wire, noise};
use sockets_lab::trial::{Progress, Running, Trial, Verdict};

use super::specimens::{passes, start};

/// An echo, and a wire to it.
fn echo_behind_a_wire(t: &Trial) -> Verdict<(Rc<Running>, Wire)> {
    let at = t.addresses().free_address();
    let service = t.listening(start(t, &["connections", &at.to_string()])?, at)?;
    let wire = t.wire("the caller", "the echo", at, Cut::Whole)?;
    Ok((service.running, wire))
}

fn call(at: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(at).unwrap();
    stream.set_nonblocking(true).unwrap();
    stream
}

/// Reads so many bytes, or the end; fails where the harness finds that nothing can come any more.
fn read(t: &Trial, running: &Running, stream: &mut TcpStream, length: usize) -> Verdict<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    let come = t.wait(running, || {
        Ok(match stream.read(&mut buffer) {
            Ok(0) => Progress::Done(()),
            Ok(count) => {
                bytes.extend_from_slice(&buffer[..count]);
                if bytes.len() >= length { Progress::Done(()) } else { Progress::Moved }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Progress::Nothing,
            Err(error) => panic!("{error}"),
        })
    })?;
    match come {
        Ok(()) => Ok(bytes),
        Err(stall) => Err(t.fail("no more bytes").seen(stall.sentence("echo")).stop()),
    }
}

#[test]
fn a_limited_sender_keeps_to_its_rate_and_nobody_says_that_it_stands_still() {
    passes(|t| {
        let (running, wire) = echo_behind_a_wire(t)?;
        // A third of a second over the two directions, of which none can be faster than its rate.
        let rate = Arc::new(Rate::new(400_000));
        wire.limit(Way::Up, &rate);
        let began = Instant::now();
        let mut stream = call(wire.address);
        let bytes = noise(1, 150_000);
        stream.set_nonblocking(false).unwrap();
        stream.write_all(&bytes).unwrap();
        stream.set_nonblocking(true).unwrap();
        assert!(read(t, &running, &mut stream, bytes.len())? == bytes);
        let least = Duration::from_secs_f64((150_000.0 - 16_384.0) / 400_000.0);
        assert!(began.elapsed() >= least, "{:?}", began.elapsed());
        assert_eq!(wire.counts(), [[150_000; 2]]);
        Ok(())
    });
}

#[test]
fn what_a_wire_holds_back_comes_when_it_is_released() {
    passes(|t| {
        let (running, wire) = echo_behind_a_wire(t)?;
        let mut stream = call(wire.address);
        wire.hold(Way::Down);
        stream.write_all(b"hello").unwrap();
        let held = t.wait(&running, || {
            Ok(match wire.counts().first() {
                Some([5, 5]) => Progress::Done(()),
                _ => Progress::Nothing,
            })
        })?;
        assert!(held.is_ok(), "the echo is on the wire");
        assert!(t.settle(&running)?.is_ok(), "what is held back keeps nobody busy");
        assert_eq!(stream.read(&mut [0; 9]).unwrap_err().kind(), ErrorKind::WouldBlock);
        wire.release(Way::Down);
        assert_eq!(read(t, &running, &mut stream, 5)?, b"hello");
        Ok(())
    });
}

#[test]
fn one_connection_is_cut_and_the_other_one_goes_on() {
    passes(|t| {
        let (running, wire) = echo_behind_a_wire(t)?;
        let mut streams = [(); 2].map(|()| call(wire.address));
        for stream in &mut streams {
            stream.write_all(b"hello").unwrap();
            assert_eq!(read(t, &running, stream, 5)?, b"hello");
        }
        wire.cut_one(0);
        let [first, second] = &mut streams;
        assert_eq!(read(t, &running, first, 1)?, b"", "the end");
        second.write_all(b"again").unwrap();
        assert_eq!(read(t, &running, second, 5)?, b"again");
        Ok(())
    });
}
