"""How much memory a process and those it started have."""

import psutil


def resident_bytes(pid: int) -> int | None:
    """Bytes in memory of a process and all it started; None when it is gone."""
    try:
        process = psutil.Process(pid)
        total = process.memory_info().rss
        children = process.children(recursive=True)
    except psutil.NoSuchProcess:
        return None
    for child in children:
        try:
            total += child.memory_info().rss
        except psutil.NoSuchProcess:  # ended meanwhile
            continue
    return total
