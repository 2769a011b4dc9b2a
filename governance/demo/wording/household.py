"""What people ask about their kitchen, home and garden."""

from governance.demo.grammar import Grammar
from governance.demo.wording.words import WORDS

HOUSEHOLD = Grammar(
    {
        "dinner": """
            I have {food}, {food} and half a packet of {food} left. {diet} What could I cook in about \
                {15-50} minutes for {2-6} people?
            {diet} we're {2-8} for dinner on {weekday} and I'd like to do something with {food} that isn't \
                a curry. Ideas? It has to survive {20-60} minutes of waiting because people always arrive \
                late.
            My {dish} always turns out {fault}. I use {food} and {food} and bake it at {160-230} degrees \
                for {20-55} minutes. What am I doing wrong?
        """,
        "food": """
            chickpeas | leeks | smoked trout | red lentils | feta | a butternut squash | spinach
            pearl barley | mushrooms
            coconut milk | chicken thighs | cabbage | halloumi | black beans | sweet potatoes | rice noodles
            eggs | beetroot
            tinned tomatoes | sourdough | aubergines | prawns | tofu | fennel
        """,
        "dish": """
            focaccia | moussaka | apple cake | frittata | lasagne | banana bread | gratin | shortbread
            quiche
        """,
        "fault": "soggy in the middle | dry | far too dense | burnt at the edges | flat | bland | greasy",
        "diet": """
            One of us is vegetarian. | No dairy please. | My daughter can't have nuts.
            Nothing spicy, the kids won't eat it.
            We're trying to eat less meat. | No oven, just two hobs. | {^name} is coeliac. | Cheap is good.
        """,
        "home": """
            The {fixture} in our {17-99} year old flat {trouble}. I've already {attempt}. Is this \
                something I can fix myself with basic tools or do I need someone in?
            I want to put up a {60-240} cm shelf on a plasterboard wall for about {10-60} kg of {load}. \
                {^fixture} is right behind it. Which fixings and how many?
        """,
        "fixture": """
            kitchen tap | bathroom fan | radiator | cistern | front door lock | extractor hood | skylight
            shower mixer
        """,
        "trouble": """
            drips every {5-40} seconds | hums at night | only works when it's cold | leaks when it rains
            has been stuck since {month}
        """,
        "attempt": """
            cleaned it | replaced the washer | bled the system twice | watched {2-9} videos
            oiled the hinge | turned the valve off and on
        """,
        "load": "books | vinyl records | paint tins | plants | kitchen things | board games",
        "garden": """
            My {plant} {symptom} since about {day_of_month}. It stands {place} and gets watered {1-6} \
                times a week. {attempted} Photos wouldn't help much, it's mostly the lower leaves. What is \
                it?
        """,
        "plant": """
            lemon tree | monstera | tomato plants | hydrangea | basil | fig | lavender | courgettes | orchid
            bay tree
        """,
        "symptom": """
            has been dropping leaves | has yellow spots | stopped flowering | has sticky leaves | is wilting
            grows sideways
        """,
        "place": """
            on a north balcony | by a south window | in a draughty hall | in a greenhouse
            outside in clay soil
        """,
        "attempted": """
            I repotted it in {month}. | Neem oil did nothing.
            I moved it {1-5} metres away from the radiator. | Feed every {1-4} weeks.
        """,
    },
    WORDS,
)
