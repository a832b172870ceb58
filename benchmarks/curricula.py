"""Units of real curricula, for the benchmarks: title, topics, objectives; Chinese and English."""

from __future__ import annotations

CHINESE = """
有理数: 正数和负数; 数轴; 相反数与绝对值 | 会用正负数表示相反意义的量; 能在数轴上表示有理数并比较大小
有理数的加减法: 加法法则; 减法法则; 加减混合运算 | 掌握加法和减法法则; 能熟练进行加减混合运算
有理数的乘除法: 乘法法则; 倒数; 除法法则 | 理解倒数的意义; 能进行乘除运算
乘方与科学记数法: 乘方的意义; 科学记数法; 近似数 | 理解乘方的意义; 会用科学记数法表示大数
整式的加减: 单项式与多项式; 同类项; 去括号 | 会合并同类项; 能进行整式加减
一元一次方程: 从算式到方程; 等式的性质; 移项与合并 | 会解一元一次方程; 理解等式的性质
实际问题与方程: 配套问题; 工程问题; 销售盈亏 | 能列方程解决实际问题; 体会建模思想
几何图形初步: 立体图形与平面图形; 直线射线线段; 点线面体 | 认识常见几何体; 会画线段的和差
角: 角的度量; 角的比较; 余角和补角 | 会度量与比较角; 理解余角和补角的性质
相交线与平行线: 对顶角; 垂线; 平行线的判定与性质 | 掌握平行线的判定; 会用性质推理
平面直角坐标系: 有序数对; 坐标平面; 用坐标表示平移 | 能用坐标表示位置; 会求平移后的坐标
二元一次方程组: 代入消元法; 加减消元法; 三元一次方程组 | 会用消元法解方程组; 体会化归思想
数据的收集与整理: 统计调查; 直方图; 抽样 | 会设计调查问卷; 能画频数直方图
机械运动: 长度和时间的测量; 参照物; 运动的快慢 | 会使用刻度尺和停表; 理解速度的含义
声现象: 声音的产生与传播; 音调响度音色; 噪声的控制 | 知道声音由振动产生; 能区分音调与响度
物态变化: 温度计; 熔化和凝固; 汽化和液化; 升华和凝华 | 会用温度计测温; 能解释生活中的物态变化
光现象: 光的直线传播; 光的反射; 平面镜成像; 光的折射 | 知道反射定律; 能画平面镜成像光路图
透镜及其应用: 凸透镜成像规律; 照相机与投影仪; 眼睛和眼镜 | 掌握凸透镜成像规律; 了解近视的矫正
质量与密度: 质量的测量; 密度公式; 密度与社会生活 | 会用天平测质量; 能用密度鉴别物质
力与弹力: 力的作用效果; 弹簧测力计; 弹力 | 会画力的示意图; 能正确使用弹簧测力计
重力: 重力的大小; 重心; 万有引力 | 知道重力与质量成正比; 会确定重心
牛顿第一定律: 阻力对运动的影响; 惯性 | 理解牛顿第一定律; 会解释惯性现象
压强: 压力的作用效果; 固体压强; 减小和增大压强 | 理解压强公式; 能解释增大压强的方法
液体压强与连通器: 液体内部压强; 连通器原理; 船闸 | 知道液体压强规律; 了解船闸工作过程
浮力: 阿基米德原理; 物体的浮沉条件; 轮船与潜水艇 | 会计算浮力; 能判断浮沉
功和机械能: 功; 功率; 动能和势能; 机械能守恒 | 理解功和功率; 能分析能量转化
简单机械: 杠杆; 滑轮组; 机械效率 | 掌握杠杆平衡条件; 会计算机械效率
春天的脚步: 朱自清《春》; 老舍《济南的冬天》; 刘湛秋《雨的四季》 | 品味写景语言; 学习多角度描写景物
亲情之歌: 史铁生《秋天的怀念》; 莫怀戚《散步》; 泰戈尔散文诗两首 | 体会亲人之间的情感; 学习以小见大的写法
少年时光: 《从百草园到三味书屋》; 海伦凯勒《再塑生命的人》; 《论语》十二章 | 了解鲁迅童年生活; 背诵并理解论语
人生之舟: 《纪念白求恩》; 《植树的牧羊人》; 《诫子书》 | 领会人物精神品质; 积累文言词语
动物世界: 郑振铎《猫》; 劳伦兹《鸟》; 蒲松龄《狼》 | 体会人与动物的关系; 学习默读与概括
想象之翼: 《皇帝的新装》; 郭沫若诗二首; 《女娲造人》 | 把握童话寓言特点; 发挥联想与想象
古诗词诵读: 《观沧海》; 《闻王昌龄左迁龙标遥有此寄》; 《天净沙秋思》 | 背诵并默写; 赏析意象
名著导读西游记: 孙悟空形象; 精彩情节; 读书交流会 | 制定阅读计划; 能分析人物形象
细胞的结构: 显微镜的使用; 植物细胞; 动物细胞 | 会制作临时装片; 能说出细胞各部分名称
绿色开花植物的一生: 种子的萌发; 植株的生长; 开花和结果 | 描述种子萌发条件; 说明传粉受精过程
光合作用与呼吸作用: 叶绿体; 有机物的制造; 呼吸释放能量 | 说明光合作用的原料与产物; 比较两种作用
人体的营养: 消化系统; 合理膳食; 食品安全 | 概述消化吸收过程; 设计一份营养食谱
人体的呼吸与循环: 肺泡气体交换; 血液成分; 心脏结构 | 描述血液循环途径; 说明气体交换原理
地球和地图: 经纬网; 地球运动; 地图的阅读 | 会用经纬度定位; 能解释昼夜交替
陆地和海洋: 大洲大洋分布; 海陆变迁; 板块构造 | 说出七大洲四大洋; 用板块学说解释地震
天气与气候: 天气预报; 气温分布; 降水分布; 世界气候类型 | 会看天气符号; 归纳气温变化规律
史前时期与早期人类: 北京人; 农耕生活; 炎黄传说 | 知道北京人的特征; 了解原始农业
夏商周的更替: 禹建夏朝; 分封制; 青铜器与甲骨文 | 了解分封制的内容; 认识甲骨文
秦汉大一统: 秦统一中国; 文景之治; 汉武帝巩固统一 | 理解统一的意义; 评价秦始皇
隋唐盛世: 开凿大运河; 科举制; 贞观之治; 开元盛世 | 说明科举制影响; 知道唐朝对外交流
""".strip()

