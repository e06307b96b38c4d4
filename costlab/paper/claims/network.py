"""The claims of section 6 and table 3: the whole network, its depth, and its cost beside others."""

from fractions import Fraction

from costlab.counting.breakdown import depth
from costlab.paper.claim import Claim
from costlab.paper.derivation import Derivation, format_number
from costlab.paper.published import add_published_steps, figure, variants_in
from costlab.paper.stated import ABOUT, BILLION, TIMES, Bound, Exactly, Printed, Trained, Value

TABLE_3 = {
    "GoogLeNet": "1.5",
    "BN-GoogLeNet": "1.5",
    "BN-Inception": "2.0",
    "Inception-v2": "3.8",
    "Inception-v3": "4.8",
}
"""Billions of operations; the rows between the last two repeat these costs."""
NARROW = Fraction(10, 100)
"""The tolerance for "almost identical"."""


def _stem(derivation: Derivation) -> list[Value]:
    sizes = []
    for kernel in ("3x3", "7x7"):
        rows = derivation.count(f"stem:kernel={kernel}").modules(1)
        layers = [row for row in rows if row.path in ("conv_1a", "conv_2a", "conv_2b")]
        terms = [int(row.work.multiply_adds) for row in layers]
        formula = " + ".join(map(format_number, terms))
        sizes.append(derivation.step(f"stem:kernel={kernel}, first layers", formula, sum(terms)))
    return [derivation.ratio("three 3x3 by the 7x7", *sizes)]


def _depth(derivation: Derivation) -> list[Value]:
    def layers(target: str) -> int:
        return int(
            derivation.step(target, "layers on the longest path", depth(derivation.count(target).root))
        )

    released = layers("inception_v3")
    whole, first, second = map(layers, ("inception_v3_table_1:modules_17=4", "reduction_b", "reduction_d"))
    between = whole - first - second
    derivation.step("table 1, four modules at 17x17, no reductions", f"{whole} - {first} - {second}", between)
    return [released]


def _by_googlenet(derivation: Derivation) -> list[Value]:
    return _beside(derivation, "Inception-v2", "GoogLeNet", "googlenet")


def _by_bn_inception(derivation: Derivation) -> list[Value]:
    return _beside(derivation, "Inception-v3", "BN-Inception", "bn_inception")


def _beside(derivation: Derivation, ours: str, theirs: str, target: str) -> list[Value]:
    billions = (figure(name, "multiply_adds") for name in (ours, theirs))
    stated = derivation.ratio("by the billions of table 3", *billions, reported=True)
    return [stated, derivation.ratio("as counted", derivation.size("inception_v3"), derivation.size(target))]


def _by_vgg(derivation: Derivation) -> list[Value]:
    ratios: list[Value] = []
    for quantity in ("multiply_adds", "parameters"):
        ours = derivation.size("inception_v3", quantity)
        sizes = {name: derivation.size(name, quantity) for name in ("vgg16", "vgg19")}
        ratios += [derivation.ratio(f"{name} by inception_v3", size, ours) for name, size in sizes.items()]
    return ratios


def _receptive_field(derivation: Derivation) -> list[Value]:
    sizes = [
        derivation.variant("receptive_field", label)
        for label in (
            "299x299, stride 2, pooling",
            "151x151, stride 1, pooling",
            "79x79, stride 1, no pooling",
        )
    ]
    largest, middle, small = sizes
    return [
        derivation.ratio("151x151 by 299x299", middle, largest),
        derivation.ratio("79x79 by 299x299", small, largest),
        None,
    ]


def _resized(derivation: Derivation) -> list[Value]:
    area = derivation.ratio("by area", 299**2, 79**2)
    whole, small = derivation.size("inception_v3"), derivation.size("inception_v3", input="3x79x79")
    return [area, derivation.ratio("as counted", whole, small)]


def _table_3(derivation: Derivation) -> list[Value]:
    costs: list[Value] = [derivation.variant("inference_budget", label) for label in TABLE_3]
    derivation.size("googlenet")
    derivation.size("bn_inception", input="3x299x299")
    add_published_steps(derivation, *variants_in("Table 3"))
    return [*costs, None]


