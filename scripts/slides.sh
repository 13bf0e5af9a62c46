#!/usr/bin/env bash
# Makes docs/slides.pdf, the same bytes each time. It needs typst, which scripts/test.sh installs into .venv.
# Usage: scripts/slides.sh [FILE] [--pages FOLDER]
set -euo pipefail

root=$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")
for python in "${PYTHON:-$root/.venv/bin/python}" python3; do
    if "$python" -c 'import typst' 2> /dev/null; then
        PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}" exec "$python" -P "$root/docs/slides/make.py" "$@"
    fi
done
echo "scripts/slides.sh : il manque typst ; scripts/test.sh l'installe dans .venv, ou bien :" \
    "$(grep -o 'typst==[0-9.]*' "$root/pyproject.toml" | sed 's/^/pip install /')" >&2
exit 2
