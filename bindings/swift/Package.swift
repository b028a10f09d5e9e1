// swift-tools-version: 6.0
// The library for Swift. `cargo xtask test swift` puts what is generated into Sources and runs the tests.
import Foundation
import PackageDescription

// Only where `cargo xtask measure` has made a library with a floor to be measured against.
let measured: [Target] = ProcessInfo.processInfo.environment["PASSES_MEASURE"] == nil
    ? [] : [.executableTarget(name: "measure", dependencies: ["Passes"], path: "Measure")]

let package = Package(
    name: "Passes",
    products: [.library(name: "Passes", targets: ["Passes"])],
    targets: [
        // The C side: the generated header, and the Rust library.
        .systemLibrary(name: "PassesFFI", path: "Sources/PassesFFI"),
        .target(name: "Passes", dependencies: ["PassesFFI"], linkerSettings: [.linkedLibrary("passes_ffi")]),
        .target(name: "PassesExamples", dependencies: ["Passes"], path: "Examples"),
        .executableTarget(name: "gift-shop", dependencies: ["Passes", "PassesExamples"], path: "Demo"),
        .testTarget(name: "PassesTests", dependencies: ["Passes", "PassesExamples"]),
    ] + measured,
    swiftLanguageModes: [.v6]
)
