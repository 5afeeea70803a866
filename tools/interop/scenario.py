"""One released Python SDK goes through the scenario against a running server.

Says what it saw as JSON lines; asks for what an operator must do ({"need": ...}) and goes on when a line comes back.
"""

import asyncio
import importlib.metadata
import json
import sys

from edictum import Edictum, EdictumDenied

facts = json.loads(sys.argv[1])
version = tuple(int(part) for part in importlib.metadata.version("edictum").split("."))


def say(**line):
    print(json.dumps(line), flush=True)


async def need(what):
    say(need=what)
    answer = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    if not answer:
        raise SystemExit("the operator has gone")


async def attempt(guard, tool, **args):
    """What became of one guarded call: its result, or why it was refused."""
    try:
        return f"ran: {await guard.run(tool, args, run_tool)}"
    except EdictumDenied as refused:
        return f"refused: {refused}"
    except Exception as failed:
        return f"failed: {type(failed).__name__}: {failed}"


async def run_tool(**args):
    return ",".join(f"{name}={value}" for name, value in sorted(args.items()))


async def until(condition, seconds=20):
    for _ in range(seconds * 20):
        if condition():
            return True
        await asyncio.sleep(0.05)
    return False


async def close(guard):
    """Since 0.15 closing a guard no longer closes the sink inside it: what was not yet sent would be lost."""
    for sink in getattr(guard.audit_sink, "sinks", [guard.audit_sink]):
        if hasattr(sink, "flush"):
            await sink.flush()
    await guard.close()


def options(name):
    chosen = {"env": "production"}
    if name is not None:
        chosen["bundle_name"] = name
    if version >= (0, 16):
        chosen["verify_signatures"] = True
        chosen["signing_public_key"] = facts["public_key"]
    if version >= (0, 13):
        chosen["tags"] = {"team": "interop"}
    return chosen


async def main():
    guard = await Edictum.from_server(facts["url"], facts["key"], facts["agent"], **options("base"))
    say(step="start", policy_version=guard.policy_version)
    say(step="allowed", saw=await attempt(guard, "read_file", path="README.md"))
    say(step="blocked", saw=await attempt(guard, "read_file", path="/app/.env"))
    say(step="granted", saw=await attempt(guard, "deploy", service="grant", token="never-shown"))
    say(step="denied", saw=await attempt(guard, "deploy", service="deny"))
    say(step="timed out, block", saw=await attempt(guard, "wait_block", service="ignore"))
    say(step="timed out, allow", saw=await attempt(guard, "wait_allow", service="ignore"))
    for n in (1, 2, 3):
        say(step=f"counted {n}", saw=await attempt(guard, "counted", n=n))

    first = guard.policy_version
    await need("version 2")
    await until(lambda: guard.policy_version != first)
    say(step="version 2", policy_version=guard.policy_version)
    say(step="blocked by version 2", saw=await attempt(guard, "read_file", path="secret.txt"))

    second = guard.policy_version
    await need("restart")
    say(step="allowed after restart", saw=await attempt(guard, "read_file", path="README.md"))
    say(step="granted after restart", saw=await attempt(guard, "deploy", service="grant"))
    say(step="counted after restart", saw=await attempt(guard, "counted", n=4))
    await need("version 3")
    await until(lambda: guard.policy_version != second)
    say(step="version 3", policy_version=guard.policy_version)
    await close(guard)

    if version >= (0, 13):
        await need("assignment")
        other = await Edictum.from_server(facts["url"], facts["key"], f"{facts['agent']}-assigned", **options(None))
        say(step="assigned by the server", policy_version=other.policy_version)
        say(step="allowed when assigned", saw=await attempt(other, "read_file", path="README.md"))
        await close(other)
    say(step="end")


asyncio.run(main())
