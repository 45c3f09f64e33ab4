//! Lab 10's solution beside haproxy and nginx, where those are installed: the same three servers
//! behind each, and wrk as the client.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::echo::Server;
use super::measure::{ROUNDS, race};
use super::web::{configuration, wrk};

/// What is measured of each: what wrk is told, and what the solution must reach of haproxy's rate.
const LOADS: [(&str, &[&str]); 2] = [
    ("1 kB over 8 connections that are kept   (goal: x0.7)", &[]),
    ("1 kB, a connection each, 8 at a time   (goal: x0.5)", &["-H", "Connection: close"]),
];

/// Prints what each balancer does, and the ratio of its median to haproxy's.
pub(crate) fn throughput(solution: &Path) -> io::Result<()> {
    println!(
        "balance throughput, requests/s: medians of {ROUNDS} rounds, in which the balancers take \
         turns (least to most)"
    );
    if Command::new("wrk").arg("-v").output().is_err() {
        println!("  skipped: wrk is not installed\n");
        return Ok(());
    }
    let folder = TempDir::new()?;
    let root = folder.path().join("root");
    fs::create_dir(&root)?;
    fs::write(root.join("1k.bin"), [b'x'; 1000])?;
    let mut backends = Vec::new();
    for number in 1..=3 {
        let folder = folder.path().join(number.to_string());
        fs::create_dir(&folder)?;
        let Some(backend) = web_server(&folder, &root) else {
            println!("  skipped: nginx, the server behind them, can't be started\n");
            return Ok(());
        };
        backends.push(backend);
    }
    let addresses: Vec<_> = backends.iter().map(|backend| backend.address).collect();
    let balancers = balancers(solution, folder.path(), &addresses);
    for (what, arguments) in LOADS {
        println!("  {what}");
        race(&balancers, |balancer| wrk(balancer.address, arguments, "1k.bin"))?;
    }
    println!();
    Ok(())
}

fn web_server(folder: &Path, root: &Path) -> Option<Server> {
    let conf = folder.join("nginx.conf");
    let root = root.to_string_lossy();
    Server::start_with("nginx", &["-e", "stderr", "-c", &conf.to_string_lossy()], |address| {
        fs::write(&conf, configuration(address, folder, &root))
    })
}

/// Those that are installed; haproxy first, since it is what the others are compared with.
fn balancers(
    solution: &Path,
    folder: &Path,
    backends: &[SocketAddr],
) -> Vec<(&'static str, Server)> {
    let (haproxy, nginx) = (folder.join("haproxy.cfg"), folder.join("balancer.conf"));
    let path = |file: &Path| file.to_string_lossy().into_owned();
    let addresses = backends.iter().map(SocketAddr::to_string);
    let ours: Vec<_> = std::iter::once("{addr}".to_owned()).chain(addresses).collect();
    let programs = [
        ("haproxy", "haproxy".into(), vec!["-db".into(), "-f".into(), path(&haproxy)]),
        ("lab 10", path(solution), ours),
        ("nginx", "nginx".into(), vec!["-e".into(), "stderr".into(), "-c".into(), path(&nginx)]),
    ];
    let mut started = Vec::new();
    for (name, program, arguments) in programs {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let server = Server::start_with(&program, &arguments, |address| {
            fs::write(&haproxy, haproxy_configuration(address, backends))?;
            fs::write(&nginx, nginx_configuration(address, folder, backends))
        });
        match server {
            Some(server) => started.push((name, server)),
            None => println!("  {name:<8} skipped: it can't be started"),
        }
    }
    started
}

fn haproxy_configuration(address: SocketAddr, backends: &[SocketAddr]) -> String {
    let server = |(number, backend): (usize, &SocketAddr)| {
        format!("    server s{number} {backend} check inter 500 fall 1 rise 1\n")
    };
    let servers: String = backends.iter().enumerate().map(server).collect();
    format!(
        "global\n    maxconn 1000\nlisten all\n    bind {address}\n    mode tcp\n    balance leastconn\n    \
         timeout connect 500ms\n    timeout client 1m\n    timeout server 1m\n    option redispatch\n    \
         retries 2\n{servers}"
    )
}

/// In one process: a master's workers would outlive it.
fn nginx_configuration(address: SocketAddr, folder: &Path, backends: &[SocketAddr]) -> String {
    let servers: String = backends.iter().map(|backend| format!("server {backend}; ")).collect();
    format!(
        "load_module /usr/lib/nginx/modules/ngx_stream_module.so; daemon off; master_process off; \
         pid {}/balancer.pid; error_log stderr crit; events {{ }} stream {{ upstream all {{ \
         least_conn; {servers} }} server {{ listen {address}; proxy_pass all; \
         proxy_connect_timeout 500ms; proxy_half_close on; }} }}\n",
        folder.display()
    )
}
