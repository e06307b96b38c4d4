"""A generated task: which shape with which pattern is the largest object in a cluttered picture?

There are five shapes and two patterns. A pattern repeats after 4.5 to 7.5 of 96 pixels, so that the side of
the images matters, and the shapes are turned, stretched and partly transparent. Images are computed from a
seed by +, -, *, / and square roots alone, which every machine rounds alike, in parallel or not: the same seed
gives the same bytes.

Its difficulty was set once, by sizes, clutter and opacity, so that ``mini:width=0.5`` classifies about 85% of
images of side 48 correctly after 15 epochs of 3,000 images; and the patterns are so fine that the side of the
images can matter. What the task shows about resolution is thus partly built in.
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from costlab.train.data import Split
from costlab.train.environment import single_core_threads

SIZE = 96
SHAPES = ("ring", "disc", "frame", "triangle", "cross")
PATTERNS = ("stripes", "checks")
CLASSES = tuple(f"{shape} of {pattern}" for shape in SHAPES for pattern in PATTERNS)
CHUNK = 250
"""Images generated at a time, as many of each class."""

CELLS = (3, 6, 12, 24, 48)
AMPLITUDES = (0.21, 0.165, 0.129, 0.101, 0.08)
"""Of the background noise, by the number of its cells along a side: proportional to the number ** -0.35."""

MAIN = (0.32, 0.46)
PIECE = (0.1, 0.24)
"""Half the size of the main object and of the clutter, as a fraction of half the side of the image."""

PIECES = 3
OPACITY = (0.75, 1.0)
PERIOD = (4.5, 7.5)
GRAIN = 0.1
"""The noise of a pixel is uniform between plus and minus this."""

EDGE = 1.5
"""How steep an edge is, per pixel."""

STREAMS = 8192
"""The distance between the generator seeds of one seed and the next: two for each chunk."""

MOST = CHUNK * STREAMS // 2
"""The most images of one seed, for training or for validation."""


class Pieces(NamedTuple):
    """One object in each image: tensors ``(N,)``, but ``(N, 3)`` for the two colours."""

    shape: Tensor
    pattern: Tensor
    colours: tuple[Tensor, Tensor]
    centre: tuple[Tensor, Tensor]
    axes: tuple[Tensor, Tensor]
    cosine: Tensor
    sine: Tensor
    frequency: Tensor
    phase: tuple[Tensor, Tensor]
    opacity: Tensor


def images(count: int, seed: int, *, validation: bool = False) -> Split:
    """The first ``count`` images of a seed: ``-> (count, 3, 96, 96)``; they do not depend on ``count``.

    Validation images differ from training images, with any seeds. ``count`` is at most `MOST`.
    """
    # Odd seeds for validation, even ones for training: they never share a chunk.
    streams = [(seed * STREAMS + 2 * i + validation) % 2**32 for i in range(-(-count // CHUNK))]
    pixels = torch.empty((count, 3, SIZE, SIZE), dtype=torch.uint8)
    labels = torch.empty(count, dtype=torch.int64)
    with single_core_threads() as pool:
        starts = range(0, count, CHUNK)
        counts = [min(CHUNK, count - start) for start in starts]
        for start, chunk in zip(starts, pool.map(_chunk, streams, counts), strict=True):
            end = start + len(chunk.labels)
            pixels[start:end] = chunk.images
            labels[start:end] = chunk.labels
    return Split(pixels, labels)


def _chunk(stream: int, count: int) -> Split:
    """The first images of a chunk: numbers are drawn for all of it, pictures for these alone."""
    random = torch.Generator().manual_seed(stream)
    labels = torch.randperm(CHUNK, generator=random) % len(CLASSES)
    picture = _ground(random, count)
    for _ in range(PIECES):
        kind = torch.randint(len(CLASSES), (CHUNK,), generator=random)
        _draw(picture, _pieces(kind, PIECE, random))
    _draw(picture, _pieces(labels, MAIN, random))
    picture += (torch.rand((CHUNK, *picture.shape[1:]), generator=random)[:count] * 2 - 1) * GRAIN
    return Split((picture * 255).round_().clamp_(0, 255).to(torch.uint8), labels[:count])


def _ground(random: Generator, count: int) -> Tensor:
    """The background, noise on several scales: ``-> (count, 3, 96, 96)``."""
    picture = 0.25 + 0.5 * torch.rand((CHUNK, 3, 1, 1), generator=random)[:count].expand(-1, -1, SIZE, SIZE)
    for cells, amplitude in zip(CELLS, AMPLITUDES, strict=True):
        noise = torch.rand((CHUNK, 3, cells + 1, cells + 1), generator=random)[:count]
        noise = (noise * 2 - 1) * amplitude
        at = torch.arange(SIZE) * cells
        left, part = at // SIZE, (at % SIZE) * (1 / SIZE)  # exact: 1 / SIZE is rounded once, for all
        noise = noise[..., left] * (1 - part) + noise[..., left + 1] * part
        part = part[:, None]
        picture = picture + (noise[..., left, :] * (1 - part) + noise[..., left + 1, :] * part)
    return picture


def _pieces(kind: Tensor, size: tuple[float, float], random: Generator) -> Pieces:
    def between(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand((CHUNK, *shape), generator=random)

    half, stretch = between(*size), _square_root(between(0.8, 1.25))
    across, along = half * stretch, half / stretch
    tangent = between(-0.3, 0.3)  # of half the angle, up to 0.6 rad: machines round sines differently
    cosine = (1 - tangent * tangent) / (1 + tangent * tangent)
    sine = 2 * tangent / (1 + tangent * tangent)
    room_x = 1 - across * cosine - along * sine.abs()
    room_y = 1 - along * cosine - across * sine.abs()
    middle, apart = between(0.2, 0.8, 3), between(-1, 1, 3)
    apart = apart / apart.abs().amax(1, keepdim=True) * between(0.15, 0.4, 1)
    return Pieces(
        shape=kind // len(PATTERNS),
        pattern=kind % len(PATTERNS),
        colours=((middle + apart).clamp(0, 1), (middle - apart).clamp(0, 1)),
        centre=(between(-1, 1) * room_x, between(-1, 1) * room_y),
        axes=(across, along),
        cosine=cosine,
        sine=sine,
        frequency=1 / between(*PERIOD),
        phase=(between(0, 1), between(0, 1)),
        opacity=between(*OPACITY),
    )


def _draw(picture: Tensor, pieces: Pieces) -> None:
    """Draw one object into each image, in place; of more objects than images, the first ones."""
    count = len(picture)

    def per_image(value: Tensor) -> Tensor:
        return value[:count, None, None]

    line = (torch.arange(SIZE) * 2 + 1) * (1 / SIZE) - 1
    x, y = (
        line[None, None, :] - per_image(pieces.centre[0]),
        line[None, :, None] - per_image(pieces.centre[1]),
    )
    across = x * per_image(pieces.cosine) + y * per_image(pieces.sine)
    along = y * per_image(pieces.cosine) - x * per_image(pieces.sine)
    u, v = across / per_image(pieces.axes[0]), along / per_image(pieces.axes[1])
    mask = torch.empty_like(u)
    for number, shape in enumerate(SHAPES):
        of = (pieces.shape[:count] == number).nonzero()[:, 0]
        mask[of] = _inside(shape, u[of], v[of])
    pixels = (pieces.axes[0] + pieces.axes[1]) * (SIZE / 4) * EDGE
    mask = (mask * per_image(pixels) + 0.5).clamp_(0, 1) * per_image(pieces.opacity)

    pitch = per_image(pieces.frequency) * (SIZE / 2)
    first, second = (
        _wave(across * pitch + per_image(pieces.phase[0])),
        _wave(along * pitch + per_image(pieces.phase[1])),
    )
    pattern = torch.where(per_image(pieces.pattern) == 0, first, first * second)
    light = ((pattern * 3).clamp_(-1, 1) + 1) * 0.5
    for channel in range(3):
        one, other = (per_image(colour[:, channel]) for colour in pieces.colours)
        layer = picture[:, channel]
        layer += (other + (one - other) * light - layer) * mask


def _square_root(x: Tensor) -> Tensor:
    """The correctly rounded square root: torch's is MKL's, whose rounding depends on the processor."""
    return x.double().sqrt().float()


def _wave(phase: Tensor) -> Tensor:
    """A triangle wave of period 1 between -1 and 1."""
    return (phase - phase.floor() - 0.5).abs() * 4 - 1


def _inside(shape: str, u: Tensor, v: Tensor) -> Tensor:
    """The signed distance inside a shape that fills -1 to 1, below 0 outside, relative to half its size."""
    if shape in {"ring", "disc"}:
        radius = _square_root(u * u + v * v)
        return 1 - radius if shape == "disc" else 0.24 - (radius - 0.76).abs()
    if shape == "frame":
        return 0.22 - (torch.maximum(u.abs(), v.abs()) - 0.78).abs()
    if shape == "triangle":  # point up: the image's y runs down
        return torch.minimum(1 - v, (1 + v - 2 * u.abs()) * 0.4472136)
    wide, narrow = torch.maximum(u.abs(), v.abs()), torch.minimum(u.abs(), v.abs())
    return torch.minimum(1 - wide, 0.34 - narrow)
