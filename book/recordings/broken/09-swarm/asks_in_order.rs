// First the first piece.
// …
            let Some(piece) = peer.has.pieces().find(|piece| !store.has(*piece) && !mine.contains(piece))
            else {
                return;
            };
            // …
