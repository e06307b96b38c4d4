"""``python -m costlab.paper`` prints the outcomes of all claims, to be written to ``expected.toml``."""

import sys

from costlab.errors import CostlabError
from costlab.paper.audit import current_outcomes
from costlab.paper.expected import to_toml

if __name__ == "__main__":
    try:
        sys.stdout.write(to_toml(current_outcomes()))
    except CostlabError as error:
        sys.exit(f"nothing is recorded: {error}")
