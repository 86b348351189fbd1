"""The bounds on what is read of a stranger's file, all of them, and nowhere else."""

MAX_FILE_BYTES = 256 * 2**20
"""The largest digital films have about 60 MB uncompressed; four of those are still read."""
MAX_PIXELS = 64_000_000
"""A 35 × 43 cm film digitised at 50 µm has 60 million; the largest detectors have 16 million."""
MAX_INFLATED_BYTES = 4 * MAX_PIXELS
"""Of a deflated data set: no film that is read has more than four bytes a pixel in it."""
MAX_FRAMES = 1_000
"""Only the first is shown; a file with more frames than this is a film strip."""
MAX_SAMPLES = 4
"""A pixel: grey, red, green and blue, or one more. JPEG 2000 could say 16,384."""
MAX_VISITS = 16 * MAX_PIXELS
"""Pixels times scans of a JPEG: a progressive one draws the whole film with every scan."""
MAX_READS = 400_000
"""Of a DICOM header: two or three an element, and a film has some hundred elements."""
MAX_SEQUENCE_BYTES = 4 * 2**20
"""Of a lookup table sequence; a full table of 16 bits has 128 KB."""
DECODER_SECONDS = 60
"""Of computing, for a film of `MAX_PIXELS`; as JPEG 2000, the slowest, it takes a third of it."""
LEAST_DECODER_SECONDS = 5
"""For the smallest film: damage makes decoders of some kilobytes compute without end."""
DECODER_PATIENCE = 600.0
"""Seconds by the clock, for a decoder that waits for ever; a busy machine computes slowly."""
DECODER_BYTES = 6 * 2**30
"""Memory of a decoder: a colour film of the largest size and what it needs beside it."""
