//! Step 5 of lab 6, `read_framed`.

checks! { $ names_read_framed, "names" step 5: }
