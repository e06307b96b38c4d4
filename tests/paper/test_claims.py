"""Every claim's outcome against figures that were counted elsewhere, or by hand."""

from collections.abc import Mapping
from fractions import Fraction

import pytest

from costlab.paper import CLAIMS, MISSION, AuditedClaim, verify
from costlab.targets.catalog import lookup_ablation

F = Fraction
# Reference counts, from running implementations with two independent counters.
RELEASED, PARAMETERS, WEIGHTS = 5_713_216_096, 23_834_568, 23_799_136
GOOGLENET, GOOGLENET_PARAMETERS, ALEXNET_PARAMETERS = 1_582_671_872, 6_998_552, 60_965_224
SEPARABLE, BN_INCEPTION = 1_498_677_248, 2_032_600_064
VGG = {"VGG-16": (15_470_264_320, 138_357_544), "VGG-19": (19_632_062_464, 143_667_240)}
PRELU = (19_058_106_368, 23_219_904_512, 53_463_130_112)
PRELU_WEIGHTS = (178_001_696, 183_310_112, 330_581_792)
STEM_7X7 = RELEASED - 616_627_296 + 203_297_472

# claim: what is found for each figure, and the verdict
OUTCOMES: dict[str, list[tuple[object, str]]] = {
    "budget-madds": [(RELEASED, "close")],
    "budget-params": [(PARAMETERS, "holds")],
    "googlenet-params": [
        (GOOGLENET_PARAMETERS, "differs"),
        (ALEXNET_PARAMETERS, "close"),
        (F(ALEXNET_PARAMETERS, GOOGLENET_PARAMETERS), "differs"),
    ],
    "vgg-params": [(F(parameters, ALEXNET_PARAMETERS), "differs") for _, parameters in VGG.values()],
    "doubling": [
        (F(4 * 5_691_986_432 + 2 * 21_229_664, RELEASED), "close"),
        # The first layer has 864 weights, the classifier 2,048,000.
        (F(4 * (WEIGHTS - 864 - 2_048_000) + 2 * (864 + 2_048_000), WEIGHTS), "close"),
    ],
    "weight-per-activation": [(1, "exact")],
    "5x5-vs-3x3": [(F(25, 9), "exact")],
    "two-3x3": [(F(7, 25), "exact"), (F(7, 25), "exact")],
    "two-3x3-alpha": [
        ("9*(a + 1)/(25*sqrt(a))", "exact"),
        (sum([F(2), F(3), F(3), F(8, 3), F(8, 3), F(2), F(4), F(4), F(8, 3)]) / 9, "differs"),
    ],
    "relu-vs-linear": [(None, "not countable")],
    "asymmetric": [(F(1, 3), "exact")],
    "two-2x2": [(F(1, 9), "exact")],
    "nxn": [("1 - 2/n", "exact"), (F(7, 9) - F(5, 7), "holds")],
    "medium-grids": [(None, "not countable")],
    "reduction-expensive": [("2*d**2*k**2", "exact")],
    "auxiliary": [(F(216, 10) - F(212, 10), "exact"), (None, "not countable"), (None, "not countable")],
    "reduction-bottleneck": [
        ("d**2*k**2/2", "exact"),
        (F(3, 4), "differs"),
        (None, "not countable"),
    ],
    "reduction-3x": [(4, "differs"), (3, "exact")],
    "reduction-parallel": [(F(1, 2), "holds"), ("d**2*k**2/4", "exact")],
    "stem-7x7": [(F(616_627_296, 203_297_472), "differs")],
    "depth": [(48, "differs")],
    "cost-vs-googlenet": [(F(38, 15), "exact"), (F(RELEASED, GOOGLENET), "differs")],
    "cost-vs-vgg": [
        *((F(multiply_adds, RELEASED), "holds") for multiply_adds, _ in VGG.values()),
        *((F(parameters, PARAMETERS), "holds") for _, parameters in VGG.values()),
    ],
    "receptive-field": [(1, "exact"), (F(5_361_703_520, RELEASED), "close"), (None, "not countable")],
    "resize-16x": [(F(299, 79) ** 2, "differs"), (F(RELEASED, 212_103_008), "differs")],
    "table-3": [
        (SEPARABLE, "exact"),
        (SEPARABLE, "exact"),
        (BN_INCEPTION, "exact"),
        (STEM_7X7, "differs"),
        (RELEASED, "differs"),
        (None, "not countable"),
    ],
    "vs-bn-inception": [(F(12, 5), "differs"), (F(RELEASED, BN_INCEPTION), "differs")],
    "label-smoothing": [(1000, "exact"), (None, "not countable")],
    "regime": [(F(3_860_000 * 32, 1_281_167), "holds"), (None, "not countable")],
    "multi-crop": [(12, "exact"), (144, "exact"), (4 * 144, "exact")],
    "ensemble": [(F(358, 667), "holds"), (1 - F(358, 494), "holds")],
    "vs-he-cost": [(F(multiply_adds, RELEASED), "differs") for multiply_adds in PRELU],
    # Of the PReLU-nets only weights are known; a bias and a slope per channel come to them.
    "vs-he-params": [
        (F(weights + extra, PARAMETERS), "holds")
        for weights, extra in zip(
            PRELU_WEIGHTS,
            (
                2 * (96 + 5 * 256 + 10 * 512) + 2 * 4096 + 1000,
                2 * (96 + 6 * 256 + 12 * 512) + 2 * 4096 + 1000,
                2 * (96 + 6 * 384 + 6 * 768 + 6 * 896) + 2 * 4096 + 1000,
            ),
            strict=True,
        )
    ],
}
# Table 3, in its rows' order: billions, top-1 error, top-5 error, as far as printed.
TABLE_3 = (
    *("1.5 29 9.2", "1.5 26.8", "2.0 25.2 7.8", "3.8 23.4", "3.8 23.1 6.3", "3.8 22.8 6.1"),
    *("4.8 21.6 5.8", "4.8 21.2 5.6"),
)
# What the paper states, with the tolerance that the audit declares for its words.
STATED = {
    "budget-madds": ["5 billion ±15%"],
    "budget-params": ["< 25 million"],
    "googlenet-params": ["5 million", "60 million ±15%", "12x"],
    "vgg-params": ["3x ±15%", "3x ±15%"],
    "doubling": ["4x ±5%", "4x ±5%"],
    "weight-per-activation": ["1"],
    "5x5-vs-3x3": ["2.78x"],
    "two-3x3": ["28%", "28%"],
    "two-3x3-alpha": ["9 * (1 + a) / (25 * sqrt(a))", "1.5 ±15%"],
    "relu-vs-linear": ["77.2% against 76.2%"],
    "asymmetric": ["33%"],
    "two-2x2": ["11%"],
    "nxn": ["1 - 2 / n", "> 0"],
    "medium-grids": ["12 to 20"],
    "reduction-expensive": ["2 * d**2 * k**2"],
    "auxiliary": ["0.4 points", "0.4 points", "slightly higher"],
    "reduction-bottleneck": ["2 * (d/2)**2 * k**2", "25%", "less"],
    "reduction-3x": ["3x", "3x"],
    "reduction-parallel": ["< 1x", "2 * d**2 * k**2 / 8"],
    "stem-7x7": ["< 1x"],
    "depth": ["42"],
    "cost-vs-googlenet": ["2.5x ±15%", "2.5x ±15%"],
    "cost-vs-vgg": ["much: > 2x"] * 4,
    "receptive-field": ["1x ±10%", "1x ±10%", "76.6%, 76.4%, 75.2%"],
    "resize-16x": ["16x", "16x"],
    "table-3": [
        *("1.5 billion", "1.5 billion", "2.0 billion", "3.8 billion", "4.8 billion"),
        "23.1%, 22.8%, 21.6%, 21.2%",
    ],
    "vs-bn-inception": ["2.5x", "2.5x"],
    "label-smoothing": ["1000", "0.2 points"],
    "regime": ["<= 100", "21.2% top-1 error"],
    "multi-crop": ["12x", "144x", "576x"],
    "ensemble": ["almost half: < 0.55", "> 25%"],
    "vs-he-cost": ["6x", "6x", "6x"],
    "vs-he-params": [">= 5x", ">= 5x", ">= 5x"],
}
# Steps of the derivations that were counted elsewhere too.
STEPS: dict[str, dict[str, object]] = {
    "budget-madds": {
        "inception_v3:branch_5x5=3x3, 3x299x299": 5_532_582_496,
        "inception_v3_table_1, 3x299x299": 6_352_562_784,
        "inception_v3_table_1:modules_17=4, 3x299x299": 5_864_860_256,
        "inception_v3_table_1:conv_35=false,modules_17=4,channels_17=128, 3x299x299": 4_738_933_344,
    },
    "budget-params": {"inception_v3:aux=true, 3x299x299": 27_161_264},
    "nxn": {"inception_v3:kernel_7x7=7x7, 3x299x299": 9_703_025_248, "saved at n=7": F(5, 7)},
    "depth": {"table 1, four modules at 17x17, no reductions": 42},
    "relu-vs-linear": {
        "epochs of figure 2": F(3_860_000 * 32, 1_281_167),
        "multiply-adds, linear by ReLU": 1,
    },
    "two-3x3-alpha": {"the least": 2, "the most": 4},
    "weight-per-activation": {"convolutions with C x kernel x filters x H' x W' multiply-adds": 94},
    "medium-grids": {f"saved on {grid}x{grid}": F(5, 7) for grid in (35, 17, 8)},
    "receptive-field": {"receptive_field: 151x151, stride 1, pooling": RELEASED},
    "multi-crop": {
        "inference_budget: Inception-v3, 12 crops": 68_558_593_152,
        "inference_budget: 4 Inception-v3, 144 crops": 3_290_812_471_296,
    },
    "regime": {
        "images": 128_116_700,
        "steps of all replicas": 4_003_647,
        "steps, were they taken at once": 80_073,
    },
    "label-smoothing": {"of the right class": F(9001, 10_000)},
    "auxiliary": {"fall of the top-1 error": F(4, 10)},
    "table-3": {"googlenet, 3x224x224": GOOGLENET, "bn_inception, 3x299x299": 3_771_462_400},
}


