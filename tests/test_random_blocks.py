"""Random blocks: the count agrees with fvcore, the flop counter and the tensors, module by module."""

import os

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from costlab.algebra import Block, Shape
from costlab.checking.cross_check import check
from costlab.counting.count import count
from tests.random_blocks import counted

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "80"))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
    database=None,
    print_blob=True,
)
@given(counted(), st.integers(1, 3))
def test_the_count_is_what_runs(example: tuple[Shape, Block], batch: int) -> None:
    x, block = example
    result = count(block, x, batch=batch)
    event(f"operations: {len(result.rows) // 10 * 10} or more")
    for counted_so in (result, result.inference) if result.auxiliary else (result,):
        findings = check(counted_so)
        assert len(findings) == 11
        assert all(finding.agreed for finding in findings), "\n".join(
            [f"{block}", counted_so.title, *map(str, findings)]
        )
