"""The page of a run over design spaces, computed from its record alone."""

from collections.abc import Iterator, Sequence
from math import sqrt
from statistics import variance

from costlab.explore.region import together
from costlab.report.cell import plural
from costlab.report.page import Page, Part, page
from costlab.report.pages.run_parts import (
    GENERATED,
    at_full_scale,
    claims_parts,
    failed_trainings,
    failures,
    for_epochs,
    is_of_costlab,
    listed,
    of_what,
    on_devices,
    recounted,
    recounted_paragraph,
    results_in_words,
    sizes_in_words,
)
from costlab.report.pages.space_recount import spaces_recounted
from costlab.report.pictures.error_distribution import distribution_picture
from costlab.report.pictures.error_front import front_picture
from costlab.report.table import inline
from costlab.report.tables.run import settings_table
from costlab.report.tables.space_errors import comparison_table, errors_table
from costlab.report.tables.space_run import (
    beside_table,
    conditions_of,
    front_table,
    members_table,
    spaces_table,
    standing,
)
from costlab.report.trained_members import TrainedNetwork, baseline_of, beside_of, members_of, space_names
from costlab.report.trained_on import page_title
from costlab.train.record import Run
from costlab.train.space_record import SearchRecord, SpaceRecord

SAMPLERS = {"nsga2": "NSGA-II", "tpe": "tree-structured Parzen estimator (TPE)"}
FEW = 3
"""The most spaces that the first sentence names one by one."""
DRAWN = (
    "The members of a space were drawn at random from all that fit and meet its conditions, any set of so "
    "many as likely as any other. The conditions are held exactly, before anything is trained: nothing was "
    "trained and then left out."
)
NO_SAMPLE = (
    "The members were chosen for what others had come to, and are no sample of a space: how errors are "
    "spread over one is not to be seen here."
)
LUCK = (
    "Where errors differ by no more than two trainings of one network do, their order, and with it the "
    "front, is in part chance. The smallest of many errors is also smaller than what its network would "
    "come to on the average, as it was chosen for being small."
)


def space_page(run: Run, name: str, record: str, target: str = "") -> Page:
    """The spaces of a run, the distributions of their errors, the front, and all members.

    ``record`` is the file of the record beside the page, ``target`` that of the command, for a page outside
    of the evidence. Problems are trainings that failed, counts that differ from those of the definitions,
    and members that are not what the record says of them.
    """
    failed, moved, odd = failed_trainings(run), recounted(run), spaces_recounted(run)
    return page(
        name,
        page_title(run),
        _summary(run),
        (
            "## The spaces",
            _chosen(run),
            spaces_table(run),
            _recounted_spaces(run, odd),
            "## How it was made",
            settings_table(run),
            *_distributions(run, name),
            *_front(run, name),
            "## The members",
            members_table(run, record),
            recounted_paragraph(run, moved),
            *claims_parts(run),
            *failures(run, failed),
            *at_full_scale(run, run.seeds),
        ),
        (*failed, *moved, *odd),
        target,
    )


def _summary(run: Run) -> str:
    """What was trained, from which spaces, on what, and whether it came to a result."""
    members, baseline = members_of(run), baseline_of(run)
    # What stands beside the members may have been drawn, too: it was trained once, and is counted once.
    drawn = baseline is not None and bool(baseline.spaces)
    beside = ["the baseline"] if baseline and not drawn else []
    others = sum(not each.spaces for each in beside_of(run)) - len(beside)
    beside += [plural(others, "other network")] if others else []
    joined, spaces = " and ".join(beside), plural(len(run.spaces), "design space")
    among, were = ", the baseline among them," if drawn else "", "was" if len(members) == 1 else "were"
    of = f": {'; '.join(map(_drawn_of, run.spaces, space_names(run)))}." if len(run.spaces) <= FEW else "."
    return (
        f"{plural(len(members), 'member')}{among} of {spaces}{of_what(run)} {were} "
        f"trained{for_epochs(run)} on "
        f"{plural(run.seeds, 'seed')} each{on_devices(run)}{f', beside {joined}' if joined else ''}, with "
        f"{plural(run.data.train, 'image')} ({inline(run.data.name)}) of {sizes_in_words(run)} in "
        f"{plural(run.data.classes, 'class')}{of} {_capital(results_in_words(run))}."
        f"{f' {GENERATED}' if run.data.synthetic else ''}"
    )


