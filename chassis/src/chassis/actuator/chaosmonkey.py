"""The chaos monkey under /actuator/chaosmonkey; there is none unless the configuration says so."""

from chassis.actuator.endpoints import Actuator, Asked, Page, Reply, reply
from chassis.chaos.monkey import ChaosMonkey
from chassis.core.errors import NotFound

ROOT = "chaosmonkey"


def add(actuator: Actuator, monkey: ChaosMonkey) -> None:
    def whole(_: Asked) -> Reply:
        return reply(
            {
                "chaosMonkeyProperties": {"enabled": monkey.awake},
                "assaultProperties": monkey.assaults(),
            }
        )

    def status(_: Asked) -> Reply:
        said = "Ready to be evil!" if monkey.awake else "You switched me off!"
        return reply({"status": said})

    def change(asked: Asked) -> Reply:
        monkey.change(asked.body)
        return reply(monkey.assaults())

    def switch(awake: bool) -> Page:
        def switched(asked: Asked) -> Reply:
            monkey.awake = awake
            return status(asked)

        return switched

    def add(path: str, page: Page, method: str = "GET") -> None:
        def existing(asked: Asked) -> Reply:
            if not monkey.exists:
                raise NotFound("No fault can be ordered here: chaos.monkey.enabled is not set.")
            return page(asked)

        actuator.add(path, existing, method)

    add(ROOT, whole)
    add(f"{ROOT}/status", status)
    add(f"{ROOT}/assaults", lambda _: reply(monkey.assaults()))
    add(f"{ROOT}/assaults", change, "POST")
    add(f"{ROOT}/enable", switch(True), "POST")
    add(f"{ROOT}/disable", switch(False), "POST")
