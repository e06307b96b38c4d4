"""Why a network costs that: closed forms, the conditions under which they hold, and their confirmation."""

from costlab.symbolic.closed_form import ClosedForm, ratio_in_symbols
from costlab.symbolic.derive import closed_form, closed_forms

__all__ = ["ClosedForm", "closed_form", "closed_forms", "ratio_in_symbols"]
