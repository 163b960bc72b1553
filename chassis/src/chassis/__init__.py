"""What every process of Fusebox needs, and no business noun.

The packages below `runtime` are plain objects and background threads that publish immutable
snapshots; `runtime` puts them under Flask and gunicorn, or under aiohttp.
"""
