#!/bin/bash
# Runs a command in the folder that swift-root.sh made: swift-in.sh ROOT PROJECT COMMAND... The project is at /src. It
# has mounts of its own, so that nothing is left mounted.
set -euo pipefail
root=$(realpath "$1"); project=$(realpath "$2"); shift 2
exec unshare --mount --propagation private bash -euc '
  root=$1 project=$2; shift 2
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount --bind "$project" "$root/src"
  exec chroot "$root" /usr/bin/env -i PATH=/usr/libexec/swift/bin:/usr/bin:/bin HOME=/tmp LANG=C.UTF-8 TZ=UTC "${@}"
' _ "$root" "$project" "$@"
