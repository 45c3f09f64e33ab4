//! Grades the labs together: one test for each check of programs that meet.
//!
//! `cargo test --test together` grades all, `cargo test passes_a_line` one check.

mod grade;

macro_rules! test_each {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                grade::passes("together", stringify!($name));
            }
        )*
    };
}

sockets_lab::together_checks!(test_each);
