"""An installation on paper: how many films from how many hospitals, and with what."""

from collections.abc import Mapping
from dataclasses import dataclass

from training.scaling.part_costs import PartCosts

HOURS_A_YEAR = 365.0 * 24.0


@dataclass(frozen=True, slots=True)
class Deployment:
    """An installation.

    Parameters
    ----------
    films_a_year
        Of all hospitals.
    hospitals
        Each has a receiver of its own.
    receiver_cores
        Of each of these.
    scoring_cores
        Shared by all.
    database_cores
        Of the primary, which takes entries and outcomes.
    replica_cores
        Of read replicas, which answer for the list; none: the primary does.
    busiest_hour
        Share of a day's films that come in its busiest hour.
    pages_a_film
        How often a page of the list is opened for each film.
    """

    films_a_year: float
    hospitals: int = 1
    receiver_cores: int = 1
    scoring_cores: int = 2
    database_cores: int = 2
    replica_cores: int = 0
    busiest_hour: float = 0.10
    pages_a_film: float = 4.0

    @property
    def films_in_busiest_hour(self) -> float:
        """Films of all hospitals in the busiest hour of a mean day."""
        return self.films_a_year / 365.0 * self.busiest_hour

    def most_films_an_hour(self, costs: PartCosts) -> Mapping[str, float]:
        """Return the rate at which each part is busy all the time, by its name."""
        pages_ms = self.pages_a_film * costs.page_ms
        primary_ms = costs.database_ms + (0.0 if self.replica_cores else pages_ms)
        most = {
            "receivers": self.hospitals * self.receiver_cores * 3.6e6 / costs.receive_ms,
            "scoring": self.scoring_cores * 3.6e6 / costs.score_ms,
            "database": self.database_cores * 3.6e6 / primary_ms,
        }
        if self.replica_cores:
            most["replicas"] = self.replica_cores * 3.6e6 / pages_ms
        return most

    def first_to_saturate(self, costs: PartCosts) -> tuple[str, float]:
        """Return the part that is busy first as films increase, and its share of time at peak."""
        most = self.most_films_an_hour(costs)
        part = min(most, key=lambda name: most[name])
        return part, self.films_in_busiest_hour / most[part]