CLAIMS = (
    Claim(
        "stem-7x7",
        "6",
        "The 7x7 at the beginning is factorized into three 3x3, by the ideas of section 3.1, which save.",
        (Bound("three 3x3 by the 7x7", "1", TIMES, relation="<"),),
        _stem,
        "The three 3x3 cost more: only the first has a stride, and two layers of 32 and 64 channels stand "
        "beside it on the large grid.",
    ),
    Claim(
        "depth",
        "6",
        "The network is 42 layers deep.",
        (Printed("layers", "42"),),
        _depth,
        "Table 1 comes to the stated depth with four modules on the 17x17 grid, if the reductions are not "
        "counted: the last line above.",
    ),
    Claim(
        "cost-vs-googlenet",
        "6",
        "The network costs about 2.5 times as much as GoogLeNet.",
        (
            Printed("from table 3", "2.5", TIMES, within=ABOUT, reported=True),
            Printed("counted", "2.5", TIMES, within=ABOUT),
        ),
        _by_googlenet,
        "It is table 3's Inception-v2 by its GoogLeNet; the released network costs more.",
    ),
    Claim(
        "cost-vs-vgg",
        "6",
        "The network is much more efficient than VGGNet.",
        (
            Bound("VGG-16, multiply-adds", "2", TIMES, relation=">", words="much"),
            Bound("VGG-19, multiply-adds", "2", TIMES, relation=">", words="much"),
            Bound("VGG-16, parameters", "2", TIMES, relation=">", words="much"),
            Bound("VGG-19, parameters", "2", TIMES, relation=">", words="much"),
        ),
        _by_vgg,
        '"Much" is taken to be more than twice.',
    ),
    Claim(
        "receptive-field",
        "9, table 2",
        "Networks for inputs of 299x299, 151x151 and 79x79 can be made to cost almost the same.",
        (
            Exactly("151x151 by 299x299", "1", TIMES, within=NARROW),
            Exactly("79x79 by 299x299", "1", TIMES, within=NARROW),
            Trained(
                "top-1 accuracy",
                "76.6%, 76.4%, 75.2%",
                "receptive_field: its three variants",
                ("resolution_299", "resolution_151"),
            ),
        ),
        _receptive_field,
        "Without the first pooling the grids of the smallest network are a little smaller. No single reading "
        "of table 2's constructions meets every statement about them.",
    ),
    Claim(
        "resize-16x",
        "9",
        "A network on inputs merely resized to 79x79 would be 16 times cheaper.",
        (Printed("by area", "16", TIMES), Printed("counted", "16", TIMES)),
        _resized,
        "By area it would be less; convolutions without padding shrink small grids by more than that.",
    ),
    Claim(
        "table-3",
        "table 3",
        "The costs of the systems, in billions of operations; and each change to Inception-v2 errs less.",
        (
            *(Printed(label, digits, BILLION) for label, digits in TABLE_3.items()),
            Trained(
                "top-1 error",
                "23.1%, 22.8%, 21.6%, 21.2%",
                "inference_budget: its variants of Inception-v2 and Inception-v3",
                ("label_smoothing", "nxn", "auxiliary_bn"),
            ),
        ),
        _table_3,
        "GoogLeNet's is met with the separable first layer that its own table prints, and missed with a "
        "dense one. For Inception-v2 stands the released network with a 7x7 stem. No network with the module "
        "shapes of section 6 is known to cost what the table says of Inception-v2 and Inception-v3; that "
        "BN-Inception on 299x299 does cost what it says of the former is taken to be a coincidence.",
    ),
    Claim(
        "vs-bn-inception",
        "11",
        "The network costs 2.5 times as much as BN-Inception.",
        (Printed("from table 3", "2.5", TIMES, reported=True), Printed("counted", "2.5", TIMES)),
        _by_bn_inception,
        "Table 3's own figures give a little less, the released networks more.",
    ),
)