@pytest.fixture(scope="module")
def audited() -> Mapping[str, AuditedClaim]:
    return {each.claim.id: each for each in verify()}


def test_every_claim_is_there() -> None:
    assert set(CLAIMS) == set(OUTCOMES) == set(STATED)
    assert len(CLAIMS) == 33


@pytest.mark.parametrize("name", STATED)
def test_what_is_stated(name: str) -> None:
    assert [stated.text for stated in CLAIMS[name].stated] == STATED[name]


def test_table_3_is_stated_as_it_is_reported() -> None:
    reported = lookup_ablation("inference_budget").published
    *costs, errors = CLAIMS["table-3"].stated
    stated_texts = {stated.name: stated.text for stated in costs}
    last = ("v2, RMSProp", "v2, label smoothing", "v2, factorized 7x7", "Inception-v3")
    assert errors.text == ", ".join(f"{reported[label].top_1_error}%" for label in last)
    assert stated_texts == {label: f"{reported[label].multiply_adds} billion" for label in stated_texts}
    billions = [figure.multiply_adds for figure in reported.values() if figure.multiply_adds]
    assert set(billions) == {"1.5", "2.0", "3.8", "4.8"}


@pytest.mark.parametrize("name", OUTCOMES)
def test_what_is_found(name: str, audited: Mapping[str, AuditedClaim]) -> None:
    outcomes = [
        (outcome.value if not hasattr(outcome.value, "free_symbols") else str(outcome.value), outcome.verdict)
        for outcome in audited[name].outcomes
    ]
    assert outcomes == OUTCOMES[name]
    assert audited[name].changes == ()


