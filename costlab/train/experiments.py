"""The experiments that come with costlab: the paper's design choices, trained on the reduced network.

Source: C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016; the figures
are its results for the full networks on ImageNet.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias

from costlab.algebra.parameter import closest
from costlab.errors import DefinitionError, TargetError
from costlab.train.experiment import LARGEST_SIDE, LEAST_SIDE, SIDE, Arm, Expectation, Experiment, arm

Mini: TypeAlias = Callable[..., Arm]
"""Makes an arm of the reduced network, whose width is that of the preset times ``width``."""

PLAIN, FACTORIZED = "5x5", "3x3+3x3"
LINEAR, WHOLE_3X3, SPLIT_3X3, WHOLE_7X7, SPLIT_7X7 = "linear between", "3x3", "1x3+3x1", "7x7", "1x7+7x1"
PARALLEL, BOTTLENECK, EXPENSIVE = "parallel", "pool, then convolution", "convolution, then pool"
NO_AUX, AUX, AUX_BN = "no auxiliary head", "auxiliary head", "auxiliary head, batch norm"
SMOOTHED, ONE_HOT = "label smoothing", "no label smoothing"
FULL, HALF, QUARTER = "full resolution", "half resolution", "quarter resolution"
BASELINE = "all factorized"


NO_FIGURE = "no figure"
MEDIUM = range(12, 20 + 1)
"""The grids of which the paper says that asymmetric kernels work well there (section 3.2)."""
ONLY = "the paper says it of grids of 12 to 20 only"
CLAIMS = {
    "large_5x5": (
        "two 3x3 lose nothing against the 5x5 that they replace",
        "28% fewer multiply-adds, no figure of its own",
        "Section 3.1",
    ),
    "small_3x3": (
        "1x3 and 3x1 lose nothing against a 3x3 at grids of {} and {}: {}",
        "33% fewer multiply-adds, no figure of its own",
        "Section 3.2",
    ),
    "nxn": (
        "1xn and nx1 lose nothing against n x n at the middle grid{}",
        "22.8% top-1 error to 21.6%, with the stem's 7x7 replaced too",
        "Section 3.2, table 3",
    ),
    "linear": (
        "ReLU between the parts of a factorization is better than none",
        "77.2% top-1 against 76.2%",
        "Figure 2",
    ),
    "bottleneck": (
        "pooling beside strided convolution is better than pooling first, a bottleneck",
        NO_FIGURE,
        "Section 5, figures 9 and 10",
    ),
    "expensive": (
        "pooling beside strided convolution loses nothing against convolution first",
        NO_FIGURE,
        "Section 5, figures 9 and 10",
    ),
    "auxiliary": ("an auxiliary head ends slightly higher", NO_FIGURE, "Section 4"),
    "auxiliary_bn": (
        "batch norm in the auxiliary head improves it",
        "21.6% top-1 error to 21.2%",
        "Section 4, table 3",
    ),
    "label_smoothing": (
        "label smoothing is better than one-hot labels",
        "23.1% top-1 error to 22.8%, about 0.2% in the text",
        "Section 7",
    ),
    "resolution_299": (
        "at like cost, 299 pixels are better than 151",
        "76.6% top-1 against 76.4%",
        "Section 9, table 2",
    ),
    "resolution_151": (
        "at like cost, 151 pixels are better than 79",
        "76.4% top-1 against 75.2%",
        "Section 9, table 2",
    ),
}
"""What the paper says of a choice: the claim, the figures as printed, and the section.

