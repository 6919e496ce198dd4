"""From files to pixels, in several processes, and what they were the last time."""
