"""The schema: `python -m order_service.prepare`, before every start."""

from typing import Any

from chassis import database
from chassis.process import Process, begin
from chassis.settings import Settings


def main() -> None:
    prepare(begin("order-service", Settings))


def prepare(process: Process[Any]) -> None:
    engine = database.engine_of(
        process.settings.spring.datasource, process.environment, database.PatientConnection
    )
    database.migrate(engine, "order_service")
    engine.dispose()


if __name__ == "__main__":
    main()
