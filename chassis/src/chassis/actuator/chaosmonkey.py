"""/actuator/chaosmonkey, as of the Chaos Monkey for Spring Boot; 404 unless configured."""

from chassis.actuator.endpoints import (
    Actuator,
    ActuatorRequest,
    ActuatorResponse,
    Endpoint,
    json_response,
)
from chassis.chaos.monkey import ChaosMonkey
from chassis.core.errors import NotFound

ROOT = "chaosmonkey"


def add(actuator: Actuator, monkey: ChaosMonkey) -> None:
    def whole(_: ActuatorRequest) -> ActuatorResponse:
        return json_response(
            {
                "chaosMonkeyProperties": {"enabled": monkey.enabled},
                "assaultProperties": monkey.assaults(),
            }
        )

    def status(_: ActuatorRequest) -> ActuatorResponse:
        message = "Ready to be evil!" if monkey.enabled else "You switched me off!"
        return json_response({"status": message})

    def change(request: ActuatorRequest) -> ActuatorResponse:
        monkey.change(request.body)
        return json_response(monkey.assaults())

    def switch(enabled: bool) -> Endpoint:
        def switched(request: ActuatorRequest) -> ActuatorResponse:
            monkey.enabled = enabled
            return status(request)

        return switched

    def add(path: str, endpoint: Endpoint, method: str = "GET") -> None:
        def if_configured(request: ActuatorRequest) -> ActuatorResponse:
            if not monkey.is_configured:
                raise NotFound("There is no chaos monkey here: chaos.monkey.enabled is not set.")
            return endpoint(request)

        actuator.add(path, if_configured, method)

    add(ROOT, whole)
    add(f"{ROOT}/status", status)
    add(f"{ROOT}/assaults", lambda _: json_response(monkey.assaults()))
    add(f"{ROOT}/assaults", change, "POST")
    add(f"{ROOT}/enable", switch(True), "POST")
    add(f"{ROOT}/disable", switch(False), "POST")
