"""Requests to end, such as Ctrl-C: they end the command once, whatever it is at, and leave nothing half done.

A request raises `KeyboardInterrupt` in the main thread. An import, a destructor or a library may swallow
that; so it is raised again and again, unless it is being handled, until the command has ended. What must not
be left half done is `Whole`: there the exception waits for the end. Before `take_requests`, as in a program
that uses costlab, nothing of this applies.
"""

import atexit
import os
import signal
import sys
from _thread import get_ident
from time import monotonic

TYPE_CHECKING = False  # as typing has it, which takes milliseconds to load: this is to be in place before
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, NoReturn

STATUS, MESSAGE = 130, "costlab: error: interrupted"
AGAIN = 0.2
"""Seconds after which an exception that was swallowed is raised again."""
PATIENCE = 5.0
"""Seconds for clearing up, after which a further request ends the process at once."""
REQUESTS = ("SIGINT", "SIGTERM", "SIGHUP")


class _State:
    """What this process was asked for, and whether that has to wait."""

    main_thread: int | None = None
    asked: float | None = None
    by_pipe = False
    whole = 0
    status: int | None = None


def take_requests() -> None:
    """Let requests end this process; those that it was started to ignore, as by nohup, it ignores."""
    if _State.main_thread is not None:
        return
    _State.main_thread = get_ident()
    sys.unraisablehook, sys.excepthook = _silent(sys.unraisablehook), _silent(sys.excepthook)
    before = {
        number: signal.signal(number, _take)
        for number in _numbers()
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler)
    }
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=_before_fork, after_in_parent=_after_fork, after_in_child=lambda: _forget(before)
        )
    atexit.register(_ignore_taken)  # the first to be registered is the last to be called


def are_taken() -> bool:
    """Whether this process was asked to end."""
    return _State.asked is not None


def by_pipe() -> bool:
    """Whether it is to end because nobody reads what it prints."""
    return _State.by_pipe


def look_again() -> None:
    """Raise `KeyboardInterrupt` if this process was asked to end, and the exception was swallowed."""
    if are_taken() and get_ident() == _State.main_thread:
        _raise()


def end_by_pipe() -> None:
    """Take it as a request to end that nobody reads any more what this process prints."""
    if get_ident() == _State.main_thread and _State.status is None:
        _State.by_pipe = True
        _take()


class Whole:
    """In this context a request waits until its end; made before, it is obeyed at the beginning."""

    def __enter__(self) -> None:
        look_again()
        if get_ident() == _State.main_thread:
            _State.whole += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        if get_ident() == _State.main_thread:
            _State.whole -= 1
        look_again()


class Unseen:
    """What is started in this context sees no requests; a request to this process comes at the end."""

    def __enter__(self) -> None:
        if hasattr(signal, "pthread_sigmask"):
            self._before = signal.pthread_sigmask(signal.SIG_BLOCK, _numbers())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_SETMASK, self._before)


def ignore_requests() -> None:
    """Ignore requests in this process, and in what it starts: another one ends it."""
    for number in _numbers():
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _numbers())


def done(status: int) -> None:
    """The work is done: from now on a request ends the process with this status, and not otherwise."""
    if _State.main_thread is None or _State.status is not None:
        return
    _State.status = status
    _stop_repeating()


def leave() -> "NoReturn":
    """End a process that was asked to. Libraries that are half imported do not get to say anything."""
    done(STATUS)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    atexit._run_exitfuncs()  # noqa: SLF001  # what removes temporary folders; there is no other name
    if _State.by_pipe:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.raise_signal(signal.SIGPIPE)
    os._exit(STATUS)


def _take(*_: object) -> None:
    """Handle a request."""
    if _State.status is not None:
        os._exit(_State.status)
    now = monotonic()
    if _State.asked is None:
        _State.asked = now
        if hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, _raise)
            signal.setitimer(signal.ITIMER_REAL, AGAIN, AGAIN)
    elif now - _State.asked > PATIENCE:
        try:
            os.write(2, f"{MESSAGE}\n".encode())
        finally:
            os._exit(STATUS)
    _raise()


def _raise(*_: object) -> None:
    """Raise the exception, unless that has to wait, or it is being handled."""
    if not (_State.whole or _is_handled()):
        raise KeyboardInterrupt


def _is_handled() -> bool:
    """Whether the exception is on its way: blocks that clear up are running."""
    error, seen = sys.exception(), 0
    while error is not None and seen < 100:  # contexts may be in a circle
        if isinstance(error, KeyboardInterrupt):
            return True
        error, seen = error.__context__, seen + 1
    return False


def _numbers() -> tuple[int, ...]:
    return tuple(getattr(signal, name) for name in REQUESTS if hasattr(signal, name))


def _stop_repeating() -> None:
    if _State.asked is not None and hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)


def _ignore_taken() -> None:
    """While the interpreter is taken down, Python takes its handlers away: the signal would kill."""
    for number in _numbers():
        if signal.getsignal(number) is _take:
            signal.signal(number, signal.SIG_IGN)


_forks: "dict[int, Unseen]" = {}
"""What holds requests back as a process is forked, by the thread: Python would lose them."""


def _before_fork() -> None:
    _forks[get_ident()] = Unseen()
    _forks[get_ident()].__enter__()


def _after_fork() -> None:
    _forks.pop(get_ident()).__exit__(None, None, None)


def _forget(handlers: "dict[int, Any]") -> None:
    """In a process that was forked, as by code of the user's, requests do what they did before."""
    for number, handler in handlers.items():
        if signal.getsignal(number) is _take:
            signal.signal(number, handler)
    _State.main_thread = _State.asked = _State.status = None
    _State.whole = 0
    _after_fork()


def _silent(hook: "Any") -> "Any":
    """A hook for exceptions that nothing handles, which leaves out those of requests."""

    def told(*details: "Any") -> None:
        kind = details[0] if isinstance(details[0], type) else details[0].exc_type
        if not (are_taken() and issubclass(kind, KeyboardInterrupt)):
            hook(*details)

    return told
