"""The words that schools write above the columns of a plan, Chinese before the bar and English behind it."""

from __future__ import annotations

from typing import Literal

Field = Literal[
    "number", "key", "month", "week", "first_week", "last_week", "dates", "starts", "ends", "when", "unit", "topic",
    "content", "periods", "objectives", "key_points", "methods", "homework", "materials", "remarks",
    "online_alternative", "other",
]  # fmt: skip

# Columns that can give a unit its title, the most general first.
NAME_FIELDS: tuple[Field, ...] = ("unit", "topic", "content")
TEXT_FIELDS: tuple[Field, ...] = (
    "objectives", "key_points", "methods", "homework", "materials", "remarks", "online_alternative",
)  # fmt: skip

SYNONYMS: dict[Field, str] = {
    "number": (
        "序号 序 行号 编号 次序 顺序 课次 单元序号 单元号"
        " | no | number | nr | # | s/n | sn | serial no | item | seq | sequence | lesson no"
    ),
    "key": ("单元标识 单元编码 | unit key | unit id | unit code"),
    "month": ("月份 月 | month | months"),
    "first_week": ("起始周 开始周 起始周次 开始周次 | start week | from week | first week | week from"),
    "last_week": ("结束周 截止周 结束周次 终止周 截止周次 | end week | to week | last week | week to"),
    "week": (
        "周次 周 周数 周别 周序 起止周 起止周次 周次安排 第几周 教学周 上课周次 周次范围"
        " | week | weeks | week no | week number | wk | wks | school week | teaching week | teaching weeks"
    ),
    "dates": (
        "日期 起止日期 起讫日期 起讫时间 起止时间 月日 日期范围 上课日期 起止 起止月日 日期安排"
        " 授课日期 上课时间"
        " | date | dates | date range | from to | week beginning | week commencing | week starting | week of"
        " | w b | w c | wb | wc | suggested dates | lesson date | teaching dates | date taught"
        " | start end | start finish"
    ),
    "starts": (
        "开始日期 起始日期 开始时间 起始时间 开课日期"
        " | start date | start | starts | begin | begins | beginning | starting date"
    ),
    "ends": (
        "结束日期 截止日期 终止日期 结束时间 截止时间 | end date | end | ends | finish | finish date | ending date"
    ),
    "when": ("时间 时间安排 周次日期 起止周次日期 | time | timing | when | schedule"),
    "unit": (
        "单元 章节 章 单元名称 单元主题 单元标题 章节名称 模块 单元章节 项目 教材单元 单元课题 章节标题 项目名称 专题 "
        "教材章节"
        " | unit | units | unit title | unit name | chapter | module | unit no | chapter title | unit chapter"
        " | theme | unit of work | strand | big idea"
    ),
    "topic": (
        "课题 课题名称 主题 标题 课文 题目 课名 课文题目 课时内容 章节课题 篇目 课文篇目 课目 课文名称 课题内容"
        " | topic | topics | title | lesson title | lesson | subject matter | lesson topic | topic title"
        " | lesson name"
    ),
    "content": (
        "内容 主要内容 教材内容 课程内容 学习内容 内容安排 内容要点 内容及要求 内容与要求 具体内容 章节内容 知识内容"
        " 内容提要 知识点 计划内容 进度 进度安排 进度内容 本周安排 本周内容 周安排 小节 子课题 分课题"
        " | content | contents | teaching content | teaching contents | learning content | lesson content"
        " | course content | content covered | subject content | topics covered | topic covered | content to be covered"
        " | what is taught | learning focus | this week | week s work | weekly plan | subtopic | sub topic | subtopics"
        " | sub topics | sub unit"
    ),
    "periods": (
        "课时 课时数 学时 学时数 节数 课时安排 计划课时 所需课时 课时分配 课时计划 时数 预计课时 建议课时 "
        "拟用课时 课时量 计划学时 学时分配 课时划分 计划节数 预计学时 参考课时 需用课时 "
        "课时合计 合计课时 总课时 总课时数 总学时 学时合计"
        " | periods | period | no of periods | of periods | number of periods | class hours | class hour | lessons"
        " | no of lessons | number of lessons | class periods | teaching periods | hours | no of hours"
        " | number of hours | teaching hours | periods needed | periods allotted | allotted periods | sessions"
        " | no of sessions | number of sessions | no of class hours | number of class hours | planned periods"
        " | lesson count | period count | of lessons | of class periods | no of classes | number of classes"
        " | no of class periods | number of class periods | total lessons | total periods | total no of lessons"
        " | total class periods | total hours"
    ),
    "objectives": (
        "目标 学习目标 目的 目的要求 目的与要求 目的和要求 要求 单元目标 目标要求 素养目标 核心素养 "
        "核心素养目标 课时目标 三维目标 知识目标 能力目标 情感目标 知识与技能 过程与方法 情感态度与价值观 "
        "情感态度价值观 学习要求 单元教学目标 课标要求"
        " | objective | objectives | aim | aims | goal | goals | learning objectives | learning outcomes"
        " | outcomes | teaching objectives | teaching aims | learning goals | teaching goals"
        " | unit objectives | learning objective | learning outcome | students will be able to | standards"
        " | we are learning to | we are learning | skills | knowledge and skills"
        " | learning intentions | learning intention | learning targets | learning target | success criteria"
    ),
    "key_points": (
        "重点 难点 重难点 重点难点 重点与难点 关键 重难点分析 疑点"
        " | key points | key point | difficult points | difficulties | key and difficult points | focus"
        " | key points difficulties | teaching focus | key vocabulary | important points"
        " | important and difficult points | teaching key points | teaching difficulties | key difficult points"
        " | key concepts | emphasis"
    ),
    "methods": (
        "方法 教法 学法 方式 教法学法 措施 手段 策略 活动 方法与手段 主要措施 学习方式 学习活动 实践活动 学习方法"
        " | method | methods | teaching method | teaching methods | activities | strategies | approach"
        " | learning activities | teaching activities | methodology | teaching strategies"
        " | teaching and learning activities | activity | l t activities | teaching learning activities | tasks"
    ),
    "homework": (
        "作业 课后作业 作业布置 作业安排 作业设计 课外作业 家庭作业 布置作业 练习 作业内容 课后练习"
        " | homework | assignment | assignments | exercises | home work | hw | home learning"
    ),
    "materials": (
        "教具 资源 材料 教材 用具 课件 学具 准备 教具准备 媒体 参考资料 教具学具 教具和学具 材料准备 器材 "
        "教学用品 设备 课前准备 课程资源 实验器材 多媒体"
        " | materials | material | resources | resource | teaching aids | teaching materials"
        " | l t resources | teaching learning resources | ref | refs | reference | references"
        " | learning materials | textbook | equipment | tools | teaching resources | learning resources | teaching aid"
    ),
    "online_alternative": (
        "线上替代 线上替代方案 线上替代活动 线上替代内容 替代方案 线上方案 线上活动 线上安排 能否线上 可否线上 "
        "是否线上 是否适合线上 线上可行性"
        " | online alternative | online | online activity | online activities | online possible | can be online"
        " | remote alternative | alternative online"
    ),
    "remarks": (
        "备注 说明 附注 注 备考 其他 备注说明 评价 评价方式 评价方法"
        " | remark | remarks | note | notes | comment | comments | assessment | evaluation"
    ),
    "other": (
        "星期 教师 任课教师 授课教师 主讲教师 主讲人 主讲 执教 执教人 主备人 班级 年级 学科 科目 学校 "
        "教研组 完成情况 执行情况 落实情况 检查 检查情况 签字 签名 课型 第几课时 教室 地点 状态 节次 "
        "实际课时 实际日期 实际进度 累计课时"
        " | weekday | day | type | lesson type | part | room | venue | status | slot | teacher | class | grade"
        " | subject | school | completed | done | signature"
        " | actual periods | cumulative periods"
    ),
}

# A school's hour is one period, but the word may also mean sixty minutes: what it is must stand in the cell.
TIME_WORDS = "时长 用时 所需时间 时间分配 | duration | time needed | time allocation | teaching time | length"
