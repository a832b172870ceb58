"""Plausible names for made-up people: common Chinese and English names, put together by chance.

Surnames and given-name characters are among the most frequent of the national name reports; nobody in particular is
meant.
"""

from __future__ import annotations

from random import Random

SURNAMES_ZH = tuple(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈姜崔谭陆范汪廖石金韦贾夏付方白邹孟熊秦邱江尹薛"
)
GIVEN_ZH = tuple(
    "子梓宇浩欣雨思佳怡涵诗嘉俊晨轩博文睿泽瑞铭辰皓然安宁悦彤雅静琪萱妍可心语桐一诺明远志强建国华伟丽敏芳慧秀兰英杰磊洋勇艳娟涛超平刚霞玲红燕"
)
SURNAMES_EN = (
    "Adams", "Allen", "Baker", "Bennett", "Brooks", "Carter", "Clark", "Collins", "Cooper", "Cruz", "Davies", "Diaz",
    "Evans", "Fisher", "Foster", "Garcia", "Gray", "Green", "Hall", "Harris", "Hayes", "Hughes", "Jackson", "Kelly",
    "Khan", "Kim", "King", "Lee", "Lewis", "Lopez", "Martin", "Mason", "Miller", "Moore", "Morgan", "Murphy", "Nguyen",
    "Owens", "Parker", "Patel", "Perez", "Price", "Reed", "Rivera", "Roberts", "Ross", "Russell", "Scott", "Silva",
    "Singh", "Smith", "Stewart", "Taylor", "Thomas", "Turner", "Walker", "Ward", "Watson", "White", "Wilson", "Wood",
    "Wright", "Young",
)  # fmt: skip
GIVEN_EN = (
    "Aaron", "Abigail", "Adam", "Alice", "Amelia", "Andrew", "Anna", "Ben", "Caleb", "Charlotte", "Chloe", "Clara",
    "Daniel", "David", "Diana", "Edward", "Ella", "Emily", "Emma", "Ethan", "Eva", "Felix", "Finn", "Grace", "Hannah",
    "Harry", "Henry", "Isaac", "Isla", "Ivy", "Jack", "James", "Julia", "Kate", "Laura", "Leo", "Liam", "Lily",
    "Louis", "Lucas", "Lucy", "Maria", "Mark", "Max", "Maya", "Mia", "Nathan", "Noah", "Nora", "Oliver", "Olivia",
    "Oscar", "Owen", "Paul", "Rachel", "Robert", "Rosa", "Ruby", "Ryan", "Samuel", "Sarah", "Simon", "Sofia",
    "Stella", "Theo", "Thomas", "Victor", "Violet", "William", "Zoe",
)  # fmt: skip


def surname(rng: Random, language: str) -> str:
    """A family name of ``language`` (zh-CN or en)."""
    return rng.choice(SURNAMES_EN if language == "en" else SURNAMES_ZH)


def given_name(rng: Random, language: str) -> str:
    """A given name of ``language``; Chinese ones have one character in a quarter of the cases, else two."""
    if language == "en":
        return rng.choice(GIVEN_EN)
    first = rng.choice(GIVEN_ZH)
    return first if rng.random() < 0.25 else first + rng.choice(GIVEN_ZH)
