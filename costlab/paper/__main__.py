"""``python -m costlab.paper`` prints the outcomes to be recorded."""

import sys

from costlab.paper.audit import records
from costlab.paper.recorded import written

if __name__ == "__main__":
    sys.stdout.write(written(records()))
