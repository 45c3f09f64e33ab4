//! What the command line says of itself: all of it, or what belongs to one command.

use super::{CliError, unknown};

/// Every command, its options, and what holds for all.
pub(super) const ALL: &str = "\
The sockets lab: checks the labs, and shows what is right, what is wrong and why.

cargo lab                     check every lab and show the board
cargo lab check [WHAT ...]    check labs (server, or 1), steps (server/1, or listen)
                              or checks (server/half-close)
    --program 'CMD'           check this program instead of the lab's own, in any
                              language; {addr}, or {host} and {port}, stand where
                              it takes the address, {args} for all that the lab's
                              own program takes
    --server 'CMD'            the same for one lab of several (--client, --peer),
                              also where they meet:
                              `cargo lab check together --client 'nc -N {host} {port}'`
    --json                    the record as JSON on standard output, and no board
    --format NAME             the same in a format that others read: json, junit,
                              gradescope, classroom50, tap, or singly: of each
                              check what it says of that alone
    --record FILE             the same record into FILE, beside the board
    --junit FILE              the record as JUnit XML into FILE, too
    --submission NAME         whose work it is, for the record
cargo lab watch [LAB]         check at each save, and say what comes next
cargo lab list [LAB]          labs, steps, and how far they are; of a lab, its checks
cargo lab hint [STEP]         a hint for a step, each time a clearer one
cargo lab reset STEP|LAB      put the stub back, and save what was written
cargo lab start DIR           make a workspace for a student in a new folder
cargo lab update COURSE       bring a workspace up to a newer course; what you wrote
                              stays
cargo lab grade PATH ... --out DIR
                              grade a class: PATH is a submission, or a folder of
                              them; DIR gets a gradebook, a record and feedback for
                              each, and a page about the class
    --labs server,client      only these labs count
    --scheme FILE             what counts, and how much: a line `server 25` for each lab
    --worksheet FILE          fill in Moodle's grading worksheet: DIR/worksheet.csv
    --jobs N                  judge N submissions side by side (two a processor)
    --part 2/3                judge every third one, from the second on
    --user NAME               where the system refuses namespaces: judge as this
                              account, which has no rights (only root can)
    --format NAME             PATH is one submission: print its result, as for check,
                              and keep nothing; status 0 means judged
cargo lab gradebook RECORD ... --out DIR
                              the same of records that were made in parts, or
                              elsewhere; nothing is judged
cargo lab gradescope-zip FILE  an autograder for Gradescope, without the solutions;
                              --labs and --scheme as above
cargo lab trace [WHAT]        record a check, or one of the book's scenes, and show
                              both ends step by step, with what the kernel shows
    --program 'CMD'           of this program instead of the lab's own
    --syscalls                with the program's system calls (needs strace)
    --json FILE               the recording as JSON into FILE, too
    --svg FILE                the recording as a figure into FILE, too
cargo lab demo [NAME | --all] show that what many believe about sockets is wrong
cargo lab demo who-pays [--chart FILE]
                              measure how long it takes until many have a file, from
                              one and from each other, with your lab 9 (3 minutes)
cargo lab demo pipelining [--chart FILE]
                              measure how long a file takes over a long line, by how
                              many requests are in flight, with your lab 9 (a minute)
cargo lab demo kills [--kills N] [--seed N]
                              kill one process after another of two balancers, three
                              web servers and a name server, your own, and count what
                              clients notice; haproxy and nginx as well (5 minutes)
cargo lab ports [--all]       the ports that the lab's programs (all: your programs)
                              have in use
cargo lab help, --version

In the course `cargo run` is the same program: `cargo run -- check server`.

LAB_PATIENCE=10      wait ten times as long (a slow machine, a debugger)
LAB_STRICT=1         for grading: a skipped check counts as failed, and nothing is
                     judged without isolation
LAB_ISOLATION=off    use the system's own network instead of a namespace
NO_COLOR=1           no colours

exit status: 0 nothing failed, 1 something failed, 2 wrong usage,
             3 the harness could not do its job
";

/// How every command's lines begin.
const COMMAND: &str = "cargo lab ";

/// Whether this argument asks what a command can do.
pub(super) fn is_asked_for(argument: &str) -> bool {
    matches!(argument, "--help" | "-h")
}

/// The lines of one command.
pub(super) fn of(command: &str) -> Result<String, CliError> {
    let mut text = String::new();
    let mut is_its = false;
    for line in ALL.lines().take_while(|line| !line.starts_with("In the course")) {
        if let Some(rest) = line.strip_prefix(COMMAND) {
            is_its = rest.split(' ').next() == Some(command);
        }
        if is_its {
            text.extend([line, "\n"]);
        }
    }
    match text.trim_end() {
        "" => Err(CliError::Usage(unknown(command))),
        text => Ok(format!("{text}\n\n`cargo lab help` shows all commands\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::COMMANDS;
    use super::*;

    #[test]
    fn each_command_has_lines_of_its_own() {
        for command in COMMANDS.iter().filter(|command| **command != "help") {
            let text = of(command).unwrap();
            assert!(text.starts_with(&format!("cargo lab {command}")), "{text}");
        }
        assert!(of("check").unwrap().contains("--program 'CMD'"));
        assert!(!of("check").unwrap().contains("cargo lab watch"));
        assert_eq!(of("demo").unwrap().matches("cargo lab demo").count(), 4);
        assert!(of("chekc").is_err());
    }
}
