"""The schema, and the admin's account: `python -m user_service.prepare`, before every start."""

from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from chassis.core.live import Live
from chassis.data import postgres
from chassis.runtime.service import Process, begin
from user_service.hashing_queue import HashingQueue
from user_service.models import ADMIN, User
from user_service.passwords import Passwords
from user_service.service import add_if_new
from user_service.settings import UserSettings

ADMIN_EMAIL = "admin@fusebox.example"


def main() -> None:
    prepare(begin("user-service", UserSettings))


def prepare(process: Process[Any]) -> None:
    engine = postgres.engine_of(
        process.settings.spring.datasource, process.environment, postgres.PatientConnection
    )
    postgres.migrate(engine, "user_service")
    with Session(engine) as session, session.begin():
        # From then on there is always one, though perhaps somebody else: the last one stays.
        has_admin = exists().where(User.role == ADMIN, User.deleted_at.is_(None))
        if not session.scalar(select(has_admin)):
            password = process.environment.secret("admin-password")
            passwords = Passwords(HashingQueue(Live(1)))
            add_if_new(session, ADMIN_EMAIL, "Admin", passwords.hash(password), role=ADMIN)
    engine.dispose()


if __name__ == "__main__":
    main()
