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
html_js_files = ["numbers.js", "explorers.js"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True, "top_of_page_buttons": []}
copybutton_selector = "div.highlight pre"
copybutton_exclude = ".linenos, .gp"


def with_levels(app, page, template, context, doctree) -> None:
    """The captions beside the pages are headings without a level, which screen readers miss."""
    for part in ("furo_navigation_tree", "toctree"):
        if isinstance(context.get(part), str):
            context[part] = context[part].replace('role="heading"', 'role="heading" aria-level="2"')


def setup(app) -> None:
    app.connect("html-page-context", with_levels, priority=900)  # after the theme has written them
