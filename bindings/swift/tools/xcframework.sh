#!/bin/bash
# A Swift package with an XCFramework for iOS, its simulator and macOS: xcframework.sh [FOLDER]. It needs a Mac with Xcode,
# and Rust's targets (rustup target add aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios aarch64-apple-darwin
# x86_64-apple-darwin).
#
# NOT RUN: there was no Mac where this was written. What it builds has not been on a telephone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
out=${1:-target/apple}
export IPHONEOS_DEPLOYMENT_TARGET=15.0 MACOSX_DEPLOYMENT_TARGET=12.0
rm -rf "$out"
mkdir -p "$out"/{headers,package/Sources/Passes}

for target in aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios aarch64-apple-darwin x86_64-apple-darwin; do
    cargo rustc --package passes-ffi --release --features uniffi --lib --crate-type staticlib --target "$target"
done
# One library for each system, with a part for each of its processors.
joined() {
    local name=$1
    shift
    mkdir -p "$out/$name"
    lipo -create "${@/%//release/libpasses_ffi.a}" -output "$out/$name/libpasses_ffi.a"
    strip -S -x "$out/$name/libpasses_ffi.a"
}
joined ios target/aarch64-apple-ios
joined ios-simulator target/aarch64-apple-ios-sim target/x86_64-apple-ios
joined macos target/aarch64-apple-darwin target/x86_64-apple-darwin

# The Swift is generated from this machine's library: what it says is the same for all.
cargo build --package passes-ffi --features uniffi
cargo build --package uniffi-bindgen
target/debug/uniffi-bindgen target/debug/libpasses_ffi.dylib "$out/bindings"
cp "$out/bindings/swift/PassesFFI.h" "$out/headers/"
cat > "$out/headers/module.modulemap" <<'MODULE'
module PassesFFI {
    header "PassesFFI.h"
    export *
}
MODULE
xcodebuild -create-xcframework \
    -library "$out/ios/libpasses_ffi.a" -headers "$out/headers" \
    -library "$out/ios-simulator/libpasses_ffi.a" -headers "$out/headers" \
    -library "$out/macos/libpasses_ffi.a" -headers "$out/headers" \
    -output "$out/package/PassesFFI.xcframework"

cp bindings/swift/Sources/Passes/{Bridge,Idioms}.swift "$out/bindings/swift/Passes.swift" "$out/package/Sources/Passes/"
cat > "$out/package/Package.swift" <<'PACKAGE'
// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "Passes",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [.library(name: "Passes", targets: ["Passes"])],
    targets: [
        .binaryTarget(name: "PassesFFI", path: "PassesFFI.xcframework"),
        .target(name: "Passes", dependencies: ["PassesFFI"]),
    ],
    swiftLanguageModes: [.v6]
)
PACKAGE
(cd "$out/package" && xcrun swift build)
echo "$out/package"
