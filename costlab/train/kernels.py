"""Passes over feature maps that torch takes several for, or slow ones: compiled, and each for one thread.

Maps are of float32 in torch's channels_last, named by the address of their first value: arrays would cost
more than some passes do. They are seen as strips of a few whole pixels, or as rows, so that the inner loop is
long enough for vectors however few the channels are. Sums are carried over to float64 from time to time.
"""

from typing import Any

import numpy as np
from numba import carray, njit, types  # type: ignore[attr-defined]  # numba documents it by this name
from numba.extending import intrinsic

CARRIED = 32
"""Strips whose sums are held in float32."""
EIGHT = 8
"""Values that are copied at once: a loop of a number that is known is one instruction."""


def _to_pointer(_: Any, __: Any) -> Any:
    """An address as a pointer, from which numba makes an array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return types.voidptr(types.intp), generate


_pointer: Any = intrinsic(_to_pointer)
_compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz"})


@_compiled
def normalize(
    x_at: int,
    y_at: int,
    shape: tuple[int, int],
    weight_at: int,
    bias_at: int,
    running_at: tuple[int, int],
    momentum: float,
    epsilon: float,
    channels: int,
    saved_at: int,
) -> None:
    """Write batch norm of ``x``, then ReLU, to ``y``, and update the running mean and variance.

    ``saved`` ``(2, channels)`` of float64 is what the gradient needs: the mean, and 1 by the deviation.
    """
    x = carray(_pointer(x_at), shape, np.float32)
    y = carray(_pointer(y_at), shape, np.float32)
    weight = carray(_pointer(weight_at), channels, np.float32)
    bias = carray(_pointer(bias_at), channels, np.float32)
    running_mean = carray(_pointer(running_at[0]), channels, np.float32)
    running_variance = carray(_pointer(running_at[1]), channels, np.float32)
    saved = carray(_pointer(saved_at), (2, channels), np.float64)
    mean, variance = np.empty(channels), np.empty(channels)
    _statistics(x, mean, variance)
    pixels = x.size // channels
    scale, offset = np.empty(channels), np.empty(channels)
    for c in range(channels):
        saved[0, c], saved[1, c] = mean[c], 1 / np.sqrt(variance[c] + epsilon)
        scale[c] = weight[c] * saved[1, c]
        offset[c] = bias[c] - scale[c] * saved[0, c]
        running_mean[c] += momentum * (mean[c] - running_mean[c])
        unbiased = variance[c] * pixels / (pixels - 1)
        running_variance[c] += momentum * (unbiased - running_variance[c])
    factor, constant = _strip(scale, x), _strip(offset, x)
    for i in range(x.shape[0]):
        row, out = x[i], y[i]
        for j in range(x.shape[1]):
            value = row[j] * factor[j] + constant[j]
            out[j] = np.float32(0) if value < 0 else value  # a NaN stays one


@_compiled
def normalize_backward(
    gradient_at: int,
    step: int,
    x_at: int,
    of_x_at: int,
    shape: tuple[int, int],
    weight_at: int,
    bias_at: int,
    of_weight_at: int,
    of_bias_at: int,
    channels: int,
    saved_at: int,
) -> None:
    """Write the gradients of what `normalize` takes, given that of ``y``, whose pixels are ``step`` apart."""
    x = carray(_pointer(x_at), shape, np.float32)
    gradient = carray(_pointer(gradient_at), shape, np.float32)
    if step > channels:
        apart = carray(_pointer(gradient_at), (x.size // channels, step), np.float32)
        gradient = _gathered(apart, channels).reshape(shape)
    of_x = carray(_pointer(of_x_at), shape, np.float32)
    weight = carray(_pointer(weight_at), channels, np.float32)
    bias = carray(_pointer(bias_at), channels, np.float32)
    of_weight = carray(_pointer(of_weight_at), channels, np.float32)
    of_bias = carray(_pointer(of_bias_at), channels, np.float32)
    saved = carray(_pointer(saved_at), (2, channels), np.float64)
    scale = weight * saved[1]
    factor, constant, mean = _strip(scale, x), _strip(bias - scale * saved[0], x), _strip(saved[0], x)
    sums, products = np.zeros(channels), np.zeros(channels)
    first, second = np.zeros(x.shape[1], np.float32), np.zeros(x.shape[1], np.float32)
    for start in range(0, x.shape[0], CARRIED):
        for i in range(start, min(x.shape[0], start + CARRIED)):
            row, slope = x[i], gradient[i]
            for j in range(x.shape[1]):
                passed = slope[j] if row[j] * factor[j] + constant[j] > 0 else np.float32(0)
                first[j] += passed
                second[j] += passed * (row[j] - mean[j])
        _carry(first, sums)
        _carry(second, products)
    pixels = x.size // channels
    slopes, offsets = np.empty(channels), np.empty(channels)
    for c in range(channels):
        of_weight[c], of_bias[c] = products[c] * saved[1, c], sums[c]
        slopes[c] = -scale[c] * saved[1, c] * saved[1, c] * products[c] / pixels
        offsets[c] = -scale[c] * sums[c] / pixels - slopes[c] * saved[0, c]
    by_x, by_none = _strip(slopes, x), _strip(offsets, x)
    for i in range(x.shape[0]):
        row, slope, out = x[i], gradient[i], of_x[i]
        for j in range(x.shape[1]):
            passed = slope[j] if row[j] * factor[j] + constant[j] > 0 else np.float32(0)
            out[j] = factor[j] * passed + by_x[j] * row[j] + by_none[j]


@_compiled
def _gathered(values: Any, channels: int) -> Any:
    """The first values of each pixel of ``(pixels, step)``, side by side."""
    gathered, whole = np.empty((len(values), channels), np.float32), channels - channels % EIGHT
    for p in range(len(values)):
        pixel, to = values[p], gathered[p]
        for start in range(0, whole, EIGHT):
            for c in range(EIGHT):
                to[np.uintp(start + c)] = pixel[np.uintp(start + c)]
        for c in range(whole, channels):
            to[np.uintp(c)] = pixel[np.uintp(c)]
    return gathered


@_compiled
def mean_around(x_at: int, y_at: int, shape: tuple[int, int, int, int], tall: int, wide: int) -> None:
    """Write the mean of the ``tall x wide`` window around each pixel, with zeros beyond the edge.

    ``shape`` is ``(N, H, W, C)``, the sizes are odd. It is its own gradient.
    """
    images, height, width, channels = shape
    x = carray(_pointer(x_at), (images, height, width * channels), np.float32)
    y = carray(_pointer(y_at), (images, height, width * channels), np.float32)
    beside, row = wide // 2 * channels, width * channels
    sums = np.zeros(row + 2 * beside, np.float32)
    middle = sums[beside : beside + row]
    share = np.float32(1 / (tall * wide))
    for n in range(images):
        for h in range(height):
            middle[:] = np.float32(0)
            for i in range(max(0, h - tall // 2), min(height, h + tall // 2 + 1)):
                values = x[n, i]
                for j in range(row):
                    middle[j] += values[j]
            out = y[n, h]
            for j in range(row):
                out[j] = sums[j] * share
            for k in range(1, wide):
                part = sums[k * channels : k * channels + row]
                for j in range(row):
                    out[j] += part[j] * share


@_compiled
def shifted(images: Any, order: Any, down: Any, right: Any, mirrored: Any, levels: Any, out: Any) -> None:
    """Write images ``(N, H, W, C)`` of bytes in an order, shifted and mirrored; the edge is repeated.

    ``levels`` ``(256, C)`` is what a byte becomes.
    """
    _, height, width, channels = images.shape
    for n in range(len(order)):
        image, to = images[order[n]], out[n]
        for h in range(height):
            row = image[min(max(h + down[n], 0), height - 1)]
            for w in range(width):
                column = min(max(w + right[n], 0), width - 1)
                if mirrored[n]:
                    column = width - 1 - min(max(w + right[n], 0), width - 1)
                for c in range(channels):
                    to[h, w, c] = levels[row[column, c], c]


@_compiled
def _statistics(x: Any, mean: Any, variance: Any) -> None:
    """Write mean and biased variance per channel: in one pass, relative to the mean of the first strip."""
    channels = len(mean)
    sums, squares = np.zeros(channels), np.zeros(channels)
    first, second = x[0].copy(), np.zeros(x.shape[1], np.float32)
    _carry(first, sums)
    shift = _strip(sums * channels / x.shape[1], x)
    sums[:] = 0.0
    for start in range(0, x.shape[0], CARRIED):
        for i in range(start, min(x.shape[0], start + CARRIED)):
            row = x[i]
            for j in range(x.shape[1]):
                value = row[j] - shift[j]
                first[j] += value
                second[j] += value * value
        _carry(first, sums)
        _carry(second, squares)
    pixels = x.size // channels
    for c in range(channels):
        off = sums[c] / pixels
        mean[c] = shift[c] + off
        variance[c] = squares[c] / pixels - off * off
        if variance[c] < 0:  # a NaN stays one
            variance[c] = 0.0


@_compiled
def _carry(strip: Any, sums: Any) -> None:
    """Add the values of a strip to the sums per channel, and make them 0."""
    for start in range(0, len(strip), len(sums)):
        for c in range(len(sums)):
            sums[c] += strip[start + c]
    strip[:] = np.float32(0)


@_compiled
def _strip(values: Any, x: Any) -> Any:
    """A strip as those of ``x`` with the values of the channels."""
    strip = np.empty(x.shape[1], np.float32)
    for start in range(0, len(strip), len(values)):
        for c in range(len(values)):
            strip[start + c] = values[c]
    return strip