ENGLISH = """
Rational numbers: Negative numbers; The number line; Absolute value | Represent numbers on a line; Compare numbers
Linear equations: Balancing an equation; Like terms | Solve equations in one unknown; Explain each step
Ratio and proportion: Equivalent ratios; Scale drawings; Unit rates | Use ratios in recipes; Read a scale drawing
Percentages: Percent increase; Discounts; Simple interest | Calculate discounts; Compare offers
Angles and triangles: Measuring angles; Angle sum; Congruence | Measure with a protractor; Prove the angle sum
Circles: Circumference; Area of a sector; Tangents | Find circumference and area; Construct a tangent
Probability: Sample spaces; Tree diagrams; Expected value | List outcomes; Draw tree diagrams
Handling data: Surveys; Histograms; Averages and spread | Design a questionnaire; Choose a suitable average
Forces and motion: Speed and velocity; Friction; Newton's laws | Calculate average speed; Explain inertia
Light and shadow: Reflection; Refraction; Lenses | Draw ray diagrams; Describe images
Electric circuits: Series and parallel; Resistance; Ohm's law | Build simple circuits; Use Ohm's law
Magnets: Poles and fields; Electromagnets; Motors | Map a magnetic field; Explain a motor
Heat and temperature: Thermometers; Conduction; Radiation | Read a thermometer; Compare insulators
The water cycle: Evaporation; Condensation; Clouds and rain | Explain evaporation; Label the cycle
Rocks and soil: Igneous rocks; Sediments; Fossils | Classify rocks; Explain fossil formation
Cells: The microscope; Plant cells; Animal cells | Prepare a slide; Name parts of a cell
Photosynthesis: Leaves; Sunlight and sugar; Gas exchange | Write the word equation; Test a leaf for starch
The human body: Digestion; Blood and heart; Lungs | Trace the path of food; Describe circulation
Ecosystems: Food webs; Habitats; Human impact | Draw a food web; Discuss conservation
Acids and alkalis: Indicators; Neutralisation; Salts | Use indicators; Write word equations
The periodic table: Groups; Metals; Halogens | Find elements in the table; Predict reactivity
Ancient Egypt: The Nile; Pharaohs; Pyramids | Explain the role of the Nile; Describe beliefs
The Roman Republic: Senate and people; Punic wars; Julius Caesar | Describe the constitution; Evaluate Caesar
Medieval towns: Guilds; Markets; The Black Death | Explain guilds; Weigh causes of the plague
The age of exploration: Navigation; Trade routes; Columbus and Magellan | Trace voyages; Judge consequences
The industrial revolution: Steam power; Factories; Child labour | Explain inventions; Use sources
Volcanoes and earthquakes: Plates; Eruptions; Preparing for disasters | Explain plate boundaries; Plan for safety
Weather and climate: Weather maps; Pressure; Climate zones | Read a weather map; Compare climates
Rivers and coasts: Erosion; Meanders; Flood defences | Describe erosion; Evaluate defences
Population and cities: Migration; Megacities; Housing | Interpret population pyramids; Discuss migration
My family and friends: Describing people; Relatives; Daily routines | Introduce family members; Use present simple
Food and health: Shopping lists; Recipes; Healthy habits | Order a meal; Give advice
Travelling by train: Timetables; Buying tickets; Giving directions | Ask the way; Understand announcements
Festivals around the world: Spring Festival; Diwali; Thanksgiving | Compare traditions; Write an invitation
Short stories: Plot; Characters; Point of view | Summarise a plot; Describe a character
Poetry: Rhyme; Metaphor; Haiku | Identify metaphors; Write a haiku
Persuasive writing: Arguments; Evidence; Letters to the editor | Structure an argument; Use evidence
Newspapers and media: Headlines; Fact and opinion; Interviews | Tell fact from opinion; Conduct an interview
Shakespeare's Macbeth: Ambition; The witches; Stagecraft | Analyse ambition; Perform a scene
Public speaking: Posture and voice; Speeches; Debating | Deliver a speech; Debate politely
""".strip()


def entries(text: str) -> list[tuple[str, list[str], list[str]]]:
    """Title, topics and objectives of each line."""
    found = []
    for line in text.splitlines():
        title, _, rest = line.partition(": ")
        topics, _, objectives = rest.partition(" | ")
        found.append((title, topics.split("; "), objectives.split("; ")))
    return found
