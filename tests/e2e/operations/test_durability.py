"""An order that was answered is on disk: nothing has been told to confirm before it has written."""

from typing import Any

import pytest
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from sqlalchemy import text

from chassis.config.settings import Datasource
from chassis.core.environment import Environment
from chassis.data import postgres
from chassis.messaging import kafka
from fusebox.core.topology import TOPICS
from fusebox.network import postgres_probe

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
# Their defaults lose nothing that was acknowledged.
LOOSENING = {"min.insync.replicas", "unclean.leader.election.enable", "retention.ms"}
CHANGED_TOPIC = "orders.dead"
SERVICES = ("user-service", "order-service", "catalog-service")


def environment(shop: Any, service: str) -> Environment:
    return Environment.read(service, {"FUSEBOX_SECRETS": str(shop.stack.secrets)})


@pytest.mark.parametrize("service", SERVICES)
def test_a_commit_of_a_service_waits_for_the_disk(shop: Any, service: str) -> None:
    host, port = shop.address("postgres")
    database = service.replace("-", "_")
    url = f"postgresql+psycopg://{database}@{host}:{port}/{database}"
    engine = postgres.engine_of(Datasource(url=url), environment(shop, service))
    with engine.connect() as connection:
        settings = {name: connection.execute(text(f"SHOW {name}")).scalar_one() for name in DURABLE}
    engine.dispose()

    assert settings == DURABLE


def test_no_role_and_no_database_has_a_setting_that_loosens_it(shop: Any) -> None:
    with postgres_probe.connect(shop.stack) as connection:
        rows = connection.execute(b"SELECT unnest(setconfig) FROM pg_db_role_setting").fetchall()

    assert [row for (row,) in rows if str(row).partition("=")[0] in DURABLE] == []


def test_every_event_is_acknowledged_by_all_replicas_and_written_once(shop: Any) -> None:
    producer = kafka.producer(shop.kafka, environment(shop, "order-service"))
    settings = (producer.config["acks"], producer.config["enable_idempotence"])
    producer.close()

    assert settings == (-1, True)


def test_no_topic_gives_durability_away(shop: Any) -> None:
    admin = KafkaAdminClient(bootstrap_servers=shop.kafka)
    names = [*(topic.name for topic in TOPICS), CHANGED_TOPIC]
    described = admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    )["topic"]
    admin.close()

    assert "retention.ms" in described.pop(CHANGED_TOPIC), "what differs from the default is told"
    assert len(described) == len(TOPICS)
    for configs in described.values():
        assert not set(configs) & LOOSENING
