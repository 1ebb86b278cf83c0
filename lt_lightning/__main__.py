"""`python -m lt_lightning` is `lt`."""

import sys

from lt_lightning.cli import main

if __name__ == "__main__":
    sys.exit(main())
