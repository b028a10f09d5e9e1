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
