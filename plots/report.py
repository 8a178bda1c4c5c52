"""From an experiment's folder to its figures and its leaderboard."""

from pathlib import Path

from benchmark.errors import UsageError
from plots.frame import load
from plots.fronts import draw
from plots.leaderboard import markdown, show


def report(folder: Path, cut: float | None = None) -> list[Path]:
    """Draw a front a task into <folder>/figures, write <folder>/leaderboard.md, print the tables; return the paths.

    With a `cut`, penalty runs count weights below it as zero, and its value stands in the files' names.

    Raises UsageError before anything is written where the results cannot be read, and where the folder cannot be
    written.
    """
    frame = load(folder, cut)
    suffix = "" if cut is None else f"-cut-{cut:g}"
    board = folder / f"leaderboard{suffix}.md"
    text = markdown(frame, folder.resolve().name)
    figures = folder / "figures"
    try:
        figures.mkdir(exist_ok=True)
        tasks = sorted(frame["task"].unique())
        written = [path for task in tasks for path in draw(frame, task, figures / f"front-{task}{suffix}")]
        board.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}") from error
    show(frame)
    return [*written, board]
