"""What is measured, and how to repeat it: `python3 -m bench`. Every figure is a ratio to something measured in the same run.

Reading order: `table` (what comes out), `machine` (what else counts: the machine, its load), `processes` (sites on pipes),
then one room a subject: `relaying`, `selling` with its `driver`, `starting`, `stock`, `rings` and `photographs`.
Nothing here is imported by the program.
"""
