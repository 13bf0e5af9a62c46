#!/usr/bin/env bash
# Every check of the project, on a fresh machine too: it installs what it needs into .venv, and nothing elsewhere.
# Arguments go to pytest: scripts/test.sh tests/core -k relay
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "scripts/test.sh : il faut Python 3.11 ou plus récent ; indiquez-le : PYTHON=/chemin/python3 scripts/test.sh" >&2
    exit 2
fi
# The environment is made anew when what it must hold has changed.
stamp=.venv/pyproject.sha256
wanted=$(sha256sum pyproject.toml)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    "$python" -m venv --clear .venv
    mapfile -t packages < <("$python" -c '
import tomllib
print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["test"], sep="\n")')
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "${packages[@]}"
    echo "$wanted" > "$stamp"
fi

.venv/bin/ruff check .
.venv/bin/ruff format --check .
.venv/bin/mypy
if command -v shellcheck > /dev/null; then
    shellcheck scripts/*.sh .ci/run
else
    echo "shellcheck n'est pas installé : scripts non vérifiés (apt install shellcheck)" >&2
fi
exec .venv/bin/python -m pytest -q -n auto "$@"
