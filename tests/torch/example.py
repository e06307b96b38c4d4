"""The examples of docs/training-loops.md that need a library which takes seconds to import."""

import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "training-loops.md"


def run_example(library: str, **names: Any) -> dict[str, Any]:
    """Run the example of a library, and give the names that it made."""
    (source,) = (
        part for part in re.findall(r"```py\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
        if f"costlab.torch.{library}" in part
    )  # fmt: skip
    exec(compile(source, str(PAGE), "exec"), names)
    return names
