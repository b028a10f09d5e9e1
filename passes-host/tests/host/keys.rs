//! Keyrings from files and from the environment.

use crate::keyring;
use passes_host::secret::Purpose;
use passes_host::{HostError, create_keyring_file, keyring_from_env, keyring_from_file};
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Writes a file that is its owner's alone.
fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    chmod(path, 0o600);
}

#[cfg(unix)]
fn chmod(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn chmod(_: &Path, _: u32) {}

/// C-14: a keyring file is made with fresh keys for every purpose, is read back as it was, and is never
/// overwritten.
#[test]
fn a_file_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gift.keys");
    let made = create_keyring_file(&path).unwrap();
    let read = keyring_from_file(&path).unwrap();
    assert_eq!(*made.reveal_text(), *read.reveal_text());
    for purpose in Purpose::ALL {
        let (id, key) = read.current(*purpose).unwrap();
        assert_eq!(id.as_str(), "k1");
        assert_ne!(key.reveal(), &[0; 32]);
    }
    assert_ne!(
        read.current(Purpose::Digest).unwrap().1.reveal(),
        read.current(Purpose::Seal).unwrap().1.reveal()
    );

    let before = fs::read(&path).unwrap();
    let error = create_keyring_file(&path).unwrap_err();
    assert_eq!(error.code(), "KEYRING_EXISTS");
    assert_eq!(fs::read(&path).unwrap(), before);

    let other = create_keyring_file(folder.path().join("other.keys")).unwrap();
    assert_ne!(*other.reveal_text(), *made.reveal_text());
    let nowhere = create_keyring_file(folder.path().join("no/such/folder")).unwrap_err();
    assert_eq!(nowhere.code(), "KEYRING_UNREADABLE");
}

/// C-14: a keyring file is its owner's alone; one that others may read or write is refused, and the cure is told.
#[cfg(unix)]
#[test]
fn a_file_open_to_others_is_refused() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gift.keys");
    create_keyring_file(&path).unwrap();
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!(metadata.mode() & 0o777, 0o600);

    for mode in [0o644, 0o604, 0o602, 0o660, 0o620, 0o777] {
        chmod(&path, mode);
        let error = keyring_from_file(&path).unwrap_err();
        assert_eq!(error.code(), "KEYRING_OPEN_TO_OTHERS", "{mode:o}");
        assert!(error.to_string().contains(&format!("chmod 600 {}", path.display())), "{error}");
    }
    // What an orchestrator hands to a group belongs to root.
    chmod(&path, 0o440);
    assert_eq!(keyring_from_file(&path).is_ok(), metadata.uid() == 0);
    for mode in [0o600, 0o400] {
        chmod(&path, mode);
        keyring_from_file(&path).unwrap();
    }
}

/// C-13, C-14, Z-3: what can't be used is told with its place; no key is repeated; a text has a largest size.
#[test]
fn bad_files_are_told_without_their_keys() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gift.keys");
    let secret = "0123456789abcdef".repeat(4);

    let absent = keyring_from_file(&path).unwrap_err();
    assert_eq!(absent.code(), "KEYRING_UNREADABLE");
    assert!(absent.to_string().contains("gift.keys"));
    assert_eq!(keyring_from_file(folder.path()).unwrap_err().code(), "KEYRING_UNREADABLE");

    write(&path, format!("digest d1 {secret}\nseal s1 {secret}0\n").as_bytes());
    let error = keyring_from_file(&path).unwrap_err();
    assert_eq!(error.code(), "KEY_MALFORMED");
    let text = format!("{error} {error:?}");
    assert!(text.contains("gift.keys") && text.contains("line 2") && !text.contains("012345"), "{text}");

    write(&path, &[b'd', 0xff, 0xfe]);
    assert_eq!(keyring_from_file(&path).unwrap_err().code(), "KEYRING_UNREADABLE");
    let largest = format!("digest d1 {secret}\n{}", "#".repeat(passes_host::KEYRING_TEXT - 75));
    assert_eq!(largest.len(), passes_host::KEYRING_TEXT);
    write(&path, largest.as_bytes());
    keyring_from_file(&path).unwrap();
    write(&path, format!("{largest}#").as_bytes());
    let error = keyring_from_file(&path).unwrap_err();
    assert!(error.to_string().contains("larger than"), "{error}");
}

const VARIABLE: &str = "PASSES_TEST_KEYS";

/// C-14: a keyring comes from the environment, on lines or parted by semicolons; what can't be used is told
/// without its keys.
#[test]
fn a_keyring_from_the_environment() {
    if let Ok(expected) = env::var("PASSES_TEST_EXPECTED") {
        return in_child(&expected);
    }
    let lines = keyring("m1", 7).reveal_text().to_string();
    let parted = lines.trim_end().replace('\n', "; ");
    let long = format!("{lines}{}", "#".repeat(passes_host::KEYRING_TEXT));
    let broken = lines.replace("seal", "sael");
    for (value, expected) in [
        (None, "KEYRING_NOT_SET"),
        (Some(&lines), "m1"),
        (Some(&parted), "m1"),
        (Some(&broken), "KEY_MALFORMED"),
        (Some(&long), "KEYRING_UNREADABLE"),
    ] {
        // A process may not change its own environment safely: a child gets one.
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", "keys::a_keyring_from_the_environment"]);
        child.env("PASSES_TEST_EXPECTED", expected).env_remove(VARIABLE);
        if let Some(value) = value {
            child.env(VARIABLE, value);
        }
        let output = child.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{expected}: {said}");
    }
    for impossible in ["", "A=B", "A\0B"] {
        assert_eq!(keyring_from_env(impossible).unwrap_err().code(), "KEYRING_NOT_SET");
    }
}

fn in_child(expected: &str) {
    let secret = "07".repeat(8);
    match keyring_from_env(VARIABLE) {
        Ok(keyring) => assert_eq!(keyring.current(Purpose::Seal).unwrap().0.as_str(), expected),
        Err(error) => {
            assert_eq!(error.code(), expected);
            let text = format!("{error} {error:?}");
            assert!(text.contains(VARIABLE) && !text.contains(&secret), "{text}");
            assert!(!matches!(error, HostError::Core(_)));
        }
    }
}
