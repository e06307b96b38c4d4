"""Factorization: for each convolution of a network what can stand in its place, and what that saves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from numbers import Integral
from typing import Any

from costlab.advise.factorize.plan import Plan, Replacement
from costlab.advise.factorize.scheme import SCHEMES, Rank, Scheme
from costlab.advise.factorize.site import Left, Site, sites_of
from costlab.advise.pattern import matches
from costlab.algebra.dim import is_number
from costlab.algebra.parameter import closest
from costlab.algebra.window import grouping
from costlab.counting.count import count
from costlab.errors import DefinitionError
from costlab.messages import named
from costlab.targets.like import TargetLike
from costlab.targets.resolve import find_with_settings

HALF = Fraction(1, 2)
DEFAULT = next(iter(SCHEMES))


@dataclass(frozen=True)
class Wanted:
    """How much is to be saved: a share of each convolution's multiply-adds, or a rank, or the full one.

    Without any, half of them where a scheme has a rank, and anything where it has none.
    """

    saving: Fraction | None = None
    rank: int | None = None
    full: bool = False

    def rank_of(self, scheme: Scheme, site: Site) -> Rank | str:
        """The rank for a convolution, or why it is left as it is.

        Raises:
            DefinitionError: the rank that is asked for is above its largest.
        """
        conv, channels = site.conv, site.channels
        groups: Any = conv.groups
        if reason := scheme.misfit(conv):
            return grouping(int(groups), channels).strip() or reason
        if self.full:
            return scheme.full(conv, channels)
        if self.rank is not None:
            largest = scheme.steps(conv, channels)
            if self.rank > largest:
                raise DefinitionError(
                    f"{site.path or 'the root'}: rank={self.rank} is above {largest}, the largest: give a "
                    "smaller one, or leave it out with another pattern"
                )
            return scheme.at(conv, channels, self.rank)
        return self._saving(scheme, site)

    def _saving(self, scheme: Scheme, site: Site) -> Rank | str:
        """The largest rank that saves as much as is wanted."""
        before: Any = site.work((site.conv,)).multiply_adds
        if not before:
            return "its batch is empty"
        least = self.saving if self.saving is not None else HALF if scheme.has_rank else None
        most = before - 1 if least is None else int(before * (1 - least))

        def fits(step: int) -> bool:
            rank = scheme.proportional(site.conv, site.channels, step)
            after: Any = site.work(scheme.parts(site.conv, site.channels, rank)).multiply_adds
            return bool(after <= most)

        if not fits(1):
            return "saves nothing" if least is None else f"saves less than {_percent(least)}"
        if not scheme.has_rank:
            return ()
        low, high = 1, scheme.steps(site.conv, site.channels)  # a rank costs no less than a lower one
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if fits(middle) else (low, middle - 1)
        return scheme.proportional(site.conv, site.channels, low)


def factorize(
    target: TargetLike,
    input: object = None,
    *,
    by: str = DEFAULT,
    saving: float | Fraction | None = None,
    rank: int | None = None,
    full: bool = False,
    only: str | Iterable[str] = (),
    **settings: Any,
) -> Plan:
    """Plan what stands in the place of each dense convolution of a network, and what that saves, exactly.

    ``target``, ``input`` and ``settings`` are those of `costlab.count`. ``by`` is one of `SCHEMES`. Each
    convolution has the largest rank with which it saves ``saving`` of its multiply-adds, by default half of
    them; or ``rank``, or with ``full`` the rank from which on it is exact. Schemes without a rank replace
    what saves anything, or at least ``saving``. ``only`` are patterns of paths, such as ``"layer1.*"``.

    Convolutions of two dimensions are replaced, and neither grouped nor depthwise ones.

    Raises:
        DefinitionError: there is no such scheme, what is wanted contradicts itself, a rank is above the
            largest, a pattern matches no convolution, or there is none in the network.
        TargetError, ShapeError, DependsOnDataError: as `costlab.count`.
    """
    scheme = _scheme(by)
    wanted, patterns = _wanted(scheme, saving, rank, full), _patterns(only)
    given = find_with_settings(target, settings)
    counted = count(given, input)
    found = given.resolve(counted.input)
    batch: Any = counted.batch
    sites = list(sites_of(counted.root, int(batch)))
    if not sites:
        raise DefinitionError(f"{found.label} has no convolutions, and nothing else is factorized")
    if not is_number(*counted.total[1:]):
        raise DefinitionError(f"{found.label}: give plain numbers for its sizes")
    chosen = _chosen(sites, patterns)
    replacements, left = [], []
    for site in sites:
        if isinstance(site, Left):
            left.append(site)
            continue
        rank_of = wanted.rank_of(scheme, site) if site.path in chosen else "not among those asked for"
        if isinstance(rank_of, str):
            done: Any = site.work((site.conv,)).multiply_adds
            left.append(Left(site.path, rank_of, int(done)))
        else:
            replacements.append(Replacement(site, scheme, rank_of))
    asked = _asked(scheme, wanted, patterns)
    return Plan(found, given, scheme, tuple(replacements), tuple(left), counted.total, asked)


def _scheme(by: object) -> Scheme:
    if not isinstance(by, str) or by not in SCHEMES:
        like = closest(by, SCHEMES) if isinstance(by, str) and by else ""
        raise DefinitionError(f"by={named(by)} must be one of {', '.join(SCHEMES)}{like}")
    return SCHEMES[by]


def _wanted(scheme: Scheme, saving: object, rank: object, full: object) -> Wanted:
    if not isinstance(full, bool):
        raise DefinitionError(f"full={named(full)} must be True or False")
    if sum([saving is not None, rank is not None, full]) > 1:
        raise DefinitionError("saving, rank and full say the same: give one of them")
    if not scheme.has_rank and (rank is not None or full):
        raise DefinitionError(f"{scheme.name} has no rank: leave rank and full out")
    if rank is not None and (isinstance(rank, bool) or not isinstance(rank, Integral) or rank < 1):
        raise DefinitionError(f"rank={named(rank)} must be a whole number of at least 1")
    if saving is None:
        return Wanted(None, None if rank is None else int(rank), full)
    if isinstance(saving, bool) or not isinstance(saving, int | float | Fraction) or not 0 < saving < 1:
        raise DefinitionError(f"saving={named(saving)} must be a share between 0 and 1, such as 0.5")
    return Wanted(Fraction(str(saving)))


def _patterns(only: object) -> list[str]:
    found: list[Any] = [only] if isinstance(only, str) or not isinstance(only, Iterable) else [*only]
    for each in found:
        if not isinstance(each, str):
            raise DefinitionError(f"only={named(each)} must be a pattern of paths, such as 'layer1.*'")
    return found


def _chosen(sites: Sequence[Site | Left], patterns: Sequence[str]) -> set[str]:
    """The paths of those that a pattern matches, by any name of theirs, or a module that they are in."""
    names = {each.path: each.names if isinstance(each, Site) else (each.path,) for each in sites}
    if not patterns:
        return set(names)
    chosen: set[str] = set()
    for pattern in patterns:
        matching = {path for path in names if any(matches(name, pattern) for name in names[path])}
        if not matching:
            raise DefinitionError(f"only={named(pattern)} matches no convolution{closest(pattern, names)}")
        chosen |= matching
    return chosen


def _asked(scheme: Scheme, wanted: Wanted, patterns: Sequence[str]) -> tuple[str, ...]:
    """What is asked for, in the options of the command."""
    how = {
        "--saving": _percent(wanted.saving) if wanted.saving is not None else "",
        "--rank": "" if wanted.rank is None else str(wanted.rank),
    }
    words = [word for name, text in how.items() if text for word in (name, text)]
    each = [word for pattern in patterns for word in ("--only", pattern)]
    return ("--by", scheme.name, *words, *(["--full"] if wanted.full else []), *each)


def _percent(share: Fraction) -> str:
    return f"{float(100 * share):.15g}%"
