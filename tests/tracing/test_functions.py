"""Functions of torch in forms that few models call: into a tensor, on conjugates, with checks inside."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - what everybody calls it

from costlab.algebra.inputs import Inputs
from costlab.counting.count import Count, count
from costlab.errors import DependsOnDataError, TargetError
from tests.tracing.brute import counted


class Calls(nn.Module):
    """Calls a function of its inputs, or of buffers, and keeps what is said of its output."""

    last: ClassVar[list[tuple[Any, ...]]] = []

    def __init__(self, function: Callable[..., Any], *held: Tensor) -> None:
        super().__init__()
        self.function = function
        for place, each in enumerate(held):
            self.register_buffer(f"held{place}", each)

    def forward(self, *args: Any) -> Any:
        output = self.function(*self.buffers(), *args)
        each = output if isinstance(output, tuple) else (output,)
        Calls.last = [(tuple(y.shape), y.stride(), y.dtype) for y in each]
        return output


def as_in_life(function: Callable[..., Any], *args: Any) -> Count:
    """The count of a function of data; what comes out has torch's sizes, strides and types."""
    Calls(function)(*args)
    expected = Calls.last
    found = count(Calls(function), Inputs(args))
    assert expected == Calls.last
    return found


COMPLEX = torch.rand(3, 4, dtype=torch.complex64)
TURNED: dict[str, Callable[[Tensor], Any]] = {
    "real": lambda x: x.conj().real,
    "imaginary": lambda x: x.conj().imag,
    "adjoint": lambda x: x.mH.real + x.mH.imag,
    "as pairs": lambda x: torch.view_as_real(x.mH.resolve_conj()),
    "negative": lambda x: x.conj().imag.neg().sum(),
    "part": lambda x: x.conj()[1:, ::2].real,
    "sum": lambda x: (x.conj() + 1j).imag,
    "product": lambda x: (x.conj() * x.conj()).imag,
    "magnitude": lambda x: x.mH.abs() + x.mH.angle(),
}


@pytest.mark.parametrize("held", [COMPLEX, COMPLEX.conj(), COMPLEX.mH.conj()], ids=["it", "turned", "twice"])
@pytest.mark.parametrize("name", TURNED)
def test_conjugates(name: str, held: Tensor) -> None:
    assert as_in_life(TURNED[name], held).multiply_adds == 0
    model = Calls(lambda x: torch.zeros(90 + int(TURNED[name](x).sum() * 8), 2) @ torch.rand(2, 3), held)
    rows = model().shape[0]
    assert count(model, Inputs(())).multiply_adds == counted(rows, 2, 3)


def test_a_step_through_a_transform_of_reals() -> None:
    step = count(Calls(torch.fft.hfft), torch.rand(4, 6, requires_grad=True), backward=True)
    assert (step.multiply_adds, sorted(step.unsupported)) == (0, ["_fft_c2r", "_fft_r2c"])


LENGTHS: list[tuple[Any, Any]] = [
    (torch.tensor([9, 8, 9]), torch.tensor([4, 2, 3])),
    ((9, 9, 9), (4, 1, 2)),
    (torch.tensor([9, 9, 9]), torch.tensor([3, 3, 3])),
]


@pytest.mark.parametrize("lengths", LENGTHS, ids=["tensors", "numbers", "alike"])
@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("backward", [False, True])
def test_a_loss_over_alignments(lengths: Any, flat: bool, backward: bool) -> None:
    class Recognizer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.loss = nn.Linear(6, 5), nn.CTCLoss(zero_infinity=True)

        def forward(self, x: Tensor, targets: Tensor) -> Any:
            return self.loss(self.layer(x).log_softmax(-1), targets, *lengths)

    targets = torch.randint(1, 5, (int(sum(lengths[1])),) if flat else (3, 4))
    found = count(Recognizer(), (torch.rand(9, 3, 6), targets), backward=backward)
    assert found.multiply_adds == counted(9, 3, 6, 5) * (2 if backward else 1)
    assert found.unsupported == {}


