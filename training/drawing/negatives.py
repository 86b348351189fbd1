"""Pictures that are not chest films, drawn or cut, which the view network must learn to refuse.

Few real pictures are available of what people send by mistake. Drawn ones (pages of text, program
windows, sections through a body, limbs, patterns, noise) and pieces of real films (patches, halves,
collages) teach the network that a chest film is more than its greys and its texture.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFilter

Pixels = NDArray[np.uint8]
"""A grey picture, shape ``(side, side)``."""

Drawing = Callable[[np.random.Generator], Pixels]

SIDE = 192
_LETTERS = "abcdefghijklmnopqrstuvwxyz      ABCDEFGHIJ0123456789.,:"


def draw_picture(rng: np.random.Generator) -> Pixels:
    """Draw something that is not a film, of a random kind."""
    return _DRAWINGS[rng.integers(len(_DRAWINGS))](rng)


def cut_picture(films: Sequence[Pixels] | Pixels, rng: np.random.Generator) -> Pixels:
    """Cut chest films into something else: a piece, a half, a collage, a thumbnail."""
    chosen = [_image(films[index]) for index in rng.integers(len(films), size=4)]
    return _pixels(_CUTS[rng.integers(len(_CUTS))](chosen, rng))


def crop(picture: Pixels, rng: np.random.Generator, least: float = 0.4) -> Pixels:
    """Return a random part of a picture, sometimes rotated, mirrored or inverted."""
    side = len(picture)
    width, height = side * rng.uniform(least, 1.0, size=2)
    left, top = rng.uniform(0, side - width), rng.uniform(0, side - height)
    part = _piece(_image(picture), (left, top, left + width, top + height))
    turned = np.rot90(_pixels(part), k=int(rng.choice([0, 0, 0, 1, 2, 3])))
    mirrored = turned[:, ::-1] if rng.random() < 0.5 else turned
    return np.ascontiguousarray(255 - mirrored if rng.random() < 0.15 else mirrored)


def _image(pixels: Pixels) -> PillowImage.Image:
    return PillowImage.fromarray(pixels)


def _pixels(image: PillowImage.Image) -> Pixels:
    return np.array(image, dtype=np.uint8)


def _piece(film: PillowImage.Image, box: tuple[float, float, float, float]) -> PillowImage.Image:
    return film.resize((SIDE, SIDE), PillowImage.Resampling.BILINEAR, box=box)


def _patch(films: list[PillowImage.Image], rng: np.random.Generator) -> PillowImage.Image:
    side = films[0].width
    extent = side * rng.uniform(0.12, 0.4)
    left, top = rng.uniform(0, side - extent, size=2)
    return _piece(films[0], (left, top, left + extent, top + extent))


def _half(films: list[PillowImage.Image], rng: np.random.Generator) -> PillowImage.Image:
    side, part = films[0].width, films[0].width * rng.uniform(0.35, 0.5)
    boxes: list[tuple[float, float, float, float]]
    boxes = [(0, 0, part, side), (side - part, 0, side, side), (0, 0, side, part)]
    boxes.append((0, side - part, side, side))
    return _piece(films[0], boxes[rng.integers(4)])


def _shuffled(films: list[PillowImage.Image], rng: np.random.Generator) -> PillowImage.Image:
    """Shuffle the quarters or ninths of a film."""
    parts = int(rng.integers(2, 4))
    step = films[0].width // parts
    places = [(step * x, step * y) for x in range(parts) for y in range(parts)]
    order = rng.permutation(len(places))
    if (order == np.arange(len(places))).all():
        order = order[::-1]
    shuffled = films[0].copy()
    for (x, y), index in zip(places, order, strict=True):
        left, top = places[index]
        shuffled.paste(films[0].crop((left, top, left + step, top + step)), (x, y))
    return shuffled


def _collage(films: list[PillowImage.Image], rng: np.random.Generator) -> PillowImage.Image:
    columns, rows = [(2, 2), (2, 1), (1, 2)][rng.integers(3)]
    page = PillowImage.new("L", (SIDE, SIDE))
    for index in range(columns * rows):
        x, y = index % columns, index // columns
        size = (SIDE // columns, SIDE // rows)
        page.paste(films[index].resize(size), (x * size[0], y * size[1]))
    return page


def _thumbnail(films: list[PillowImage.Image], rng: np.random.Generator) -> PillowImage.Image:
    """Insert a small film into a page or a program window."""
    page = _image(_DRAWINGS[rng.integers(2)](rng))
    width, height = (int(SIDE * part) for part in rng.uniform(0.15, 0.42, size=2))
    place = (int(rng.integers(SIDE - width)), int(rng.integers(SIDE - height)))
    page.paste(films[0].resize((width, height)), place)
    return page


def _scrambled(films: list[PillowImage.Image], rng: np.random.Generator) -> PillowImage.Image:
    """Keep the frequencies of a film but none of its shapes."""
    spectrum = np.abs(np.fft.rfft2(_pixels(films[0]).astype(np.float64)))
    phase = rng.uniform(0, 2 * np.pi, spectrum.shape)
    return _image(_stretched(np.fft.irfft2(spectrum * np.exp(1j * phase))))


def _text(rng: np.random.Generator) -> Pixels:
    paper, ink = (rng.integers(200, 256), rng.integers(0, 90))
    if rng.random() < 0.3:
        paper, ink = ink, paper
    page = PillowImage.new("L", (SIDE, SIDE), int(paper))
    pen = ImageDraw.Draw(page)
    size, y, left = int(rng.integers(7, 22)), 6, int(rng.integers(2, 30))
    while y < SIDE:
        line = "".join(rng.choice(list(_LETTERS), size=int(rng.integers(4, 50))))
        pen.text((left, y), line, fill=int(ink), font_size=size)
        y += int(size * rng.uniform(1.2, 2.2))
    return _pixels(page)


def _screen(rng: np.random.Generator) -> Pixels:
    """Draw the windows, bars, buttons and plots of a program."""
    page = PillowImage.new("L", (SIDE, SIDE), int(rng.integers(256)))
    pen = ImageDraw.Draw(page)
    for _ in range(int(rng.integers(5, 30))):
        x, y = rng.integers(0, SIDE, size=2)
        width, height = rng.integers(4, SIDE // 2, size=2)
        corners = (int(x), int(y), int(x + width), int(y + height // rng.integers(1, 8)))
        pen.rectangle(corners, fill=int(rng.integers(256)), outline=int(rng.integers(256)))
        if rng.random() < 0.5:
            pen.text((int(x) + 2, int(y) + 1), "Patient list 12", fill=int(rng.integers(256)))
    curve = np.cumsum(rng.normal(0, 6, SIDE // 4)) + SIDE / 2
    if rng.random() < 0.4:
        pen.line([(4 * i, float(v)) for i, v in enumerate(curve)], fill=int(rng.integers(256)))
    return _pixels(page)


def _section(rng: np.random.Generator) -> Pixels:
    """Draw a section through a body: a bright ring, organs, air, a spine."""
    page = PillowImage.new("L", (SIDE, SIDE), int(rng.integers(0, 30)))
    pen = ImageDraw.Draw(page)
    wide, high = SIDE * rng.uniform(0.25, 0.48), SIDE * rng.uniform(0.2, 0.48)
    _ellipse(pen, (SIDE / 2, SIDE / 2), (wide, high), rng.integers(60, 200))
    rim = rng.uniform(0.03, 0.12)
    _ellipse(pen, (SIDE / 2, SIDE / 2), (wide * (1 - rim), high * (1 - rim)), rng.integers(50, 170))
    for _ in range(int(rng.integers(3, 14))):
        place = SIDE / 2 + rng.uniform(-0.6, 0.6, size=2) * (wide, high)
        _ellipse(pen, place, rng.uniform(0.05, 0.4, size=2) * (wide, high), rng.integers(0, 256))
    if rng.random() < 0.5:
        spine = (SIDE / 2, SIDE / 2 + high * 0.6)
        _ellipse(pen, spine, (wide * 0.15, high * 0.18), rng.integers(200, 256))
    return _grained(page, rng)


def _ellipse(
    pen: ImageDraw.ImageDraw, middle: Iterable[float], radii: Iterable[float], grey: np.integer
) -> None:
    (x, y), (a, b) = middle, radii
    pen.ellipse((x - a, y - b, x + a, y + b), fill=int(grey))


def _limb(rng: np.random.Generator) -> Pixels:
    """Draw bones in soft tissue on a dark background: arm, leg, hand, row of vertebrae."""
    tissue = PillowImage.new("L", (SIDE, SIDE))
    bone = PillowImage.new("L", (SIDE, SIDE))
    pens = ImageDraw.Draw(tissue), ImageDraw.Draw(bone)
    start = np.array([SIDE / 2, SIDE * rng.uniform(0.6, 1.0)])
    count, length = int(rng.integers(1, 6)), SIDE * rng.uniform(0.2, 0.55)
    for angle in np.linspace(-1, 1, count + 2)[1:-1] * rng.uniform(0.3, 1.2):
        joint = start + rng.uniform(-0.1, 0.1, size=2) * SIDE
        for _ in range(int(rng.integers(1, 5))):
            heading = angle + rng.uniform(-0.2, 0.2)
            tip = joint + length * rng.uniform(0.3, 1) * np.array([np.sin(heading), -np.cos(angle)])
            width = int(rng.integers(6, 26))
            line = [tuple(joint), tuple(tip)]
            pens[0].line(line, fill=int(rng.integers(70, 130)), width=3 * width)
            pens[1].line(line, fill=int(rng.integers(80, 150)), width=width)
            joint = tip + rng.uniform(0.01, 0.05) * SIDE * np.array([np.sin(angle), -np.cos(angle)])
    soft = tissue.filter(ImageFilter.GaussianBlur(rng.uniform(1, 6)))
    hard = bone.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 2)))
    both = _pixels(soft).astype(int) + _pixels(hard) + int(rng.integers(0, 40))
    return _grained(_image(both.clip(0, 255).astype(np.uint8)), rng)


def _clouds(rng: np.random.Generator) -> Pixels:
    """Draw noise that decreases with frequency, from white noise to soft clouds."""
    frequencies = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None])
    frequencies[0, 0] = 1
    noise = np.fft.rfft2(rng.normal(size=(SIDE, SIDE)))
    clouds = np.fft.irfft2(noise / frequencies ** rng.uniform(0, 2.5))
    return _stretched(clouds)


def _pattern(rng: np.random.Generator) -> Pixels:
    """Draw a gradient, stripes, rings or a chequerboard."""
    v, u = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j] + rng.uniform(-0.5, 0.5, size=(2, 1, 1))
    angle, waves = rng.uniform(0, np.pi), rng.uniform(1, 30)
    along = u * np.cos(angle) + v * np.sin(angle)
    forms: list[NDArray[np.float64]] = [
        along,
        np.hypot(u, v),
        np.sin(waves * along),
        np.sin(waves * np.hypot(u, v)),
        np.sign(np.sin(waves * u) * np.sin(waves * v)),
        np.sign(np.sin(waves * along)),
    ]
    form = forms[rng.integers(len(forms))]
    return _grained(_image(_stretched(form + 1e-9 * u)), rng)


def _shapes(rng: np.random.Generator) -> Pixels:
    """Draw overlapping polygons and ellipses, sharp or soft."""
    page = PillowImage.new("L", (SIDE, SIDE), int(rng.integers(256)))
    pen = ImageDraw.Draw(page)
    for _ in range(int(rng.integers(2, 12))):
        middle, radii = rng.uniform(0, SIDE, size=2), rng.uniform(4, SIDE / 2, size=2)
        if rng.random() < 0.5:
            _ellipse(pen, middle, radii, rng.integers(256))
        else:
            corners = middle + rng.uniform(-1, 1, size=(int(rng.integers(3, 7)), 2)) * radii
            pen.polygon([tuple(corner) for corner in corners], fill=int(rng.integers(256)))
    return _grained(page.filter(ImageFilter.GaussianBlur(rng.uniform(0, 8))), rng)


def _grained(page: PillowImage.Image, rng: np.random.Generator) -> Pixels:
    noise = rng.normal(0, rng.uniform(0, 14), (SIDE, SIDE))
    return np.asarray((_pixels(page) + noise).clip(0, 255), dtype=np.uint8)


def _stretched(values: NDArray[np.float64]) -> Pixels:
    low, high = np.percentile(values, (1, 99))
    scaled = (values - low) / max(high - low, 1e-12)
    return np.asarray(255 * scaled.clip(0, 1), dtype=np.uint8)


_DRAWINGS: tuple[Drawing, ...] = (
    _text, _screen, _section, _section, _limb, _limb, _limb, _clouds, _pattern, _shapes,
)  # fmt: skip
_CUTS: tuple[Callable[[list[PillowImage.Image], np.random.Generator], PillowImage.Image], ...] = (
    _patch,
    _half,
    _shuffled,
    _collage,
    _thumbnail,
    _scrambled,
)
