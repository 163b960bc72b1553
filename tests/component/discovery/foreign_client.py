"""A process with a py-eureka-client: prints the instances it knows, and obeys its input.

Of its own because the client's threads and loops outlive it, and warn.
"""

import asyncio
import json
import sys

from py_eureka_client.eureka_client import EurekaClient


async def live(servers: str, port: int) -> None:
    client = EurekaClient(
        eureka_server=servers,
        app_name="foreign",
        instance_host="127.0.0.1",
        instance_ip="127.0.0.1",
        instance_port=port,
        renewal_interval_in_secs=1,
        duration_in_secs=2,
        metadata={"zone": "a"},
    )
    await client.start()
    actions = {
        "out": lambda: client.status_update("OUT_OF_SERVICE"),
        "back": client.delete_status_override,
    }
    while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
        if line in actions:
            await actions[line]()
        instances = client.applications.get_application("foreign").up_instances
        print(json.dumps(sorted(instance.instanceId for instance in instances)), flush=True)
    await client.stop()


if __name__ == "__main__":
    asyncio.run(live(sys.argv[1], int(sys.argv[2])))
