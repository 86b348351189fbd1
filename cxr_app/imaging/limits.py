"""All limits on what is read of an untrusted file."""

MAX_FILE_BYTES = 256 * 2**20
"""Size of a file; the largest digital films have about 60 MB uncompressed."""
MAX_ARCHIVE_BYTES = 4 * 2**30
"""Size of the unpacked files of a zip archive."""
MAX_ARCHIVE_MEMBERS = 10_000
"""Files of a zip archive."""
MAX_PIXELS = 64_000_000
"""A 35 × 43 cm film digitised at 50 µm has 60 million; the largest detectors have 16 million."""
MAX_INFLATED_BYTES = 4 * MAX_PIXELS
"""Size of an inflated data set; no film has more than four bytes a pixel."""
MAX_FRAMES = 1_000
"""Frames of a file, although only the first is shown; a file with more is not a radiograph."""
MAX_SAMPLES = 4
"""Samples of a pixel: grey, red, green and blue, or one more. JPEG 2000 allows 16,384."""
MAX_VISITS = 16 * MAX_PIXELS
"""Pixels times scans of a JPEG; a progressive one draws the whole film in every scan."""
MAX_READS = 400_000
"""Reads of a DICOM header: two or three an element, and a film has some hundred elements."""
MAX_SEQUENCE_BYTES = 4 * 2**20
"""Size of a lookup table sequence; a full table of 16 bits has 128 KB."""
DECODER_SECONDS = 60
"""Processor time for a film of `MAX_PIXELS`; JPEG 2000, the slowest format, needs a third of it."""
LEAST_DECODER_SECONDS = 5
"""Processor time for the smallest film; damaged files of some kilobytes can compute without end."""
DECODER_PATIENCE = 600.0
"""Elapsed seconds until a decoder that does not answer is ended; a busy computer is slow."""
DECODER_BYTES = 6 * 2**30
"""Memory of a decoder: enough for a colour film of the largest size."""
