"""PRM Public by hand: two users, seven lines of three items instead of thirty.

`c` is a click. Part 1: user 7 sees 1c 2 3, then 1 2c 4; user 8 sees 1 2 3c. Part 2:
user 7 sees 2 1 3c, then 1 2 3 without a click; user 8, whose first feature is null on
this page, sees 3c 1 2c; the last line has a bracket too few.

The paper's rules. 4 has one row of four. The newest page with a click is the fourth
line for user 7, after clicks on 1 and 2, and the sixth for user 8, after one on 3.
LibRerank's rules ask for more than three lists of thirty, which nobody has.
"""


def _page(user: str, profile: str, items: tuple[int, ...], labels: str) -> str:
    """A line; the numbers of item i are i + 0.1, i + 0.2 and so on."""
    codes = ", ".join(f"[{item}, {item + 10}, 1, 2, 3]" for item in items)
    numbers = (
        ", ".join(
            "[" + ", ".join(f"{item}.{n:02d}" for n in range(1, size + 1)) + "]"
            for item in items
        )
        for size in (7, 12)
    )
    return "|".join([user, profile, f"[{codes}]", *(f"[{n}]" for n in numbers), labels])


LINES = (
    _page("7", "[4.0, 1.0, 1.0]", (1, 2, 3), "[1.0, 0.0, 0.0]"),
    _page("7", "[4.0, 1.0, 1.0]", (1, 2, 4), "[0.0, 1.0, 0.0]"),
    _page("8", "[5, 2, 2]", (1, 2, 3), "[0.0, 0.0, 1.0]"),
    _page("7", "[4.0, 1.0, 1.0]", (2, 1, 3), "[0.0, 0.0, 1.0]"),
    _page("7", "[4.0, 1.0, 1.0]", (1, 2, 3), "[0.0, 0.0, 0.0]"),
    _page("8", "[null, 2, 2]", (3, 1, 2), "[1.0, 0.0, 1.0]"),
    _page("8", "[5, 2, 2]", (1, 2, 3), "[0.0, 0.0, 1.0"),
)
FILES = {
    "set1.train.txt.part1": "\n".join(LINES[:3]) + "\n",
    "set1.train.txt.part2": "\n".join(LINES[3:]),  # no line end
}
# User → profile, clicks by candidate as shown, and history.
PAPER = {
    "7": (["4", "1", "1"], {"2": 0, "1": 0, "3": 1}, ["1", "2"]),
    "8": (["null", "2", "2"], {"3": 1, "1": 0, "2": 1}, ["3"]),
}
# A line that cannot be read counts as one row.
ENDS = {
    "read": 19,
    "bad_json": 1,
    "item_below_minimum": 1,
    "history_only": 3,
    "other_window": 8,
}
STORED = 6
