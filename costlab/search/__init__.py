"""What a design space learns: members of spaces that are trained, by sampling and by search.

`Members` are found for a run by their spaces, each of them read by `read_written`; `Growth` goes on with a
search. They are what `costlab train --space` hands to `costlab.train.prepare.make_plan` and
`costlab.train.run.train_plan`.
"""

from costlab.search.finder import Members
from costlab.search.growth import Growth
from costlab.search.written import Written, read_written

__all__ = ["Growth", "Members", "Written", "read_written"]
