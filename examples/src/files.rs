//! The folder of a run. It is begun afresh each time, so it must be the shop's own: it bears a mark, and a
//! folder with anything in it and no mark is left alone.

use crate::Failure;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

const MARK: &str = "made-by-gift-shop";
/// The only names that a run makes, and that the next one removes. Those beside the database are SQLite's log and
/// the store's two side files.
const OWN: [&str; 7] = [
    "gift_shop.db",
    "gift_shop.db-wal",
    "gift_shop.db-shm",
    "gift_shop.db.lock",
    "gift_shop.db.gate",
    "gift_shop.keys",
    "gift_cards.csv",
];

/// The files of a run.
#[derive(Debug)]
pub struct Files {
    folder: PathBuf,
}

impl Files {
    /// Makes the folder, or clears what an earlier run left in it.
    ///
    /// # Errors
    /// A folder that holds something and was not made by the shop; what the file system says.
    pub fn fresh(folder: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(folder)?;
        let mark = folder.join(MARK);
        if !mark.exists() {
            if fs::read_dir(folder)?.next().is_some() {
                let folder = folder.display();
                return Err(format!("{folder} holds other files: give an empty folder, or a new name").into());
            }
            File::create_new(&mark)?;
        }
        for name in OWN {
            match fs::remove_file(folder.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The address of the database.
    ///
    /// # Errors
    /// A path that is no text.
    pub fn database(&self) -> Result<String, Failure> {
        let path = self.folder.join("gift_shop.db");
        Ok(path.to_str().ok_or("the path of the folder is no text")?.to_owned())
    }

    /// The file of the keyring.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.folder.join("gift_shop.keys")
    }

    /// Makes the file for the printer. It holds codes: nobody else may read it.
    ///
    /// # Errors
    /// What the file system says.
    pub fn printer(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(self.folder.join("gift_cards.csv"))
    }
}

/// A file of the shop that comes with the example.
#[must_use]
pub fn shop(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("gift_shop").join(name)
}

/// A file with data that comes with the example.
#[must_use]
pub fn data(name: &str) -> PathBuf {
    shop("data").join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Z-1: a folder with somebody's files is refused and nothing in it touched; the shop's own is begun afresh.
    #[test]
    fn only_the_shops_own_folder_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let theirs = folder.path().join("gift_shop.db");
        fs::write(&theirs, "theirs").unwrap();
        assert!(Files::fresh(folder.path()).unwrap_err().to_string().contains("holds other files"));
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "theirs");

        let own = folder.path().join("shop");
        Files::fresh(&own).unwrap().printer().unwrap();
        fs::write(own.join("notes"), "kept").unwrap();
        Files::fresh(&own).unwrap().printer().unwrap();
        assert_eq!(fs::read_to_string(own.join("notes")).unwrap(), "kept");
    }
}
