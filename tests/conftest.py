"""What all tests share: property tests judge values, never the machine's speed."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "fusebox", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60
)
settings.load_profile("fusebox")
