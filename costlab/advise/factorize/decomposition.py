"""The weights of the parts of a scheme, from those of the convolution in whose place they are.

Each is computed in double precision, on the device of the weights.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from costlab.advise.factorize.plan import Replacement
from costlab.advise.factorize.scheme import AsymmetricPair, Projected, Rank, Scheme, Tucker
from costlab.errors import DefinitionError
from costlab.tracing.stand_in import Uninitialized

Weights: TypeAlias = tuple[Tensor, ...]
"""The weights of each part, ``(filters, channels, height, width)``, from the first on."""
SWEEPS = 2
"""How often both bases of Tucker-2 are improved, each for the other."""


class Decomposition(NamedTuple):
    """How a scheme takes weights ``(filters, channels, height, width)`` apart."""

    parts: Callable[[Tensor, Rank], Weights]
    error: Callable[[Tensor, Rank], Tensor]
    """The relative error of what the parts make together, by the Frobenius norm."""


def decomposed(planned: Replacement, weight: Tensor) -> Weights:
    """The weights of the parts in the place of a convolution, in double precision.

    Raises:
        DefinitionError: the weights have no values, or are no finite floating-point numbers.
    """
    return BY_SCHEME[type(planned.scheme)].parts(_exact(planned, weight), planned.rank)


def relative_error(planned: Replacement, weight: Tensor) -> float:
    """``|W - W'| / |W|`` by the Frobenius norm, for the weights ``W'`` that the parts make together.

    Raises:
        DefinitionError: as `decomposed`.
    """
    exact = _exact(planned, weight)
    if not exact.any():
        return 0.0
    exact = exact / exact.abs().max()  # whose squares neither overflow nor vanish
    return float(BY_SCHEME[type(planned.scheme)].error(exact, planned.rank))


def _exact(planned: Replacement, weight: Tensor) -> Tensor:
    """The weights in double precision."""
    place = planned.path or "the root"
    if weight.is_meta or isinstance(weight, Uninitialized):
        raise DefinitionError(f"{place}: its weights have no values: give some with weights=")
    if not weight.is_floating_point():
        raise DefinitionError(f"{place}: its weights are {weight.dtype}, and no floating-point numbers")
    if weight.layout is not torch.strided:
        raise DefinitionError(f"{place}: its weights are {weight.layout}: give a dense tensor")
    device = "cpu" if weight.device.type == "mps" else weight.device  # which has no double precision
    exact = weight.detach().to(device, torch.float64)
    if not exact.isfinite().all():
        raise DefinitionError(f"{place}: its weights are not all finite")
    return exact


def _asymmetric(weight: Tensor, rank: Rank) -> Weights:
    """A row of the matrix for each channel and column of the kernel, a column for each filter and row."""
    filters, channels, height, width = weight.shape
    left, right = _halves(_asymmetric_matrix(weight), rank[0])
    return (
        left.T.reshape(-1, channels, 1, width),
        right.reshape(-1, filters, height, 1).transpose(0, 1),
    )


def _asymmetric_matrix(weight: Tensor) -> Tensor:
    filters, channels, height, width = weight.shape
    return weight.permute(1, 3, 0, 2).reshape(channels * width, filters * height)


def _projected(weight: Tensor, rank: Rank) -> Weights:
    """A row of the matrix for each filter, a column for each channel and place in the kernel."""
    filters, channels, height, width = weight.shape
    left, right = _halves(weight.flatten(1), rank[0])
    return right.reshape(-1, channels, height, width), left.reshape(filters, -1, 1, 1)


def _halves(matrix: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """Two matrices whose product is nearest to one, both as large."""
    left, sizes, right = torch.linalg.svd(matrix, full_matrices=False)
    roots = sizes[:rank].sqrt()
    return left[:, :rank] * roots, roots[:, None] * right[:rank]


def _tail(matrix: Tensor, rank: int) -> Tensor:
    """The relative error of the nearest matrix of a rank, which leaves out the smallest singular values.

    Source: C. Eckart, G. Young, "The Approximation of One Matrix by Another of Lower Rank", Psychometrika
    1(3), 1936.
    """
    sizes = torch.linalg.svdvals(matrix)
    return _norm(sizes[rank:]) / _norm(sizes)


def _norm(tensor: Tensor) -> Tensor:
    """The Frobenius norm."""
    norm: Tensor = torch.linalg.vector_norm(tensor)
    return norm


def _tucker(weight: Tensor, rank: Rank) -> Weights:
    """The kernel in smaller bases of its channels and filters."""
    of_channels, of_filters = _bases(weight, rank)
    core = _in(_in(weight, of_channels, 1), of_filters, 0)
    return of_channels.T[:, :, None, None], core, of_filters[:, :, None, None]


def _bases(weight: Tensor, rank: Rank) -> tuple[Tensor, Tensor]:
    """Orthonormal bases of the channels and of the filters, which keep most of the kernel.

    Those of the higher-order singular value decomposition, improved by orthogonal iteration: each basis is
    the best one for what the other keeps.

    Source: L. De Lathauwer, B. De Moor, J. Vandewalle, "On the Best Rank-1 and Rank-(R1, R2, ..., RN)
    Approximation of Higher-Order Tensors", SIAM J. Matrix Anal. Appl. 21(4), 2000.
    """
    channels, filters = rank
    of_channels, of_filters = _basis(weight, 1, channels), _basis(weight, 0, filters)
    if (channels, filters) == (weight.shape[1], weight.shape[0]):
        return of_channels, of_filters
    for _ in range(SWEEPS):
        of_filters = _basis(_in(weight, of_channels, 1), 0, filters)
        of_channels = _basis(_in(weight, of_filters, 0), 1, channels)
    return of_channels, of_filters


def _basis(tensor: Tensor, axis: int, rank: int) -> Tensor:
    """The best orthonormal basis of an axis, a column for each direction.

    The eigenvectors of the products of its slices with each other: there are enough of them where the tensor
    has fewer directions than the rank, and those beyond can learn, as zeros could not.
    """
    slices = tensor.movedim(axis, 0).flatten(1)
    _, vectors = torch.linalg.eigh(slices @ slices.T)  # from the smallest on
    basis: Tensor = vectors.flip(1)[:, :rank]
    return basis


def _in(tensor: Tensor, basis: Tensor, axis: int) -> Tensor:
    """A tensor in a basis of one of its axes."""
    return _times(basis.T, tensor, axis)


def _times(matrix: Tensor, tensor: Tensor, axis: int) -> Tensor:
    """A matrix times each column along an axis of a tensor."""
    product: Tensor = torch.tensordot(matrix, tensor, ([1], [axis]))
    return product.movedim(0, axis)


def _tucker_error(weight: Tensor, rank: Rank) -> Tensor:
    """Measured on what the parts make: where it is small, a difference of norms would round it away."""
    of_channels, of_filters = _bases(weight, rank)
    kept = weight
    for basis, axis in ((of_channels, 1), (of_filters, 0)):
        kept = _times(basis, _in(kept, basis, axis), axis)
    return _norm(weight - kept) / _norm(weight)


BY_SCHEME: dict[type[Scheme], Decomposition] = {
    AsymmetricPair: Decomposition(
        _asymmetric, lambda weight, rank: _tail(_asymmetric_matrix(weight), rank[0])
    ),
    Projected: Decomposition(_projected, lambda weight, rank: _tail(weight.flatten(1), rank[0])),
    Tucker: Decomposition(_tucker, _tucker_error),
}
"""Of the schemes that have a rank."""
