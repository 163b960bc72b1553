"""The schema, and the first products: `python -m catalog_service.prepare`, before every start."""

from typing import Any

from sqlalchemy.orm import Session

from catalog_service.models import Product
from catalog_service.service import add_if_new
from chassis.config.settings import Settings
from chassis.data import postgres
from chassis.runtime.service import Process, begin

SEED = [
    ("CATALOG-0001", "Berlin", 1500, 100),
    ("CATALOG-0002", "Tokyo", 900, 100),
    ("CATALOG-0003", "Stockholm", 1200, 100),
]


def main() -> None:
    prepare(begin("catalog-service", Settings))


def prepare(process: Process[Any]) -> None:
    engine = postgres.engine_of(
        process.settings.spring.datasource, process.environment, postgres.PatientConnection
    )
    postgres.migrate(engine, "catalog_service")
    with Session(engine) as session, session.begin():
        for product_id, name, unit_price, stock in SEED:
            add_if_new(session, Product.create(product_id, name, unit_price, stock))
    engine.dispose()


if __name__ == "__main__":
    main()
