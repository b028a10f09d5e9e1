// swift-tools-version: 6.0
// The library for Swift. `cargo xtask test swift` puts what is generated into Sources and runs the tests.
import PackageDescription

let package = Package(
    name: "Passes",
    products: [.library(name: "Passes", targets: ["Passes"])],
    targets: [
        // The C side: the generated header, and the Rust library.
        .systemLibrary(name: "PassesFFI", path: "Sources/PassesFFI"),
        .target(name: "Passes", dependencies: ["PassesFFI"], linkerSettings: [.linkedLibrary("passes_ffi")]),
        .target(name: "PassesExamples", dependencies: ["Passes"], path: "Examples"),
        .testTarget(name: "PassesTests", dependencies: ["Passes", "PassesExamples"]),
    ],
    swiftLanguageModes: [.v6]
)
