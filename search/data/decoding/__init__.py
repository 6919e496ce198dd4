"""The decoding of files to pixels, in several processes, and the reuse of earlier results."""
