"""``python -m costlab.paper`` prints the outcomes to be recorded."""

import sys

from costlab.errors import CostlabError
from costlab.paper.audit import records
from costlab.paper.expected import written

if __name__ == "__main__":
    try:
        sys.stdout.write(written(records()))
    except CostlabError as error:
        sys.exit(f"nothing is recorded: {error}")
