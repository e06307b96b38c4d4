"""Commands in processes of their own: code that ends the process or prints, and a folder full of traps."""

from random import Random

from tests.hostile.case import FINE, MISTAKE, Case, Made, words

TRAP = b"import pathlib\npathlib.Path('pwned').touch()\n"
TRAPS = words(
    "json csv torch numpy sympy pandas matplotlib fvcore costlab click rich pathlib difflib tempfile "
    "traceback yaml sitecustomize usercustomize readline conftest setup"
)
"""Modules that nobody named, and that lie where the command is called."""
HEAD = "import os, sys, threading\nfrom costlab import ReLU, block, seq\n"
CODE = {
    "prints": ("print('noise')\nit = ReLU()", FINE),
    "writes to its streams": ("sys.stdout.write('noise')\nsys.__stderr__.write('noise')\nit = ReLU()", FINE),
    "takes the stream away": ("sys.stdout = open(os.devnull, 'w')\nit = ReLU()", FINE),
    "prints as it is made": ("@block()\ndef it(): print('noise'); return seq(ReLU())", FINE),
    "exits at exit": ("import atexit\natexit.register(print, 'bye', file=sys.stderr)\nit = 3", MISTAKE),
    "begins a thread": ("threading.Thread(target=id, args=(3,)).start()\nit = 3", MISTAKE),
    "begins a daemon": (
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\nit = 3",
        MISTAKE,
    ),
    "asks": ("it = input()", MISTAKE),
    "changes the folder": ("os.chdir('..')\nit = 3", MISTAKE),
    "closes standard input": ("sys.stdin.close()\nit = 3", MISTAKE),
    "changes hooks": ("sys.excepthook = print\nsys.breakpointhook = print\nit = 3", MISTAKE),
    "has warnings": ("import warnings\nwarnings.warn('careful')\nit = 3", MISTAKE),
    "recurses": ("sys.setrecursionlimit(10**5)\ndef f(): f()\nsys.setrecursionlimit(1000)\nf()", MISTAKE),
}
"""What code does to the process, and how the command ends then; what calls ``os._exit`` cannot be helped."""


def draw(random: Random) -> Case:
    """A command in a folder of traps, or of code that changes its process."""
    traps: dict[str, Made] = {f"{name}.py": TRAP for name in random.sample(TRAPS, 5)}
    if random.random() < 0.3:
        command = random.choice(
            (
                ("count", "inception_a", "-f", "json"),
                ("list", "--ablations"),
                ("compare", "inception_a", "stem", "-i", "3x99x99", "-f", "csv"),
            )
        )
        return Case("a folder of traps", command, traps, FINE, alone=True)
    about = random.choice(list(CODE))
    text, codes = CODE[about]
    form = random.choice(("json", "csv"))
    return Case(
        f"code that {about}",
        ("count", "mine.py:it", "-i", "8", "-f", form),
        {"mine.py": f"{HEAD}{text}\n".encode()},
        codes,
        alone=True,
        rude=True,
    )
