"""The schema, and the admin's account: `python -m user_service.prepare`, before every start."""

from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from chassis.core.live import Live
from chassis.data import postgres
from chassis.runtime.service import Process, begin
from user_service.hashing_queue import HashingQueue
from user_service.models import User
from user_service.passwords import Passwords
from user_service.service import add_if_new
from user_service.settings import UserSettings

ADMIN = "admin@fusebox.example"


def main() -> None:
    prepare(begin("user-service", UserSettings))


def prepare(process: Process[Any]) -> None:
    engine = postgres.engine_of(
        process.settings.spring.datasource, process.environment, postgres.PatientConnection
    )
    postgres.migrate(engine, "user_service")
    with Session(engine) as session, session.begin():
        # A row that is there is left alone: its password may have been changed, or it deleted.
        if not session.scalar(select(exists().where(func.lower(User.email) == ADMIN))):
            password = process.environment.secret("admin-password")
            passwords = Passwords(HashingQueue(Live(1)))
            add_if_new(session, ADMIN, "Admin", passwords.hash(password), role="admin")
    engine.dispose()


if __name__ == "__main__":
    main()
