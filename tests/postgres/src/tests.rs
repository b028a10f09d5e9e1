//! The server itself.

use super::*;

/// Whether a process that was asked to listen there still does.
fn listens(port: u16) -> bool {
    std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// D-1: a server starts by itself, has as many databases as tests want, and leaves nothing when it ends.
#[test]
fn a_server_comes_and_goes() {
    let Some(server) = Server::own(&[]) else { return };
    let (first, second) = (server.database(), server.database());
    assert_ne!(first, second);
    assert_eq!(server.say(&first, "SELECT 6*7"), "42");
    let Place::Own(own) = &server.place else { panic!("it was started here") };
    let (folder, port) = (own.folder.clone(), own.port);
    assert!(folder.exists() && listens(port) && !server.is_given());
    drop(server);
    assert!(!folder.exists() && !listens(port));
}

/// D-1: a URL takes parameters, whatever it has already, and psql is given none that it doesn't know.
#[test]
fn a_url_takes_parameters() {
    let (bare, full) = ("postgres://a@b/c", "postgres://a@b/c?pooler=none&sslmode=disable&distributed=citus");
    assert_eq!(with(bare, ""), bare);
    assert_eq!(with(bare, "x=1"), "postgres://a@b/c?x=1");
    assert_eq!(with(&with(bare, "x=1"), "y=2"), "postgres://a@b/c?x=1&y=2");
    let given = |url| psql(url).get_args().next().unwrap().to_owned();
    assert_eq!(given(full), "postgres://a@b/c?sslmode=disable");
    assert_eq!(given(bare), bare);
}

/// D-1: a pooler comes before a server, shares few connections among many clients, and leaves nothing when it ends.
#[test]
fn a_pooler_comes_and_goes() {
    let Some(server) = Server::own(&[]) else { return };
    let Some(pooler) = Pooler::start(&server, 1) else { return };
    let url = pooler.url(&server.database());
    let backend = || server.say(&url, "SELECT pg_backend_pid()");
    assert_eq!(backend(), backend());
    let (folder, port) = (pooler.folder.clone(), pooler.port);
    assert!(folder.exists() && listens(port));
    drop(pooler);
    assert!(!folder.exists() && !listens(port));
}

/// D-1: a program that doesn't see the socket finds the same database.
#[test]
fn a_database_is_found_by_tcp() {
    assert_eq!(by_tcp("postgres://a@%2Ftmp%2Fx:5433/c?x=1"), "postgres://a@127.0.0.1:5433/c?x=1");
    let elsewhere = "postgres://a:b@example.org:5432/c";
    assert_eq!(by_tcp(elsewhere), elsewhere);
    let Some(server) = Server::own(&[]) else { return };
    let url = by_tcp(&server.database());
    assert!(url.contains("@127.0.0.1:"));
    assert_eq!(server.say(&url, "SELECT 6*7"), "42");
}
