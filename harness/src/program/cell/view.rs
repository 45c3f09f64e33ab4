//! What a program sees of the file system: a new root, put together from parts of the real one.
//!
//! The parts are bound read-only; `/tmp` is new and empty, and as good as the only place that can
//! be written. All of it is in the cell's own mount namespace, and is gone with the cell.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use crate::json::Json;

/// The only folder that a program may write to, unless a check names another one.
pub const SCRATCH: &str = "/tmp";
/// What programs need to run at all: system programs, libraries, settings.
const SYSTEM: &[&str] =
    &["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "nix", "gnu"];
/// Never shown: what is made anew, and where other programs can be spoken to (`/run`: a container
/// engine's or a desktop's sockets work on a read-only mount, too).
const NEVER: &[&str] = &["proc", "sys", "dev", "tmp", "run", "lost+found"];
const DEVICES: &[&str] = &["null", "zero", "full", "random", "urandom"];
/// Hidden from programs also where the user who runs the harness may read them.
const SECRETS: &[&str] = &["/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-"];

/// The parts that a view has besides the system's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Whether all of the file system can be read.
    pub wide: bool,
    /// Whether there is no device but `/dev/null`: a compiler that is told to include one of the
    /// others reads for ever.
    pub bare: bool,
    /// Files and folders that can be read.
    pub shown: Vec<PathBuf>,
    /// Folders that can be written.
    pub writable: Vec<PathBuf>,
    /// The current folder of programs.
    pub folder: PathBuf,
}

impl View {
    /// Of one of the labs' own programs: its file, and nothing else of anybody's.
    pub fn of_file(file: &Path) -> Self {
        Self { shown: vec![file.to_owned()], folder: SCRATCH.into(), ..Self::default() }
    }

    /// Of a program that the user has named: everything can be read, as it was typed in view of
    /// everything. Of the temporary folder only what the command line or the current folder names.
    pub fn of_command(words: &[&str], folder: &Path) -> Self {
        let scratch = Path::new(SCRATCH);
        let named = words.iter().map(|word| Path::new(*word)).chain([folder]);
        let first = |path: &Path| {
            let below = path.strip_prefix(scratch).ok()?.components().next()?;
            Some(scratch.join(below)).filter(|entry| entry.exists())
        };
        let shown: BTreeSet<PathBuf> = named.filter_map(first).collect();
        let (folder, shown) = (folder.to_owned(), shown.into_iter().collect());
        Self { wide: true, shown, folder, ..Self::default() }
    }

    /// Lets the program write to this folder.
    pub fn make_writable(&mut self, folder: &Path) {
        self.shown.retain(|path| path != folder);
        self.writable.push(folder.to_owned());
    }

    /// For another process.
    pub fn to_json(&self) -> Json {
        let paths = |paths: &[PathBuf]| {
            Json::Array(paths.iter().map(|path| path.to_string_lossy().as_ref().into()).collect())
        };
        Json::object([
            ("wide", self.wide.into()),
            ("bare", self.bare.into()),
            ("shown", paths(&self.shown)),
            ("writable", paths(&self.writable)),
            ("folder", self.folder.to_string_lossy().as_ref().into()),
        ])
    }

    /// The reverse of [`View::to_json`].
    pub fn from_json(json: &Json) -> Option<Self> {
        let paths = |name| {
            let all = json.get(name)?.as_array()?.iter();
            all.map(|path| Some(PathBuf::from(path.as_str()?))).collect::<Option<Vec<_>>>()
        };
        Some(Self {
            wide: json.get("wide")?.as_bool()?,
            bare: json.get("bare")?.as_bool()?,
            shown: paths("shown")?,
            writable: paths("writable")?,
            folder: json.get("folder")?.as_str()?.into(),
        })
    }

    /// Puts the new root together; returns where it stands. Afterwards only a change of the root
    /// folder is missing.
    ///
    /// # Errors
    /// What is to be mounted can't be; with the words of `mount`.
    pub(super) fn mount(&self) -> io::Result<PathBuf> {
        let known = Mounts::read()?;
        let root = self.place_for_root()?;
        run_mount(&["-t", "tmpfs", "-o", "mode=0755,nosuid,nodev", "tmpfs"], &root)?;
        let scratch = root.join(SCRATCH.trim_start_matches('/'));
        fs::create_dir(&scratch)?;
        let options = "mode=1777,nosuid,nodev,size=256m";
        run_mount(&["-t", "tmpfs", "-o", options, "tmpfs"], &scratch)?;
        let table = Table { root: root.clone(), known, lines: String::new() };
        let table = self.fill(table)?;
        let file = root.join("fstab");
        fs::write(&file, &table.lines)?;
        run_mount(&["--all", "--fstab"], &file)?;
        fs::remove_file(&file)?;
        self.lock(&root)?;
        Ok(root)
    }

