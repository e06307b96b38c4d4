"""Where a study is stored: in a file in the folder of the run, or in a database that machines share."""

import os
import re
import sqlite3
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from costlab.errors import RunError, one_line
from costlab.train.study import BEAT, Pair, Study

GRACE = 60
"""Seconds without a heartbeat after which the process that trains a trial counts as dead."""


@contextmanager
def open_study(
    url: str, name: str, pairs: Iterable[Pair], alone: bool, grace: int = GRACE
) -> Iterator[Study]:
    """The study of that name, created if it does not exist.

    ``alone`` says that no other process uses it. Else trials are leased with heartbeats, and are free again
    after ``grace`` seconds without one.

    Raises:
        RunError: the database cannot be reached, or the URL is invalid.
    """
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    beats: dict[str, Any] = {} if alone else {"heartbeat_interval": BEAT, "grace_period": grace}
    name_of = url.removeprefix("sqlite:///") if alone else f"--study {_masked(url)}"
    with _database_errors(url, name_of, ValueError, ImportError):
        storage = _retry(lambda: optuna.storages.RDBStorage(_with_driver(url), **beats))
        study = _retry(
            lambda: optuna.create_study(
                storage=storage, study_name=name, load_if_exists=True, direction="maximize"
            )
        )
        number = storage.get_study_id_from_name(study.study_name)
    with _database_errors(url, name_of):
        plan_study = Study(storage, number, pairs, alone)
        try:
            yield plan_study
        finally:
            with suppress(SQLAlchemyError, optuna.exceptions.StorageInternalError):  # of a base that is gone
                plan_study.give_back()
            storage.engine.dispose()


def refuse_file(url: str) -> None:
    """Raises `RunError` for a SQLite database, which cannot be shared: two machines could take one trial."""
    if url.startswith("sqlite"):
        raise RunError(
            "--study sqlite:... is for one machine only: leave it out, or name a postgresql:// one"
        )


def refuse_other_file(file: Path) -> None:
    """Raises `RunError` for the file of a study in a folder that is no such database; writes nothing."""
    if not os.path.lexists(file):
        return
    anew = "remove it, and the trials begin anew"
    if not file.is_file():
        raise RunError(f"{file} is no file: {anew}")
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as base:
            tables = {name for (name,) in base.execute("select name from sqlite_master where type = 'table'")}
    except (
        sqlite3.OperationalError
    ):  # such as of a process that was killed: it is restored where it is opened
        return
    except sqlite3.DatabaseError as error:
        raise RunError(f"{file} is damaged ({error}): {anew}") from None
    if tables and "version_info" not in tables:
        raise RunError(f"{file} is a database of something else: {anew}")


def refuse_unreachable(url: str) -> None:
    """Raises `RunError` for a database that cannot be reached."""
    import optuna

    refuse_file(url)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with _database_errors(url, f"--study {_masked(url)}", ValueError, ImportError):
        _retry(lambda: optuna.storages.RDBStorage(_with_driver(url))).engine.dispose()


def _retry(make: Callable[[], Any]) -> Any:
    """The result of a function, called again if another process was creating the same tables."""
    from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

    with _without_warnings():
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
def _database_errors(url: str, name: str, *others: type[Exception]) -> Iterator[None]:
    """Turn errors of the database, and of the types in ``others``, into `RunError`, without passwords."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    errors: tuple[type[Exception], ...] = (SQLAlchemyError, StorageInternalError, *others)
    try:
        yield
    except errors as error:
        cause: Any = error.__cause__ or error
        message = one_line(getattr(cause, "orig", None) or cause)
        if isinstance(cause, ImportError):  # which Optuna raises anew
            absent = isinstance(cause, ModuleNotFoundError) and cause.name
            message = f"{absent} is not installed" if absent else message
            message += "; pip install 'costlab[postgres]' brings PostgreSQL's driver"
        raise RunError(f"{name}: {_without_secrets(message, url)}") from None


def _masked(url: str) -> str:
    """A URL without what may be secret: the password, and the query after the database."""
    return re.sub(r"//([^:/@]*):.*@", r"//\1:***@", url.partition("?")[0])


def _without_secrets(message: str, url: str) -> str:
    """A message of a driver, without the parts of the URL that `_masked` leaves out."""
    login = re.search(r"//[^:/@]*:(.*)@", url)
    secrets = [*(login[1].split("@") if login else ()), *re.findall(r"[?&][^=&]*=([^&]+)", url)]
    for secret in filter(None, secrets):
        message = message.replace(secret, "***")
    return message


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Ignore Optuna's warnings about experimental features."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _with_driver(url: str) -> str:
    return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)
