//! Grades lab 3, the peer: one test for each of its checks.
//!
//! `cargo test --test peer` grades the lab, `cargo test keeps_speakers_apart` one check.

mod grade;

macro_rules! test_each {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                grade::passes("peer", stringify!($name));
            }
        )*
    };
}

sockets_lab::peer_checks!(test_each);
