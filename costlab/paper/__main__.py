"""``python -m costlab.paper`` prints the outcomes to be recorded."""

import sys

from costlab.paper.audit import verify
from costlab.paper.recorded import written

if __name__ == "__main__":
    outcomes = {each.claim.id: [outcome.found for outcome in each.outcomes] for each in verify()}
    sys.stdout.write(written(outcomes))
