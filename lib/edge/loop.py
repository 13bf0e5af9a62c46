"""The loop of a site without a window: it sleeps until one of its sources has something for it."""

from __future__ import annotations

import select

from lib.edge.sources import Sources


def run(sources: Sources) -> None:
    """Let a site live until it ends."""
    poll = select.poll()
    watched: dict[int, int] = {}
    while not sources.is_over:
        _watch(poll, watched, sources)
        # Rounded up, so that the site is not asked too early.
        ready = poll.poll(int(sources.patience * 1000) + 1)
        sources.serve({fd for fd, _ in ready})
    sources.say_the_rest()


def _watch(poll: select.poll, watched: dict[int, int], sources: Sources) -> None:
    """Bring what `poll` waits for (noted in `watched`) up to date."""
    wanted = dict.fromkeys(sources.writing, select.POLLOUT) | dict.fromkeys(sources.reading, select.POLLIN)
    if wanted == watched:
        return
    for fd in watched.keys() - wanted.keys():
        poll.unregister(fd)
    for fd, events in wanted.items():
        poll.register(fd, events)
    watched.clear()
    watched.update(wanted)