def _drawn_of(space: SpaceRecord, name: str) -> str:
    """How many members of how many were trained."""
    conditions = conditions_of(space)
    meeting = f" with {inline(together(conditions))}, of {space.size:,} in all" if conditions else ""
    return f"{len(space.drawn):,} of the {space.among:,} of {inline(name)}{meeting}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _chosen(run: Run) -> str:
    """How the members were chosen."""
    if run.search is None:
        seeds = [f"{space.seed}" for space in run.spaces]
        if len(seeds) == 1:
            return f"{DRAWN} The seed of the draw is {seeds[0]}."
        return f"{DRAWN} The seeds of the draws are {', '.join(seeds[:-1])} and {seeds[-1]}."
    return _searched(run.search)


def _searched(search: SearchRecord) -> str:
    were = "was no member" if search.refused == 1 else "were no members"
    refused = f"{plural(search.refused, 'proposal')} {were}"
    those = f"After them {refused} of the space, which is known exactly, so that none of these was trained."
    if not search.refused:
        those = "No proposal after them was outside of the space, which is known exactly."
    return (
        "The members were chosen by a search for few multiply-adds and a small error together, by Optuna's "
        f"{SAMPLERS[search.sampler]} with seed {search.seed}, of at most {plural(search.sample, 'member')}. "
        f"The first {search.first:,} were drawn at random from all that fit and meet the conditions. "
        f"{those} {NO_SAMPLE}"
    )


def _recounted_spaces(run: Run, odd: Sequence[str]) -> str:
    """What counting the spaces and drawing the members again has shown."""
    if odd:
        return "Held against the spaces for this page, something is not as recorded:\n\n" + listed(odd)
    names = zip(space_names(run), run.spaces, strict=True)
    anew = [name for name, space in names if is_of_costlab(space.target)]
    how = "drawn anew with the seed" if run.search is None else "held against the axes and the conditions"
    said = []
    if anew:
        which = "" if len(anew) == len(run.spaces) else f" of {' and '.join(anew)}"
        said.append(
            f"For this page the members{which} were counted anew, and those that were trained {how}: as "
            "recorded."
        )
    regimes = [space for space in run.spaces if space.within and space.drawn]
    if regimes:
        sizes = {arm.label: arm.multiply_adds for arm in run.arms}
        inside = [sizes[label] for label in {label for space in regimes for label in space.drawn}]
        said.append(
            f"{plural(len(inside), 'trained member')} of {plural(len(regimes), 'regime')}, and none outside "
            f"of its own: from {min(inside):,} to {max(inside):,} multiply-adds."
        )
    if len(anew) < len(run.spaces):
        said.append("Spaces of no definition that comes with costlab stand as recorded.")
    return inline(" ".join(said))


def _distributions(run: Run, name: str) -> Iterator[Part]:
    """The errors of members that were drawn at random, and two spaces by their distributions."""
    if run.search is not None or all(each.error is None for each in members_of(run)):
        return
    yield "## The errors in each space"
    yield distribution_picture(run, name)
    yield errors_table(run)
    if len(run.spaces) > 1:
        yield comparison_table(run)


def _front(run: Run, name: str) -> Iterator[Part]:
    """The front, and where what was trained beside the members stands."""
    members = members_of(run)
    if all(each.error is None for each in members):
        yield "No member came to a result."
        return
    yield "## Error and cost"
    beside = beside_of(run)
    if baseline_of(run):
        yield _baseline(beside[0], members)
    yield front_picture(run, name)
    yield front_table(run)
    if beside:
        yield beside_table(run)
    yield f"{_noise(run)} {LUCK}"


def _baseline(baseline: TrainedNetwork, members: Sequence[TrainedNetwork]) -> str:
    """Where the baseline stands."""
    stands = standing(baseline, members)
    if baseline.error is None:
        return inline(f"The baseline, {baseline.label}, is {stands}.")
    return inline(
        f"The baseline, {baseline.label}, has an error of {100 * baseline.error:.2f}% with "
        f"{baseline.multiply_adds:,} multiply-adds: it is {stands}."
    )


def _noise(run: Run) -> str:
    """How far errors are known, as the record tells."""
    once = "Each network was trained on one seed"
    if run.seeds > 1:
        once = f"Each error is the mean over at most {run.seeds} seeds"
    found = [tuple(run.top_1(arm.label).values()) for arm in run.arms]
    several = [values for values in found if len(values) > 1]
    if not several:
        return f"{once}: the noise of training is not known from this record."
    freedom = sum(len(values) - 1 for values in several)
    pooled = sqrt(sum(variance(values) * (len(values) - 1) for values in several) / freedom)
    return (
        f"{once}; between seeds of one network it has a standard deviation of {100 * pooled:.2f} points, "
        f"pooled over {plural(len(several), 'network')}."
    )
