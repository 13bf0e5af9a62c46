#!/usr/bin/env bash
# A message broker for sites on several machines: this front finds the repository and a Python, lib/broker does the rest.
# The working directory stays the user's, so that relative paths in the options mean what they say.
set -euo pipefail

root=$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")
python=${PYTHON:-python3}

give_up() {
    printf '%s ; installez Python 3.11 ou plus récent, ou nommez-le : PYTHON=python3.11 scripts/...\n' "$1" >&2
    exit 2
}

command -v -- "$python" > /dev/null || give_up "« $python » est introuvable"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null \
    || give_up "« $python » est trop ancien ($("$python" -V 2>&1 | head -n 1))"

# -P: a folder named `lib` where the user stands must not be taken for ours.
PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}" exec "$python" -P -m lib.broker "$@"
