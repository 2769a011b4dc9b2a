"""Papers of a working company: handbooks, invoices, mails, reviews, product texts, notes."""

from governance.demo.grammar import Grammar
from governance.demo.wording.words import WORDS

DOCUMENTS = Grammar(
    {
        "passage": """
            {section} {clause} {clause} {clause} | {section} {clause} {clause}
            {section} {clause} {clause} {note}
        """,
        "section": """
            {2-14}.{1-9} {^subject}. | [{subject}, version {1-9}.{0-9}, {day_of_month}]
            Handbook of {department}, page {3-190}: | From the minutes of {day_of_month}:
        """,
        "subject": """
            travel expenses | parental leave | spare parts | customer complaints | cold storage
            subcontractors | data retention | overtime
            incident reports | price changes | returns | building access | company cars | probation
            supplier audits | calibration
        """,
        "clause": """
            Requests go to {department} at least {2-30} working days ahead and need the approval of {name} \
                {surname} above {euros}.
            For {product} the limit is {2-90} pieces a {period}; anything more is agreed with {department} \
                in {city}.
            {^subject} for staff in {city} follow the local rules, except on {weekday} after {clock}.
            The form is filed under {order} and kept for {2-10} years. Copies by mail are not accepted.
            A second check is done by {department} every {2-12} weeks; deviations above {2-15} percent are \
                reported the same day.
            Since {month} {2021-2026} the rate is {10-95} euros an hour, or {euros} flat where the job \
                takes longer than {2-9} hours.
            Whoever finds a fault in a {product} takes it out of use, hangs up the red card and calls \
                extension {200-899}.
            Exceptions last {5-60} days at most and end without notice. {^name} {surname} keeps the list.
        """,
        "period": "week | month | quarter | year | shift | order",
        "note": """
            (Amended on {day_of_month}.) | See also {2-14}.{1-9}. | This does not apply to trainees.
            Translation pending.
        """,
        "query": """
            Who has to approve {subject} above {euros}, and how many days ahead?
            How long do we keep the papers for {subject}, and does that hold in {city} too?
            A colleague in {department} wants {3-80} {product} units before {weekday}. What is allowed \
                without asking?
            What is the current rate for {subject} if a job takes {2-12} hours on a {weekday}?
            I found a broken {product} in {city}. Whom do I call and what happens next?
            Since when does the rule on {subject} apply, and are trainees exempt?
        """,
        "invoice": """
            {^surname} & {surname} {trade}, {city}⏎Invoice {order} of {day_of_month} {2024-2026}⏎⏎{2-40} x \
                {quality} {product}, {euros} each⏎{1-12} x {product} ({colour}), {euros} each⏎Delivery to \
                {department}, {city}: {euros}⏎⏎Net {100-990}.{10-99}, VAT {7-23} %. Payable within {7-45} \
                days, reference {100000-999999}.
            INVOICE No. {order}⏎Supplier: {surname} {trade}⏎Customer: attn. {name} {surname}, \
                {department}⏎Service period {day_of_month} to {day_of_month}⏎Pos 1  {subject}, {2-90} h at \
                {45-160}.00⏎Pos 2  travel {city}-{city}, {20-700} km⏎Pos 3  {product}, {quality}, qty \
                {1-30}⏎Total due {euros}, discount {1-4} % if paid by {day_of_month}.
        """,
        "application": """
            {name} {surname}, {city}. {2-25} years in {department}, last at {surname} {trade} as {post}. \
                Speaks {language} ({level}) and {language}. Led {2-30} people; introduced {subject} rules \
                that saved {euros} a {period}. Available from {day_of_month}. Tel. extension {2000-9899}.
            CV {surname}, {name}⏎{2008-2018}-{2019-2022} {post}, {trade}, {city}⏎{2022-2024}-today {post}, \
                {department}, {city}⏎Languages: {language}, {language} ({level})⏎Hobbies left out on \
                request. Salary expectation {32-98}k, notice {1-6} months, driving licence yes.
        """,
        "post": """
            dispatcher | lab technician | buyer | team lead | controller | service planner | trainer
            site manager | clerk
        """,
        "level": "A2 | B1 | B2 | C1 | fluent | native",
        "mail": """
            From: {name} {surname}⏎Subject: {product} for {city}⏎⏎Hello {name}, we still miss {2-80} \
                pieces of the {colour} {product} from {order}. {department} needs them by {weekday} \
                {clock} at the latest, otherwise we lose {euros} a day. Could you also confirm the meeting \
                on {day_of_month} in {city}? Regards, {name}
            From: {department}⏎Subject: Re: {subject}⏎⏎Dear {name}, as agreed with {name} {surname} on \
                {weekday}, the budget for {subject} moves from {euros} to {euros} with effect from \
                {day_of_month}. The {product} stays in {city} until then. Please tell {department}. Best, \
                {name} {surname}
        """,
        "review": """
            {verdict} I use the {product} {use} and after {2-30} {span} it {experience}. {aside}
            Bought the {quality} {product} for {use_case}. {verdict} It {experience}, {aside_lower} Would \
                {again} buy from you.
            {aside} The {colour} {product} {experience}. {verdict} Delivery to {city} took {1-19} days.
            {verdict} {name} from service {service}. The {product} itself {experience}. {aside}
        """,
        "verdict": """
            Honestly the best I've had. | Not worth {euros}. | Does what it says. | Two stars, generous.
            I'm torn. | Never again!
            Very pleased, thank you. | Good, not great. | A gift that landed well. | Disappointed.
            Surprisingly sturdy.
        """,
        "use": """
            every day | at the allotment | in the van | at work | on {weekday} evenings | for my mother
            in a damp cellar
        """,
        "use_case": """
            a trip to {city} | my {20-80} square metre flat | {department} | our school in {city}
            the holiday let | my dad
        """,
        "span": "days | weeks | months | uses | trips",
        "experience": """
            still looks new | makes a grinding noise | smells of plastic
            lost {5-60} percent of its battery | fits perfectly | leaks a little
            saves me {5-50} minutes a day | broke at the handle | is louder than the old one
            was easy to set up | needs {2-5} hands to fold
        """,
        "aside": """
            The manual is only in {language}. | The {colour} is nicer in person.
            Packaging was over the top. | My {name} loves it. | The strap could be longer.
        """,
        "aside_lower": """
            the manual is thin. | colour as shown. | no complaints about the parcel.
            the app wants my location, why? | spare parts are dear.
        """,
        "again": "gladly | probably | not | only on offer | maybe",
        "service": """
            called back within {5-90} minutes | never answered | sent a new part to {city} | was rude
            found the right size | wanted {3-9} photos
        """,
        "manual_line": """
            Before first use, charge the {product} for {2-9} hours. The light turns from {colour} to \
                {colour} when it is full. Do not charge below {2-10} degrees.
            Pull the lever to {1-9}, hold it for {2-12} seconds and let go. If the {product} {warning}, \
                stop at once and write to {department} in {city}.
            This {quality} {product} is made for loads up to {10-180} kg. Wipe it with a damp cloth every \
                {2-12} weeks; never use petrol or sand.
            Insert the {colour} cable into port {1-8}, then press and hold the button for {3-15} seconds \
                until it beeps {2-5} times.
            The guarantee covers {1-10} years from {day_of_month} and ends when parts of other makers are \
                built in, see page {4-90}.
            New in {month}: the {quality} {product} in {colour}. Order before {weekday} and we ship to \
                {city} free of charge, from {euros}.
        """,
        "warning": """
            gets hot | smells of smoke | makes a grinding noise
            shows E{10-99} | tips to one side | leaks
        """,
        "meeting": """
            {name}: so where are we with the {product}? {name}: {2-60} of {61-120} done, {city} is waiting \
                for {department}. {name}: that was due on {weekday}. {name}: I know, {subject} got in the \
                way, give me until {day_of_month}. {name}: fine, but the {euros} come out of your budget. \
                {name}: next, {subject}. {name} {surname} will draft it.
        """,
        "product_brief": """
            Client: {company}. Product: {quality} {product}, {colour}, {euros}. Audience: {audience}. Must \
                mention: {aside_lower} Avoid: superlatives. Channel: {channel}, {40-160} words, headline \
                of at most {5-9} words, end with a call to visit the shop in {city}.
            For {company}: three versions of a {channel} text about our {product} ({quality}, in {colour} \
                and {colour}). It launches on {day_of_month} in {city}. Audience: {audience}. Friendly, \
                concrete, {30-120} words each.
        """,
        "audience": """
            young parents | commuters | small offices | people over {50-65} | students | craft businesses
            weekend hikers | landlords
        """,
        "channel": "newsletter | shop page | poster | radio spot | social post | flyer | press note",
        "company": "the client",
    },
    WORDS,
)
