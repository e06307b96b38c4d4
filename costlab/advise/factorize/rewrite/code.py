"""Plans as files of Python that run by themselves."""

from collections.abc import Iterator

from costlab.advise.factorize.plan import Plan
from costlab.advise.factorize.rewrite.definition import definition_code
from costlab.advise.factorize.rewrite.names import function_name
from costlab.errors import DefinitionError


def rewrite_code(plan: Plan, file: str = "") -> str:
    """The code of the network of a plan, to be kept in a file of this name, or of `file_name`.

    Of a definition it is one that returns the whole network, written out, with names as the original has, and
    an ``experiment`` that trains both where it takes images. Of a module it is a function ``rewrite(model)``
    that puts other convolutions into it, and one that makes the network where a file can import what does.

    Raises:
        DefinitionError: nothing is replaced, a part is an operation that no file can import, or the code of a
            module uses a convolution in other ways than calling it.
    """
    if not plan.replacements:
        raise DefinitionError(f"nothing is replaced in {plan.found.label}, so there is nothing to write")
    return "\n".join(_lines(plan, file if file.endswith(".py") else file_name(plan))) + "\n"


def file_name(plan: Plan) -> str:
    """A name for the file, from the network and the scheme."""
    return f"{function_name(plan)}.py"


def _lines(plan: Plan, file: str) -> Iterator[str]:
    if not plan.found.block.takes_tensors:
        return definition_code(plan, file)
    from costlab.advise.factorize.apply import refuse_other_counts
    from costlab.advise.factorize.rewrite.module import module_code

    refuse_other_counts(plan)
    return module_code(plan, file)
