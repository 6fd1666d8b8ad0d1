"""``python -m snapshelf`` is the command ``snapshelf``."""

from snapshelf.cli.main import main

if __name__ == "__main__":
    main()
