//! A page that is reached by its name.

use super::lookup::look_up;
use super::page;
use crate::labs::names::Question;
use crate::net::{Cut, noise};
use crate::trial::{Trial, Verdict};

checks! { $ together_named_page, "together" step 6:
    fetches_a_page_by_its_name, 3 points: "your client fetches a page from the address that was found";
    "A name leads to an address (lab 6), the address to a connection (lab 2), and the connection to a page (lab 4)."
}

fn fetches_a_page_by_its_name(t: &mut Trial) -> Verdict {
    let host = t.addresses().host();
    look_up(t, &Question::for_address(host), &[], 0)?;
    t.note(format!("the page is fetched from the address that was found, {host}"));
    page::fetch(t, Cut::Whole, &noise(12, 50_000))
}
