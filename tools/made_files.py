"""Files that are made from others: written, or held to what they should say."""

from collections.abc import Iterable
from pathlib import Path


def write(made: Iterable[tuple[Path, str]], root: Path, is_check: bool) -> int:
    """Writes what has changed, and names it.

    Args:
        made: Each file, and what it is to hold.
        root: What files are named below.
        is_check: Whether to name them alone.

    Returns:
        The exit code: 1 where a check found a file that is not as it should be.
    """
    changed = [
        (path, text)
        for path, text in made
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path, text in changed:
        print(path.relative_to(root))
        if not is_check:
            path.write_text(text, encoding="utf-8")
    return int(is_check and bool(changed))
