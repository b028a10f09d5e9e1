#!/bin/bash
# Debian trixie's Swift in a folder of its own: swift-root.sh ROOT [CACHE]. It needs apt, and root for what runs in it
# (swift-in.sh). Nothing is installed on the machine: Debian's packages are downloaded from the mirror that the machine
# uses, and unpacked without running any script of theirs. About 550 MB to download and 1.5 GB on disk; a minute.
set -euo pipefail
root=$1; cache=${2:-$root.cache}; stamp=$root/.complete
[ -e "$stamp" ] && exit 0
mkdir -p "$root" "$cache"/{state/lists/partial,archives/partial,etc/parts}
root=$(realpath "$root"); cache=$(realpath "$cache")
: > "$cache/status"
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" > "$cache/etc/sources.list"
apt=(apt-get -q -y -o APT::Sandbox::User=root -o Dir::State="$cache/state" -o Dir::State::status="$cache/status"
     -o Dir::Cache="$cache" -o Dir::Cache::archives="$cache/archives"
     -o Dir::Etc::sourcelist="$cache/etc/sources.list" -o Dir::Etc::sourceparts="$cache/etc/parts"
     -o Dir::Etc::preferencesparts="$cache/etc/parts" -o Acquire::Languages=none)
"${apt[@]}" update
"${apt[@]}" install --no-install-recommends --download-only \
    base-files bash coreutils libc6 libc6-dev libstdc++-14-dev swiftlang
skip='^(cpp|gcc|g\+\+|python3|libpython3|perl|debconf|cdebconf|mawk|sensible|dpkg|tar|tzdata)[-_0-9]'
# base-files first: it has the links of /bin and /lib.
for package in "$cache"/archives/base-files_*.deb "$cache"/archives/*.deb; do
    [[ $(basename "$package") =~ $skip ]] && continue
    dpkg-deb --fsys-tarfile "$package" | tar -x -C "$root" --keep-directory-symlink \
        --exclude='*/share/doc' --exclude='*/share/man' --exclude='*/share/locale' \
        --exclude='*/swift/bin/lldb*' --exclude='*/swift/bin/clangd' --exclude='*/swift/bin/sourcekit-lsp' \
        --exclude='*/swift/bin/docc' --exclude='*/swift/bin/swift-format' --exclude='*/liblldb*' \
        --exclude='*/libsourcekitdInProc*' --exclude='*/libLTO*' --exclude='*/swift/lib/swift_static'
done
mkdir -p "$root"/{proc,dev,tmp,src}
chmod 1777 "$root/tmp"
touch "$stamp"
rm -rf "$cache"
