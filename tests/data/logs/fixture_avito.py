"""Avito's context ads by hand: two users, five searches, and each row's end.

`c` is a click; ads of type 1 and 2 have no label.

search 1  user 10, 10 May 18:11:01: 1000c, 5 (type 1), 1002, 1001, 1003 (in no table)
search 2  user 10, 11 May 09:00:00: 1001c 1000 1002
search 3  user 11, 12 May 10:00:00: 1000 1001
search 4  user 11, 13 May 10:00:00: 1002 1000c 1001, and 5 (type 2); user 11 has no
          profile
search 5  user 10, 14 May 10:00:00: 1000 1002, no click
search 9  is in no table: 1000

1000, 1001 and 1002 have four rows or more, and so have both users. The newest page with
a click is search 2 of user 10, whose history is the click of search 1, and search 4 of
user 11. 80 % of two lists is 1.6, so search 4 begins the validation and the test, and
since both cuts fall on it, it is of the test.
"""

MAY_11_9 = 1431334800  # 2015-05-11 09:00:00 UTC
MAY_13_10 = 1431511200
FILES = {
    "trainSearchStream.tsv": """\
SearchID\tAdID\tPosition\tObjectType\tHistCTR\tIsClick
1\t1000\t1\t3\t0.001804\t1
1\t5\t2\t1\t\t
1\t1002\t7\t3\t0.002000\t0
1\t1001\t8\t3\t0.003000\t0
1\t1003\t6\t3\t0.004000\t0
2\t1000\t6\t3\t0.005000\t0
2\t1002\t7\t3\t0.006000\t0
2\t1001\t1\t3\t0.007000\t1
2\t1001\ttop\t3\t0.007000\t1
3\t1000\t1\t3\t0.008000\t0
3\t1001\t7\t3\t0.009000\t0
4\t1002\t1\t3\t0.010000\t0
4\t1000\t2\t3\t0.011000\t1
4\t1001\t7\t3\t0.012000\t0
4\t1001\t7\t3\t0.012000\t0
4\t5\t8\t2\t\t
5\t1000\t1\t3\t0.013000\t0
5\t1002\t7\t3\t0.014000\t0
9\t1000\t1\t3\t0.015000\t0
""",
    "SearchInfo.tsv": (
        "SearchID\tSearchDate\tIPID\tUserID\tIsUserLoggedOn\tSearchQuery\tLocationID\t"
        "CategoryID\tSearchParams\n"
        "1\t2015-05-10 18:11:01.0\t898705\t10\t0\t\t3960\t22\t"
        "{83:'Обувь', 175:'Женская одежда', 88:'38'}\n"
        '2\t2015-05-11 09:00:00.0\t898705\t10\t1\tмонитор 24"\t3961\t23\t\n'
        "3\t2015-05-12 10:00:00.0\t2\t11\t0\t\t1\t1\t\n"
        "4\t2015-05-13 10:00:00.0\t2\t11\t0\t\t2\t1\t\n"
        "5\t2015-05-14 10:00:00.0\t898705\t10\t0\t\t3960\t22\t\n"
    ),
    "AdsInfo.tsv": (
        "AdID\tLocationID\tCategoryID\tParams\tPrice\tTitle\tIsContext\n"
        "1000\t3960\t22\t{5:'Собаки'}\t100\tДиван\t1\n"
        '1001\t3961\t23\t\t\tМонитор 24" Dell\t1\n'
        "1002\t1\t22\t\t7\tКоляска\t1\n"
    ),
    "UserInfo.tsv": (
        "UserID\tUserAgentID\tUserAgentOSID\tUserDeviceID\tUserAgentFamilyID\n"
        "10\t43\t20\t2019\t9\n"
    ),
}
# Split, user, rows before, begin → clicks by candidate as shown, and history.
PAPER = {
    "2": (
        ("train", "10", 3, MAY_11_9),
        {"1001": 1, "1000": 0, "1002": 0},
        ["1000"],
    ),
    "4": (
        ("test", "11", 2, MAY_13_10),
        {"1002": 0, "1000": 1, "1001": 0},
        [],
    ),
}
SCORES = {"2": [1, 1 / 6, 1 / 7], "4": [1, 1 / 2, 1 / 7]}
ENDS = {
    "read": 19,
    "bad_position": 1,
    "no_label": 2,
    "unknown_request": 1,
    "duplicate": 1,
    "unknown_item": 1,
    "train": 3,
    "test": 3,
    "history_only": 1,
    "other_window": 6,
}
SEARCHES = {  # logged on, query, location, category, then the user's profile
    "2": ("1", "1", "3961", "23", "43", "9", "20", "2019"),
    "4": ("0", "0", "2", "1", "null", "null", "null", "null"),
}
SEARCH_NAMES = (
    "search_is_logged_on",
    "search_has_query",
    "search_location",
    "search_category",
    "user_agent",
    "user_agent_family",
    "user_os",
    "user_device",
)
ITEMS = {"1000": ("22", "3960", 100.0), "1001": ("23", "3961", 0.0)}
ITEMS |= {"1002": ("22", "1", 7.0)}  # category, location, price
