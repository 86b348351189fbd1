"""The shipped network: it finds the lungs, reads their crop and the film, and says where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from cxr_app.lung_fields import LungFields
from cxr_app.model.architectures import PARTS_READ, Part
from cxr_app.model.lung_box import WHOLE_FILM, Box, lungs_and_boxes
from cxr_app.model.networks.base import GridNetwork
from cxr_app.model.networks.evidence_pyramid import EvidencePyramid
from cxr_app.model.networks.lung_unet import LUNG_SIDE, LungNetwork
from cxr_app.model.networks.resampling import crop, middles_inside, paste_on_film, resize

FILM_SIDE = 224
"""Side of the film that it reads, in pixels: what its training films were published at."""
READ_SIDE = 160
"""Side of what the pneumonia networks read, crop or film."""
MAP_SIDE = 28
"""Cells of the map along a side of the film: about as fine as the cells of the crop."""
CROP_SHARE = (1 / 3, 2 / 3)
"""What members that read the crop count, of children and of adults; the rest is the film's.

In short lessons with three seeds (`training.steps`), what is outside the lungs told more of
children's films, also of a machine that was held out, and the larger lungs of the crop more of
adults'.
"""
GATE = 2.0
"""How sharply children are told from adults, until a training fits it."""
NO_EVIDENCE = -12.0
"""Calibrated log-odds of cells outside the crop: no heat is drawn there."""


@dataclass(frozen=True, slots=True)
class FilmReading:
    """What the network says of a batch of films.

    Parameters
    ----------
    logits
        ``(B, 3)``: normal, bacterial, viral; calibrated.
    evidence
        ``(B, 28, 28)``: calibrated log-odds of pneumonia of each cell of the film by itself.
    adult
        ``(B,)``: probability that the patient is an adult, from the film.
    lungs
        One a film.
    """

    logits: Tensor
    evidence: Tensor
    adult: Tensor
    lungs: tuple[LungFields, ...]


class LungCropNetwork(GridNetwork):
    """A lung network, and pneumonia networks whose weighted mean is the answer.

    Calibration is part of the weights: a slope and an offset for the log-odds of children, another
    pair for those of adults, mixed by how adult the film looks; `gate` is how sharply.

    Parameters
    ----------
    reads
        What each pneumonia network reads: the crop around the lungs that were found, or the film.
    """

    size = FILM_SIDE
    map_is_log_odds = True

    def __init__(self, reads: Sequence[Part] = PARTS_READ["crop_and_film"]) -> None:
        cell = FILM_SIDE / MAP_SIDE
        super().__init__(nn.Identity(), spacing=cell, first=cell / 2)
        self.lung_network: nn.Module = LungNetwork()
        self.reads = tuple(reads)
        self.members = nn.ModuleList([EvidencePyramid() for _ in reads])
        self.register_buffer("slope", torch.ones(2))
        self.register_buffer("offset", torch.zeros(2))
        self.register_buffer("cause_calibration", torch.tensor([1.0, 0.0]))
        self.register_buffer("gate", torch.tensor(GATE))
        self.slope: Tensor
        self.offset: Tensor
        self.cause_calibration: Tensor
        self.gate: Tensor

    @property
    def bodies(self) -> Mapping[str, nn.Module]:
        """The lung network and the pneumonia networks, by the name of their weights."""
        members = {f"members.{index}": member for index, member in enumerate(self.members)}
        return {"lung_network": self.lung_network, **members}

    def features(self, batch: Tensor) -> Tensor:
        """Turn films ``(B, 1, 224, 224)`` in ``[0, 1]`` into logits and evidence.

        Returns
        -------
        Tensor
            ``(B, 3, 28, 28)``: the evidence of each cell, and in each cell alike the film's logits
            of bacterial and of viral pneumonia.
        """
        reading = self.read(batch)
        causes = reading.logits[:, 1:, None, None].expand(-1, -1, MAP_SIDE, MAP_SIDE)
        return torch.cat([reading.evidence[:, None], causes], dim=1)

    def classify(self, features: Tensor) -> Tensor:
        """Read the logits ``(B, 3)`` from `features`."""
        causes = features[:, 1:].mean(dim=(2, 3))
        return torch.cat([torch.zeros_like(causes[:, :1]), causes], dim=1)

    def read(self, films: Tensor) -> FilmReading:
        """Read films ``(B, 1, 224, 224)`` in ``[0, 1]``."""
        lungs, found = self.find_lungs(films)
        boxes = torch.tensor(found, device=films.device)
        return FilmReading(*self.read_boxes(films, boxes), lungs=lungs)

    def read_boxes(self, films: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Read films and the boxes ``(B, 4)`` of their lungs; return all but the lungs.

        Returns
        -------
        tuple of Tensor
            ``logits``, ``evidence`` and ``adult`` of `FilmReading`.
        """
        whole = boxes.new_tensor([WHOLE_FILM]).expand_as(boxes)
        areas = {"crop": boxes, "film": whole}
        shown = {part: _cut(films, areas[part]) for part in dict.fromkeys(self.reads)}
        read = [member(shown[part]) for part, member in zip(self.reads, self.members, strict=True)]
        adult = (self.gate * torch.stack([each.adult for each in read]).mean(dim=0)).sigmoid()
        weights = member_weights(self.reads, adult)  # (members, B)
        log_odds = (weights * torch.stack([each.log_odds for each in read])).sum(dim=0)
        cause = (weights * torch.stack([each.cause for each in read])).sum(dim=0)
        laid = [
            paste_on_film(each.cells, areas[part], MAP_SIDE)
            for part, each in zip(self.reads, read, strict=True)
        ]
        cells = (weights[:, :, None, None] * torch.stack(laid)).sum(dim=0)
        evidence = self.calibrate(cells, adult[:, None, None])
        evidence = evidence.where(middles_inside(boxes, MAP_SIDE), NO_EVIDENCE)
        return self._logits(self.calibrate(log_odds, adult), cause), evidence, adult

    def find_lungs(self, films: Tensor) -> tuple[tuple[LungFields, ...], list[Box]]:
        """Draw the lungs of films; return them, and the box around those of each film."""
        return lungs_and_boxes(self.draw_lungs(films).float().detach().cpu().numpy())

    def draw_lungs(self, films: Tensor) -> Tensor:
        """Return the probability of lung of each pixel of films, ``(B, 96, 96)``."""
        small = resize(films, LUNG_SIDE).contiguous(memory_format=torch.channels_last)
        drawn: Tensor = self.lung_network(small)[:, 0].sigmoid()
        return drawn

    def calibrate(self, log_odds: Tensor, adult: Tensor) -> Tensor:
        """Calibrate log-odds by the share of an adult in ``[0, 1]``; both shapes broadcast."""
        slope = self.slope[0] + adult * (self.slope[1] - self.slope[0])
        offset = self.offset[0] + adult * (self.offset[1] - self.offset[0])
        return slope * log_odds + offset

    def _logits(self, log_odds: Tensor, cause: Tensor) -> Tensor:
        """Divide the log-odds of pneumonia by its cause, ``(B,) -> (B, 3)``."""
        viral = self.cause_calibration[0] * cause + self.cause_calibration[1]
        bacterial = log_odds + functional.logsigmoid(-viral)
        return torch.stack(
            [
                torch.zeros_like(log_odds),
                bacterial,
                log_odds + functional.logsigmoid(viral),
            ],
            dim=1,
        )


def member_weights(reads: Sequence[Part], adult: Tensor) -> Tensor:
    """Return what each member counts, ``(members, B)``; 1 in all for a film.

    Parameters
    ----------
    reads
        What each member reads.
    adult
        ``(B,)``: probability of an adult.
    """
    crop_share = CROP_SHARE[0] + adult * (CROP_SHARE[1] - CROP_SHARE[0])
    shares = {"crop": crop_share, "film": 1 - crop_share}
    weights = torch.stack([shares[part] / reads.count(part) for part in reads])
    return weights / weights.sum(dim=0)


def _cut(films: Tensor, boxes: Tensor) -> Tensor:
    """Cut out what a pneumonia network reads, ``(B, 1, S, S)``."""
    return crop(films, boxes, READ_SIDE).contiguous(memory_format=torch.channels_last)