    /// A folder that nobody misses while the new root is mounted over it.
    fn place_for_root(&self) -> io::Result<PathBuf> {
        let places = ["/media", "/srv", "/mnt", "/boot", "/dev/shm"].map(PathBuf::from);
        let is_free = |place: &PathBuf| {
            let mut used = self.shown.iter().chain(&self.writable).chain([&self.folder]);
            place.is_dir() && !place.is_symlink() && !used.any(|path| path.starts_with(place))
        };
        places.into_iter().find(is_free).ok_or_else(|| {
            io::Error::other(
                "no folder to put a program's view on: /media, /srv and /mnt are missing",
            )
        })
    }

    fn fill(&self, mut table: Table) -> io::Result<Table> {
        for name in SYSTEM {
            table.show(&Path::new("/").join(name))?;
        }
        table.show_link(Path::new("/run/current-system"))?;
        table.point(Path::new("/proc"), true)?;
        table.line(Path::new("proc"), &table.inside("/proc"), "proc", "nosuid,nodev,noexec");
        // A user who is root in here owns the settings of the network.
        let settings = table.inside("/proc/sys");
        table.line(&settings, &settings, "none", "bind,ro,nosuid,nodev,noexec");
        // What a runtime asks of the machine, and no more: below /sys others mount much.
        for part in ["/sys/devices/system", "/sys/kernel/mm"] {
            table.show(Path::new(part))?;
        }
        let devices = if self.bare { &DEVICES[..1] } else { DEVICES };
        for name in devices {
            let device = Path::new("/dev").join(name);
            table.point(&device, false)?;
            table.line(&device, &table.inside(&device), "none", "bind");
        }
        for (name, target) in [
            ("fd", "/proc/self/fd"),
            ("stdin", "/proc/self/fd/0"),
            ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
            ("shm", SCRATCH),
        ] {
            symlink(target, table.inside("/dev").join(name))?;
        }
        if self.wide {
            for entry in fs::read_dir("/")?.flatten() {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                let known = SYSTEM.contains(&name.as_ref()) || NEVER.contains(&name.as_ref());
                if !known && entry.path() != table.root {
                    table.show(&entry.path())?;
                }
            }
        }
        for path in &self.shown {
            if !self.wide || path.starts_with(SCRATCH) {
                table.show(path)?;
            }
        }
        for secret in SECRETS.iter().map(Path::new).filter(|path| path.exists()) {
            table.line(Path::new("/dev/null"), &table.inside(secret), "none", "bind");
        }
        for path in &self.writable {
            table.point(path, true)?;
            table.bind(path, "rw");
        }
        Ok(table)
    }

    /// Takes the right to write from what came along with the parts: a mount below a folder that
    /// was bound is as it was.
    fn lock(&self, root: &Path) -> io::Result<()> {
        let inside = |path: &str| root.join(path.trim_start_matches('/'));
        let keep: Vec<PathBuf> = [inside(SCRATCH), inside("/proc")]
            .into_iter()
            .chain(DEVICES.iter().map(|name| inside("/dev").join(name)))
            .chain(SECRETS.iter().map(|path| inside(path)))
            .chain(self.writable.iter().map(|path| inside(&path.to_string_lossy())))
            .collect();
        for (path, flags) in &Mounts::read()?.0 {
            let open = flags.split(',').any(|flag| flag == "rw");
            if open && path.starts_with(root) && !keep.contains(path) {
                let options = format!("remount,bind,{}", read_only(flags));
                run_mount(&["-o", &options], path)?;
            }
        }
        Ok(())
    }
}

/// The mounts of the new root, as a table for `mount --all`.
struct Table {
    root: PathBuf,
    known: Mounts,
    lines: String,
}

