"""``costlab``, and ``python -m costlab``."""

import gc
import sys


def run() -> None:
    """Run the command. Its code is imported here, so that an interrupt in the midst ends as any other.

    What is imported stays to the end: without a search for garbage among it a count takes a sixth less time.
    """
    gc.disable()
    try:
        from costlab.cli.main import main

        main()
    except KeyboardInterrupt:
        sys.stderr.write("costlab: error: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    run()
