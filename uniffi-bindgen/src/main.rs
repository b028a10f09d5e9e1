//! Writes the Kotlin and Swift of the library that passes-ffi builds. It is a crate of this workspace so that the
//! generator and the library's half of it are of one version.

fn main() {
    uniffi::uniffi_bindgen_main();
}
