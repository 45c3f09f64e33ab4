//! Step 4 of lab 6, `ask`.

checks! { $ names_ask, "names" step 4: }
