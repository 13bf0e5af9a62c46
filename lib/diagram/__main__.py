"""`python3 -m lib.diagram`: reads the traces, checks them, draws what was chosen. Status 0, 1 incoherent, 2 unusable."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from lib.diagram import options, shiviz, svg
from lib.diagram.causality import arrows, cuts, in_order
from lib.diagram.choice import check_size, view
from lib.diagram.layout import arrange
from lib.diagram.options import Options
from lib.diagram.picture import draw
from lib.diagram.scene import Scene
from lib.diagram.traces import Run, read
from lib.diagram.witness import examine
from lib.texts import Problem, Text

_COHERENT, _INCOHERENT, _UNUSABLE = 0, 1, 2
_MOST_FINDINGS = 20  # on stderr; one mistake of a site is often made a thousand times


def main(arguments: Sequence[str]) -> int:
    """Draws what `arguments` ask for; the exit status."""
    language = options.language(arguments)
    try:
        chosen = options.parse(arguments)
        if chosen.help:
            sys.stdout.write(options.HELP.in_language(language) + "\n")
            return _COHERENT
        return _show(chosen, read(chosen.folder))
    except Problem as problem:
        _tell(problem.text, language)
        return _UNUSABLE


def _show(chosen: Options, run: Run) -> int:
    messages, every_cut = arrows(run), cuts(run)
    findings = examine(run, messages, every_cut)
    for text in run.notes + [finding.text for finding in findings[:_MOST_FINDINGS]]:
        _tell(text, chosen.language)
    if (more := len(findings) - _MOST_FINDINGS) > 0:
        _tell(Text(f"… et {more} autre(s)", f"... and {more} more"), chosen.language)
    shown = view(run, messages, every_cut, chosen.choice)
    order = in_order(run)
    if chosen.shiviz:
        _write(chosen.output, shiviz.log(order, shown))
    else:
        check_size(run, shown)
        scene = Scene(run, shown, arrange(run, order, shown), findings, chosen.language)
        _write(chosen.output, svg.as_text(draw(scene)))
    return _INCOHERENT if findings else _COHERENT


def _write(path: Path | None, text: str) -> None:
    """To the file, or to stdout. Raises `Problem` when it cannot be written."""
    try:
        if path is None:
            sys.stdout.buffer.write(text.encode())
            sys.stdout.flush()
        else:
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Problem(
            f"{path or 'sortie standard'} : {error.strerror} ; donnez un fichier où l'on peut écrire (-o)",
            f"{path or 'standard output'}: {error.strerror}; give a file that can be written (-o)",
        ) from error


def _tell(text: Text, language: str) -> None:
    print(f"diagram: {text.in_language(language)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
