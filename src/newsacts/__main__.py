"""`python -m newsacts` and the `newsacts` command."""

from newsacts.cli import main

if __name__ == "__main__":
    main()
