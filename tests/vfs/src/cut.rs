//! A moment at which the power may have failed, and what may then be found on the disk.

use crate::shadow::{Change, Id, Shadow, Shadows, put};
use rand_core::Rng;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A disk writes sectors whole.
const SECTOR: usize = 512;

/// All files at one moment: what was synced, and what was written and may be on the disk or not. Made by
/// [`Vfs::cut`](crate::Vfs::cut); any number of images can be made from it.
#[derive(Clone, Debug)]
pub struct Cut(Shadows);

impl Cut {
    pub(crate) fn of(shadows: &Shadows) -> Self {
        Self(shadows.clone())
    }

    /// How many writes and truncations would be at stake if the power failed now.
    #[must_use]
    pub fn unsynced(&self) -> usize {
        self.0.files.values().map(|file| file.pending.len()).sum()
    }

    /// Writes what a power cut may leave into a folder, which is made. A file has what was synced and, of what was
    /// done since: nothing, all, a part from the beginning, each change or not, or each sector of each write or
    /// not. It may be as long as it was, with zeros for what was not written. Of the files that were made and
    /// deleted since their folder was synced, a part from the beginning. Shared memory is gone.
    ///
    /// # Errors
    /// Those of writing the files.
    pub fn lose<R: Rng>(&self, rng: &mut R, folder: &Path) -> io::Result<()> {
        let mut names = self.0.synced.clone();
        let count = below(rng, self.0.naming.len() + 1);
        self.0.naming.iter().take(count).for_each(|naming| naming.apply(&mut names));
        self.write(&names, folder, |file| survivor(file, rng))
    }

    /// Writes what was synced into a folder, and nothing else: the worst that a power cut may leave.
    ///
    /// # Errors
    /// As [`Cut::lose`].
    pub fn lose_all(&self, folder: &Path) -> io::Result<()> {
        self.write(&self.0.synced, folder, |file| file.synced.to_vec())
    }

    /// Writes everything into a folder, as it is found after the program was killed and the power stayed on.
    ///
    /// # Errors
    /// As [`Cut::lose`].
    pub fn keep_all(&self, folder: &Path) -> io::Result<()> {
        let mut names = self.0.synced.clone();
        self.0.naming.iter().for_each(|naming| naming.apply(&mut names));
        self.write(&names, folder, Shadow::read)
    }

    fn write(
        &self,
        names: &BTreeMap<PathBuf, Id>,
        folder: &Path,
        mut content: impl FnMut(&Shadow) -> Vec<u8>,
    ) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        for (path, id) in names {
            if let (Some(name), Some(file)) = (path.file_name(), self.0.files.get(id)) {
                fs::write(folder.join(name), content(file))?;
            }
        }
        Ok(())
    }
}

fn below<R: Rng>(rng: &mut R, n: usize) -> usize {
    // The bias is far below what any test could tell.
    usize::try_from(rng.next_u64() % u64::try_from(n.max(1)).unwrap_or(1)).unwrap_or_default()
}

/// Four even odds, not to be always in the middle: in 16 throws of 16.
fn odds<R: Rng>(rng: &mut R) -> usize {
    [1, 4, 8, 15].get(below(rng, 4)).copied().unwrap_or(8)
}

fn survivor<R: Rng>(file: &Shadow, rng: &mut R) -> Vec<u8> {
    let mut bytes = file.synced.to_vec();
    let count = file.pending.len();
    match below(rng, 5) {
        0 => {}
        1 => file.pending.iter().for_each(|change| change.apply(&mut bytes)),
        2 => {
            let whole = below(rng, count + 1);
            file.pending.iter().take(whole).for_each(|change| change.apply(&mut bytes));
            let odds = odds(rng);
            file.pending.iter().skip(whole).take(1).for_each(|change| tear(change, &mut bytes, odds, rng));
        }
        3 => {
            let odds = odds(rng);
            let kept = file.pending.iter().filter(|_| below(rng, 16) < odds);
            kept.for_each(|change| change.apply(&mut bytes));
        }
        _ => {
            let odds = odds(rng);
            file.pending.iter().for_each(|change| tear(change, &mut bytes, odds, rng));
        }
    }
    if below(rng, 8) == 0 {
        // The length was written, and what belongs there was not.
        let longest = file.pending.iter().map(Change::end).max().unwrap_or_default();
        if bytes.len() < longest {
            bytes.resize(longest, 0);
        }
    }
    bytes
}

