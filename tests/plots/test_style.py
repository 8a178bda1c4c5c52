import re
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from plots.style import figure_style, file_name, legend, paper_style, save, sheet, wrapped


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


def test_the_text_of_an_svg_is_text_and_its_names_are_numbers(tmp_path: Path) -> None:
    with figure_style():
        figure = Figure()
        figure.add_subplot(title="accuracy of gmp").plot([1, 2], [1, 2], "o")
    (_, svg) = save(figure, tmp_path / "figure")
    text = svg.read_text()
    assert re.search(r"<text [^>]*>accuracy of gmp</text>", text)
    names = re.findall(r' id="([mp][0-9a-f]+)"', text)
    assert len(names) == len(set(names)) >= 2 and all(len(name) < 4 for name in names)
    assert set(re.findall(r"url\(#(\w+)\)", text)) <= set(names)


def test_a_paper_has_half_a_column_without_title_and_small_text(tmp_path: Path) -> None:
    def drawn() -> Figure:
        figure, panels = sheet("title", "subtitle", "caption")
        (line,) = panels.subplots().plot([1, 2], [1, 2], label="gmp")
        legend(panels, [line])
        return figure

    with figure_style():
        assert drawn().get_suptitle() == "title" and drawn().get_figwidth() == 7.2
    with paper_style(), figure_style():
        figure = drawn()
        assert figure.get_suptitle() == "" and figure.get_supxlabel() == "" and figure.get_figwidth() == 3.4
        paths = save(figure, tmp_path / "figure")
        assert [path.name for path in paths] == ["figure.pdf", "figure.svg"]
    sizes = {float(size) for size in re.findall(r"font-size: ([\d.]+)px", paths[1].read_text())}
    assert sizes and max(sizes) <= 7


def test_a_dollar_sign_in_a_name_stays_and_tick_labels_are_formulas(tmp_path: Path) -> None:
    with figure_style():
        figure, panels = sheet("a$b$ costs $5", "", "")
        panels.subplots().plot([1, 2], [1, 1e6])
        figure.axes[0].set_yscale("log")
    (_, svg) = save(figure, tmp_path / "figure")
    assert "a$b$ costs $5" in svg.read_text() and ">$\\mathdefault" not in svg.read_text()


def test_a_long_name_breaks_after_a_comma_and_a_short_one_stays() -> None:
    long = "dwf[depth=2,by=penalty,init=truncated,epsilon=0]"
    assert wrapped(long, 36) == "dwf[depth=2,by=penalty,\ninit=truncated,epsilon=0]"
    assert wrapped("dwf[depth=2,by=penalty]", 36) == "dwf[depth=2,by=penalty]"
    assert wrapped("a" * 50, 36) == "a" * 50
