"""Targets that name nothing, or what is no network, and makers of inputs that make none."""

import os
from pathlib import Path
from random import Random
from typing import Any

import blocks
from tests.hostile.case import EITHER, LONG, MISTAKE, ODD_TEXTS, SIGNS, Case, Made, mutated, words
from tests.hostile.code import BLOCKS, FILES, HEAD, RAISED, VALUES, WHOLE

FILE = "mine.py"
COMMANDS = (
    ("count", "{}", "-i", "1x8"),
    ("count", "{}", "-i", "1x8", "-f", "json"),
    ("count", "{}", "-i", "1x8", "--check"),
    ("count", "{}", "-i", "1x8", "--backward"),
    ("count", "{}", "-i", "1x8", "--partial"),
    ("count", "{}", "-i", "8", "--symbolic"),
    ("compare", "{}", "{}", "-i", "1x8"),
    ("compare", "inception_a", "{}", "-i", "1x8"),
    ("compare", "--ablation", "{}"),
    ("reconcile", "{}", "-i", "1x8"),
    ("report", "{}", "-i", "1x8", "-o", "pages"),
    ("report", "{}", "-i", "1x8", "--html", "page.html"),
    ("train", "{}", "-o", "run"),
)
"""Every command that takes a target."""
PATHS = (
    *words("""
        nosuch.py:it nosuch.py ./it /etc/passwd:it /etc/passwd.py:it ..:it ../..:it /:it /dev/zero:it
        /dev/stdin:it mine.py:it:it:it mine.py:: nosuch.module:it .py:it http://x/y.py:it
        file:///x.py:it a/b.py:c.d os.nosuch:it ..os:it os: :it os:it.it torch.nn:Linear.forward
        costlab:nosuch nosuch.onnx nosuch.onnx:it=3 /.onnx .onnx
    """),
    *("C:\\x.py:it",),
    *(f"{LONG}.py:it", f"{LONG}:it", f"mine.py:{LONG}"),
    *(f"no{sign}such.py:it" for sign in SIGNS),
    *(f"nosuch:{sign}" for sign in SIGNS),
)
"""Paths that lead to nothing."""
THINGS = (
    *words("""
        sys:exit sys:stdout sys:path sys:modules sys:settrace sys:setrecursionlimit sys:_getframe
        sys:breakpointhook os:getcwd os:abort os:fork os:environ os:name os:getpid os:_exit os:kill
        os:sched_yield os:times os:wait os:pipe os.path:join os.path:sep os.path:exists
        os.path:expanduser subprocess:run subprocess:Popen subprocess:PIPE subprocess:CalledProcessError
        builtins:print builtins:input builtins:dict builtins:object builtins:exit builtins:None
        builtins:type builtins:len builtins:globals builtins:breakpoint builtins:help builtins:id
        builtins:dir collections:OrderedDict collections:Counter collections:abc collections:namedtuple
        time:sleep time:time time:localtime time:timezone functools:partial functools:lru_cache
        functools:reduce typing:Any typing:List typing:Optional typing:cast types:SimpleNamespace
        types:ModuleType types:FunctionType json:loads json:dumps json:decoder torch:zeros torch:nn
        torch:Tensor torch:float32 torch:manual_seed torch:seed torch:get_num_threads torch:no_grad
        torch:Generator torch:initial_seed torch.nn:functional torch.nn:Parameter torch.nn:init
        torch.nn:ParameterList torch.nn:Module torch.nn:nosuch torch.nn:Conv2D torch.nn.functional:relu
        torch.nn.functional:conv2d torch.nn.functional:softmax torch.optim:SGD torch.optim:Adam
        torch.optim:lr_scheduler torch.utils.data:DataLoader torch.utils.data:Dataset numpy:array
        numpy:zeros numpy:random numpy:pi numpy:ndarray threading:Thread threading:current_thread
        threading:active_count threading:enumerate logging:getLogger logging:shutdown logging:Logger
    """),
)
"""What is no network in modules that everybody has."""
REFUSED = {
    "Conv2d:in_channels=-1,out_channels=3,kernel_size=3": "-1",
    "Conv2d:in_channels=3,out_channels=-1,kernel_size=3": "",
    "Conv2d:in_channels=3,out_channels=3,kernel_size=abc": "kernel_size=abc",
    "Conv2d:in_channels=3,out_channels=3,kernel_size=": "kernel_size=",
    "Conv2d:in_channels=3,out_channels=3,kernel_size=[3,3": "kernel_size=[3,3",
    "Conv2d:in_channels=3,out_channels=4,kernel_size=3,groups=2": "groups",
    "Conv2d:in_channels=3,out_channels=3,kernel_size=3,bias=maybe": "bias=maybe",
    "Conv2d:in_channels=3,out_channels=3,kernel_size=3,padding_mode=none": "padding_mode",
    "Conv2d:in_channels=a,out_channels=3,kernel_size=3": "in_channels=a",
    "Conv2d:in_channels=None,out_channels=3,kernel_size=3": "in_channels=None",
    "Conv2d:in_channels=1e30,out_channels=3,kernel_size=3": "in_channels=1e30",
    "Conv2d:in_channels=3": "out_channels",
    "Conv2d:channels=3": "channels",
    "Linear:in_features=-1,out_features=3": "",
    "Linear:in_features=10**9,out_features=3": "in_features=10**9",
    "Linear:in_features=9999999999999,out_features=9999999999999": "",
    "Linear:in_features=99999999999999999999,out_features=3": "",
    "Linear:in_features=true,out_features=3": "in_features=true",
    "Linear:in_features=3": "out_features",
    "Dropout:p=2": "p",
    "Dropout:p=nan": "",
    "TransformerEncoderLayer:d_model=5,nhead=2": "embed_dim",
    "TransformerEncoderLayer:d_model=0,nhead=0": "",
    "LSTM:input_size=0,hidden_size=-1": "",
    "Embedding:num_embeddings=-5,embedding_dim=3": "",
    "BatchNorm2d:num_features=-3": "",
    "Sequential:modules=3": "modules",
    "ModuleList:modules=3": "",
    "Upsample:size=abc": "",
}
"""Arguments that torch's classes do not take, and what of them the message names."""


