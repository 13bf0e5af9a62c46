"""Checking snapshot files without any running site: `guichet.py --verifier FILE`, `guichet.py --liste [FOLDER]`."""

from __future__ import annotations

from pathlib import Path

from lib.core import audit
from lib.core.audit import Document, Finding
from lib.core.snapshot import describe
from lib.edge.snapshots import Folder, read
from lib.texts import Problem, Text, printable

SOUND, UNSOUND, NO_SNAPSHOT = 0, 1, 2  # what the shell is told

_FINDINGS = {
    "shape": Text("des champs manquent ou sont impossibles", "fields are missing or impossible"),
    "damaged": Text("fichier endommagé : l'empreinte {} ne correspond pas", "damaged file: {} does not match"),
    "site": Text("il manque l'état de {}", "the state of {} is missing"),
    "rank": Text("il manque des messages : {}", "messages are missing: {}"),
    "incoherent": Text(
        "coupe incohérente : {} reçu avant la coupe, envoyé après", "incoherent: {} received, sent after the cut"
    ),
    "ticket": Text("billet {} perdu, ou en deux endroits", "ticket {} lost, or in two places"),
}


def verify(path: Path) -> tuple[int, list[Text]]:
    """The status for the shell, and what was seen, line by line."""
    try:
        document = read(path)
    except Problem as problem:
        return NO_SNAPSHOT, [problem.text]
    except FileNotFoundError:
        return NO_SNAPSHOT, [Text(f"{path} : ce fichier n'existe pas", f"{path}: there is no such file")]
    findings = audit.examine(document)
    lines = [_explained(finding) for finding in findings]
    if any(finding.kind == "shape" for finding in findings):
        return NO_SNAPSHOT, lines
    is_sound = not findings and bool(document.get("complete"))
    return SOUND if is_sound else UNSOUND, [_summary(document, findings), *lines]


def _explained(finding: Finding) -> Text:
    text, what = _FINDINGS[finding.kind], printable(describe(finding))
    return Text(text.fr.format(what), text.en.format(what))


def _summary(document: Document, findings: list[Finding]) -> Text:
    """`400 billets : 371 libres, 4 retenus, 25 vendus ; 3 messages dans les canaux ; coupe cohérente`."""
    count = audit.census(document)
    count["tickets"] = count["free"] + count["held"] + count["sold"]
    is_coherent = not any(finding.kind == "incoherent" for finding in findings)
    is_complete = bool(document.get("complete"))
    fr = (
        f"{_some(count['tickets'], 'billet')} : {_some(count['free'], 'libre')}, {_some(count['held'], 'retenu')}, "
        f"{_some(count['sold'], 'vendu')} ; {_some(count['messages'], 'message')} dans les canaux ; "
        f"coupe {'cohérente' if is_coherent else 'INCOHÉRENTE'}"
    )
    en = (
        f"{count['tickets']} tickets: {count['free']} free, {count['held']} held, {count['sold']} sold; "
        f"{count['messages']} messages in the channels; the cut is {'coherent' if is_coherent else 'INCOHERENT'}"
    )
    if is_complete:
        return Text(fr, en)
    missing = printable(", ".join(map(str, document.get("missing", []))))
    return Text(f"{fr} ; INCOMPLET : {missing}", f"{en}; INCOMPLETE: {missing}")


def _some(count: int, name: str) -> str:
    """French counts 0 and 1 in the singular."""
    return f"{count} {name}{'s' if count > 1 else ''}"


def listing(folder: Path) -> tuple[int, list[Text]]:
    """The snapshots of a folder, oldest first, one a line with its verdict."""
    if not folder.is_dir():
        return NO_SNAPSHOT, [Text(f"{folder} : pas de tel dossier", f"{folder}: no such folder")]
    lines = [_row(path) for path in Folder(str(folder)).names()]
    return SOUND, lines or [Text(f"{folder} : aucun instantané", f"{folder}: no snapshot")]


def _row(path: Path) -> Text:
    status, seen = verify(path)
    mark = {SOUND: "✓", UNSOUND: "✗", NO_SNAPSHOT: "?"}[status]
    return Text(f"{mark} {path.name}  {seen[0].fr}", f"{mark} {path.name}  {seen[0].en}")
