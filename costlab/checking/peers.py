"""The tools themselves: what each reports of a model, run as its users run it.

Each takes a model and its inputs; the model is a copy, for several of them leave things behind. Conventions
of the same names say what each is predicted to report.
"""

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from costlab.checking.finding import Report
from costlab.checking.fused import fused_attention
from costlab.checking.release import release_of
from costlab.errors import first_line
from costlab.tracing.process import evaluate

Inputs = tuple[Tensor, ...]
Runner = Callable[[nn.Module, Inputs], Any]


class Peer(NamedTuple):
    """A tool: the package that it comes in, how it is run, and which of several numbers is meant."""

    package: str
    run: Runner
    place: int | None = None

    @property
    def release(self) -> str | None:
        """The release that is installed, None where there is none."""
        return release_of(self.package)


def reports(model: nn.Module, inputs: Inputs, names: list[str] | None = None) -> Iterator[tuple[str, Report]]:
    """What each installed tool reports of the model in eval mode, by the name of its convention."""
    known: dict[Runner, Any] = {}  # what gives two numbers runs once
    for name, peer in PEERS.items():
        if (release := peer.release) is None or (names is not None and name not in names):
            continue
        try:
            if peer.run not in known:
                with _alone():
                    known[peer.run] = peer.run(_copied(model), inputs)
            found = known[peer.run]
            yield name, Report(release, int(found if peer.place is None else found[peer.place]))
        except Exception as error:
            yield name, Report(release, None, first_line(error))


def _copied(model: nn.Module) -> nn.Module:
    """A copy, for the tools leave things behind in modules; parameters, which they only read, are shared."""
    copied = deepcopy(model, {id(each): each for each in model.parameters()})
    evaluate(copied)
    return copied


@contextmanager
def _alone() -> Iterator[None]:
    """Let a tool print and warn to nobody, patch what it likes, and draw random numbers of its own.

    Gradients are on, as they are unless a user switches them off. Attention is not run as one operation, in a
    model that is frozen either: nothing of it would be seen.
    """
    namespaces = (torch, torch.Tensor, nn.functional)
    before = [dict(vars(space)) for space in namespaces]
    with fused_attention(False), warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), torch.enable_grad():
            try:
                yield
            finally:
                for space, kept in zip(namespaces, before, strict=True):
                    for name in [name for name, each in vars(space).items() if each is not kept.get(name)]:
                        if name in kept:
                            setattr(space, name, kept[name])


def _fvcore(model: nn.Module, inputs: Inputs) -> int:
    from fvcore.nn import FlopCountAnalysis

    analysis = FlopCountAnalysis(model, inputs).unsupported_ops_warnings(enabled=False)
    return int(analysis.uncalled_modules_warnings(enabled=False).tracer_warnings("none").total())


def _thop(model: nn.Module, inputs: Inputs) -> int:
    from thop import profile

    return int(profile(model, inputs, verbose=False)[0])


def _ptflops(backend: str) -> Runner:
    def run(model: nn.Module, inputs: Inputs) -> int:
        from ptflops import get_model_complexity_info

        class Unpacked(nn.Module):  # it hands over one value, or a dictionary
            def __init__(self) -> None:
                super().__init__()
                self.model = model

            def forward(self, first: Tensor, rest: Inputs = ()) -> Any:
                return self.model(first, *rest)

        many = len(inputs) > 1
        given = {"first": inputs[0], "rest": inputs[1:]} if many else inputs[0]
        found, _ = get_model_complexity_info(
            Unpacked() if many else model,
            tuple(inputs[0].shape[1:]) or (1,),  # of no use, but it may not be empty
            input_constructor=lambda _: given,
            as_strings=False,
            print_per_layer_stat=False,
            verbose=False,
            backend=backend,
        )
        if found is None:
            raise RuntimeError("it gave up on the model")
        return int(found)

    return run


def _torchinfo(model: nn.Module, inputs: Inputs) -> int:
    from torchinfo import summary

    return int(summary(model, input_data=list(inputs), verbose=0).total_mult_adds)


def _torchprofile(model: nn.Module, inputs: Inputs) -> int:
    from torchprofile import profile_macs

    found: Any = profile_macs(model, inputs)
    return int(found)


def _flopco(model: nn.Module, inputs: Inputs) -> int:
    from flopco.flopco import FlopCo

    return int(FlopCo(model, custom_tensor=list(inputs)).total_macs)


def _calflops(model: nn.Module, inputs: Inputs) -> Any:
    from calflops import calculate_flops

    return calculate_flops(model, args=list(inputs), print_results=False, output_as_string=False)


def _flop_counter(model: nn.Module, inputs: Inputs) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    with fused_attention(True), torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(*inputs)
    return int(counter.get_total_flops())


def _deepspeed(model: nn.Module, inputs: Inputs) -> Any:
    from deepspeed.profiling.flops_profiler import get_model_profile

    return get_model_profile(model, args=list(inputs), print_profile=False, as_string=False, warm_up=0)


PEERS: Mapping[str, Peer] = {
    "fvcore": Peer("fvcore", _fvcore),
    "thop": Peer("thop", _thop),
    "ultralytics_thop": Peer("ultralytics-thop", _thop),
    "ptflops": Peer("ptflops", _ptflops("pytorch")),
    "ptflops_aten": Peer("ptflops", _ptflops("aten")),
    "torchinfo": Peer("torchinfo", _torchinfo),
    "torchprofile": Peer("torchprofile", _torchprofile),
    "flopco": Peer("flopco-pytorch", _flopco),
    "calflops_macs": Peer("calflops", _calflops, 1),
    "calflops_flops": Peer("calflops", _calflops, 0),
    "deepspeed_macs": Peer("deepspeed", _deepspeed, 1),
    "deepspeed_flops": Peer("deepspeed", _deepspeed, 0),
    "torch_flop_counter": Peer("torch", _flop_counter),
}
"""Every tool by the name of its convention."""
