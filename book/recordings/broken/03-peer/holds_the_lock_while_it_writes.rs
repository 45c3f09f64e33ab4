// The list must not change while I go through it.
for other in lock(&me.present).iter() {
    let mut stream: &TcpStream = other;
    // …
}
