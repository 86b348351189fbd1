"""Warnings of third-party parsers, some of which quote the value they warn of.

This file is not part of `log_privacy`: that one reads the settings, which would cost each child
process of `isolated_decoder` 0.3 s and 11 MB.
"""

import re
import threading
import warnings

_lock = threading.Lock()


def silence_warnings(package: str) -> None:
    """Ignore the warnings that the modules of a package issue.

    `warnings.catch_warnings` in one thread would undo the filters of another. A filter that is
    never removed, and covers only the modules of the package, is safe in all threads.
    """
    modules = re.compile(re.escape(f"{package}."))
    with _lock:
        if ("ignore", None, Warning, modules, 0) not in warnings.filters:
            warnings.filterwarnings("ignore", module=modules.pattern)
