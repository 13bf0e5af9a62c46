#!/usr/bin/env python3
"""A link that copies whole lines, and spoils them as it is told to. `./cable.py --help` says how it is used."""

import sys

from lib.cable.process import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
