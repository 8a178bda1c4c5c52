import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib
import pandas
import pytest
from matplotlib.colors import is_color_like
from matplotlib.figure import Figure

from plots.style import COLOURS, KNOWN, MARKERS, figure_style, file_name, looks, names, save, style
from tests.builders import ROOT


def test_no_two_methods_of_the_suite_look_the_same_and_none_looks_like_a_plugin() -> None:
    assert len(set(KNOWN.values())) == len(KNOWN)
    assert not set(KNOWN.values()) & {(colour, marker) for colour in COLOURS for marker in MARKERS}
    assert all(is_color_like(colour) for colour in [*COLOURS, *(colour for colour, _ in KNOWN.values())])


@pytest.mark.parametrize("salt", ["1", "2"])
def test_a_new_method_looks_the_same_in_every_process(salt: str) -> None:
    script = "from plots.style import style; print(*style('my-method[a=1]'), *style('snip'))"
    environment = {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": salt}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [*style("my-method[a=1]"), *style("snip")]


def test_new_methods_use_the_whole_palette() -> None:
    looks = {style(f"method{number}") for number in range(2000)}
    assert looks == {(colour, marker) for colour in COLOURS for marker in MARKERS}


def runs(**labels: str) -> pandas.DataFrame:
    return pandas.DataFrame([{"method": method, "label": label} for method, label in labels.items()])


def test_only_shallow_factorization_has_a_second_name() -> None:
    table = runs(**{"dwf[depth=2]": "dwf[depth=2]", "dwf[depth=3]": "dwf[depth=3]", "snip": "snip"})
    assert names(table) == {
        "dwf[depth=2]": "dwf[depth=2] (shallow)",
        "dwf[depth=3]": "dwf[depth=3]",
        "snip": "snip",
    }


def test_names_leave_out_the_threshold_unless_it_tells_two_methods_apart() -> None:
    shared = {"dwf[depth=3,threshold=0.0001]": "dwf[depth=3]", "x[threshold=1]": "x"}
    assert names(runs(**shared)) == shared
    both = runs(**shared, **{"dwf[depth=3]": "dwf[depth=3]"})
    assert names(both) == {method: method for method in both["method"]}
    assert set(looks(both).values()) == {KNOWN["dwf[depth=3]"], style("x")}


def test_legends_keep_families_together_and_put_unknown_methods_last() -> None:
    table = runs(**{name: name for name in ("zzz", "snip", "aaa", "dwf[depth=4]", "dwf[depth=2]")})
    assert list(names(table)) == ["dwf[depth=2]", "dwf[depth=4]", "snip", "aaa", "zzz"]


def test_a_figure_is_saved_as_png_and_svg_and_then_cleared(tmp_path: Path) -> None:
    figure = Figure()
    figure.add_subplot()
    paths = save(figure, tmp_path / "front-v1.5")
    assert paths == [tmp_path / "front-v1.5.png", tmp_path / "front-v1.5.svg"]
    assert paths[0].read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in paths[1].read_bytes()
    assert not figure.axes


def test_names_of_files_are_names_on_every_system() -> None:
    assert file_name("front-lenet300-digits") == "front-lenet300-digits"
    assert file_name("front-timm:resnet26-cifar10") == "front-timm-resnet26-cifar10"
    odd = ["a/b", "a\\b", "a*b", "a$b", "a\nb", "x" * 400, "x" * 401, "\N{SNOWMAN}" * 200]
    found = [file_name(text) for text in odd]
    assert len(set(found)) == len(odd)
    assert all(len(name.encode()) < 250 and not set(name) & set('<>:"/\\|?*$\n') for name in found)


def test_figures_do_not_follow_the_users_settings(tmp_path: Path) -> None:
    def drawn(name: str) -> bytes:
        with figure_style():
            figure = Figure()
            figure.add_subplot(xlabel="compression", title="a$\\frac$ costs $5", yscale="log").plot([1, 2], [1, 100])
        (png, _) = save(figure, tmp_path / name)
        return png.read_bytes()

    plain = drawn("plain")
    users: dict[Any, Any] = {
        "text.usetex": True,
        "figure.facecolor": "black",
        "lines.linewidth": 9,
        "savefig.bbox": "tight",
    }
    with matplotlib.rc_context(users):
        assert drawn("mine") == plain
