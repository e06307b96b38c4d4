"""The evidence: every page that costlab writes about the paper and its network, from the definitions."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from costlab.counting.count import Count, count
from costlab.paper.audit import verify
from costlab.report.page import Page
from costlab.report.pages import claims, factorization, index, lineage
from costlab.report.pages.network import file_name, network_page, without_folder

NETWORK = "inception_v3"
PAGES = (NETWORK, factorization.NAME, claims.NAME, lineage.NAME, index.NAME)
"""The names of the pages, in the order in which they are made: the first one to be read comes last."""


def evidence(tell: Callable[[str], None]) -> Iterator[Page]:
    """The pages of `PAGES`, each made when it is asked for; ``tell`` is told each step."""
    released = count(NETWORK)
    pages = [network_page(released, NETWORK, tell)]
    yield pages[-1]
    pages.append(factorization.factorization_page(tell))
    yield pages[-1]
    audited = verify(progress=lambda name: tell(f"claims: {name}"))
    pages.append(claims.claims_page(audited))
    yield pages[-1]
    tell("lineage")
    pages.append(lineage.lineage_page())
    yield pages[-1]
    yield index.index_page(pages, released, audited)


def page_of(counted: Count, tell: Callable[[str], None], depth: int = 1, options: str = "") -> Iterator[Page]:
    """The page of a network of one's own; ``options``, as typed, tell it from others of the same network."""
    label = without_folder(counted.label)
    target = f"{label} {options}".rstrip()
    yield network_page(replace(counted, label=label), file_name(target), tell, depth=depth, target=target)
