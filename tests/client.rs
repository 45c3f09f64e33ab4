//! Grades lab 2, the client: one test for each of its checks.
//!
//! `cargo test --test client` grades the lab, `cargo test connects_once` one check.

mod grade;

macro_rules! test_each {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                grade::passes("client", stringify!($name));
            }
        )*
    };
}

sockets_lab::client_checks!(test_each);