@pytest.mark.parametrize("name", STEPS)
def test_what_leads_there(name: str, audited: Mapping[str, AuditedClaim]) -> None:
    steps = [(step.name, step.value) for step in audited[name].steps]
    assert all(step in steps for step in STEPS[name].items())


def test_real_numbers_along_the_way(audited: Mapping[str, AuditedClaim]) -> None:
    steps = {name: {step.name: step.value for step in audited[name].steps} for name in audited}
    ratios = [steps["two-3x3-alpha"][f"at a={alpha}"] for alpha in (1, 1.5, 2)]
    assert [round(ratio, 4) for ratio in ratios] == [0.72, 0.7348, 0.7637]
    assert round(steps["label-smoothing"]["least loss, in nats"], 6) == 1.014848
    real = [step.value for step in audited["reduction-3x"].steps if step.name.startswith("convolution, pool")]
    assert real == [4, F(35, 17) ** 2]


def test_unfactorized_it_has_37_6_million_weights(audited: Mapping[str, AuditedClaim]) -> None:
    assert 37_604_704 in [step.value for step in audited["nxn"].steps if step.formula == "weights"]


def test_what_follows_from_the_papers_figures_is_told_apart(audited: Mapping[str, AuditedClaim]) -> None:
    apart = {name for name, each in audited.items() if any(step.reported for step in each.steps)}
    assert apart == {
        *("cost-vs-googlenet", "vs-bn-inception", "table-3", "multi-crop", "ensemble", "label-smoothing"),
        *("relu-vs-linear", "regime", "auxiliary"),
    }
    assert all(step.reported for step in audited["ensemble"].steps)
    reported = [step.value for step in audited["table-3"].steps if step.reported]
    assert reported == [F(figure) for figures in TABLE_3 for figure in figures.split()]


def test_only_steps_that_count_the_prelu_nets_are_unverified(audited: Mapping[str, AuditedClaim]) -> None:
    marked = [step.name for step in audited["vs-he-cost"].steps if step.unverified]
    assert len(marked) == 6
    assert all("prelu_net" in name for name in marked)


def test_the_five_stand_and_are_what_they_should_be(audited: Mapping[str, AuditedClaim]) -> None:
    assert [str(audited[name].verdict) for name in MISSION] == ["exact", "exact", "exact", "close", "holds"]
    assert all(audited[name].stands for name in MISSION)


def test_a_claim_is_as_strong_as_its_weakest_figure(audited: Mapping[str, AuditedClaim]) -> None:
    assert audited["googlenet-params"].verdict == "differs"
    assert audited["label-smoothing"].verdict == "not countable"
    assert audited["receptive-field"].verdict == "not countable"
    assert audited["doubling"].verdict == "close"
    assert audited["nxn"].verdict == "holds"
    assert not audited["label-smoothing"].stands


def test_only_what_counts_the_prelu_nets_is_unverified(audited: Mapping[str, AuditedClaim]) -> None:
    assert [name for name, each in audited.items() if each.unverified] == ["vs-he-cost", "vs-he-params"]


def test_every_claim_says_how_and_every_failure_says_what_is_known(
    audited: Mapping[str, AuditedClaim],
) -> None:
    for name, each in audited.items():
        claim = each.claim
        assert claim.statement.endswith(".")
        assert claim.section
        assert each.steps, name
        assert all(step.formula for step in each.steps), name
        if not each.verdict.verified and name != "relu-vs-linear":
            assert claim.reading.endswith("."), name
