#!/bin/bash
# An AAR for Android: android.sh [FOLDER]. It needs the NDK (ANDROID_NDK_HOME), Rust's targets for Android (rustup target add
# aarch64-linux-android armv7-linux-androideabi x86_64-linux-android), Maven and a JDK.
#
# NOT RUN: there was no NDK where this was written. What it builds has not been on a telephone.
#
# The classes are those of the jar. JNA comes as an AAR of its own, which an application asks for:
#     implementation("net.java.dev.jna:jna:5.18.1@aar")
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=${1:-target/android}
ndk=${ANDROID_NDK_HOME:?the folder of the NDK}
api=24
case $(uname -s) in Darwin) host=darwin-x86_64 ;; *) host=linux-x86_64 ;; esac
tools=$ndk/toolchains/llvm/prebuilt/$host/bin
rm -rf "$out"
mkdir -p "$out"/{aar,empty}
out=$(cd "$out" && pwd)

# ABI, Rust's target, the NDK's name of it.
while read -r abi target clang <&3; do
    name=${target//-/_}
    upper=$(tr '[:lower:]' '[:upper:]' <<< "$name")
    env "CC_$name=$tools/$clang$api-clang" "AR_$name=$tools/llvm-ar" \
        "CARGO_TARGET_${upper}_LINKER=$tools/$clang$api-clang" \
        cargo rustc --package passes-ffi --release --features uniffi --lib --crate-type cdylib --target "$target" \
        -- -C link-arg=-Wl,-z,max-page-size=16384
    mkdir -p "$out/aar/jni/$abi"
    "$tools/llvm-strip" --strip-all -o "$out/aar/jni/$abi/libpasses_ffi.so" "target/$target/release/libpasses_ffi.so"
    # Android 15 and later have pages of 16 KiB.
    segments=$("$tools/llvm-readelf" --program-headers --wide "$out/aar/jni/$abi/libpasses_ffi.so")
    if grep -q '^ *LOAD .* 0x\(1000\|2000\)$' <<< "$segments"; then
        echo "$abi: the library is not aligned to pages of 16 KiB" >&2
        exit 1
    fi
done 3<<'ABIS'
arm64-v8a aarch64-linux-android aarch64-linux-android
armeabi-v7a armv7-linux-androideabi armv7a-linux-androideabi
x86_64 x86_64-linux-android x86_64-linux-android
ABIS

# The Kotlin is generated from this machine's library: what it says is the same for all.
cargo build --package passes-ffi --features uniffi
cargo build --package uniffi-bindgen
case $(uname -s) in Darwin) library=libpasses_ffi.dylib ;; *) library=libpasses_ffi.so ;; esac
target/debug/uniffi-bindgen "target/debug/$library" "$out/bindings"
mvn -B -f bindings/kotlin -DskipTests -Dmaven.test.skip=true -Dkotlin.compiler.daemon=false \
    "-Dnative.dir=$out/empty" "-Dgenerated.dir=$out/bindings/kotlin" "-Dbuild.dir=$out/maven" package
cp "$out"/maven/passes-*.jar "$out/aar/classes.jar"

cat > "$out/aar/AndroidManifest.xml" <<MANIFEST
<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="org.passes">
    <uses-sdk android:minSdkVersion="$api"/>
</manifest>
MANIFEST
cat > "$out/aar/proguard.txt" <<'RULES'
# JNA finds these by their names.
-keep class com.sun.jna.** { *; }
-keep class org.passes.** { *; }
-dontwarn java.awt.**
RULES
: > "$out/aar/R.txt"
jar --create --no-manifest --file "$out/passes.aar" -C "$out/aar" .
echo "$out/passes.aar"
