//! What of the Python package is made from the source of the core, and is committed: its stub and its enums.

use std::path::PathBuf;

/// F-1: the stub and the enums are those of this source. `PASSES_BLESS=1` writes them anew.
#[test]
fn committed_sources_are_made_of_this_source() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../bindings/python/passes");
    for (name, made) in [
        ("_native.pyi", include_str!(concat!(env!("OUT_DIR"), "/_native.pyi"))),
        ("_enums.py", include_str!(concat!(env!("OUT_DIR"), "/_enums.py"))),
    ] {
        let path = folder.join(name);
        if std::env::var_os("PASSES_BLESS").is_some_and(|value| value == "1") {
            std::fs::write(&path, made).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap();
        assert!(committed == made, "{name} is old: PASSES_BLESS=1 cargo test -p passes-ffi writes it anew");
    }
}
