//! `lab`: see [`sockets_lab::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    // An argument that is no UTF-8 is no lab, no check and no option either.
    let arguments = std::env::args_os().skip(1);
    let arguments: Vec<_> = arguments.map(|word| word.to_string_lossy().into_owned()).collect();
    ExitCode::from(sockets_lab::cli::run(&arguments))
}
