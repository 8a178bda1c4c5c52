"""The leaderboard: each method's accuracy at given compressions, and its compression near dense accuracy."""

from __future__ import annotations

from collections.abc import Sequence

import pandas
from rich.console import Console
from rich.table import Table
from rich.text import Text

from plots.results import of_task
from plots.style import names
from plots.summaries import budgets, disconnected, failed, processors, stale, summary, thresholds

LEVELS = (5, 10, 20, 50, 100, 200, 500)  # compression ratios
LOSSES = (1, 2, 5)  # points of validation accuracy below dense
NONE = "\N{EN DASH}"


def leaderboard(runs: pandas.DataFrame | Sequence[pandas.DataFrame], task: str | None = None) -> pandas.DataFrame:
    """Return the leaderboard of one task: one line for each method, best first; cells are text, `**` marks the best.

    Runs and task are as in `front`.
    """
    frame = of_task(runs, task)
    lines = summary(frame)
    dense = lines.loc[lines["method"] == "dense", "val_mean"]
    methods = sorted(set(frame["method"]) - {"dense"})
    own = {method: lines[lines["method"] == method] for method in methods}
    cells = {level: {m: best for m in methods if (best := _best(own[m], level)) is not None} for level in LEVELS}
    reach = {loss: {m: far for m in methods if (far := _reach(own[m], dense, loss)) is not None} for loss in LOSSES}

    def rank(method: str) -> tuple[float, ...]:
        means = (cells[level][method]["test_mean"] if method in cells[level] else 0.0 for level in (50, 10))
        farthest = reach[2][method]["compression"] if method in reach[2] else 0.0
        return (-farthest, *(-mean for mean in means))

    board = pandas.DataFrame(index=pandas.Index(sorted(methods, key=rank), name="method"))
    for level in LEVELS:
        bold = _leaders(cells[level])
        texts = {m: f"**{accuracy(best)}**" if m in bold else accuracy(best) for m, best in cells[level].items()}
        board[f"CR >= {level}"] = [texts.get(method, NONE) for method in board.index]
    for loss in LOSSES:
        texts = {m: f"{far['compression']:.1f} ({far['test_mean']:.2f})" for m, far in reach[loss].items()}
        board[f"CR at -{loss}"] = [texts.get(method, NONE) for method in board.index]
    return board


def _best(lines: pandas.DataFrame, level: float) -> pandas.Series | None:
    """Return the line of highest mean validation accuracy from a compression on; a lower loss decides a tie."""
    # Weights are whole: a tenth of 266,205 weights is 26,620, as close to a compression of 10 as possible.
    reached = lines[lines["nonzeros"] <= (lines["prunable"] / level).round()]
    return None if reached.empty else reached.sort_values(["val_mean", "val_loss"], ascending=[True, False]).iloc[-1]


def _reach(lines: pandas.DataFrame, dense: pandas.Series, loss: float) -> pandas.Series | None:
    """Return the line of largest compression within `loss` points of dense's mean validation accuracy."""
    # The last term allows for the rounding of a mean.
    close = lines[lines["val_mean"] >= dense.max() - loss - 1e-9]
    return None if close.empty else close.sort_values("compression").iloc[-1]


def _leaders(cells: dict[str, pandas.Series]) -> set[str]:
    """Return the methods within the best one's standard deviation; none if the best has a single seed."""
    if not cells:
        return set()
    best = max(cells.values(), key=lambda line: line["test_mean"])
    # With one seed the standard deviation is NaN, and nothing compares to it.
    return {
        m for m, line in cells.items() if line["n"] > 1 and line["test_mean"] >= best["test_mean"] - best["test_std"]
    }


def accuracy(line: pandas.Series) -> str:
    """Write mean test accuracy ± sample standard deviation (n) of a line of a summary, in percent."""
    spread = f" ± {line['test_std']:.2f}" if line["n"] > 1 else ""
    return f"{line['test_mean']:.2f}{spread} ({line['n']})"


