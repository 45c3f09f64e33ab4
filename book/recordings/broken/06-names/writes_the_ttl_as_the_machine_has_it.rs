// to_ne_bytes makes bytes of a number.
// …
    record.name.write_to(&mut reply);
    reply.extend(record.kind.to_be_bytes());
    reply.extend(IN.to_be_bytes());
    reply.extend(record.ttl.to_ne_bytes());
    reply.extend((record.data.len() as u16).to_be_bytes());
    reply.extend(&record.data);
    // …
