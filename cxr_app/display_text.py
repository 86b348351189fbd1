"""Probabilities and times as text, wherever a person reads them."""

from datetime import datetime


def percent(probability: float) -> str:
    """Return a probability in whole percent; never ``0 %`` or ``100 %``: no model is certain."""
    if probability <= 0.005:  # would round (half to even) to 0
        return "< 1 %"
    if probability >= 0.995:
        return "> 99 %"
    return f"{probability * 100:.0f} %"


def day(moment: datetime) -> str:
    """Return the date of a moment in the server's time zone."""
    return f"{moment.astimezone():%Y-%m-%d}"


def midnight(moment: datetime) -> datetime:
    """Return when the day of a moment began in the server's time zone, aware."""
    begin = moment.astimezone().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    first = begin.astimezone()  # clocks may have changed since
    skipped = first.date() != begin.date()
    return begin.replace(fold=1).astimezone() if skipped else first


def local(moment: datetime | None) -> datetime | None:
    """Return date and time on the server's clocks at a moment, without a time zone."""
    return moment and moment.astimezone().replace(tzinfo=None)


def clock(moment: datetime) -> str:
    """Return the time of day of a moment in the server's time zone."""
    return f"{moment.astimezone():%H:%M}"


def timestamp(moment: datetime | None) -> str:
    """Return date and time of a moment in the server's time zone; empty for None."""
    return f"{day(moment)} {clock(moment)}" if moment else ""
