"""A cable: a link between sites that copies whole lines, and spoils them as it is told to.

`cable.py` reads lines on stdin and writes each to every one of its ends (stdout, or FIFOs). Each end is a link of its own:
it delays, loses, repeats and reorders lines by its own settings and dice, keeps its own queue, and can be cut and paused.

Reading order:

    faults      PURE: the settings of a link, and the fate of its n-th line
    link        PURE: a link over time: what waits, what is due, what was done to how many lines
    options     the command line of `cable.py`
    process     the process around it: pipes, commands, time, and the report at the end
"""