/// Does some sectors of a change.
fn tear<R: Rng>(change: &Change, bytes: &mut Vec<u8>, odds: usize, rng: &mut R) {
    match change {
        Change::Length(_) => {
            if below(rng, 16) < odds {
                change.apply(bytes);
            }
        }
        Change::Write(at, written) => {
            let (mut at, mut rest) = (*at, &**written);
            while !rest.is_empty() {
                let (sector, after) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
                if below(rng, 16) < odds {
                    put(bytes, at, sector);
                }
                (at, rest) = (at + sector.len(), after);
            }
        }
    }
}

impl Change {
    /// How long the file was because of it.
    fn end(&self) -> usize {
        match self {
            Self::Write(at, written) => at.saturating_add(written.len()),
            Self::Length(length) => *length,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;
    use std::collections::BTreeSet;

    /// A file of four sectors of `a`, over which `b` was written from the middle of a sector to the middle of
    /// another, and `c` beyond the end.
    fn file() -> Shadow {
        let mut shadows = Shadows::default();
        let id = shadows.add(Path::new("/shop/shop.db"), Some(vec![b'a'; 4 * SECTOR]));
        shadows.change(id, Change::Write(SECTOR / 2, vec![b'b'; 3 * SECTOR].into()));
        shadows.change(id, Change::Write(5 * SECTOR, vec![b'c'; SECTOR].into()));
        shadows.files[&id].clone()
    }

    #[test]
    fn sectors_survive_whole_and_in_any_mixture() {
        let (file, mut seen) = (file(), BTreeSet::new());
        let mut rng = ChaCha8Rng::from_seed([7; 32]);
        for _ in 0..20_000 {
            let bytes = survivor(&file, &mut rng);
            // What was synced and not overwritten stays.
            assert!(bytes[..SECTOR / 2].iter().all(|byte| *byte == b'a'));
            assert!(bytes[7 * SECTOR / 2..4 * SECTOR].iter().all(|byte| *byte == b'a'));
            assert!([4, 6].contains(&(bytes.len() / SECTOR)) && bytes.len() % SECTOR == 0);
            let parts = [SECTOR / 2, SECTOR, 2 * SECTOR, 3 * SECTOR, 7 * SECTOR / 2];
            let torn: Vec<u8> = parts
                .windows(2)
                .map(|ends| {
                    let part = &bytes[ends[0]..ends[1]];
                    assert!(part.iter().all(|byte| byte == &part[0]), "a torn sector");
                    part[0]
                })
                .collect();
            seen.insert((torn, bytes.get(5 * SECTOR).copied()));
        }
        // Each of the four parts old or new, and the end missing, zero or there.
        assert_eq!(seen.len(), 16 * 3, "{seen:?}");
    }

    #[test]
    fn names_come_and_go_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = Path::new("/shop/shop.db-wal");
        let mut shadows = Shadows::default();
        let old = shadows.add(path, Some(b"old".to_vec()));
        shadows.delete(path);
        let new = shadows.add(path, None);
        shadows.change(new, Change::Write(0, b"new".as_slice().into()));
        shadows.sync(new, shadows.mark(new));
        assert_ne!(old, new);
        let cut = Cut::of(&shadows);
        let mut rng = ChaCha8Rng::from_seed([7; 32]);
        let found: BTreeSet<_> = (0..100)
            .map(|n| {
                let image = folder.path().join(n.to_string());
                cut.lose(&mut rng, &image).unwrap();
                fs::read(image.join("shop.db-wal")).ok()
            })
            .collect();
        assert_eq!(found, [None, Some(b"new".to_vec()), Some(b"old".to_vec())].into());
        let images = [folder.path().join("all"), folder.path().join("none")];
        cut.keep_all(&images[0]).unwrap();
        cut.lose_all(&images[1]).unwrap();
        let found = images.map(|image| fs::read(image.join("shop.db-wal")).unwrap());
        assert_eq!(found, [b"new", b"old"]);
    }
}