@pytest.mark.parametrize("driver", [None, "gels", "gelsy", "gelsd", "gelss"])
@pytest.mark.parametrize(
    ("left", "right"),
    [
        *(((5, 3), (5, 2)), ((3, 5), (3, 2)), ((4, 4), (4, 1)), ((5, 3), (5,))),
        *(((2, 5, 3), (2, 5, 2)), ((4, 3, 5), (4, 3)), ((2, 1, 5, 3), (1, 6, 5, 2))),
    ],
)
def test_least_squares(driver: str | None, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    def solved(a: Tensor, b: Tensor) -> Any:
        return tuple(torch.linalg.lstsq(a, b, driver=driver))

    found = as_in_life(solved, torch.rand(left), torch.rand(right))
    assert found.unsupported == {"linalg_lstsq": ("linalg_lstsq",)} or found.unsupported == {
        "linalg_lstsq": ("",)
    }


CHECKED: dict[str, tuple[Any, ...]] = {
    "covariance by name": (lambda x, w: torch.cov(input=x, aweights=w), torch.rand(3, 6), torch.rand(6)),
    "covariance": (lambda x, w: torch.cov(x, aweights=w), torch.rand(3, 6), torch.rand(6)),
    "of whole weights": (
        lambda x, w: torch.cov(x, fweights=(w * 0).long() + 1),
        torch.rand(3, 6),
        torch.rand(6),
    ),
}


@pytest.mark.parametrize("name", CHECKED)
def test_what_torch_checks_by_itself_passes(name: str) -> None:
    function, x, w = CHECKED[name]
    assert as_in_life(function, x, w).multiply_adds == counted(3, 6, 3)


def test_a_window_of_data_passes_its_check() -> None:
    def back(x: Tensor, window: Tensor) -> Any:
        return torch.istft(x, 8, window=window)

    as_in_life(back, torch.rand(5, 9, dtype=torch.complex64), torch.rand(8) + 1)


def test_a_step_through_a_complex_decomposition() -> None:
    def singular(x: Tensor) -> Any:
        u, s, v = torch.linalg.svd(x, full_matrices=False)
        return (u * s) @ v

    x = torch.rand(4, 3, dtype=torch.complex64, requires_grad=True)
    assert count(Calls(singular), x, backward=True).unsupported


def scripted_question(x: Tensor) -> Tensor:
    if torch.equal(x, x + 1):
        x = x @ x
    return x


@pytest.mark.parametrize("asks", [torch.equal, torch.allclose, Tensor.equal, torch.ops.aten.equal])
def test_what_a_model_asks_of_data_is_told(asks: Any) -> None:
    with pytest.raises(DependsOnDataError, match=r"aten::(equal|allclose)"):
        count(Calls(lambda x: x @ x if asks(x, x + 1) else x), torch.rand(3, 3))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_a_script_asks_of_data_is_told() -> None:
    script = torch.jit.script(scripted_question)
    with pytest.raises(DependsOnDataError, match="aten::equal"):
        count(Calls(script), torch.rand(3, 3))


A, B, M = torch.rand(5, 4, 3), torch.rand(5, 3, 2), torch.rand(3, 2)
INTO: dict[str, tuple[Any, ...]] = {
    "matmul by a matrix": (torch.matmul, (A, M), (5, 4, 2), (5, 4, 3, 2)),
    "matmul by a vector": (torch.matmul, (A, torch.rand(3)), (5, 4), (5, 4, 3)),
    "matmul of batches": (torch.matmul, (A, B), (5, 4, 2), (5, 4, 3, 2)),
    "matmul of a matrix by a batch": (torch.linalg.matmul, (M.T, A.mT), (5, 2, 4), (5, 2, 3, 4)),
    "mm": (torch.mm, (A[0], M), (4, 2), (4, 3, 2)),
    "bmm": (torch.bmm, (A, B), (5, 4, 2), (5, 4, 3, 2)),
    "addmm": (torch.addmm, (torch.rand(2), A[0], M), (4, 2), (4, 3, 2)),
    "linear": (F.linear, (A, M.T.contiguous(), torch.rand(2)), (5, 4, 2), (5, 4, 3, 2)),
    "tensordot": (lambda a, m, out: torch.tensordot(a, m, 1, out=out), (A, M), (5, 4, 2), (5, 4, 3, 2)),
    "inner": (torch.inner, (A, M.T), (5, 4, 2), (5, 4, 3, 2)),
    "mv": (torch.mv, (A[0], M[:, 0]), (4,), (4, 3)),
    "dot": (torch.dot, (M[:, 0], M[:, 1]), (), (3,)),
    "addr": (torch.addr, (A[0], torch.rand(4), torch.rand(3)), (4, 3), (4, 3)),
    "conv_tbc": (torch.conv_tbc, (A, torch.rand(2, 3, 6), torch.rand(6)), (4, 4, 6), (4, 4, 6, 2, 3)),
}


@pytest.mark.parametrize("name", INTO)
@pytest.mark.parametrize("empty", [False, True])
def test_products_written_into_a_tensor(name: str, empty: bool) -> None:
    function, args, sizes, turns = INTO[name]
    if name == "conv_tbc":
        plain = count(Calls(function), Inputs(args))
        assert plain.multiply_adds == counted(*turns)
        return

    def into(*given: Tensor) -> Any:
        out = torch.empty(0 if empty else sizes)
        function(*given, out=out)
        return out

    assert as_in_life(into, *args).multiply_adds == counted(*turns)


def test_what_torch_writes_on_the_processor_alone() -> None:
    def factored(x: Tensor) -> Any:
        made = torch.empty(0), torch.empty(0)
        torch.geqrf(x, out=made)
        return made

    def histogram(x: Tensor) -> Any:
        made = torch.empty(0), torch.empty(0)
        torch.histogram(x, 6, out=made)
        return made

    assert set(as_in_life(factored, torch.rand(4, 3)).unsupported) == {"geqrf"}
    assert as_in_life(histogram, torch.rand(9)).unsupported == {}


@pytest.mark.parametrize("update", [False, True])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_normalization_as_exported_graphs_call_it(update: bool, kind: torch.dtype) -> None:
    ops = torch.ops.aten
    x, *held = torch.rand(2, 4, 3, dtype=kind), *(torch.rand(4) for _ in range(4))
    call = ops._batch_norm_with_update if update else ops._batch_norm_no_update
    found = count(Calls(lambda *given: call(*given, 0.1, 1e-5)[0]), Inputs((x, *held)))
    assert [node.work.kind for node in found.operations if node.work is not None] == ["batch_norm1d"]
    assert found.unsupported == {}


@pytest.mark.parametrize("rows", [2, 3, 8])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("learns", [False, True])
def test_a_linear_layer_with_its_loss_in_parts(rows: int, reduction: str, learns: bool) -> None:
    def loss(**named: Any) -> Any:
        return nn.LinearCrossEntropyLoss(6, 7, bias=True, reduction=reduction, **named)

    chunked = loss(options=nn.LinearCrossEntropyOptions(batch_chunk_size=rows))
    x, y = torch.rand(8, 6, requires_grad=learns), torch.randint(0, 7, (8,))
    forward, step = count(chunked, (x, y)), count(chunked, (x, y), backward=True)
    assert forward.multiply_adds == counted(8, 6, 7)
    assert step.multiply_adds == counted(8, 6, 7) * (3 if learns else 2)
    assert (forward.activations, forward.weights, forward.total.bias_adds) == (56, 42, 56)
    assert forward.unsupported == step.unsupported == {}
    whole = count(loss(), (x, y), backward=True)
    assert (step.multiply_adds, step.activations) == (whole.multiply_adds, whole.activations)


def test_a_list_of_what_runs_an_operator_makes_no_model_quantized() -> None:
    def fails(x: Tensor) -> Tensor:
        raise NotImplementedError(
            "Could not run 'aten::mm' with arguments from the 'XLA' backend. "
            "'aten::mm' is only available for these backends: [CPU, Meta, QuantizedCPU]."
        )

    with pytest.raises(TargetError, match="Could not run 'aten::mm'"):
        count(Calls(fails), torch.rand(3))
