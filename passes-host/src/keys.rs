//! Where the keys of a host come from: a file or the environment (C-14).

use crate::HostError;
use crate::entropy::from_system;
use passes_core::Error;
use passes_core::secret::{KeyError, Keyring, Purpose};
use std::env;
use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// Bytes of a keyring's text, in a file or in the environment. Some six hundred keys fit.
pub const KEYRING_TEXT: usize = 64 * 1024;

/// The id of the keys in a file made here.
const FIRST: &str = "k1";

/// Reads a keyring from a file: a key on each line, as [`Keyring::parse`] says; at most 64 KiB
/// ([`KEYRING_TEXT`]). Read it once, before serving: it blocks the thread.
///
/// On Unix the file must be its owner's alone. One that root owns may also be readable, not writable, for its
/// group: this is how orchestrators hand secrets to a service. Elsewhere the permissions are not looked at.
///
/// # Errors
///
/// `KEYRING_UNREADABLE`, also for one that is too large; `KEYRING_OPEN_TO_OTHERS`; `KEY_MALFORMED`, naming the
/// line. Nothing of the file is repeated.
///
/// ```
/// use passes_host::{create_keyring_file, keyring_from_file};
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("gift.keys");
/// create_keyring_file(&path)?; // once, ever
/// let keyring = keyring_from_file(&path)?;
/// # let _ = keyring;
/// # Ok::<(), passes_host::HostError>(())
/// ```
pub fn keyring_from_file(path: impl AsRef<Path>) -> Result<Keyring, HostError> {
    let path = path.as_ref();
    let cant = |why: &dyn ToString| unreadable(path.display(), why);
    let mut file = File::open(path).map_err(|error| cant(&error))?;
    // One buffer that never grows: growing would leave copies of the keys in freed memory.
    let mut buffer = Zeroizing::new(vec![0; KEYRING_TEXT + 1]);
    let length = fill(&mut file, &mut buffer).map_err(|error| cant(&error))?;
    only_for_owner(path, &file)?;
    if length > KEYRING_TEXT {
        return Err(cant(&format!("larger than {KEYRING_TEXT} bytes")));
    }
    let text = buffer.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok());
    let text = text.ok_or_else(|| cant(&"not a text"))?;
    Keyring::parse(text).map_err(|error| malformed(path.display(), error))
}

/// Reads a keyring from an environment variable: a key on each line, as [`Keyring::parse`] says; at most 64 KiB.
/// Where a value can't hold line breaks, semicolons part the lines instead.
///
/// What runs under the same user can read the environment, and child processes inherit it: a file is the better
/// place where there is a choice.
///
/// # Errors
///
/// `KEYRING_NOT_SET`, `KEYRING_UNREADABLE` for what is too large or no text, `KEY_MALFORMED` naming the line.
/// Nothing of the value is repeated.
///
/// ```no_run
/// let keyring = passes_host::keyring_from_env("PASSES_KEYS")?;
/// # let _ = keyring;
/// # Ok::<(), passes_host::HostError>(())
/// ```
pub fn keyring_from_env(variable: &str) -> Result<Keyring, HostError> {
    let unset = || HostError::KeyringNotSet { variable: variable.to_owned() };
    let cant = |why: &dyn ToString| unreadable(format_args!("in {variable}"), why);
    // No variable has such a name; asking for it all the same may panic.
    if variable.is_empty() || variable.contains(['=', '\0']) {
        return Err(unset());
    }
    let value = match env::var(variable) {
        Ok(value) => Zeroizing::new(value),
        Err(env::VarError::NotPresent) => return Err(unset()),
        Err(env::VarError::NotUnicode(value)) => {
            drop(Zeroizing::new(value.into_encoded_bytes()));
            return Err(cant(&"not a text"));
        }
    };
    if value.len() > KEYRING_TEXT {
        return Err(cant(&format!("larger than {KEYRING_TEXT} bytes")));
    }
    let parsed = if value.contains('\n') {
        Keyring::parse(&value)
    } else {
        Keyring::parse(&Zeroizing::new(value.replace(';', "\n")))
    };
    parsed.map_err(|error| malformed(variable, error))
}

/// Makes a file with a new keyring: a random key for each purpose, with the id `k1`. On Unix only its owner can
/// read it (mode 600); elsewhere it has the permissions that files in its folder have.
///
/// Do this once, and keep a copy of the file away from the copies of the database: without the keys no code can
/// be redeemed, and with both, codes can be found out.
///
/// # Errors
///
/// `KEYRING_EXISTS` where there is a file; `KEYRING_UNREADABLE` where none can be made; `NO_RANDOMNESS`.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("gift.keys");
/// let keyring = passes_host::create_keyring_file(&path)?;
/// # let _ = keyring;
/// assert_eq!(passes_host::create_keyring_file(&path).unwrap_err().code(), "KEYRING_EXISTS");
/// # Ok::<(), passes_host::HostError>(())
/// ```
pub fn create_keyring_file(path: impl AsRef<Path>) -> Result<Keyring, HostError> {
    let path = path.as_ref();
    let keyring = new_keyring()?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => HostError::KeyringExists { path: path.to_owned() },
        _ => unreadable(path.display(), &error),
    })?;
    write_through(&mut file, path, &keyring).map_err(|error| {
        // A part of a keyring helps nobody, and would be in the way of the next try. If even removing it fails,
        // the first error is still the one to tell.
        drop(fs::remove_file(path));
        unreadable(path.display(), &error)
    })?;
    Ok(keyring)
}

fn new_keyring() -> Result<Keyring, HostError> {
    let mut builder = Keyring::builder();
    for purpose in Purpose::ALL {
        let key = Zeroizing::new(from_system().map_err(Error::Entropy)?);
        builder = builder.key(*purpose, FIRST, *key);
    }
    Ok(builder.build()?)
}

/// Writes the keys so that they outlast a power cut: whatever is made with them will.
fn write_through(file: &mut File, path: &Path, keyring: &Keyring) -> io::Result<()> {
    file.write_all(keyring.reveal_text().as_bytes())?;
    file.sync_all()?;
    // The name in its folder is a write of its own, where folders can be opened.
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// Asked of the open file: the one at the path could be exchanged in between.
#[cfg(unix)]
fn only_for_owner(path: &Path, file: &File) -> Result<(), HostError> {
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata().map_err(|error| unreadable(path.display(), &error))?;
    let mode = metadata.mode() & 0o7777;
    let shut = if metadata.uid() == 0 { 0o037 } else { 0o077 };
    if mode & shut == 0 {
        Ok(())
    } else {
        Err(HostError::KeyringOpenToOthers { path: path.to_owned(), mode })
    }
}

#[cfg(not(unix))]
fn only_for_owner(_: &Path, _: &File) -> Result<(), HostError> {
    Ok(())
}

fn unreadable(origin: impl Display, why: &dyn ToString) -> HostError {
    HostError::KeyringUnreadable { origin: origin.to_string(), why: why.to_string() }
}

fn malformed(origin: impl Display, error: KeyError) -> HostError {
    HostError::KeyringMalformed { origin: origin.to_string(), error }
}
