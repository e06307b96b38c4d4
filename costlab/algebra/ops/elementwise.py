"""What the operations that keep their input's shape have in common."""

from costlab.algebra.block import Operation
from costlab.algebra.dim import Dim, product
from costlab.algebra.shape import AnyShape
from costlab.algebra.work import Work


class Elementwise(Operation):
    """An operation that reads every element of its input and writes as many."""

    def output(self, x: AnyShape) -> AnyShape:
        return x

    def work(self, x: AnyShape, y: AnyShape) -> Work:
        return Work(self.kind, parameters=self.parameters(x), inputs=product(*x), outputs=product(*y))

    def parameters(self, x: AnyShape) -> Dim:
        """How many learned elements the operation holds for inputs of shape ``x``."""
        return 0
