"""Closed forms of a network's cost, the conditions under which they hold, and their verification."""

from costlab.symbolic.closed_form import ClosedForm
from costlab.symbolic.derive import closed_form, closed_forms
from costlab.symbolic.expressions import ratio_in_symbols

__all__ = ["ClosedForm", "closed_form", "closed_forms", "ratio_in_symbols"]
