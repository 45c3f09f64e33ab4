//! Grades lab 1, the server: one test for each of its checks.
//!
//! `cargo test --test server` grades the lab, `cargo test half_close` one check.

mod grade;

macro_rules! test_each {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                grade::passes("server", stringify!($name));
            }
        )*
    };
}

sockets_lab::server_checks!(test_each);
