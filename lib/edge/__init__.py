"""The edge: the only rooms that touch Unix. What they read they hand to the core; what the core answers they carry out.

They know the core and `lib.texts`, and nothing of the windows.
"""
