#!/usr/bin/env bash
# Every check of the project, on a fresh machine too: it installs what it needs, Python packages into .venv, and the
# system's with apt where it may; tests that still lack something are skipped, and say so.
# Arguments go to pytest: scripts/test.sh tests/core -k relay
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "scripts/test.sh : il faut Python 3.11 ou plus récent ; indiquez-le : PYTHON=/chemin/python3 scripts/test.sh" >&2
    exit 2
fi

# The system's programs that the tests drive: command, then the Debian package that has it.
missing=()
need() {
    command -v "$1" > /dev/null || missing+=("$2")
}
need Xvfb xvfb
need xdotool xdotool
need import imagemagick
need shellcheck shellcheck
need mosquitto mosquitto
need mosquitto_sub mosquitto-clients
need ip iproute2
need openssl openssl
[ -d /usr/share/fonts/truetype/dejavu ] || missing+=(fonts-dejavu-core)
"$python" -c 'import tkinter' 2> /dev/null || missing+=(python3-tk)
if [ ${#missing[@]} -gt 0 ]; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    # RUNLEVEL=1: a broker is for the tests to start; the package's own service is not to listen.
    if command -v apt-get > /dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2> /dev/null; } \
        && "${as_root[@]}" apt-get update -qq \
        && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
            apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null; then
        echo "scripts/test.sh : installés : ${missing[*]}" >&2
    else
        echo "scripts/test.sh : il manque ${missing[*]} ; sans eux des tests sont sautés (apt install ${missing[*]})" >&2
    fi
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
# Half as many workers again as there are cores: many tests wait for processes longer than they compute.
exec .venv/bin/python -m pytest -q -n "$(($(nproc) * 3 / 2))" --dist worksteal "$@"
