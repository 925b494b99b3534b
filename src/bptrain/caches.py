"""Where the caches are: one directory of the user, with a folder per kind of thing that can be made again."""

import os
import sys
from pathlib import Path

VARIABLE = "BPTRAIN_CACHE_DIR"


def cache_directory(kind: str = "") -> Path:
    """The directory of one kind of cache (`words`, `kernels`), or of all of them; it need not exist.

    It is BPTRAIN_CACHE_DIR if that is set, else where the system keeps caches: ~/.cache/bptrain on Linux.
    """
    chosen = os.environ.get(VARIABLE)
    if chosen:
        place = Path(chosen).absolute()
    elif (
        sys.platform == "linux"
    ):  # what platformdirs says there, whose import would cost each Tab in a shell 8 ms
        place = (
            Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")).absolute() / "bptrain"
        )
    else:
        import platformdirs

        place = platformdirs.user_cache_path("bptrain")
    return place / kind
