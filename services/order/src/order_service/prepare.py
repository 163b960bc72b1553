"""The schema: `python -m order_service.prepare`, before every start."""

from typing import Any

from chassis.data import postgres
from chassis.runtime.service import Process, begin
from order_service.settings import OrderSettings


def main() -> None:
    prepare(begin("order-service", OrderSettings))


def prepare(process: Process[Any]) -> None:
    engine = postgres.engine_of(
        process.settings.spring.datasource, process.environment, postgres.PatientConnection
    )
    postgres.migrate(engine, "order_service")
    engine.dispose()


if __name__ == "__main__":
    main()