def heading(frame: pandas.DataFrame, task: str) -> str:
    """Return the line above a task's table: the accuracy of dense."""
    lines = summary(frame)
    dense = lines[(lines["task"] == task) & (lines["method"] == "dense")]
    return f"dense: {accuracy(dense.iloc[0])}" if len(dense) else "dense: not measured"


def footnote(frame: pandas.DataFrame) -> str:
    """Explain how to read the tables."""
    effective = (frame["counted"] == "effective").any()
    left = "effective weights, those on a path from an input to an output" if effective else "weights left"
    notes = [
        f"CR is prunable weights / {left}. A cell under `CR >= c` is the mean test accuracy in percent ± sample "
        "standard deviation (n seeds) of the method's value with the highest mean validation accuracy among those with "
        "a CR of at least c, of several the one with the lowest validation loss; nothing is interpolated.",
        "`CR at -k` is the largest CR within k points of dense's mean validation accuracy, with the mean test accuracy "
        "there.",
        f"{NONE} means that no value of the method qualifies.",
        "Bold: the best mean and those within its standard deviation, from two seeds on.",
        f"Runs without a result: {failed(frame)} of {len(frame)}, in no mean.",
    ]
    notes += [f"{budgets(frame)}."] if budgets(frame) else []
    if stale(frame):
        notes.append(f"{stale(frame).capitalize()}: another version of task or method computed these rows.")
    notes += [f"{thresholds(frame).capitalize()}."] if thresholds(frame) else []
    if (frame["counted"] == "validated").any():
        notes.append(
            "Validated: the run's largest threshold that costs no more validation accuracy than the standard error of "
            "this cost."
        )
    if unconnected := disconnected(frame):
        notes.append(f"Weights on no path from an input to an output are more than 5 % of those left: {unconnected}.")
    if mixed := processors(frame):
        notes.append(
            f"Some means are over seeds of different processors, which do not agree bit by bit: {', '.join(mixed)}."
        )
    return " ".join(notes)


def markdown(frame: pandas.DataFrame, experiment: str) -> str:
    """Return the text of leaderboard.md."""
    parts = [f"# {experiment}"]
    for task in sorted(frame["task"].unique()):
        board = leaderboard(frame, task)
        board = board.rename(index={method: f"`{_in_cell(name)}`" for method, name in _names(frame, board).items()})
        parts += [f"## {task}", heading(frame, task), board.to_markdown(disable_numparse=True)]
    return "\n\n".join([*parts, footnote(frame)]) + "\n"


def _in_cell(name: str) -> str:
    """Return a name with the two characters escaped that would end a cell or a piece of code in Markdown."""
    return name.replace("|", "\\|").replace("`", "'")


def show(frame: pandas.DataFrame) -> None:
    """Print the tables to the terminal, in cells narrow enough for 80 columns."""
    console = Console(markup=False)  # with markup, dwf[depth=3] would lose its brackets
    for task in sorted(frame["task"].unique()):
        board = leaderboard(frame, task)
        shown = _names(frame, board)
        grid = Table(box=None, padding=(0, 1, 1, 0), title=f"{task}, {heading(frame, task)}", title_justify="left")
        grid.add_column("method", overflow="fold")
        for column in board.columns:
            grid.add_column(column.replace(" ", "\n", 1), no_wrap=True)
        for method, *cells in board.itertuples():
            grid.add_row(shown[method].replace("[", "\n["), *map(_text, cells))
        console.print(grid)
    console.print(footnote(frame))


def _names(frame: pandas.DataFrame, board: pandas.DataFrame) -> dict[str, str]:
    return names(frame[frame["method"].isin(board.index)])


def _text(cell: str) -> Text:
    return Text("\n".join(cell.strip("*").replace("± ", "±").split()), style="bold" if cell.startswith("**") else "")
