// accept gives the client, serve serves it, done.
let (stream, _) = listener.accept()?;
serve(stream)
