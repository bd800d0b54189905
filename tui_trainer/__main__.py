"""``tui-trainer`` and ``python -m tui_trainer``."""

from __future__ import annotations


def main() -> None:
    """Run the command line; exit status as in the README's table."""
    from tui_trainer.cli import run

    run()


if __name__ == "__main__":
    main()
