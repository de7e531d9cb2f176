"""Train from a config: `python scripts/train.py CONFIG`, or under `torchrun` on several GPUs.

The same as `newsacts train`; it stands here because `torchrun` wants a file.
"""

import sys

from newsacts.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "train")
    main()
