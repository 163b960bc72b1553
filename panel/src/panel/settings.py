"""The panel's own settings, beside those of every process."""

from chassis.config.settings import Fusebox, Positive, Section, Settings


class PanelSection(Section):
    """How often it looks, and under which names browsers may ask for it."""

    poll_seconds: Positive = 1
    idle_poll_seconds: Positive = 10
    hosts: tuple[str, ...] = ()


class PanelFusebox(Fusebox):
    panel: PanelSection = PanelSection()


class PanelSettings(Settings):
    fusebox: PanelFusebox = PanelFusebox()
