#!/usr/bin/env bash
# The rehearsal of a defence: windows, slow links, and in the terminal what to click and what will be seen, step by step.
# With --auto it clicks by itself, and ends with status 0 when all came to pass. Other options as for launch_ring.sh.
set -euo pipefail
exec "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/launch_ring.sh" --soutenance "$@"
