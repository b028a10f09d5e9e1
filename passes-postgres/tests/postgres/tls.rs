//! TLS, to a server that has a certificate.

use crate::SHOP;
use passes_core::store::{Load, Store, StoreError, wait};
use passes_postgres::Postgres;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::path::Path;
use test_postgres::Server;

/// A certificate for somebody by this name, and its key.
fn certificate(name: &str) -> (String, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).unwrap();
    (cert.pem(), signing_key.serialize_pem())
}

/// Opens the store, and asks the server by what the store's own connections speak.
fn spoken(server: &Server, parameters: &str) -> Result<String, StoreError> {
    let (address, database) = (server.address(), server.database());
    let (_, name) = database.rsplit_once('/').unwrap();
    let url =
        format!("postgres://postgres@{address}/{name}?connect_timeout=5&application_name=asked&{parameters}");
    let store = Postgres::open(&url)?;
    let load = Load { key: Some([7; 16]), ..Load::new(SHOP) };
    wait(store.load(&load))?;
    let asked = "SELECT coalesce(string_agg(DISTINCT ssl.version,','),'none') FROM pg_stat_ssl ssl \
                 JOIN pg_stat_activity a USING (pid) WHERE a.application_name='asked' AND ssl.ssl";
    Ok(server.say(&database, asked))
}

fn in_file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().replace('/', "%2F")
}

/// D-1: TLS is spoken where it was asked for, and where the server has it; a server that isn't the one that was meant
/// gets no password, and no command.
#[test]
fn a_server_is_known_by_its_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let (right, key) = certificate("127.0.0.1");
    let Some(server) = Server::own_with_tls(&right, &key) else { return };
    let root = in_file(folder.path(), "right.pem", &right);
    let stranger = in_file(folder.path(), "stranger.pem", &certificate("127.0.0.1").0);

    for mode in ["require", "verify-full"] {
        let told = spoken(&server, &format!("sslmode={mode}&sslrootcert={root}"));
        assert_eq!(told.as_deref(), Ok("TLSv1.3"), "{mode}");
        let other = spoken(&server, &format!("sslmode={mode}&sslrootcert={stranger}")).unwrap_err();
        assert!(other.to_string().contains("certificate"), "{mode}: {other}");
    }
    // An authority of the machine knows it as little.
    let unknown = spoken(&server, "sslmode=require").unwrap_err();
    assert!(!unknown.is_retryable(), "{unknown:?}");
    // Whoever it is, as long as nobody listens.
    assert_eq!(spoken(&server, "sslmode=prefer").as_deref(), Ok("TLSv1.3"));
    assert_eq!(spoken(&server, "").as_deref(), Ok("TLSv1.3"));
    assert_eq!(spoken(&server, "sslmode=disable").as_deref(), Ok("none"));
    // A file without a certificate is told, and nothing is sent.
    let empty = in_file(folder.path(), "empty.pem", "nothing");
    let none = spoken(&server, &format!("sslmode=require&sslrootcert={empty}")).unwrap_err();
    assert!(matches!(&none, StoreError::Backend(text) if text.contains("sslrootcert")), "{none:?}");
}

/// D-1: a certificate for another name is no proof, though its issuer is trusted.
#[test]
fn a_certificate_for_another_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (other, key) = certificate("other.example");
    let Some(server) = Server::own_with_tls(&other, &key) else { return };
    let root = in_file(folder.path(), "other.pem", &other);
    let refused = spoken(&server, &format!("sslmode=verify-full&sslrootcert={root}")).unwrap_err();
    assert!(refused.to_string().contains("name") || refused.to_string().contains("certificate"), "{refused}");
    assert_eq!(spoken(&server, "sslmode=prefer").as_deref(), Ok("TLSv1.3"));
}
