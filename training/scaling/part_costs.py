"""What one film costs each part of an installation, as measured on one core."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from cxr_app.errors import SettingsError


@dataclass(frozen=True, slots=True)
class PartCosts:
    """Costs of a film; the defaults are those of `docs/scaling.md`, measured on its machine.

    Parameters
    ----------
    receive_ms
        CPU of a receiver for a film of 10 MB, with its hash and fsync.
    decode_ms, network_ms
        CPU of one core to read, decode and screen a film, and for probability and heat.
    entering_ms
        CPU of the process of a backlog that enters its films, on the cores that score them.
    database_ms
        For which the database is busy: the entry, its outcome and the questions of its queue.
    page_ms
        For which the database is busy to show a page of the list.
    start_seconds
        Until the scoring processes are ready, with the imports of the whole command.
    megabytes
        Of a film as it is kept.
    row_bytes
        Of its entry, outcome, heatmap and events.
    """

    receive_ms: float = 44.0
    decode_ms: float = 18.0
    network_ms: float = 12.6
    entering_ms: float = 1.5
    database_ms: float = 6.0
    page_ms: float = 15.0
    start_seconds: float = 1.3
    megabytes: float = 10.0
    row_bytes: float = 6000.0

    @property
    def score_ms(self) -> float:
        """CPU of one core to score a film."""
        return self.decode_ms + self.network_ms

    def from_benchmark(self, path: Path, kind: str = "dicom") -> Self:
        """Return these costs with those that `training.benchmark --json` has measured.

        Parameters
        ----------
        kind
            The format of the films: ``jpeg``, ``dicom`` or ``jpeg2000``.

        Raises
        ------
        SettingsError
            If the file is not what the benchmark wrote.
        """
        try:
            measured: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            found, cores = measured["formats"][kind], measured["cores"]
            return replace(
                self,
                decode_ms=1000 * cores / found["decode"],
                network_ms=1000 * cores / found["network"],
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SettingsError(
                f"{path} has no measurements of {kind} films. "
                "Write it by: python -m training.benchmark --json FILE"
            ) from error
