#!/usr/bin/env bash
# Starts a ring of sites: launch_graph.sh with a graph that is made from the number of clients.
set -euo pipefail
exec "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/launch_graph.sh" --anneau "$@"