impl Table {
    fn inside(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    fn line(&mut self, from: &Path, to: &Path, kind: &str, options: &str) {
        let (from, to) = (escape(from), escape(to));
        self.lines.push_str(&format!("{from} {to} {kind} {options} 0 0\n"));
    }

    /// Shows a file or a folder, with all that is mounted below it; a link as a link.
    fn show(&mut self, path: &Path) -> io::Result<()> {
        let Ok(kind) = path.symlink_metadata() else { return Ok(()) };
        if kind.is_symlink() {
            return self.show_link(path);
        }
        self.point(path, kind.is_dir())?;
        self.bind(path, "ro");
        Ok(())
    }

    fn show_link(&mut self, path: &Path) -> io::Result<()> {
        let Ok(target) = fs::read_link(path) else { return Ok(()) };
        let place = self.inside(path);
        create_parent(&place)?;
        symlink(target, place)
    }

    fn bind(&mut self, path: &Path, how: &str) {
        // In a user namespace flags such as nosuid are locked: they have to be given again.
        let flags = self.known.flags_of(path);
        let options = match how {
            "ro" => format!("rbind,{}", read_only(&flags)),
            _ => "bind".to_owned(),
        };
        self.line(path, &self.inside(path), "none", &options);
    }

    /// Something to mount on. What stands below a part that is shown is there as soon as that is
    /// mounted.
    fn point(&self, path: &Path, folder: bool) -> io::Result<()> {
        if path.components().any(|part| part == Component::ParentDir) {
            return Err(io::Error::other(format!("{}: not a plain path", path.display())));
        }
        let place = self.inside(path);
        if folder {
            return fs::create_dir_all(&place);
        }
        create_parent(&place)?;
        // Never an existing one: the way to it may lead through a link out of the new root.
        match File::create_new(&place) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }
}

fn create_parent(place: &Path) -> io::Result<()> {
    place.parent().map_or(Ok(()), fs::create_dir_all)
}

/// The flags of a mount, with `ro` for `rw` and without set-user-id.
fn read_only(flags: &str) -> String {
    let kept = flags.split(',').filter(|flag| !matches!(*flag, "rw" | "ro" | "nosuid" | ""));
    ["ro", "nosuid"].into_iter().chain(kept).collect::<Vec<_>>().join(",")
}

/// As a word of a table of mounts: fstab(5).
fn escape(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.replace('\\', "\\134").replace(' ', "\\040").replace('\t', "\\011").replace('\n', "\\012")
}

/// Where something is mounted, and with which flags; in the order of mounting.
struct Mounts(Vec<(PathBuf, String)>);

impl Mounts {
    fn read() -> io::Result<Self> {
        Ok(Self::parse(&fs::read_to_string("/proc/self/mountinfo")?))
    }

    /// proc_pid_mountinfo(5): the fifth word is the place, the sixth are its flags.
    fn parse(text: &str) -> Self {
        let mount = |line: &str| {
            let mut words = line.split(' ').skip(4);
            Some((PathBuf::from(unescape(words.next()?)), words.next()?.to_owned()))
        };
        Self(text.lines().filter_map(mount).collect())
    }

    fn flags_of(&self, path: &Path) -> String {
        let around = self.0.iter().filter(|(place, _)| path.starts_with(place));
        let nearest = around.max_by_key(|(place, _)| place.components().count());
        nearest.map_or(String::new(), |(_, flags)| flags.clone())
    }
}

fn unescape(word: &str) -> String {
    word.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

/// `mount WORDS PATH`.
fn run_mount(words: &[&str], path: &Path) -> io::Result<()> {
    let mut command = Command::new("mount");
    let output = command.args(words).arg(path).stdin(Stdio::null()).output().map_err(|error| {
        io::Error::new(error.kind(), format!("cannot run mount (util-linux): {error}"))
    })?;
    if output.status.success() {
        Ok(())
    } else {
        Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_keeps_its_flags_and_loses_the_right_to_write() {
        let table = "21 1 8:1 / / rw,relatime - ext4 /dev/sda rw\n\
                     30 21 8:2 / /home/a\\040b rw,nosuid,nodev,noexec - ext4 /dev/sdb rw\n";
        let mounts = Mounts::parse(table);
        let flags = |path| read_only(&mounts.flags_of(Path::new(path)));
        assert_eq!(flags("/usr"), "ro,nosuid,relatime");
        assert_eq!(flags("/home/a b/lab"), "ro,nosuid,nodev,noexec");
    }

    #[test]
    fn a_path_with_a_space_is_one_word_of_the_table() {
        assert_eq!(escape(Path::new("/home/a b\\c")), "/home/a\\040b\\134c");
        assert_eq!(unescape("/home/a\\040b\\134c"), "/home/a b\\c");
    }

    #[test]
    fn a_view_comes_over_to_another_process() {
        let view = View::of_command(&["python3", "/usr/bin/x"], Path::new("/usr"));
        assert_eq!(View::from_json(&view.to_json()), Some(view));
    }
}
