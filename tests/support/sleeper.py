"""A process that waits for the end of its input; with a bad setting it ends at once."""

import os
import sys

if os.environ.get("CXR_AE_TITLE") == "BAD":
    sys.exit(2)
sys.stdin.buffer.read()
