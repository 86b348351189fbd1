"""The option ``--device``, which every command that runs a network has."""

import argparse

DEVICES = ("auto", "cuda", "mps", "cpu")


def add_device_option(parser: argparse.ArgumentParser, text: str = "default: CXR_DEVICE") -> None:
    """Add ``--device``; None if it is not given, so that `Settings.device` applies."""
    parser.add_argument("--device", choices=DEVICES, help=text)