In braces stand the grids, which are those of the images.
"""


def _claim(name: str, better: str, worse: str, *filled: object) -> Expectation:
    claim, reported, source = CLAIMS[name]
    return Expectation(claim.format(*filled), better, worse, reported, source)


def _grids(own: int) -> list[int]:
    """The three grids of the reduced network, where it takes as many pixels as images have."""
    grids = [min(SIDE, own)]
    while len(grids) < 4:
        grids.append((grids[-1] + 1) // 2)  # a stride of 2 with padding
    return grids[1:]


def _small_3x3(own: int, better: str, worse: str) -> Expectation:
    """The claim about 3x3 kernels, which stand at the largest and at the smallest grid."""
    largest, _, smallest = _grids(own)
    said = largest in MEDIUM or smallest in MEDIUM
    about = ONLY if said else f"costlab's own question, as {ONLY}"
    return _claim("small_3x3", better, worse, largest, smallest, about)


def _nxn(own: int, better: str, worse: str) -> Expectation:
    """The claim about n x n kernels, which stand at the middle grid."""
    middle = _grids(own)[1]
    return _claim("nxn", better, worse, "" if middle in MEDIUM else f", which is one of {middle}: {ONLY}")


def _resolutions(mini: Mini, own: int) -> dict[str, Arm]:
    """The constructions of table 2, of like cost: at the pixels that images have, a half, and a quarter.

    Those whose images would be too small are left out; all of them where nothing would be left to compare.
    """
    full = min(LARGEST_SIDE, own)
    arms: dict[str, tuple[int, dict[str, Any]]] = {
        FULL: (full, {"stem_stride": 2}),
        HALF: (full // 2, {}),
        QUARTER: (full // 4, {"stem_pool": False}),
    }
    made = {
        label: mini(side=side, **settings) for label, (side, settings) in arms.items() if side >= LEAST_SIDE
    }
    return made if HALF in made else {}


def _resolution_claims(arms: Mapping[str, Arm], half: str) -> Iterator[Expectation]:
    """What the paper claims of those that there are."""
    if half in arms and FULL in arms:
        yield _claim("resolution_299", FULL, half)
    if half in arms and QUARTER in arms:
        yield _claim("resolution_151", half, QUARTER)


def _receptive_field(mini: Mini, own: int) -> Iterator[Experiment]:
    """Several resolutions, where the images have several."""
    if arms := _resolutions(mini, own):
        yield _experiment(
            "receptive_field", "Input resolution at like cost", arms, *_resolution_claims(arms, HALF)
        )


def _paper(mini: Mini, own: int) -> Experiment:
    """Every choice reversed or added alone, all against one baseline; and the resolutions."""
    plain = {"label_smoothing": 0.0}
    resolutions = _resolutions(mini, own)
    half = HALF
    if HALF in resolutions and resolutions[HALF].side == min(SIDE, own):  # it is the baseline
        del resolutions[HALF]
        half = BASELINE
    arms = {
        BASELINE: mini(),
        PLAIN: mini(large="5x5"),
        SPLIT_3X3: mini(small="1x3+3x1"),
        WHOLE_7X7: mini(kernel_7x7="7x7"),
        LINEAR: mini(between="linear"),
        BOTTLENECK: mini(reductions="pool+conv"),
        EXPENSIVE: mini(reductions="conv+pool"),
        AUX: mini(aux="plain"),
        AUX_BN: mini(aux="bn"),
        ONE_HOT: mini(recipe=plain),
        **resolutions,
    }
    return Experiment(
        "paper",
        "The choices of Inception v3, each taken back or added alone",
        arms,
        (
            _claim("large_5x5", BASELINE, PLAIN),
            _small_3x3(own, SPLIT_3X3, BASELINE),
            _nxn(own, BASELINE, WHOLE_7X7),
            _claim("linear", BASELINE, LINEAR),
            _claim("bottleneck", BASELINE, BOTTLENECK),
            _claim("expensive", BASELINE, EXPENSIVE),
            _claim("auxiliary", AUX, BASELINE),
            _claim("auxiliary_bn", AUX_BN, AUX),
            _claim("label_smoothing", BASELINE, ONE_HOT),
            *_resolution_claims(arms, half),
        ),
    )


def _experiment(name: str, title: str, arms: Mapping[str, Arm], *claims: Expectation) -> Experiment:
    return Experiment(name, title, arms, claims)


def _all_experiments(mini: Mini, own: int) -> dict[str, Experiment]:
    """Those that images of this side allow."""
    experiments = (
        _experiment(
            "large_5x5",
            "A 5x5 convolution, and two 3x3 in its place",
            {PLAIN: mini(large="5x5"), FACTORIZED: mini()},
            _claim("large_5x5", FACTORIZED, PLAIN),
        ),
        _experiment(
            "small_3x3",
            "3x3 convolutions, and 1x3 with 3x1 in their place",
            {WHOLE_3X3: mini(), SPLIT_3X3: mini(small="1x3+3x1")},
            _small_3x3(own, SPLIT_3X3, WHOLE_3X3),
        ),
        _experiment(
            "nxn",
            "7x7 convolutions at the middle grid, and 1x7 with 7x1 in their place",
            {WHOLE_7X7: mini(kernel_7x7="7x7"), SPLIT_7X7: mini()},
            _nxn(own, SPLIT_7X7, WHOLE_7X7),
        ),
        _experiment(
            "linear",
            "ReLU or nothing between the parts of a factorization",
            {LINEAR: mini(between="linear"), FACTORIZED: mini()},
            _claim("linear", FACTORIZED, LINEAR),
        ),
        _experiment(
            "grid_reduction",
            "Reducing the grid: side by side, pooling first, convolution first",
            {
                PARALLEL: mini(),
                BOTTLENECK: mini(reductions="pool+conv"),
                EXPENSIVE: mini(reductions="conv+pool"),
            },
            _claim("bottleneck", PARALLEL, BOTTLENECK),
            _claim("expensive", PARALLEL, EXPENSIVE),
        ),
        _experiment(
            "auxiliary",
            "An auxiliary classifier, without and with batch norm",
            {NO_AUX: mini(), AUX: mini(aux="plain"), AUX_BN: mini(aux="bn")},
            _claim("auxiliary", AUX, NO_AUX),
            _claim("auxiliary_bn", AUX_BN, AUX),
        ),
        _experiment(
            "label_smoothing",
            "Labels smoothed by 0.1, and one-hot",
            {ONE_HOT: mini(recipe={"label_smoothing": 0.0}), SMOOTHED: mini(recipe={"label_smoothing": 0.1})},
            _claim("label_smoothing", SMOOTHED, ONE_HOT),
        ),
        _experiment(
            "width",
            "All channels halved, and half as many again",
            {"1x": mini(), "0.5x": mini(width=0.5), "1.5x": mini(width=1.5)},
        ),
        *_receptive_field(mini, own),
        _paper(mini, own),
    )
    return {experiment.name: experiment for experiment in experiments}


@cache
def names() -> tuple[str, ...]:
    """The names of the experiments."""
    return tuple(_all_experiments(_mini(1.0), LARGEST_SIDE))


def experiment(name: str, width: float, own: int = LARGEST_SIDE) -> Experiment:
    """The experiment of that name, with the reduced network at ``width``.

    Its arms take images of 48 pixels at a side, and for resolutions of 96, 48 and 24; of images that come
    with fewer, ``own``, they take those, and the halves and quarters that these have.

    Raises:
        TargetError: there is no such experiment.
        DefinitionError: it compares resolutions, and the images are too small to have several.
    """
    if name not in names():
        raise TargetError(f"there is no experiment {name!r}{closest(name, names())}")
    known = _all_experiments(_mini(width), own)
    if name not in known:
        raise DefinitionError(
            f"{name}: images of {own}x{own} pixels have no halves of {LEAST_SIDE} pixels or more, and "
            "nothing is enlarged to claim a resolution: --data takes larger ones"
        )
    return known[name]


def _mini(preset: float) -> Mini:
    def mini(width: float = 1.0, **settings: Any) -> Arm:
        return arm("mini", width=preset * width, **settings)

    return mini
