"""``python -m costlab``."""

from costlab.cli.main import main

main()
