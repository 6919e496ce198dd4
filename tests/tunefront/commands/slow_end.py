"""A module whose process does not end by itself: it stands for Keras, which takes a second for that."""

import atexit
import time

atexit.register(time.sleep, 3600)
