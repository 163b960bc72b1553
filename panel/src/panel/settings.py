"""The panel's own settings, beside those of every process."""

import sys
from pathlib import Path

from chassis.config.settings import Fusebox, Positive, Section, Settings

# The command line, as it was installed beside this process.
FUSEBOX = Path(sys.executable).parent / "fusebox"


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
