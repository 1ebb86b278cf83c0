"""Several `lt` commands one after the other, alone or under torchrun; batch norm sees all images.

The import takes longer than a tiny run, so a table of runs is made by one process for each place.
My argument is a JSON file: a list of lists of arguments. Where one fails the others are left out.
"""

import json
import os
import sys
from pathlib import Path

if __name__ == "__main__":
    from lt_whole_norm import whole_norm

    whole_norm()
    from torch.distributed import PrefixStore

    from lt_lightning.cli import main
    from lt_lightning.runs import launch

    start, store = dict(os.environ), launch._store()
    for number, arguments in enumerate(json.loads(Path(sys.argv[1]).read_text())):
        # Each command asks anew which folder is its own.
        own = None if store is None else PrefixStore(f"command {number}", store)
        launch._store = lambda own=own: own
        status = main(arguments)
        os.environ.clear()  # where the processes keep the folder of their run
        os.environ.update(start)
        if status:
            sys.exit(status)
