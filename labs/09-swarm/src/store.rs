//! The file, and which pieces of it are here.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};

use crate::choice::Choice;
use crate::failure::Failure;
use crate::message::{Bits, Block};
use crate::output::lock;
use crate::torrent::Torrent;

/// What came of a whole piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// Its sum is right, and it has been written. It was not here before.
    Right,
    /// It is here already: it came from somebody else a moment ago.
    Known,
    /// Its sum is another one.
    Wrong,
}

/// The file of a torrent.
#[derive(Debug)]
pub struct Store {
    torrent: Torrent,
    path: PathBuf,
    file: File,
    choice: Mutex<Choice>,
    /// How many pieces [`Store::count_down`] has still to count.
    to_come: AtomicU32,
}

impl Store {
    /// Opens the file in this folder, makes it as long as it must be, and looks which of its pieces are
    /// right already. The error is the line that tells why it can't.
    pub fn open(torrent: Torrent, folder: &Path) -> Result<Self, String> {
        let path = folder.join(&torrent.name);
        let opened = open(folder, &path, torrent.length);
        let looked = opened.and_then(|file| Ok((look(&torrent, &file)?, file)));
        let (here, file) = looked.map_err(|error| cannot_write(&path, &error))?;
        let to_come = AtomicU32::new(torrent.pieces() - here.pieces().count() as u32);
        let choice = Mutex::new(Choice::new(here, torrent.pieces()));
        Ok(Self { torrent, path, file, choice, to_come })
    }

    /// The torrent.
    pub fn torrent(&self) -> &Torrent {
        &self.torrent
    }

    /// How many pieces there are.
    pub fn pieces(&self) -> u32 {
        self.torrent.pieces()
    }

    /// The length of a piece. The last one may be shorter than the others.
    pub fn length_of(&self, piece: u32) -> u32 {
        self.torrent.length_of(piece)
    }

    /// Whether this piece is here, and right.
    pub fn has(&self, piece: u32) -> bool {
        self.choice().here.has(piece)
    }

    /// Which pieces are here.
    pub fn here(&self) -> Bits {
        self.choice().here.clone()
    }

    /// How many bytes are missing: all of the pieces that are not here.
    pub fn left(&self) -> u64 {
        let here = self.here();
        let missing = (0..self.pieces()).filter(|piece| !here.has(*piece));
        missing.map(|piece| u64::from(self.length_of(piece))).sum()
    }

    /// Whether somebody who has these pieces has one that is missing here.
    pub fn wants(&self, theirs: &Bits) -> bool {
        theirs.has_more_than(&self.choice().here)
    }

    /// A peer that has `theirs` has this piece, too, from now on.
    pub fn learn(&self, theirs: &mut Bits, piece: u32) {
        if theirs.add(piece) {
            self.choice().gains(piece);
        }
    }

    /// A peer that had these is gone.
    pub fn forget(&self, theirs: &Bits) {
        let mut choice = self.choice();
        theirs.pieces().for_each(|piece| choice.loses(piece));
    }

    /// Claims the next piece to be fetched from a peer that has these: the rarest, chance among equals,
    /// and one that is being fetched on another connection only when no other is left. Not one of
    /// `besides`. `None`: there is nothing to be fetched from that peer.
    pub fn claim(&self, theirs: &Bits, besides: &[u32]) -> Option<u32> {
        self.choice().claim(theirs, besides)
    }

    /// A piece that was claimed is not coming on that connection: others may claim it.
    pub fn release(&self, piece: u32) {
        self.choice().release(piece);
    }

    /// The bytes of a block.
    pub fn read(&self, block: Block) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; block.length as usize];
        let at = self.torrent.offset(block.piece) + u64::from(block.begin);
        self.file.read_exact_at(&mut bytes, at)?;
        Ok(bytes)
    }

    /// Whether these bytes are this piece: compares their sum, and writes them where it is right and
    /// the piece is missing. From then on it is here.
    pub fn finish(&self, piece: u32, bytes: &[u8]) -> Result<Finish, Failure> {
        if !self.torrent.is_right(piece, bytes) {
            return Ok(Finish::Wrong);
        }
        // Whoever writes it a second time writes the same.
        let written = self.file.write_all_at(bytes, self.torrent.offset(piece));
        written.map_err(|error| Failure::Disk(cannot_write(&self.path, &error)))?;
        let is_new = self.choice().here.add(piece);
        Ok(if is_new { Finish::Right } else { Finish::Known })
    }

    /// Counts one of the missing pieces, and returns how many are still to come: once for each
    /// [`Finish::Right`].
    pub fn count_down(&self) -> u32 {
        self.to_come.fetch_sub(1, Ordering::AcqRel) - 1
    }

    fn choice(&self) -> MutexGuard<'_, Choice> {
        lock(&self.choice)
    }
}

fn open(folder: &Path, path: &Path, length: u64) -> io::Result<File> {
    fs::create_dir_all(folder)?;
    let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
    file.set_len(length)?;
    Ok(file)
}

/// The pieces that are right already.
fn look(torrent: &Torrent, file: &File) -> io::Result<Bits> {
    let mut here = Bits::none(torrent.pieces());
    let mut bytes = Vec::new();
    for piece in 0..torrent.pieces() {
        bytes.resize(torrent.length_of(piece) as usize, 0);
        file.read_exact_at(&mut bytes, torrent.offset(piece))?;
        if torrent.is_right(piece, &bytes) {
            here.add(piece);
        }
    }
    Ok(here)
}

fn cannot_write(path: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
}
