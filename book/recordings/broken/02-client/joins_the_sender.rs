// A thread that was started is joined, so that nothing is lost.
// …
io::copy(&mut stream, &mut Unbuffered)?;
return sender.join().map_err(|_| io::Error::other("the sender panicked"))?;

struct Unbuffered;
impl Write for Unbuffered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().write_all(bytes)?;
        io::stdout().flush()?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
