"""From bytes to lines: whatever the pipe cuts or glues together, a line comes out whole, once, or not at all."""

from __future__ import annotations

KEPT_OF_A_REJECT = 80  # bytes of an overlong line that are kept to show what it was


class LineBuffer:
    """Gathers bytes into lines of at most `limit` bytes, newline included.

    A longer line is passed over to its end, and only its beginning is kept (`rejects`): a neighbour that never ends its
    line costs no memory, and the next line is read as if nothing had happened.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""
        self._skipping = False
        self.rejects: list[bytes] = []

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without their newlines."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        if self._skipping and lines:
            lines.pop(0)
            self._skipping = False
        if self._skipping:
            self._rest = b""
        elif len(self._rest) >= self._limit:
            self.rejects.append(self._rest[:KEPT_OF_A_REJECT])
            self._skipping, self._rest = True, b""
        if max(map(len, lines), default=0) < self._limit:  # nearly always
            return lines
        return [line for line in lines if self._is_short(line)]

    def _is_short(self, line: bytes) -> bool:
        if len(line) < self._limit:
            return True
        self.rejects.append(line[:KEPT_OF_A_REJECT])
        return False

    def end(self) -> bytes:
        """The stream is over: the beginning of a line that was cut off, if any. The buffer can be used again."""
        rest, self._rest, self._skipping = self._rest, b"", False
        return rest
