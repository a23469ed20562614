"""What the figures were measured on. No names of hosts: a figure needs the machine's kind, not the machine."""

import datetime
import os
import re
import subprocess
from pathlib import Path

from results import Facts


def read(file: str) -> str:
    path = Path(file)
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def first_line(*command: str) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return ended.stdout.partition("\n")[0].strip() or "unknown"


def caches() -> str:
    found = []
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind = {"Data": "d", "Instruction": "i"}.get(read(f"{index}/type"), "")
        found.append(f"L{read(f'{index}/level')}{kind} {read(f'{index}/size')}")
    return ", ".join(found)


def machine() -> list[str]:
    cpu = read("/proc/cpuinfo")
    model = re.search(r"^model name\s*: (.*)$", cpu, re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+) kB$", read("/proc/meminfo"), re.MULTILINE)
    system = re.search(r'^PRETTY_NAME="(.*)"$', read("/etc/os-release"), re.MULTILINE)
    return [
        model[1] if model else "unknown processor",
        f"{os.cpu_count()} hardware threads" + (", of a virtual machine" if re.search(r"\bhypervisor\b", cpu) else ""),
        *filter(None, [caches()]),
        f"{int(memory[1]) / 2**20:.0f} GiB of memory" if memory else "unknown memory",
        system[1] if system else "unknown system",
        f"load when the run began: {os.getloadavg()[0]:.1f}",
    ]


def compiler(build: Path) -> str:
    found = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", read(f"{build}/CMakeCache.txt"), re.MULTILINE)
    return first_line(found[1], "--version") if found else "unknown"


def facts(root: Path, build: Path, repetitions: str) -> Facts:
    commit = first_line("git", "-C", str(root), "describe", "--always", "--dirty", "--exclude=*")
    return Facts(datetime.date.today().isoformat(), commit, machine(), compiler(build), repetitions)
