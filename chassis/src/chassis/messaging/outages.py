"""What a background thread waits for, rather than blame the record that it has in hand."""

import psycopg
from kafka.errors import KafkaError

from chassis.core.errors import Unavailable
from chassis.data.outages import is_outage

UNAVAILABLE = (KafkaError, Unavailable, OSError, psycopg.OperationalError, psycopg.InterfaceError)


def something_is_away(error: Exception) -> bool:
    """Kafka, the database or a service; what is left is our fault or a record's."""
    return isinstance(error, UNAVAILABLE) or is_outage(error)