def draw_name(random: Random) -> Case:
    """A name that is none, or hardly one."""
    valid = random.choice((*blocks.__all__, "torch.nn:Linear", "mine.py:it", "inception_v3:width=0.5"))
    odd = (lambda: random.choice(ODD_TEXTS), lambda: mutated(random, valid), lambda: random.choice(PATHS))
    name = random.choice(odd)()
    command = [word.format(name) for word in random.choice(COMMANDS)]
    if "{}" in random.choice(COMMANDS)[1]:  # what begins with - is an option, but after --
        command = ["--" if word == name and word.startswith("-") else word for word in command]
    known = name.split(":")[0] in blocks.__all__ or name == "torch.nn:Linear"
    return Case(
        "a name that is none", tuple(command), {}, EITHER if known or name in ("-h", "--help") else MISTAKE,
        writes=_written(command) if known else (),
    )  # fmt: skip


def _written(command: list[str]) -> tuple[str, ...]:
    """Where ``report`` writes, where its target is one after all."""
    return () if command[0] != "report" else ("pages", "page.html")


def draw_thing(random: Random) -> Case:
    """A class or a function of something else."""
    name = random.choice(THINGS)
    settings = random.choice(("", "", ":x=3", ":status=0", ":args=ls", ":size=3", ":a=b,c=d"))
    command = [word.format(name + settings) for word in random.choice(COMMANDS)]
    return Case("what is no network", tuple(command), names="")


def draw_code(random: Random) -> Case:
    """A file whose ``it`` is wrong."""
    kind = random.choice(("value", "block", "raised", "raised inside", "made", "file"))
    command = random.choice(COMMANDS)
    if kind == "file":
        about = random.choice(list(FILES))
        content = FILES[about]
    else:
        about, text = _defined(random, kind)
        content = (HEAD + WHOLE + text).encode()
    target, shape = f"{FILE}:it", random.choice(("1x8", "8", "3x8x8"))
    return Case(
        f"code: {about}, {kind}",
        tuple(word.format(target).replace("1x8", shape) for word in command),
        {FILE: content},
        rude=about in LOUD,
    )


LOUD = frozenset({"a warning of the parser", "an asynchronous maker", "awaited"})
"""What Python itself says something of."""


def _defined(random: Random, kind: str) -> tuple[str, str]:
    if kind == "block":
        about = random.choice(list(BLOCKS))
        return about, BLOCKS[about]
    if kind in ("value", "made"):
        about = random.choice(list(VALUES))
        return about, f"it = {VALUES[about]}" if kind == "value" else f"def it(): return {VALUES[about]}"
    about = random.choice(list(RAISED))
    raised = RAISED[about]
    return about, random.choice(
        (f"def it(): raise {raised}", f"raise {raised}", f"def __getattr__(name): raise {raised}")
        if kind == "raised"
        else (
            f"class it(nn.Module):\n    def forward(self, x): raise {raised}",
            f"class It(ReLU):\n    def output(self, x): raise {raised}\nit = It()",
            f"class it(nn.Module):\n    def __init__(self): raise {raised}",
            f"@block()\ndef it(n: int = 3): raise {raised}",
            f"class it(nn.Module):\n    training = property(id)\n    def forward(self, x): raise {raised}",
        )
    )


