"""The claims of the abstract and sections 1 and 11: the budget, and earlier networks."""

from fractions import Fraction

from costlab.algebra.combine import marked
from costlab.paper.claim import Claim
from costlab.paper.derivation import Derivation
from costlab.paper.stated import ABOUT, BILLION, MILLION, TIMES, Bound, Exactly, Printed, Value

LAW = Fraction(5, 100)
"""The tolerance of a law about all layers, for the first and the last one."""


def _multiply_adds(derivation: Derivation) -> list[Value]:
    released = derivation.size("inception_v3")
    derivation.size("inception_v3:branch_5x5=3x3")
    derivation.size("inception_v3_table_1")
    derivation.size("inception_v3_table_1:modules_17=4")
    derivation.size("inception_v3_table_1:conv_35=false,modules_17=4,channels_17=128")
    return [released]


def _parameters(derivation: Derivation) -> list[Value]:
    released = derivation.size("inception_v3", "parameters")
    derivation.size("inception_v3:aux=true", "parameters")
    derivation.size("inception_v3_table_1", "parameters")
    return [released]


def _googlenet(derivation: Derivation) -> list[Value]:
    ours, theirs = derivation.size("googlenet", "parameters"), derivation.size("alexnet", "parameters")
    return [ours, theirs, derivation.ratio("alexnet by googlenet", theirs, ours)]


def _vgg(derivation: Derivation) -> list[Value]:
    theirs = derivation.size("alexnet", "parameters")
    sizes = {name: derivation.size(name, "parameters") for name in ("vgg16", "vgg19")}
    return [derivation.ratio(f"{name} by alexnet", size, theirs) for name, size in sizes.items()]


def _doubled(derivation: Derivation) -> list[Value]:
    ratios: list[Value] = []
    for quantity in ("multiply_adds", "weights"):
        twice, once = (derivation.size(f"inception_v3:width={width}", quantity) for width in (2, 1))
        ratios.append(derivation.ratio("width 2 by width 1", twice, once))
    return ratios


def _prelu(derivation: Derivation, quantity: str) -> list[Value]:
    ours = derivation.size("inception_v3", quantity)
    names = ("prelu_net_a", "prelu_net_b", "prelu_net_c")
    sizes = {name: derivation.size(name, quantity) for name in names}
    return [
        derivation.ratio(f"{marked(name, derivation.unverified)} by inception_v3", size, ours)
        for name, size in sizes.items()
    ]


def _prelu_cost(derivation: Derivation) -> list[Value]:
    return _prelu(derivation, "multiply_adds")


def _prelu_parameters(derivation: Derivation) -> list[Value]:
    return _prelu(derivation, "parameters")


BUDGET = (
    Claim(
        "budget-madds",
        "abstract",
        "An inference costs 5 billion multiply-adds, which is taken to mean about as many.",
        (Printed("multiply-adds", "5", BILLION, within=ABOUT),),
        _multiply_adds,
        "The authors point to the released network as the reference. It differs from table 1 in the stem, "
        "the 35x35 modules and the number of 17x17 modules; the table as printed costs more still. The last "
        "line above is the nearest to table 3's figure that was found with the table's modules: it leaves a "
        "row out, and narrows those at 17x17.",
    ),
    Claim(
        "budget-params",
        "abstract",
        "The network has fewer than 25 million parameters.",
        (Bound("parameters", "25", MILLION, relation="<"),),
        _parameters,
        "With the auxiliary head, as it is trained, it has more; so has table 1 as printed, with its five "
        "modules on the 17x17 grid.",
    ),
    Claim(
        "googlenet-params",
        "1",
        "GoogLeNet has 5 million parameters, 12 times fewer than AlexNet's 60 million.",
        (
            Printed("GoogLeNet", "5", MILLION),
            Printed("AlexNet", "60", MILLION, within=ABOUT),
            Printed("AlexNet by GoogLeNet", "12", TIMES),
        ),
        _googlenet,
        "GoogLeNet's own table adds up to more.",
    ),
    Claim(
        "vgg-params",
        "1",
        "VGGNet has about 3 times as many parameters as AlexNet.",
        (
            Printed("VGG-16 by AlexNet", "3", TIMES, within=ABOUT),
            Printed("VGG-19 by AlexNet", "3", TIMES, within=ABOUT),
        ),
        _vgg,
        "Not even the largest, VGG-19, has three times as many.",
    ),
    Claim(
        "doubling",
        "1",
        "Doubling all filter banks makes computation and parameters 4 times as many, which is taken to mean "
        "nearly.",
        (
            Exactly("multiply-adds", "4", TIMES, within=LAW),
            Exactly("weights", "4", TIMES, within=LAW),
        ),
        _doubled,
        "The first layer, whose input stays, and the classifier, whose output stays, only double.",
    ),
)
HE = (
    Claim(
        "vs-he-cost",
        "11",
        "The network is six times cheaper than that of He et al.",
        (Printed("A", "6", TIMES), Printed("B", "6", TIMES), Printed("C", "6", TIMES)),
        _prelu_cost,
        "None of the three PReLU-nets gives a factor of six.",
    ),
    Claim(
        "vs-he-params",
        "11",
        "It has at least five times fewer parameters than that of He et al.",
        (
            Bound("A", "5", TIMES, relation=">="),
            Bound("B", "5", TIMES, relation=">="),
            Bound("C", "5", TIMES, relation=">="),
        ),
        _prelu_parameters,
    ),
)
