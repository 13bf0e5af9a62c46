"""What is measured, and how to repeat it: `python3 -m bench`. Figures are ratios to what the same run measured.

Reading order: `table` (what comes out), `machine` (what it runs on), `processes` (sites on pipes), then one room a
subject: `relaying`, `selling` with its `driver`, `starting`, `stock`, `windows`, `rings` and `photographs`.
Nothing here is imported by the program.
"""
