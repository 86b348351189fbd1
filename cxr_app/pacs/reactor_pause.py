"""The pause of an association's own thread while another one asks and waits for answers.

In pynetdicom 3.0 whoever asks stops that thread, its reactor, before sending. A reactor that has
been woken and has not run since counts as stopped; on a busy machine it then takes the first answer
for a request of the peer, and drops it: a search ends with success and without the film that was
found. Here a pause has begun only once the reactor waits. This leans on names of pynetdicom that
are not public; its version is pinned, and tests look for the effect.
"""

import threading

from pynetdicom.association import Association

LOOK_SECONDS = 0.01
"""How often whoever waits for the reactor checks that it still runs."""


class ReactorPause:
    """Stands in the place of the event that a reactor passes before it looks for requests.

    Parameters
    ----------
    association
        Whose reactor it stops.
    """

    def __init__(self, association: Association) -> None:
        self._association = association
        self._changed = threading.Condition()
        self._is_asked = False
        self._waits = False

    def clear(self) -> None:
        """Begin a pause; returns once the reactor waits, has ended, or is who asks."""
        with self._changed:
            self._is_asked = True
            is_other = threading.current_thread() is not self._association
            while is_other and not self._waits and self._association.is_alive():
                self._changed.wait(LOOK_SECONDS)

    def set(self) -> None:
        """End the pause."""
        with self._changed:
            self._is_asked = False
            self._changed.notify_all()

    def wait(self) -> bool:
        """Wait for the end of the pause, in the reactor."""
        with self._changed:
            self._waits = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._is_asked)
            self._waits = False
        return True
