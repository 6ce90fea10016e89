"""Sphinx's settings for the book; tools/book.py assembles its source and calls it."""

project = "Generative adversarial networks, checked"
author = "The authors of the GAN course"
copyright = "its authors. Code: MIT. Prose and figures: CC BY 4.0"
html_title = "GANs, checked"

extensions = ["myst_nb", "sphinx.ext.mathjax", "sphinx_copybutton"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = ["_extra"]

nb_execution_mode = "off"  # what is shown is what `make execute` kept
nb_merge_streams = True
nb_render_markdown_format = "myst"
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"

myst_enable_extensions = ["dollarmath", "amsmath", "deflist", "attrs_block", "attrs_inline", "colon_fence"]
myst_dmath_double_inline = True  # $$…$$ also within an item of a list, as in JupyterLab
myst_heading_anchors = 4
suppress_warnings = [
    "myst.header",  # a notebook may step from # to ###
    "ref.python",  # two rooms may each have a Report: an annotation links to one of them
]

mathjax_path = "mathjax/tex-chtml.js"  # copied from sphinx-mathjax-offline, without what no page loads

html_theme = "furo"
html_static_path = ["static"]
html_extra_path = ["_extra"]
html_css_files = ["book.css"]
html_js_files = ["numbers.js", "explorers.js", "page.js"]
html_copy_source = False
html_show_sourcelink = False
# the arrow keys draw in the playground and scroll wide tables: they must not turn pages
html_theme_options = {"navigation_with_keys": False, "top_of_page_buttons": []}
copybutton_selector = "div.highlight pre"
copybutton_exclude = ".linenos, .gp"


def for_screen_readers(app, page, template, context, doctree) -> None:
    """The captions beside the pages are headings without a level; some pages are not in English."""
    for part in ("furo_navigation_tree", "toctree"):
        if isinstance(context.get(part), str):
            context[part] = context[part].replace('role="heading"', 'role="heading" aria-level="2"')
    if page.endswith(".zh"):
        context["language"] = "zh-CN"  # by which a screen reader speaks it


def setup(app) -> dict[str, bool]:
    app.connect("html-page-context", for_screen_readers, priority=900)  # after the theme has written them
    return {"parallel_read_safe": True, "parallel_write_safe": True}
