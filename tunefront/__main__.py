"""``python -m tunefront``: the command `tunefront`."""

from __future__ import annotations

import os
import sys

# "python -m tunefront" looks for modules in the current folder first, where a file or folder of the user's by a name
# of Python's own would be run in its place. The command `tunefront` does not, and so neither does this.
if sys.path[0] == os.getcwd() != os.path.dirname(os.path.dirname(os.path.abspath(__file__))):
    del sys.path[0]

from tunefront.commands.app import main

if __name__ == "__main__":
    main()
