// Names may be compressed, so a pointer is followed.
// …
        192.. => {
            at = usize::from(number(message, at - 1).ok_or(broken)? & 0x3FFF);
            continue;
        }
        // …
