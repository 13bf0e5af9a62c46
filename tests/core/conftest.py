"""How hypothesis runs here: no deadline (a loaded machine is no bug), no database (a run leaves nothing behind)."""

from hypothesis import settings

settings.register_profile("core", deadline=None, max_examples=100, database=None, print_blob=True)
settings.load_profile("core")
