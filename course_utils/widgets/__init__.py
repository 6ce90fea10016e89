"""Widgets: for each a pure render function, and a thin shell of controls around it.

Import from the widget's own file, so that a notebook loads only the one it shows:

    from course_utils.widgets.discriminator_explorer import discriminator_explorer
"""
