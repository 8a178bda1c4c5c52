"""The requirements on what is kept: enough to repeat a run, and to compute its numbers again."""

from __future__ import annotations

from plots.answers import correct
from plots.leaderboards import leaderboards
from plots.report import board_text
from plots.requirements.verdicts import Results, Verdict, filled, some

PROVENANCE = ["version", "torch", "hardware", "optimizer"]


def reproducible(results: Results) -> Verdict:
    """Record what a repetition needs: recipe, versions, hardware and data."""
    real = results.there[results.there["synthetic"] != "true"]
    lacking = [
        verdict for verdict in (filled(results.there, PROVENANCE), filled(real, ["data_hash"])) if not verdict[0]
    ]
    return not lacking, "; ".join(reason for _, reason in lacking) or f"in all {len(results.there)} runs"


def kept(results: Results) -> Verdict:
    """Keep commit and result of every run, and let every accuracy follow from the answers to single examples."""
    commits = results.there["commit"]
    dirty, wrong, checked = int((commits.str.endswith("-dirty") | commits.isin(["", "unknown"])).sum()), [], 0
    accuracy = dict(zip(results.there["key"], results.there["test_accuracy"], strict=True))  # many runs are looked up
    for folder in results.by_folder:
        answers = correct(folder)
        for key in filter(accuracy.__contains__, answers):
            checked += 1
            wrong += [key] if abs(answers.accuracy(key) - accuracy[key]) > 1e-4 else []
    density = results.there["nonzeros"] / results.there["prunable"]
    wrong += results.there.loc[(density - results.there["density"]).abs() > 1e-8, "key"].tolist()
    faults = [f"{dirty} runs have no commit or uncommitted changes"] * bool(dirty)
    faults += [f"accuracy or density does not follow from the counts in {some(wrong)}"] * bool(wrong)
    faults += [f"{len(accuracy) - checked} runs keep no answers"] * (checked < len(accuracy))
    return not faults, "; ".join(faults) or f"{checked} accuracies follow from their answers"


def claims(results: Results) -> Verdict:
    """Claim no more than was run: leaderboard.md says what the runs give."""
    boards = {folder: folder / "leaderboard.md" for folder in results.by_folder}
    written = {folder: board.read_text("utf-8") for folder, board in boards.items() if board.is_file()}
    if not written:
        return None, "there is no leaderboard.md"
    wrong = []
    for folder, text in written.items():
        runs = results.by_folder[folder]
        if text != board_text(folder, leaderboards(runs), runs, correct(folder)):
            wrong.append(str(folder))
    return not wrong, f"sparsefront report writes another one: {some(wrong)}" if wrong else "recomputed, and the same"
