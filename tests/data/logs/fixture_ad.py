"""Taobao's Ad logs by hand: five users, and what becomes of each of 33 rows.

Times count from T, 2017-05-06 00:00 in China. The ads 101 to 104 are shown often, 105
once, and 999 is in no table. `c` is a click.

user 1  window of 0 to 300: 101c 102 103. 300 seconds are within a window.
        window of 1000 to 1100: 102c 101 104
        window of 5000 to 5003: 103 104c 105 999
user 2  2000: 101. It is 301 seconds older than 2301.
        window of 2001 to 2301: 102 104 103c
user 3  3000: 101 102c 103
user 4  4000: 101 102 103 104
user 5  6000: 101c 102 103 104, all at once. No profile.
        window of 7000 to 7002: 101 102c 103; the first stands there again, clicked

The paper's rules. 105 has one row of four, user 3 three rows of four, user 4 no click.
What is left makes windows with three candidates at 0, 1000, 2001, 6000 and 7000: the
cuts of 30, 50 and 10 % are the times 1 (of 1.5), 4 and 4 (of 4.5) of these, 1000 and
7000. So the first list is for the first stage, three for training, the last for the
test. The click at 0 is history of the list at 1000.

LibRerank's rules: the newest window with a click of each user with three rows. Items
have no least number.
"""

T = 1494000000
FILES = {
    "raw_sample.csv": f"""\
user,time_stamp,adgroup_id,pid,nonclk,clk
5,{T + 7000},101,430548_1007,1,0
1,{T + 1000},102,430548_1007,0,1
1,{T + 300},103,430548_1007,1,0
4,{T + 4000},101,430539_1007,1,0
1,{T + 1100},104,430548_1007,1,0
2,{T + 2000},101,430548_1007,1,0
1,{T + 1100},101,430548_1007,1,0
5,{T + 6000},104,430548_1007,1,0
1,{T},101,430548_1007,0,1
3,{T + 3000},101,430548_1007
1,{T + 60},102,430548_1007,1,0
3,{T + 3000},101,430548_1007,1,0
3,{T + 3000},102,430548_1007,0,1
3,{T + 3000},103,430548_1007,1,0
2,{T + 2301},103,430548_1007,0,1
2,{T + 2001},102,430548_1007,1,0
2,{T + 2100},104,430548_1007,1,0
2,{T + 2100},104,430548_1007,1,0
4,{T + 4001},102,430539_1007,1,0
4,yesterday,103,430539_1007,1,0
4,{T + 4002},103,430539_1007,1,0
4,{T + 4003},104,430539_1007,1,0
1,{T + 5002},105,430548_1007,1,0
1,{T + 5003},999,430548_1007,1,0
1,{T + 5000},103,430548_1007,1,0
1,{T + 5001},104,430548_1007,0,1
5,{T + 6000},101,430548_1007,0,1
5,{T + 6000},102,430548_1007,1,0
5,{T + 6000},103,430548_1007,1,2
5,{T + 6000},103,430548_1007,1,0
5,{T + 7001},102,430548_1007,0,1
5,{T + 7002},103,430548_1007,1,0
5,{T + 7000},101,430548_1007,0,1
""",
    "ad_feature.csv": """\
adgroup_id,cate_id,campaign_id,customer,brand,price
101,6406,83237,1,95471,170.0
102,6406,83237,1,NULL,0.0
103,392,9,2,95471,19.9
104,392,9,2,7,1.0
105,1,1,1,1,1.0
""",
    "user_profile.csv": (
        "userid,cms_segid,cms_group_id,final_gender_code,age_level,pvalue_level,"
        "shopping_level,occupation,new_user_class_level \n"
        "1,0,5,2,5,,3,0,3\n"
        "2,7,2,2,2,1,3,1,\n"
        "3,0,1,1,1,,3,0,\n"
        "4,0,1,1,1,,3,0,2\n"
        "9,0,1,1,1,,3,0,2\n"
    ),
    "behavior_log.csv": "user,time_stamp,btag,cate,brand\n1,1493741625,pv,6250,91286\n",
}
# Split, user, rows before, begin → clicks by candidate, and history (item, hours ago).
PAPER = {
    f"1-{T + 1000}-0": (
        ("train", "1", 3, T + 1000),
        {"102": 1, "101": 0, "104": 0},
        [("101", 1000 / 3600)],
    ),
    f"2-{T + 2001}-0": (
        ("train", "2", 1, T + 2001),
        {"102": 0, "104": 0, "103": 1},
        [],
    ),
    f"5-{T + 6000}-0": (
        ("train", "5", 0, T + 6000),
        {"101": 1, "102": 0, "103": 0, "104": 0},
        [],
    ),
    f"5-{T + 7000}-0": (
        ("test", "5", 4, T + 7000),
        {"101": 1, "102": 1, "103": 0},
        [("101", 1000 / 3600)],
    ),
}
BEFORE_WINDOWS = {
    "wrong_columns": 1,
    "bad_time": 1,
    "bad_label": 1,
    "duplicate": 2,
    "unknown_item": 1,
}
PAPER_ENDS = BEFORE_WINDOWS | {
    "read": 33,
    "train": 10,
    "test": 3,
    "history_only": 1,
    "first_stage_period": 2,
    "item_below_minimum": 1,
    "user_below_minimum": 3,
    "user_without_click": 4,
    "too_few_candidates": 3,
}
# Who is drawn into which split is no matter of paper: begin → clicks, and history.
LIBRERANK = {
    f"1-{T + 5000}-0": ({"103": 0, "104": 1, "105": 0}, ["101", "102"]),
    f"2-{T + 2001}-0": ({"102": 0, "104": 0, "103": 1}, []),
    f"3-{T + 3000}-0": ({"101": 0, "102": 1, "103": 0}, []),
    f"5-{T + 7000}-0": ({"101": 1, "102": 1, "103": 0}, ["101"]),
}
PROFILES = {
    "1": ("0", "5", "2", "5", "", "3", "0", "3"),
    "2": ("7", "2", "2", "2", "1", "3", "1", ""),
    "5": ("null",) * 8,
}
PROFILE_NAMES = (
    "user_segment",
    "user_group",
    "user_gender",
    "user_age_level",
    "user_consumption",
    "user_shopping_depth",
    "user_is_student",
    "user_city_tier",
)
ITEMS = {  # category, campaign, customer, brand, price
    "101": ("6406", "83237", "1", "95471", 170.0),
    "102": ("6406", "83237", "1", "null", 0.0),
    "103": ("392", "9", "2", "95471", 19.9),
    "104": ("392", "9", "2", "7", 1.0),
}
