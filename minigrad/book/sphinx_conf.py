"""Sphinx's configuration of the book; `minigrad.book.build` puts it beside the pages."""

from typing import Any

project = "minigrad"
author = "The minigrad developers"
copyright = "the minigrad developers, under the MIT licence"
html_title = "minigrad"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "sphinx.ext.napoleon"]
myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the notebooks come with their outputs
nb_merge_streams = True

default_role = "code"
autodoc_typehints = "none"  # the docstrings say shapes and types in words
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_copy_source = False
html_show_search_summary = False  # it would fetch pages, which a browser refuses for files
html_show_sourcelink = False
mathjax_path = "tex-svg-full.js"  # of _static: the book needs no network
pygments_style = "friendly"


def setup(app: Any) -> None:
    """Leave out what a class got from another library: its documentation refers to that one's."""
    app.connect("autodoc-skip-member", _foreign)


def _foreign(app: Any, what: str, name: str, thing: Any, skip: bool, options: Any) -> bool | None:
    module = getattr(thing, "__module__", None) or "minigrad"
    return None if module.startswith("minigrad") else True
