"""Search with atheris for a file on which the reader raises anything but a `FilmError`.

    python -m tests.fuzz_reader CORPUS [-max_total_time=3600] [other options of libFuzzer]

CORPUS is a folder of small films; files that reach new lines of the reader or of pydicom are added
to it. A fault ends the run with its traceback, and its file is written to the current folder.
Exit status: 0 if nothing was found in the given time, 2 if atheris is not installed.
"""

import sys
from importlib.util import find_spec

OPTIONS = ("-rss_limit_mb=6000", "-timeout=120", "-max_len=60000")
"""Limits beyond those of `cxr_app.imaging.limits`."""


def main() -> int:
    """Run the command until libFuzzer ends it."""
    if find_spec("atheris") is None:
        print("atheris is not installed: pip install atheris", file=sys.stderr)
        return 2
    import atheris

    with atheris.instrument_imports(include=["cxr_app", "pydicom"]):
        from cxr_app.errors import FilmError
        from cxr_app.imaging.intake import read_radiograph

    def read(data: bytes) -> None:
        """Read a film or refuse it."""
        try:
            read_radiograph(data)
        except FilmError:
            return

    atheris.Setup([sys.argv[0], *OPTIONS, *sys.argv[1:]], read)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
