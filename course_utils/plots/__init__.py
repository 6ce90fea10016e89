"""Figures of the course: arrays and histories in, matplotlib figures out.

Every function here returns a figure that carries its alternative text; `show` puts both on the page:

    show(image_grid(images, title="Generated digits"))
"""

from course_utils.plots.curves import (
    accuracy_curves,
    curve,
    density_and_discriminator,
    lines,
    loss_curves,
)
from course_utils.plots.dashboard import dashboard
from course_utils.plots.display import (
    Live,
    alt_text,
    describe,
    mime_bundle,
    new_figure,
    picture_bundle,
    show,
    to_picture,
    to_png,
)
from course_utils.plots.games import (
    dirac_moments,
    distance_curves,
    draw_field,
    field_arrows,
    phase_portraits,
    unit_circle,
)
from course_utils.plots.images import (
    beside_nearest,
    image_grid,
    sample_evolution,
    scatter,
    tile,
)
from course_utils.plots.reports import failure_matrix, human_scores, metric_report
from course_utils.plots.style import (
    COLORS,
    CSS_PIXELS_PER_INCH,
    CYCLE,
    DASHES,
    PALETTE,
    TEXT_SCALE,
)
from course_utils.plots.toy import (
    Watch,
    cell_maps,
    draw_latent_grid,
    draw_plane,
    games_on_line,
    games_on_plane,
    latent_grids,
    measured_rounds,
    update_latent_grid,
    update_plane,
    view_line,
    view_plane,
)

__all__ = [
    "COLORS",
    "CSS_PIXELS_PER_INCH",
    "CYCLE",
    "DASHES",
    "PALETTE",
    "TEXT_SCALE",
    "Live",
    "Watch",
    "accuracy_curves",
    "alt_text",
    "beside_nearest",
    "cell_maps",
    "curve",
    "dashboard",
    "density_and_discriminator",
    "describe",
    "dirac_moments",
    "distance_curves",
    "draw_field",
    "draw_latent_grid",
    "draw_plane",
    "failure_matrix",
    "field_arrows",
    "games_on_line",
    "games_on_plane",
    "human_scores",
    "image_grid",
    "latent_grids",
    "lines",
    "loss_curves",
    "measured_rounds",
    "metric_report",
    "mime_bundle",
    "new_figure",
    "phase_portraits",
    "picture_bundle",
    "sample_evolution",
    "scatter",
    "show",
    "tile",
    "to_picture",
    "to_png",
    "unit_circle",
    "update_latent_grid",
    "update_plane",
    "view_line",
    "view_plane",
]
