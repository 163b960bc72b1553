"""The prepared lists are made anew when they must be, and only then."""

from discovery import wire
from discovery.models import Clock, DataCenter, Instance
from discovery.pages import Pages
from discovery.registry import Registry

PROBE = Instance("PROBE", "h:1", "h", "127.0.0.1", DataCenter("MyOwn"))


class Shelf:
    def __init__(self) -> None:
        self.now = 1_000.0
        self.rendered = 0
        clock = Clock(lambda: self.now, lambda: self.now)
        self.registry = Registry(clock)
        self.pages = Pages(self.registry, clock)

    def render(self, root: str, document: wire.Document) -> bytes:
        self.rendered += 1
        return wire.to_json(root, document)


def test_a_list_is_rendered_once_while_nothing_changes() -> None:
    shelf = Shelf()
    render = shelf.render

    pages = [shelf.pages.all(render) for _ in range(3)]

    assert shelf.rendered == 1
    assert pages[0].gzipped() is pages[2].gzipped()


def test_a_change_shows_at_once_and_a_heartbeat_within_a_second() -> None:
    shelf = Shelf()
    render = shelf.render
    shelf.pages.all(render)
    shelf.registry.register(PROBE)
    assert b"h:1" in shelf.pages.all(render).body
    made = shelf.rendered

    shelf.registry.renew("PROBE", "h:1")
    shelf.pages.all(render)
    assert shelf.rendered == made
    shelf.now += 1
    shelf.pages.all(render)
    assert shelf.rendered == made + 1
