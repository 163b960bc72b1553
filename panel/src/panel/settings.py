"""The panel's own settings, beside those of every process."""

from chassis.config.settings import Fusebox, Positive, Section, Settings


class PanelSection(Section):
    """`hands` lets a page of an admin act; `hosts` are further names that browsers may use."""

    hands: bool = False
    hosts: tuple[str, ...] = ()
    poll_seconds: Positive = 1
    idle_poll_seconds: Positive = 10


class PanelFusebox(Fusebox):
    panel: PanelSection = PanelSection()


class PanelSettings(Settings):
    fusebox: PanelFusebox = PanelFusebox()
