"""Curricula in English: ``##`` subject|grade|book, ``#`` a chapter, and below it topic|periods|objective|key point."""

TEXT = """\
## Mathematics|Year 7|Lower Secondary Stage 7
# Number
Integers, powers and roots|4|Add, subtract and multiply negative integers; use square and cube roots|negative integers
Place value and rounding|3|Multiply and divide by powers of 10; round to decimal places|powers of 10
Decimals|4|Order, add and multiply decimals|estimation
Fractions|5|Add and subtract mixed numbers; multiply and divide proper fractions|common denominator
# Algebra
Expressions, formulae and equations|5|Construct and simplify expressions; solve simple equations|inverse operations
Sequences and functions|4|Find the nth term of a linear sequence|term-to-term rule
Graphs|3|Draw and interpret straight-line graphs|gradient
# Geometry
Angles and constructions|4|Use the sum of angles at a point and in a quadrilateral|parallel lines
Shapes and symmetry|3|Identify rotational symmetry; know the parts of a circle|circle vocabulary
Shapes, area and volume|4|Convert units; find the area of triangles and the volume of cuboids|units
# Statistics
Planning and collecting data|2|Plan an investigation; choose a sample|bias
Probability|3|Use the language of probability; find experimental probabilities|mutually exclusive events
## Mathematics|Grade 3|Bridges Book A
# Unit 1 Addition and subtraction patterns
Doubles and near doubles to 20|4|Use doubles facts to add within 20|fluency
Subtraction on the number line|3|Subtract by counting back and up|difference
Rounding to the nearest 10 and 100|3|Round whole numbers|benchmarks
# Unit 2 Introduction to multiplication
Equal groups and arrays|4|Represent multiplication with arrays|rows and columns
Multiplying by 2, 5 and 10|4|Recall the 2s, 5s and 10s facts|skip counting
Scaled bar graphs|2|Draw a scaled bar graph|scale
# Unit 3 Multi-digit addition and subtraction
Addition to 1000|4|Add with the standard algorithm|regrouping
Subtraction across zeros|3|Subtract with regrouping|zeros
Two-step word problems|3|Solve two-step problems and check by estimating|modelling
# Unit 4 Measurement
Telling time to the minute|2|Tell and write time; find elapsed time|elapsed time
Mass and liquid volume|3|Measure in grams, kilograms and litres|estimating
## English Language Arts|Grade 6|Units of Study
# Narrative
Personal narrative: small moments|5|Develop a real experience with effective technique|show, not tell
Wonder by R. J. Palacio|8|Determine theme and cite textual evidence|point of view
Figurative language|3|Interpret similes, metaphors and idioms|context
# Informational texts
Reading non-fiction: main idea and details|5|Summarise a text without opinion|text features
Research and note-taking|4|Gather information from several sources|paraphrase
Writing an informative essay|5|Write with a clear thesis and transitions|thesis
# Poetry and drama
Poetry: rhythm, rhyme and free verse|4|Analyse how structure adds to meaning|stanza
Drama: A Midsummer Night's Dream (abridged)|6|Perform and compare versions|stage directions
# Argument
Opinion and argument writing|5|Support claims with reasons and evidence|counter-claim
Grammar workshop: pronouns and commas|2|Use pronouns in the proper case|commas
## Physics|Grade 9|IGCSE 0625
# Topic 1 Motion, forces and energy
1.1 Physical quantities and measurement techniques|2|Use rulers, measuring cylinders and timers|precision
1.2 Motion|4|Define speed, velocity and acceleration; read graphs|distance-time graphs
1.3 Mass, weight and density|3|Distinguish mass and weight; find density by experiment|density practical
1.4 Forces and momentum|5|Apply Newton's laws; calculate momentum|resultant force
1.5 Energy, work and power|5|Apply conservation of energy|efficiency
1.6 Pressure|2|Use p = F/A and pressure in liquids|units
# Topic 2 Thermal physics
2.1 Kinetic particle model of matter|3|Describe solids, liquids and gases|Brownian motion
2.2 Thermal properties and temperature|3|Explain expansion and specific heat capacity|change of state
2.3 Transfer of thermal energy|2|Compare conduction, convection and radiation|everyday uses
# Topic 3 Waves
3.1 General properties of waves|2|Use v = f x wavelength|transverse and longitudinal
3.2 Light|5|Draw ray diagrams for mirrors and thin lenses|refraction
3.3 Electromagnetic spectrum|1|State uses and dangers|order of the spectrum
3.4 Sound|2|Measure the speed of sound in air|ultrasound
## Biology|Grade 10|IGCSE 0610
# Cells and organisms
Characteristics of living organisms|1|Describe the seven characteristics|MRS GREN
Classification and keys|2|Build and use dichotomous keys|binomial system
Organisation of the organism|3|Compare plant and animal cells; use a microscope|magnification
Movement into and out of cells|4|Investigate diffusion, osmosis and active transport|water potential
# Biological molecules
Biological molecules and food tests|2|Carry out food tests safely|Benedict's test
Enzymes|3|Investigate the effect of temperature and pH|active site
# Plants
Plant nutrition: photosynthesis|4|Investigate the need for light and carbon dioxide|limiting factors
Transport in plants|3|Describe xylem, phloem and transpiration|translocation
# Animals
Human nutrition|4|Describe digestion and absorption|villi
Transport in animals|4|Describe the heart and circulation|double circulation
Gas exchange and respiration|4|Compare aerobic and anaerobic respiration|oxygen debt
Diseases and immunity|2|Describe the body's defences|vaccination
## Physical Education|Year 8|PHE MYP 2
# Invasion games
Football: passing and moving|3|Pass accurately under pressure|support play
Basketball: dribbling and lay-ups|4|Dribble with either hand|footwork
Tag rugby|3|Apply attacking and defending principles|width
# Athletics
Sprints and relay (4 x 100 m)|3|Perform a safe baton exchange|acceleration
Long jump|2|Combine run-up and take-off|take-off board
Throwing events: shot and javelin|2|Throw safely with correct grip|release angle
# Health and fitness
Fitness components and circuit training|4|Plan a personal circuit|overload
Yoga and mindfulness|2|Hold and link basic poses|breathing
# Net games
Badminton: serve and clear|3|Serve legally and use space|grip
Volleyball: dig and set|3|Play a three-touch game|ready position
## Visual Arts|Grade 7|Foundation course
# Observation
Line and mark making|2|Use line to show texture|contour
Tonal drawing: still life|3|Use a full range of tone|light source
Colour theory|3|Mix secondary and tertiary colours|complementary colours
# Printmaking
Lino printing|4|Cut and print an edition safely|registration
Pattern and repeat|2|Design a repeat pattern|rotation
# Three dimensions
Clay: coil pots|4|Build and join coils|score and slip
Cardboard relief|3|Make a relief inspired by Louise Nevelson|composition
# Identity
Self-portrait project|5|Create a portrait that shows identity|proportion
Exhibition and artist statement|2|Curate work and write a statement|reflection
## Geography|Year 9|Key Stage 3
# Physical geography
Map skills and GIS|3|Use grid references and layers|six-figure references
Rivers and flooding|5|Explain river landforms and flood management|hydrograph
Weather hazards|4|Explain tropical storms and their effects|storm formation
Ice on the land|3|Describe glacial landforms|erosion
# Human geography
Population and migration|4|Interpret population pyramids|push and pull factors
Urbanisation in Asia|4|Compare two mega-cities|Shanghai and Mumbai
Development and trade|4|Use development indicators|HDI
Tourism: holidays and their impact|3|Evaluate the impact of tourism|sustainable tourism
## Computer Science|Grade 8|Middle School course
# Computational thinking
Algorithms and flowcharts|2|Design algorithms with flowcharts|decomposition
Searching and sorting|3|Compare linear and binary search|efficiency
# Programming in Python
Variables and input/output|2|Write simple programs|data types
Selection: if, elif, else|3|Use Boolean expressions|logic
Loops: for and while|3|Choose the right loop|iteration
Lists and functions|4|Write functions with parameters|scope
# Data and networks
Binary and data representation|3|Convert between denary and binary|bits and bytes
Networks and the internet|2|Explain packets and protocols|IP address
Staying safe online|1|Recognise phishing and protect data|passwords
Physical computing: micro:bit project|4|Build and test a device|sensors
## Chinese as an Additional Language|Grade 5|Easy Steps Book 3
# Me and my school
Lesson 1 My timetable 我的课程表|4|Talk about subjects and times of the day|几点
Lesson 2 School rules 校规|3|Say what one may and may not do|可以、不可以
Lesson 3 After-school activities 课外活动|4|Talk about hobbies and frequency|常常
# Out and about
Lesson 4 Weather and seasons 天气和季节|4|Describe and compare the weather|比
Lesson 5 My summer holiday 我的暑假|4|Describe a past holiday|过、了
Lesson 6 Asking the way 问路|3|Ask for and give directions|往、到
# Food and festivals
Lesson 7 In the restaurant 在饭店|4|Order a meal|量词
Lesson 8 Spring Festival 春节|3|Describe how families celebrate|节日用语
"""
