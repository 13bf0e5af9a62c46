#!/usr/bin/env bash
# One site of several machines, from the archive that broker.sh made for it.
set -euo pipefail
exec "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/broker.sh" --joindre "$@"
