"""The shop as one live page.

It watches through what every part offers anyway and acts through the command line's own verbs, so
the shop does not notice whether it is there.
"""
