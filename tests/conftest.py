"""Every figure that a test of plots or widgets makes is looked at: is each line and fill seen on white?"""

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from course_utils.plots.style import BACKDROP


def contrast_on_white(rgba):
    """Of a colour as it looks on white paper: WCAG 2.2, 1.4.11 asks for 3."""
    red, green, blue, alpha = rgba
    channels = 1 - alpha * (1 - np.array([red, green, blue]))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05)


def colours_of(artist):
    """The colours in which an artist is drawn, with its alpha; of a hollow marker or bar its outline's."""
    alpha = artist.get_alpha()
    if isinstance(artist, Line2D):
        drawn = [artist.get_color()] if artist.get_linestyle() not in ("None", "", " ") else []
        marks = [artist.get_markerfacecolor(), artist.get_markeredgecolor()]
        marked = artist.get_marker() not in ("None", "", " ", None)
        return [to_rgba(one, alpha) for one in drawn] + ([clearest(marks, alpha)] if marked else [])
    if isinstance(artist, Patch):
        marks = [artist.get_facecolor()] if artist.get_fill() else []
        return [clearest([*marks, artist.get_edgecolor()])]
    if artist.get_array() is not None:
        return []  # its colours are values
    faces = artist.get_facecolor()
    return [tuple(one) for one in (faces if len(faces) else artist.get_edgecolor())]


def clearest(colours, alpha=None):
    """Of inside and outline, the one that is seen better."""
    return max((to_rgba(one, alpha) for one in colours if one != "none"), key=contrast_on_white)


def pale_artists(figure):
    """What is drawn on white and does not stand out from it, in words."""
    pale = []
    for axes in figure.axes:
        if axes.images or any(one.get_array() is not None for one in axes.collections):
            continue  # an image or a heat map is the ground here, not white
        for artist in (*axes.lines, *axes.patches, *axes.collections):
            if not artist.get_visible() or artist.get_gid() == BACKDROP:
                continue
            for rgba in colours_of(artist):
                if rgba[3] > 0 and contrast_on_white(rgba) < 3:
                    pale.append(
                        f"{type(artist).__name__} {artist.get_label()!r}: {contrast_on_white(rgba):.2f}"
                    )
    return pale


@pytest.fixture(autouse=True)
def figures_stand_out(request, monkeypatch):
    """Looks at each figure that was described, which every figure of the course is, when the test is over."""
    if request.path.parent.name not in ("plots", "widgets"):
        yield
        return
    described, set_label = [], Figure.set_label

    def note(figure, label):
        described.append(figure)
        set_label(figure, label)

    monkeypatch.setattr(Figure, "set_label", note)
    yield
    pale = {
        words for figure in {id(one): one for one in described}.values() for words in pale_artists(figure)
    }
    assert pale == set()
