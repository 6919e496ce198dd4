"""``python -m tunefront``: the command `tunefront`."""

from __future__ import annotations

import os
import sys

# "python -m tunefront" looks for modules in the current folder first, so a user's file with the name of one of Python's
# modules would run in its place. The command `tunefront` does not look there, so the folder is removed here too.
if sys.path[0] == os.getcwd() != os.path.dirname(os.path.dirname(os.path.abspath(__file__))):
    del sys.path[0]

from tunefront.commands.app import program

if __name__ == "__main__":
    program()
