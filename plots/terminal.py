"""Leaderboards in the terminal."""

from __future__ import annotations

import re
from collections import Counter

import pandas
from rich.console import Console
from rich.table import Table
from rich.text import Text

from plots.leaderboards import NONE, Leaderboards

FEW = ("CR 10", "CR 50", "CR 200", "CR at -1", "CR at -5")  # the columns of a terminal narrower than WIDE
WIDE = 130
LONG = 10  # methods, from which on a table has its head once more at its end


def show(boards: Leaderboards) -> None:
    """Print the tables to the terminal, in cells narrow enough for 80 columns, two lines for a method."""
    console = Console(markup=False)  # with markup, dwf[depth=3] would lose its brackets
    whole = console.width >= WIDE
    for task, board in boards.tables.items():
        board = board if whole else board[_few(board)]
        seeds = _usual_seeds(board)
        counted = "1 seed" if seeds == "1" else f"{seeds} seeds"
        title = f"{task}, {boards.headings[task]}" + f"; {counted} where a cell gives no number (n)" * bool(seeds)
        console.print(title, soft_wrap=True)
        grid = Table(box=None, padding=(0, 1, 0, 0), show_footer=len(board) > LONG)
        grid.add_column("method", "method", overflow="fold")
        for column in board.columns:
            name = column.replace(" ", "\n", 1)
            grid.add_column(name, name, no_wrap=True)
        for method, *cells in board.itertuples():
            texts = (_text(cell.replace(f" ({seeds})", "")) for cell in cells)
            grid.add_row(boards.names[task][method].replace("[", "\n["), *texts)
        console.print(grid)
    console.print(boards.footnote)
    if not whole:
        console.print(f"A terminal of {WIDE} columns or leaderboard.md shows all columns.")


def _few(board: pandas.DataFrame) -> list[str]:
    """Return the columns for a narrow terminal: those of FEW that hold a value, and others in the place of the rest."""
    held = [name for name in board.columns if board[name].ne(NONE).any()]
    chosen = sorted(held, key=lambda name: name not in FEW)[: len(FEW)]
    return [name for name in board.columns if name in chosen]


def _usual_seeds(board: pandas.DataFrame) -> str:
    """Return the number of seeds that most cells give, or nothing if no cell gives one."""
    found = Counter(re.findall(r" \((\d+)\)", " ".join(board.to_numpy().ravel())))
    return max(found, key=found.__getitem__, default="")


def _text(cell: str) -> Text:
    return Text("\n".join(cell.strip("*").replace("± ", "±").split()), style="bold" if cell.startswith("**") else "")
