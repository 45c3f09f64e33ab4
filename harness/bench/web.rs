//! Lab 4's solution beside real web servers, where those are installed, with wrk as their client;
//! and how much memory it takes to send a large file.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use sockets_lab::kernel;
use tempfile::TempDir;

use super::echo::Server;
use super::measure::{ROUNDS, race};

/// Of the file whose download is watched.
const LARGE: u64 = 1 << 30;

/// What is measured of each server: what wrk is told, and whose file it fetches.
struct Load {
    what: &'static str,
    arguments: &'static [&'static str],
    file: &'static str,
}

const LOADS: [Load; 3] = [
    Load { what: "1 kB over 8 connections that are kept", arguments: &[], file: "1k.bin" },
    Load {
        what: "1 kB, a connection each, 8 at a time",
        arguments: &["-H", "Connection: close"],
        file: "1k.bin",
    },
    Load { what: "100 kB over 8 connections that are kept", arguments: &[], file: "100k.bin" },
];

/// Prints what each server does, and the ratio of its median to the solution's.
pub(crate) fn throughput(solution: &Path) -> io::Result<()> {
    let folder = TempDir::new()?;
    let root = folder.path().join("root");
    fs::create_dir(&root)?;
    fs::write(root.join("1k.bin"), [b'x'; 1000])?;
    fs::write(root.join("100k.bin"), vec![b'x'; 100_000])?;
    println!(
        "web throughput, requests/s: medians of {ROUNDS} rounds, in which the servers take turns \
         (least to most)"
    );
    if Command::new("wrk").arg("-v").output().is_err() {
        println!("  skipped: wrk is not installed");
    } else {
        beside_others(solution, folder.path(), &root)?;
    }
    download(solution, &root)
}

fn beside_others(solution: &Path, folder: &Path, root: &Path) -> io::Result<()> {
    let solution = solution.to_string_lossy();
    let (root, nginx) = (root.to_string_lossy(), folder.join("nginx.conf"));
    let conf = nginx.to_string_lossy();
    let programs: [(&str, &str, Vec<&str>); 4] = [
        ("lab 4", &solution, vec!["{addr}", &root]),
        ("nginx", "nginx", vec!["-e", "stderr", "-c", &conf]),
        ("busybox", "busybox", vec!["httpd", "-f", "-p", "{addr}", "-h", &root]),
        (
            "python3",
            "python3",
            vec!["-m", "http.server", "-b", "{host}", "-d", &root, "-p", "HTTP/1.1", "{port}"],
        ),
    ];
    let mut servers = Vec::new();
    for (name, program, arguments) in programs {
        let started = Server::start_with(program, &arguments, |address| {
            fs::write(&nginx, configuration(address, folder, &root))
        });
        match started {
            Some(server) => servers.push((name, server)),
            None => println!("  {name:<8} skipped: it can't be started"),
        }
    }
    for load in LOADS {
        println!("  {}", load.what);
        race(&servers, |server| load.run(server.address))?;
    }
    Ok(())
}

/// An nginx that sends files and writes no log, in one process: a master's workers would outlive
/// it.
pub(crate) fn configuration(address: SocketAddr, folder: &Path, root: &str) -> String {
    let folder = folder.display();
    let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {folder}/{name}; "))
        .concat();
    format!(
        "daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr crit; \
         events {{ }} http {{ {paths} access_log off; sendfile on; tcp_nopush on; \
         keepalive_requests 1000000; server {{ listen {address}; root {root}; }} }}\n"
    )
}

impl Load {
    fn run(&self, address: SocketAddr) -> io::Result<f64> {
        wrk(address, self.arguments, self.file)
    }
}

/// Requests a second over 8 connections at a time, as wrk counts them. A request that failed is an
/// error here.
pub(crate) fn wrk(address: SocketAddr, arguments: &[&str], file: &str) -> io::Result<f64> {
    let mut command = Command::new("wrk");
    command.args(["-t1", "-c8", "-d1s", "--timeout", "30s"]).args(arguments);
    let output = command.arg(format!("http://{address}/{file}")).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let rate = text.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
    let rate: Option<f64> = rate.and_then(|rate| rate.trim().parse().ok());
    match rate {
        Some(rate) if rate > 0.0 && !text.contains("Non-2xx") => Ok(rate),
        _ => Err(io::Error::other(format!("wrk says: {text}"))),
    }
}

/// Fetches a file of 1 GiB, and looks at the server's memory meanwhile.
fn download(solution: &Path, root: &Path) -> io::Result<()> {
    // All of it is a hole: what is measured is the server, and not the disk.
    File::create(root.join("1g.bin"))?.set_len(LARGE)?;
    let (solution, root) = (solution.to_string_lossy(), root.to_string_lossy());
    let Some(server) = Server::start(&solution, &["{addr}", &root]) else {
        return Err(io::Error::other("lab 4 can't be started"));
    };
    let mut stream = TcpStream::connect(server.address)?;
    stream.write_all(b"GET /1g.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let (mut peak, mut came) = (0, 0);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count as u64,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        // A look at each 16 MiB: a server that collects the file shows it at any of them.
        if (came + count) >> 24 != came >> 24 {
            peak = peak.max(kernel::resident_bytes(server.pid())?);
        }
        came += count;
    }
    if came < LARGE {
        return Err(io::Error::other(format!("{came} bytes came of {LARGE}")));
    }
    println!(
        "  1 GiB downloaded: at most {:.1} MiB of resident memory   (goal: less than 16)\n",
        peak as f64 / f64::from(1 << 20)
    );
    Ok(())
}
