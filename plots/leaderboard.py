"""The leaderboard: every method's accuracy from a given compression on, and its compression near dense accuracy."""

import pandas
from rich.console import Console
from rich.table import Table
from rich.text import Text

from plots.style import labels
from plots.summary import budgets, failures, outdated, summary, zeros

LEVELS = (5, 10, 20, 50, 100, 200, 500)  # compression ratios
LOSSES = (1, 2, 5)  # points of validation accuracy below dense
NONE = "\N{EN DASH}"


def table(frame: pandas.DataFrame, task: str) -> pandas.DataFrame:
    """The leaderboard of one task: one line a method, best first, cells as text, the best of a column in `**`."""
    frame = frame[frame["task"] == task]
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
    """The line of highest mean validation accuracy among those at or above a compression, by lower loss if several."""
    # In whole weights: a tenth of 266,205 weights is 26,620, a compression of 10 as near as can be.
    reached = lines[lines["nonzeros"] <= (lines["prunable"] / level).round()]
    return None if reached.empty else reached.sort_values(["val_mean", "val_loss"], ascending=[True, False]).iloc[-1]


def _reach(lines: pandas.DataFrame, dense: pandas.Series, loss: float) -> pandas.Series | None:
    """The line of largest compression within `loss` points of dense's mean validation accuracy."""
    # The last term forgives the rounding of a mean, not of a measurement.
    close = lines[lines["val_mean"] >= dense.max() - loss - 1e-9]
    return None if close.empty else close.sort_values("compression").iloc[-1]


def _leaders(cells: dict[str, pandas.Series]) -> set[str]:
    """The methods not to be told from the best by its own standard deviation; none where that is not known."""
    if not cells:
        return set()
    best = max(cells.values(), key=lambda line: line["test_mean"])
    # With one seed the standard deviation is NaN, and nothing compares to it.
    return {
        m for m, line in cells.items() if line["n"] > 1 and line["test_mean"] >= best["test_mean"] - best["test_std"]
    }


def accuracy(line: pandas.Series) -> str:
    """Mean test accuracy ± sample standard deviation (n) of a line of a summary, in percent."""
    spread = f" ± {line['test_std']:.2f}" if line["n"] > 1 else ""
    return f"{line['test_mean']:.2f}{spread} ({line['n']})"


def heading(frame: pandas.DataFrame, task: str) -> str:
    """The line above a task's table: what dense reaches."""
    lines = summary(frame)
    dense = lines[(lines["task"] == task) & (lines["method"] == "dense")]
    return f"dense: {accuracy(dense.iloc[0])}" if len(dense) else "dense: not measured"


def footnote(frame: pandas.DataFrame) -> str:
    """How the tables are to be read."""
    notes = [
        "CR is prunable weights / weights left. A cell under `CR >= c` is the mean test accuracy in percent ± sample "
        "standard deviation (n seeds) of the method's value with the highest mean validation accuracy among those with "
        "a CR of at least c, of several the one with the lowest validation loss; nothing is interpolated.",
        "`CR at -k` is the largest CR within k points of dense's mean validation accuracy, with the mean test accuracy "
        "there.",
        f"{NONE} means that no value of the method qualifies.",
        "Bold: the best mean and those within its standard deviation, from two seeds on.",
        f"Runs without a result: {failures(frame)} of {len(frame)}, in no mean.",
    ]
    notes += [f"{budgets(frame)}."] if budgets(frame) else []
    if outdated(frame):
        notes.append(f"{outdated(frame).capitalize()}: another version of task or method computed these rows.")
    return " ".join(notes + ([f"Counted as zero: {zeros(frame).removeprefix('zeros: ')}."] if zeros(frame) else []))


def markdown(frame: pandas.DataFrame, experiment: str) -> str:
    """The text of leaderboard.md."""
    parts = [f"# {experiment}"]
    for task in sorted(frame["task"].unique()):
        board = table(frame, task)
        board = board.rename(index={method: f"`{name}`" for method, name in labels(board.index).items()})
        parts += [f"## {task}", heading(frame, task), board.to_markdown(disable_numparse=True)]
    return "\n\n".join([*parts, footnote(frame)]) + "\n"


def show(frame: pandas.DataFrame) -> None:
    """Print the tables to the terminal, in cells narrow enough for 80 columns."""
    console = Console(markup=False)  # or else dwf[depth=3] would lose its brackets
    for task in sorted(frame["task"].unique()):
        board = table(frame, task)
        names = labels(board.index)
        grid = Table(box=None, padding=(0, 1, 1, 0), title=f"{task}, {heading(frame, task)}", title_justify="left")
        grid.add_column("method", overflow="fold")
        for column in board.columns:
            grid.add_column(column.replace(" ", "\n", 1), no_wrap=True)
        for method, *cells in board.itertuples():
            grid.add_row(names[method].replace("[", "\n["), *map(_text, cells))
        console.print(grid)
    console.print(footnote(frame))


def _text(cell: str) -> Text:
    return Text("\n".join(cell.strip("*").replace("± ", "±").split()), style="bold" if cell.startswith("**") else "")
