"""Where a study is kept: a file beside the run, or a database that others draw from too."""

import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from costlab.errors import RunError, one_line
from costlab.train.study import BEAT, Pair, Study

GRACE = 60
"""Seconds without a heartbeat after which the holder of a trial counts as dead."""


@contextmanager
def opened(url: str, name: str, pairs: Iterable[Pair], alone: bool, grace: int = GRACE) -> Iterator[Study]:
    """The study of that name, made if it is not there.

    ``alone`` says that no other process can use it; else trials are held with heartbeats, and count as left
    when there was none for ``grace`` seconds.

    Raises:
        RunError: the database cannot be reached, or is none.
    """
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    beats: dict[str, Any] = {} if alone else {"heartbeat_interval": BEAT, "grace_period": grace}
    name_of = url.removeprefix("sqlite:///") if alone else f"--study {_shown(url)}"
    with _told(url, name_of, ValueError, ImportError):
        storage = _retried(lambda: optuna.storages.RDBStorage(_with_driver(url), **beats))
        study = _retried(
            lambda: optuna.create_study(
                storage=storage, study_name=name, load_if_exists=True, direction="maximize"
            )
        )
        number = storage.get_study_id_from_name(study.study_name)
    with _told(url, name_of):
        made = Study(storage, number, pairs, alone)
        try:
            yield made
        finally:
            with suppress(SQLAlchemyError, optuna.exceptions.StorageInternalError):  # of a base that is gone
                made.give_back()
            storage.engine.dispose()


def refuse_file(url: str) -> None:
    """Raises `RunError` for a database in a file: it cannot be shared, as two may take one trial."""
    if url.startswith("sqlite"):
        raise RunError(
            "--study sqlite:... is for one machine only: leave it out, or name a postgresql:// one"
        )


def refuse_unreachable(url: str) -> None:
    """Raises `RunError` for a database that cannot be reached, before anything is made for it."""
    import optuna

    refuse_file(url)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with _told(url, f"--study {_shown(url)}", ValueError, ImportError):
        _retried(lambda: optuna.storages.RDBStorage(_with_driver(url))).engine.dispose()


def _retried(make: Callable[[], Any]) -> Any:
    """What a function gives, called again where another process was just making the same tables."""
    from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

    with _quiet():
        for _ in range(4):
            try:
                return make()
            except (IntegrityError, ProgrammingError):
                continue
            except DBAPIError as error:
                if "already exists" not in str(error):
                    raise
        return make()


@contextmanager
def _told(url: str, name: str, *others: type[Exception]) -> Iterator[None]:
    """Tell what the database refuses, or one of ``others``, in one line without a password."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    told_of: tuple[type[Exception], ...] = (SQLAlchemyError, StorageInternalError, *others)
    try:
        yield
    except told_of as error:
        cause: Any = error.__cause__ or error
        told = one_line(getattr(cause, "orig", None) or cause)
        if isinstance(error, ModuleNotFoundError):
            told += "; pip install 'costlab[postgres]' brings PostgreSQL's"
        raise RunError(f"{name}: {_without_secrets(told, url)}") from None


def _shown(url: str) -> str:
    """An address without what may be secret: the password, and whatever follows the database."""
    return re.sub(r"//([^:/@]*):.*@", r"//\1:***@", url.partition("?")[0])


def _without_secrets(told: str, url: str) -> str:
    """What a driver says, without the parts of the address that `_shown` leaves out."""
    found = re.search(r"//[^:/@]*:(.*)@", url)
    secrets = [*(found[1].split("@") if found else ()), *re.findall(r"[?&][^=&]*=([^&]+)", url)]
    for secret in filter(None, secrets):
        told = told.replace(secret, "***")
    return told


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what Optuna says of parts that may still change."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _with_driver(url: str) -> str:
    return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)
