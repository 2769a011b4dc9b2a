"""What end users write to a company's support assistant, and what tutoring pupils write to theirs."""

from governance.demo.grammar import Grammar
from governance.demo.wording.words import WORDS

SUPPORT = Grammar(
    {
        "system": """
            You are the support assistant of {company}. Answer in at most {3-6} sentences, never promise a \
                refund above {20-150} euros, and hand over to a person when the customer asks twice. \
                Opening hours: {7-9}:00 to {17-21}:00. Sign as "{name} from {company}".
            {company} help desk. Tone: {manner}. Use only what is in the order data; if you do not know, \
                say so and offer a ticket. Do not discuss competitors, prices of last year or legal \
                questions. Reply in the language of the customer.
            Role: first-line support for {company} ({trade}). Ask for the order number before anything \
                else. Escalate: injuries, data requests, press, anything above {200-900} euros. Keep it \
                {manner}.
        """,
        "manner": """
            calm and short | friendly, first names | formal | plain words, no emoji | warm but to the point
        """,
        "opening": """
            {greeting} {order_trouble} | {greeting} {order_trouble} | {greeting} {bill_trouble}
            {greeting} {login_trouble} | {greeting} {question}
            {order_trouble} {mood} | {bill_trouble} {mood} | {question} {mood} | {delivery}
        """,
        "greeting": """
            Hi, | Hello, | Good morning. | hey, | Hi there, | Dear team, | hello, quick one:
            Hi {name} here. | Evening,
        """,
        "order_trouble": """
            my {product} ({colour}) from order {order} arrived with {defect}. I bought it on \
                {day_of_month} and only opened the box today. Can I swap it in the {city} shop?
            I ordered a {quality} {product} on {day_of_month}, order {order}, and the box had a {product} \
                in it instead. I need the right one before {weekday}.
            order {order} says delivered {weekday} {clock} but nobody rang and there is nothing with the \
                neighbours. It's a {product} worth {euros}.
            can I still change the address of {order}? I moved to {city} last week and the {product} would \
                go to my old flat.
            the {product} I got in {month} {stops} after {2-40} minutes. I have tried {remedy} and \
                {remedy}. Serial number ends in {1000-9999}.
        """,
        "defect": """
            a crack on the left side | no charger | a broken hinge | the wrong plug | a scratch of {2-9} cm
            half the screws missing | a strange smell
        """,
        "stops": """
            switches itself off | starts beeping | gets very hot | loses the connection | shows E{10-99}
            leaks
        """,
        "remedy": """
            another socket | a reset | new batteries | the app update | cleaning the filter
            waiting overnight
        """,
        "bill_trouble": """
            I was charged {euros} on {day_of_month} although I cancelled in {month}. Reference {order}. \
                Please explain and send it back.
            my invoice for {month} shows {euros} but my plan is {euros}. What is "service adjustment"? I \
                can't find it anywhere in the contract.
            can I get the invoice {order} with our company name on it? We are in {city}, {department} \
                needs it by {weekday}.
            the discount code from {weekday}'s mail doesn't work on the {product}. It says expired but it \
                should run until {day_of_month}.
        """,
        "login_trouble": """
            I can't log in since {weekday}. The code never comes to my phone, I changed numbers in \
                {month}. My customer number is {100000-999999}.
            the app {stops} on the screen with the {product}. Version {2-9}.{0-20}.{0-9}, phone is {2-6} \
                years old. Reinstalled {2-4} times already.
            somebody else's order ({order}, a {product} to {city}) shows up in my account. That can't be \
                right, please check before my data goes anywhere.
        """,
        "question": """
            does the {quality} {product} fit the older {product} stand from {2017-2024}? The page only \
                says "most models" and I'd rather not send it back from {city}.
            do you deliver to {city} on a {weekday} evening, and would you take the old {product} away? \
                It's on the {2-9}th floor, no lift.
            is the {product} in {colour} coming back before {month}? I've been on the waiting list since \
                {day_of_month}, number {2-400}.
            how long is the guarantee on the {product} if a business buys it? We'd need {4-60} pieces for \
                {department} by {day_of_month}.
        """,
        "delivery": """
            Delivery was promised between {8-12} and {13-18} on {weekday}, I took the day off, nobody \
                came. Order {order}, {product}, {euros}. What now?
            Parcel {order} has been "in {city}" since {day_of_month}. Is it lost? I'd take the {colour} \
                one instead if you have that in stock.
        """,
        "mood": """
            This is mail number {2-5} from me. | Not urgent. | I'm getting a bit tired of this.
            Thanks in advance, {name} | Please answer by mail, not phone.
            I've been a customer since {2009-2024}. | {name} from your team already promised a call.
            Sorry for the long text.
        """,
        "reply": """
            I'm sorry about that. I can see order {order} here. Could you tell me whether {check}? Then I \
                can send a replacement today.
            Thank you for the details. The quickest way is to {offer}; it usually takes {1-6} working \
                days. Shall I start that for you?
            I understand. According to our system the {product} left {city} on {day_of_month}. If it is \
                not there by {weekday} I will {offer}.
        """,
        "check": """
            the seal was broken | the light blinks | you still have the box
            the label shows {10-99}-{1000-9999} | you paid by card
        """,
        "offer": """
            send a new one | refund the shipping | open a ticket with {department} | book a collection
            credit {5-40} euros
        """,
        "follow_up": """
            yes, {detail} | no, {detail} | Ok and {further} | {detail} {further} | {^further} {mood}
            Fine. {^detail}
        """,
        "detail": """
            I still have the box, it says {10-99}-{1000-9999}. | I paid by card on {day_of_month}.
            the light blinks {2-9} times. | {name} signed for it.
            it's the {colour} one. | I already sent photos on {weekday}.
            it was a present from {name} in {city}. | the number is {order}.
        """,
        "further": """
            how long does that take? | do I have to pay for the return?
            can somebody call me after {clock}? | what about the {product}?
            can I just get my {euros} back? | will it be the same colour? | who picks it up in {city}?
            could you send that by mail too?
        """,
        "tutor_system": """
            You are a patient tutor on {company}, for pupils aged {9-12} to {13-18}. Never give the final \
                answer first: ask what they tried, give one hint at a time, praise effort, and only show \
                the full solution after two attempts.
            {company} study companion. Explain step by step at the level of year {5-12}, check \
                understanding with a short question at the end, and keep away from anything that is not \
                schoolwork.
        """,
        "pupil": """
            {sum} {stuck} | {sum} {stuck} | {essay} | {essay} | {science} {stuck} | {vocab}
        """,
        "stuck": """
            I don't get it | my answer was {2-400} but the book says {2-400} | we have a test on {weekday}
            my teacher did it differently
            I'm stuck at the second step | is this right? | pls help, it's due at {clock}
            {name} said to use a table but why?
        """,
        "sum": """
            a bus leaves {city} at {clock} and drives {40-95} km/h, a second one leaves {10-55} min later \
                at {60-130} km/h. when does it catch up?
            solve {2-9}x + {3-40} = {1-6}x + {41-99} and then check it
            {name} has {20-90} stickers, gives {2-9} to each of {2-8} friends and then doubles what is \
                left. how many now?
            find the area of a triangle with base {3-40} cm and height {3-40} cm, then of the same one \
                {2-5} times as big
            {12-98} percent of a class of {20-34} like maths, {3-9} more like sport. how many like both if \
                everyone likes one?
            the sequence goes {1-9}, {10-19}, {20-35}, ... what would be number {8-60}? and is {200-900} \
                in it?
        """,
        "essay": """
            I have to write {150-600} words about a book where {name} moves to {city} and is lonely. My \
                first sentence is "It was {weekday} and {name} had no friends." How do I go on from there?
            how do I start a text about whether {hot_topic}? I'm {pro_con} it. I have {2-4} arguments but \
                no introduction, about {100-400} words
        """,
        "hot_topic": """
            phones should be banned in school | homework is useful | zoos should close
            we need school on {weekday} | buses should be free
        """,
        "pro_con": "for | against | not sure about | mostly for | mostly against",
        "science": """
            in class we heated {50-400} ml of water from {8-30} to {45-95} degrees and {name} measured the \
                time. what goes on which axis and why is my line not straight?
            why does a {product} use {200-2200} watts and a lamp only {4-60}? what does it cost for {1-9} \
                hours if one kWh is {22-49} cents?
            plants: we put one in the dark for {3-20} days and one by the window. mine in the dark got \
                longer?? I measured {3-9} cm and {10-19} cm
        """,
        "vocab": """
            can you ask me {5-20} {language} words about {hot_subject} one at a time and correct me, I \
                always mix up the articles
            what is the difference between the two past tenses in {language}? with {2-5} examples about \
                {hot_subject} please
        """,
        "hot_subject": """
            the weather | food | sport | my family | travelling | school | animals | shopping | music
            the body
        """,
        "company": "the company",
    },
    WORDS,
)
