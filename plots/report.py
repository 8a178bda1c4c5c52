"""From an experiment's folder to its figures and its leaderboard."""

from pathlib import Path

from benchmark.errors import UsageError
from plots.frame import load
from plots.fronts import draw
from plots.leaderboard import markdown, show


def report(folder: Path) -> list[Path]:
    """Draw a front a task into <folder>/figures, write <folder>/leaderboard.md, print the tables; return the paths.

    Raises UsageError before anything is written where the results cannot be read, and where the folder cannot be
    written.
    """
    frame = load(folder)
    board = folder / "leaderboard.md"
    text = markdown(frame, folder.resolve().name)
    figures = folder / "figures"
    try:
        figures.mkdir(exist_ok=True)
        written = [path for task in sorted(frame["task"].unique()) for path in draw(frame, task, figures)]
        board.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}") from error
    show(frame)
    return [*written, board]