MAKERS = {
    "needs an argument": "def it(a): return torch.zeros(1, 8)",
    "yields": "def it(): yield torch.zeros(1, 8)",
    "is a class": "class it: pass",
    "is a number": "it = 3",
    "is a tensor": "it = torch.zeros(1, 8)",
    "of nothing": "def it(): return []",
    "of a huge number": "def it(): return 10**5000",
    "of a text": "def it(): return '1x8'",
    "of a list of itself": "def it():\n    l = []\n    l.append(l)\n    return l",
    "of a dictionary of numbers": "def it(): return {1: torch.zeros(1, 8)}",
    "of odd names": "def it(): return {'a\\x1b[31m\\n' * 500: torch.zeros(1, 8)}",
    "of other sizes": "def it(): return torch.zeros(0, 7)",
    "of other types": "def it(): return torch.zeros(1, 8, dtype=torch.int64)",
    "of too many": "def it(): return [torch.zeros(1, 8)] * 3",
    "of ten thousand": "def it(): return [torch.zeros(1, 8)] * 10**4",
    "of an object": "def it(): return object()",
    "of what fails": "def it(): return type('Bad', (), {'__getattr__': lambda s, n: 1 / 0})()",
    "of no text": "def it(): return [type('Bad', (), {'__repr__': lambda s: 1 / 0})()]",
    "of a module": "def it(): return nn.Linear(8, 8)",
    "of a class": "def it(): return nn.Linear",
    "of a set": "def it(): return {1, 2}",
    "awaited": "async def it(): return None",
}
"""Makers of inputs that make none for a layer."""


def draw_maker(random: Random) -> Case:
    """A maker of inputs that fails, or makes none."""
    if random.random() < 0.5:
        about = random.choice(list(RAISED))
        text = f"def it(): raise {RAISED[about]}"
    else:
        about = random.choice(list(MAKERS))
        text = MAKERS[about]
    target = random.choice(("torch.nn:Linear:in_features=8,out_features=8", f"{FILE}:layer", "inception_a"))
    command = random.choice(
        (
            ("count", target, "-i", f"{FILE}:it"),
            ("count", target, "-i", f"{FILE}:it", "--check"),
            ("compare", target, target, "-i", f"{FILE}:it"),
            ("reconcile", target, "-i", f"{FILE}:it"),
            ("report", target, "-i", f"{FILE}:it", "-o", "pages"),
        )
    )
    content = f"{HEAD}{WHOLE}layer = nn.Linear(8, 8)\n{text}\n".encode()
    return Case(f"a maker of inputs: {about}", command, {FILE: content}, rude=about in LOUD)


def draw_arguments(random: Random) -> Case:
    """Arguments that a class of torch refuses, or a definition."""
    if random.random() < 0.4:
        target = random.choice(list(REFUSED))
        command = random.choice(COMMANDS[:5])
        return Case(
            "arguments", tuple(w.format(f"torch.nn:{target}") for w in command), names=REFUSED[target]
        )
    name = random.choice(("inception_v3", "mini", "stem", "inception_a", "resnet50", "vgg16"))
    name = name if name in blocks.__all__ else "inception_v3"
    parameter = random.choice([*getattr(blocks, name).parameters, "nosuch", ""])
    value = random.choice(
        (*ODD_TEXTS, "10**9", "1000000000", "0", "1e308", "5x5,5x5", "true,true", "(1, 2)", "[1]")
    )
    target = f"{name}:{parameter}={value}"
    known = getattr(blocks, name).parameters.get(parameter)
    command = ("count", target, *random.choice(((), ("-f", "json"))))
    fine = known is not None and _may_be_fine(known.takes, value)
    return Case("settings", command, codes=EITHER if fine else MISTAKE)


def _may_be_fine(takes: str, value: str) -> bool:
    """Whether a parameter might take a value: texts any, numbers what Python reads as one."""
    if takes in ("text", "a value") or value.lower() == "none":
        return True
    kinds: dict[str, Any] = {"a whole number": int, "a number": float}
    try:
        return bool(kinds[takes](value.partition(",")[0]) > 0)
    except (KeyError, ValueError):
        return takes == "true or false" and value.lower() in ("true", "false")


def draw_place(random: Random) -> Case:
    """A file that is something else."""

    def fifo(file: Path) -> None:
        os.mkfifo(file)

    def looped(file: Path) -> None:
        file.symlink_to(file.name)

    def unreadable(file: Path) -> None:
        file.write_bytes(b"it = 3\n")
        file.chmod(0)

    places: dict[str, Made] = {
        "a folder": Path.mkdir,
        "a pipe": fifo,
        "a link to nothing": lambda file: file.symlink_to("nothing"),
        "a link to itself": looped,
        "a link to a device": lambda file: file.symlink_to("/dev/null"),
        "unreadable": unreadable,
    }
    about = random.choice(list(places))
    command = tuple(word.format(f"{FILE}:it") for word in random.choice(COMMANDS))
    return Case(f"a file that is {about}", command, {FILE: places[about]})


DRAWS = (
    draw_name,
    draw_thing,
    draw_code,
    draw_code,
    draw_code,
    draw_maker,
    draw_maker,
    draw_arguments,
    draw_place,
)


def draw(random: Random) -> Case:
    """A hostile target."""
    return random.choice(DRAWS)(random)
