"""Who may send: AE titles and addresses that the settings allow."""

from ipaddress import ip_address

from cxr_app.settings import Settings


class Callers:
    """The peers that may send.

    An AE title is no secret and proves nothing; what protects the port is the network.

    Parameters
    ----------
    settings
        Allowed titles and addresses.
    """

    def __init__(self, settings: Settings) -> None:
        self._titles = settings.caller_titles
        self._networks = settings.caller_networks

    def objection(self, ae_title: str, address: str) -> str:
        """Return why a peer may not send; empty if it may."""
        if self._titles and ae_title not in self._titles:
            return "Its AE title is not among CXR_DICOM_CALLERS."
        if self._networks and not self._may_call_from(address):
            return "Its address is not among CXR_DICOM_ADDRESSES."
        return ""

    def _may_call_from(self, address: str) -> bool:
        try:
            found = ip_address(address)
        except ValueError:
            return False
        plain = getattr(found, "ipv4_mapped", None) or found
        return any(plain in network for network in self._networks)
