"""The experiments that come with costlab: what the paper changes, trained on the reduced network.

Source: C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016; the figures
are those that it reports of the whole networks on ImageNet.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from costlab.algebra.parameter import closest
from costlab.errors import TargetError
from costlab.train.experiment import Arm, Expectation, Experiment, arm

Mini: TypeAlias = Callable[..., Arm]
"""Makes an arm of the reduced network, at the width of the preset times ``width``."""

PLAIN, FACTORIZED = "5x5", "3x3+3x3"
LINEAR, WHOLE_3X3, SPLIT_3X3, WHOLE_7X7, SPLIT_7X7 = "linear between", "3x3", "1x3+3x1", "7x7", "1x7+7x1"
PARALLEL, BOTTLENECK, EXPENSIVE = "parallel", "pool, then convolution", "convolution, then pool"
NO_AUX, AUX, AUX_BN = "no auxiliary head", "auxiliary head", "auxiliary head, batch norm"
SMOOTHED, ONE_HOT = "label smoothing", "no label smoothing"
FULL, HALF, QUARTER = "full resolution", "half resolution", "quarter resolution"
BASELINE = "all factorized"


def _large_5x5(better: str = FACTORIZED, worse: str = PLAIN) -> Expectation:
    return Expectation(
        "two 3x3 lose nothing against the 5x5 that they replace",
        better,
        worse,
        "28% fewer multiply-adds, no figure of its own",
        "Section 3.1",
    )


def _small_3x3(better: str = SPLIT_3X3, worse: str = WHOLE_3X3) -> Expectation:
    return Expectation(
        "1x3 and 3x1 lose nothing against a 3x3 at grids of 24 and 6: costlab's own question, as the paper "
        "says it of grids of 12 to 20 only",
        better,
        worse,
        "33% fewer multiply-adds, no figure of its own",
        "Section 3.2",
    )


def _nxn(better: str = SPLIT_7X7, worse: str = WHOLE_7X7) -> Expectation:
    return Expectation(
        "1xn and nx1 lose nothing against n x n at the middle grid",
        better,
        worse,
        "22.8% top-1 error to 21.6%, with the stem's 7x7 replaced too",
        "Section 3.2, table 3",
    )


def _linear(better: str = FACTORIZED, worse: str = LINEAR) -> Expectation:
    return Expectation(
        "ReLU between the parts of a factorization is better than none",
        better,
        worse,
        "77.2% top-1 against 76.2%",
        "Figure 2",
    )


def _reductions(worse: str, better: str = PARALLEL) -> Expectation:
    told = {
        BOTTLENECK: "pooling beside strided convolution is better than pooling first, a bottleneck",
        EXPENSIVE: "pooling beside strided convolution loses nothing against convolution first",
    }
    return Expectation(told[worse], better, worse, "no figure", "Section 5, figures 9 and 10")


def _aux(better: str, worse: str) -> Expectation:
    if better == AUX:
        claim, reported = "an auxiliary head ends slightly higher", "no figure"
        return Expectation(claim, better, worse, reported, "Section 4")
    claim = "batch norm in the auxiliary head improves it"
    return Expectation(claim, better, worse, "21.6% top-1 error to 21.2%", "Section 4, table 3")


def _smoothing(better: str = SMOOTHED, worse: str = ONE_HOT) -> Expectation:
    reported = "23.1% top-1 error to 22.8%, about 0.2% in the text"
    return Expectation("label smoothing is better than one-hot labels", better, worse, reported, "Section 7")


def _resolution(better: str, worse: str) -> Expectation:
    figures = {FULL: "299", HALF: "151", QUARTER: "79"}
    reached = {FULL: "76.6%", HALF: "76.4%", QUARTER: "75.2%"}
    return Expectation(
        f"at like cost, {figures[better]} pixels are better than {figures[worse]}",
        better,
        worse,
        f"{reached[better]} top-1 against {reached[worse]}",
        "Section 9, table 2",
    )


def _paper(mini: Mini) -> Experiment:
    """Every choice taken back, one by one, against one baseline."""
    plain = {"label_smoothing": 0.0}
    return Experiment(
        "paper",
        "The choices of Inception v3, each taken back or added alone",
        {
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
            FULL: mini(side=96, stem_stride=2),
            QUARTER: mini(side=24, stem_pool=False),
        },
        (
            _large_5x5(BASELINE),
            _small_3x3(SPLIT_3X3, BASELINE),
            _nxn(BASELINE),
            _linear(BASELINE),
            _reductions(BOTTLENECK, BASELINE),
            _reductions(EXPENSIVE, BASELINE),
            _aux(AUX, BASELINE),
            _aux(AUX_BN, AUX),
            _smoothing(BASELINE),
            _at_half(_resolution(FULL, HALF)),
            _at_half(_resolution(HALF, QUARTER)),
        ),
    )


def _at_half(claim: Expectation) -> Expectation:
    """A claim of resolutions where the baseline is the middle one."""
    arms = {HALF: BASELINE}
    better, worse = (arms.get(label, label) for label in (claim.better, claim.worse))
    return Expectation(claim.claim, better, worse, claim.reported, claim.source)


def _experiment(name: str, title: str, arms: Mapping[str, Arm], *claims: Expectation) -> Experiment:
    return Experiment(name, title, arms, claims)


def _made(mini: Mini) -> dict[str, Experiment]:
    experiments = (
        _experiment(
            "large_5x5",
            "A 5x5 convolution, and two 3x3 in its place",
            {PLAIN: mini(large="5x5"), FACTORIZED: mini()},
            _large_5x5(),
        ),
        _experiment(
            "small_3x3",
            "3x3 convolutions, and 1x3 with 3x1 in their place",
            {WHOLE_3X3: mini(), SPLIT_3X3: mini(small="1x3+3x1")},
            _small_3x3(),
        ),
        _experiment(
            "nxn",
            "7x7 convolutions at the middle grid, and 1x7 with 7x1 in their place",
            {WHOLE_7X7: mini(kernel_7x7="7x7"), SPLIT_7X7: mini()},
            _nxn(),
        ),
        _experiment(
            "linear",
            "ReLU or nothing between the parts of a factorization",
            {LINEAR: mini(between="linear"), FACTORIZED: mini()},
            _linear(),
        ),
        _experiment(
            "grid_reduction",
            "Reducing the grid: side by side, pooling first, convolution first",
            {
                PARALLEL: mini(),
                BOTTLENECK: mini(reductions="pool+conv"),
                EXPENSIVE: mini(reductions="conv+pool"),
            },
            _reductions(BOTTLENECK),
            _reductions(EXPENSIVE),
        ),
        _experiment(
            "auxiliary",
            "An auxiliary classifier, without and with batch norm",
            {NO_AUX: mini(), AUX: mini(aux="plain"), AUX_BN: mini(aux="bn")},
            _aux(AUX, NO_AUX),
            _aux(AUX_BN, AUX),
        ),
        _experiment(
            "label_smoothing",
            "Labels smoothed by 0.1, and one-hot",
            {ONE_HOT: mini(recipe={"label_smoothing": 0.0}), SMOOTHED: mini(recipe={"label_smoothing": 0.1})},
            _smoothing(),
        ),
        _experiment(
            "receptive_field",
            "Input resolution at like cost",
            {
                FULL: mini(side=96, stem_stride=2),
                HALF: mini(),
                QUARTER: mini(side=24, stem_pool=False),
            },
            _resolution(FULL, HALF),
            _resolution(HALF, QUARTER),
        ),
        _experiment(
            "width",
            "All channels halved, and half as many again",
            {"1x": mini(), "0.5x": mini(width=0.5), "1.5x": mini(width=1.5)},
        ),
        _paper(mini),
    )
    return {each.name: each for each in experiments}


def names() -> tuple[str, ...]:
    """What `experiment` knows."""
    return tuple(_made(_mini(1.0)))


def experiment(name: str, width: float) -> Experiment:
    """The experiment of that name, the reduced network at ``width``.

    Raises:
        TargetError: there is none.
    """
    known = _made(_mini(width))
    if name not in known:
        raise TargetError(f"there is no experiment {name!r}{closest(name, known)}")
    return known[name]


def _mini(preset: float) -> Mini:
    def mini(width: float = 1.0, **settings: Any) -> Arm:
        return arm("mini", width=preset * width, **settings)

    return mini
