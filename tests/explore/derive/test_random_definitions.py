"""Definitions written at random: members are what is counted, or do not fit where they say."""

import os
from itertools import product
from random import Random
from typing import Any

from costlab import CostlabError, DefinitionError, ShapeError, algebra, count
from costlab.algebra.several import part
from costlab.algebra.work import QUANTITIES
from costlab.explore.member import variant_of
from costlab.explore.space import Space

EXAMPLES = int(os.environ.get("EXPLORE_EXAMPLES", "30"))
SEED = int(os.environ.get("EXPLORE_SEED", "0"))
MEMBERS = 60
DIMS = "4|6|8|w|w|v|w*2|w+v|scale(8,r)|scale(w,r)|w//2+1|max(w,v)|i*2|(w if f else v)|(6 if t=='a' else 12)"
LEAVES = (
    "Conv2d({d},{k})",
    "Conv2d({d},{k},stride={s})",
    "Conv2d({d},{k},padding={p},groups={g})",
    "MaxPool2d({k},stride={s})",
    "BatchNorm2d()",
    "Conv2d({d},1)",
)
TESTS = "f|h is True|t=='b'|n>1|w>v|w%2==0|o is None|not f and h|isinstance(o,int)|isinstance(w,int)"
PARAMETERS = (
    "w: Dim=4, k: int=3, f: bool=False, t: str='a', v: Dim=4, i: int=1, n: int=1, h: bool=True, "
    "o: int|None=None, r: Ratio=1.0, g: Dim=1"
)
CODE = """
def tried(one, other):
    try:
        return one()
    except DefinitionError:
        return other()
@block()
def inner0({parameters}):
    return seq({inner})
@part
def inner1({parameters}):
    return {leaf}
@block(input="4x40x40")
def network({parameters}):
    return seq({parts})
"""
AXES: dict[str, list[Any]] = {
    "w": [4, 6, 9],
    "k": [1, 3, 5],
    "f": [True, False],
    "t": ["a", "b", "c"],
    "v": [2, 4],
    "i": [1, 2, 3],
    "n": [0, 1, 2],
    "h": [True, False],
    "o": [None, 1, 2],
    "r": [0.5, 1.0, 1.3],
    "g": [1, 2, 4],
    "input": [5, 9, 25, 40, 41],
}


class Writer:
    """Writes blocks as code."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def one(self, of: str) -> str:
        return self.random.choice(of.split("|"))

    def leaf(self) -> str:
        leaf = self.random.choice(LEAVES)
        kernel, padding = self.one("1|3|i|k|(1,k)|5|7"), self.one("0|1|k//2|'same'")
        return leaf.format(d=self.dim(), k=kernel, p=padding, s=self.one("1|2|i"), g=self.one("1|2|g|w"))

    def dim(self) -> str:
        return self.one(DIMS)

    def block(self, depth: int) -> str:
        """A block of some kind, with blocks in it."""
        kinds = (self.several, self.joined, self.repeated, self.chosen, self.chosen, self.made, self.tried)
        return self.random.choice(kinds)(depth - 1) if depth and self.random.random() < 0.7 else self.leaf()

    def several(self, depth: int) -> str:
        return f"seq({', '.join(self.block(depth) for _ in range(self.random.randint(0, 3)))})"

    def joined(self, depth: int) -> str:
        branches = self.one("seq()|Conv2d(w, 1)|seq(Conv2d(4, 1), Conv2d(v, k, padding=k // 2))|inner1(w, 1)")
        return f"{self.one('concat|concat|add')}({branches}, Conv2d({self.dim()}, 3, padding=1))"

    def repeated(self, depth: int) -> str:
        return f"seq(*[{self.block(depth)} for _ in range({self.one('i|n|n+1')})])"

    def chosen(self, depth: int) -> str:
        return f"({self.block(depth)} if {self.one(TESTS)} else {self.block(depth)})"

    def made(self, depth: int) -> str:
        return (
            f"inner{self.one('0|1')}({self.one('w|v|w+1')}, {self.one('k|i')}, f={self.one('f|h')}, t=t, g=g)"
        )

    def tried(self, depth: int) -> str:
        if self.random.random() < 0.5:
            return f"seq({self.block(depth)}, Flatten(), Linear({self.dim()}))"
        return f"tried(lambda: {self.leaf()}, lambda: {self.leaf()})"


def written(random: Random) -> str:
    """The code of a network."""
    writer = Writer(random)
    parts = ", ".join(writer.block(3) for _ in range(random.randint(1, 4)))
    inner = f"{writer.leaf()}, {writer.leaf()}"
    return CODE.format(parameters=PARAMETERS, inner=inner, leaf=writer.leaf(), parts=parts)


def test_members_of_random_definitions() -> None:
    fitting = 0
    for seed in range(SEED, SEED + EXAMPLES):
        random = Random(seed)
        code = written(random)
        namespace: dict[str, Any] = {**vars(algebra), "part": part, "__name__": "networks"}
        exec(code, namespace)
        names = random.sample(list(AXES), random.randint(1, 6))
        axes = {name: random.sample(AXES[name], random.randint(1, len(AXES[name]))) for name in names}
        fitting += hold(Space(namespace["network"], **axes), random, f"{code}\n{axes}")
    assert fitting > EXAMPLES


def hold(space: Space, random: Random, code: str) -> int:
    """Hold members against counts; how many fit."""
    every = list(product(*map(range, space.sizes)))
    wanted = {index: counted(space, index) for index in random.sample(every, min(MEMBERS, len(every)))}
    try:
        derived = space.lowering.derived
    except DefinitionError as error:
        assert not any(isinstance(each, dict) for each in wanted.values()), f"{error}: {code}"  # noqa: PT017  # the code belongs to it
        return 0
    for index, sizes in wanted.items():
        misfit = derived.misfit_at(index)
        if isinstance(sizes, dict):
            assert misfit is None, f"{index}: {code}"
            assert derived.at(index) == sizes, f"{index}: {code}"
        else:
            assert misfit == sizes or (sizes is None and misfit is not None), f"{index}: {code}"
    return sum(isinstance(each, dict) for each in wanted.values())


def counted(space: Space, index: tuple[int, ...]) -> dict[str, int] | str | None:
    """The quantities of a member; else the path of what does not fit, or None where it cannot be made."""
    try:
        found = count(variant_of(space.variant, space.axes, index))
    except ShapeError as error:
        return error.path
    except CostlabError:
        return None
    return {name: int(found.size(name)) for name in QUANTITIES}
