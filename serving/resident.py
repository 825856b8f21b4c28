"""How much memory a process and those it started have, from Linux' /proc."""

from pathlib import Path

_PROC = Path("/proc")


def resident_bytes(pid: int, proc: Path = _PROC) -> int | None:
    """Bytes in memory of a process and all it started; None when it is gone."""
    try:
        text = (proc / str(pid) / "status").read_text()
        lists = [p.read_text() for p in proc.glob(f"{pid}/task/*/children")]
    except OSError:
        return None
    (own,) = [line.split()[1] for line in text.splitlines() if "VmRSS" in line] or [0]
    children = (int(child) for found in lists for child in found.split())
    return 1024 * int(own) + sum(resident_bytes(c, proc) or 0 for c in children)
