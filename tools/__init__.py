"""Tools of the course's authors: generate the notebooks, run them, look them over."""
