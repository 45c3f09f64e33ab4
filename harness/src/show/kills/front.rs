//! What stands in the balancer's place: the lab's own program, or a real one.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::trial::Folder;

/// A program that carries connections to one of several servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Front {
    /// The program of lab 10.
    Lab(PathBuf),
    /// haproxy, in TCP mode.
    Haproxy,
    /// nginx, with its stream module.
    Nginx,
}

/// Where Debian and Fedora put nginx's modules; elsewhere it may be built in.
const STREAM_MODULE: [&str; 2] = [
    "/usr/lib/nginx/modules/ngx_stream_module.so",
    "/usr/lib64/nginx/modules/ngx_stream_module.so",
];

impl Front {
    /// What a table calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Lab(_) => "the lab's balancer",
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx stream",
        }
    }

    /// Why it can't be started here.
    pub fn missing(&self) -> Option<&'static str> {
        let runs = |name: &str, version: &str| {
            let mut command = Command::new(name);
            command.arg(version).stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        match self {
            Self::Lab(_) => None,
            Self::Haproxy => (!runs("haproxy", "-v")).then_some("it is not installed"),
            Self::Nginx if !runs("nginx", "-v") => Some("it is not installed"),
            Self::Nginx => {
                let is_there = Folder::new("kills")
                    .and_then(|folder| nginx(folder.path(), "stream {}", &["-t"])?.status())
                    .is_ok_and(|status| status.success());
                (!is_there).then_some("its stream module is not installed")
            }
        }
    }

    /// How one is started that listens at `address`; what it needs besides stands in `folder`.
    pub(super) fn command(
        &self,
        address: SocketAddr,
        servers: &[SocketAddr],
        folder: &Path,
    ) -> io::Result<Command> {
        let mut command = match self {
            Self::Lab(program) => {
                let mut command = Command::new(program);
                command.arg(address.to_string());
                command.args(servers.iter().map(SocketAddr::to_string));
                command
            }
            Self::Haproxy => {
                let file = folder.join("haproxy.cfg");
                fs::write(&file, haproxy(address, servers))?;
                let mut command = Command::new("haproxy");
                // -db: in the foreground, one process.
                command.arg("-db").arg("-f").arg(file);
                command
            }
            Self::Nginx => nginx(folder, &stream(address, servers), &[])?,
        };
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        Ok(command)
    }
}

/// As near to the lab's contract as it can be told: the fewest connections first, half a second for a
/// dial, then the next server with the same client, and a connect twice a second to see who is there.
fn haproxy(address: SocketAddr, servers: &[SocketAddr]) -> String {
    let mut text = format!(
        "global\n  maxconn 1000\n\
         defaults\n  mode tcp\n  timeout connect 500ms\n  timeout client 60s\n  timeout server 60s\n  \
         retries 3\n  option redispatch 1\n\
         listen web\n  bind {address}\n  balance leastconn\n"
    );
    for (number, server) in servers.iter().enumerate() {
        text += &format!("  server s{number} {server} check inter 500ms fall 1 rise 1\n");
    }
    text
}

/// The same for nginx. It makes no connection just to see who is there: after a second it tries again
/// with a client. And unless it is told otherwise the end of one direction ends both.
fn stream(address: SocketAddr, servers: &[SocketAddr]) -> String {
    let servers: String = servers
        .iter()
        .map(|server| format!("server {server} max_fails=1 fail_timeout=1s; "))
        .collect();
    format!(
        "stream {{ upstream web {{ least_conn; {servers}}}\n\
         server {{ listen {address}; proxy_pass web; proxy_connect_timeout 500ms; proxy_half_close on; }} }}"
    )
}

/// nginx as one process in the foreground, with this in its configuration.
fn nginx(folder: &Path, text: &str, arguments: &[&str]) -> io::Result<Command> {
    let module = STREAM_MODULE.iter().find(|file| Path::new(file).exists());
    let load = module.map(|file| format!("load_module {file};\n")).unwrap_or_default();
    let file = folder.join("nginx.conf");
    let text = format!(
        "{load}daemon off;\nmaster_process off;\npid {0}/nginx.pid;\nerror_log /dev/null crit;\n\
         events {{ worker_connections 1000; }}\n{text}\n",
        folder.display()
    );
    fs::write(&file, text)?;
    let mut command = Command::new("nginx");
    command.arg("-c").arg(file).args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_of_all_servers() {
        let address = SocketAddr::from(([127, 0, 0, 2], 80));
        let servers: Vec<_> =
            (1..=3).map(|port| SocketAddr::from(([127, 0, 0, 1], port))).collect();
        for text in [haproxy(address, &servers), stream(address, &servers)] {
            for told in servers.iter().chain([&address]) {
                assert!(text.contains(&told.to_string()), "{text}");
            }
        }
    }
}
