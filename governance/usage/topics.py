"""What a request is about, in broad buckets, recognised by its words. Pure.

A bucket serves to see whether an account keeps to its subject or covers everything, as an instruction set does; it
says nothing about a single request. A topic's place in the table is its number and stays for good; new ones are
added at the end. Where several topics are named the first of the table counts, so the particular comes first.
Patterns are for texts in lower case.
"""

from typing import Final

OTHER_TOPIC: Final = 0

_WORDS: Final[dict[str, str]] = {
    "medicine": "patients?|symptoms?|diagnos[a-z]+|medication|disease|doctor|therapy|vaccine|cancer|diabetes|surgery",
    "law": "lawyer|legal|court|statute|contract law|plaintiff|defendant|lawsuit|liability|copyright|legislation",
    "finance": "invest[a-z]*|stocks?|interest rate|loan|mortgage|inflation|portfolio|dividend|bank account|tax(?:es)?",
    "chemistry": "molecule[s]?|chemical|reaction|acid|compound|periodic table|oxygen|hydrogen|polymer|catalyst",
    "physics": "physics|velocity|quantum|gravity|electron[s]?|momentum|thermodynamic[s]?|relativity|voltage|magnetic",
    "biology": "cell[s]?|species|dna|gene[s]?|protein[s]?|evolution|photosynthesis|organism[s]?|bacteria|animal[s]?",
    "mathematics": "equation|integral|triangle|theorem|polynomial|probability|derivative|matrix|algebra|geometry",
    "programming": "python|javascript|java|sql|html|css|function|algorithm|compiler|api|database|regex|linux|debug",
    "history": "century|war|empire|revolution|ancient|medieval|king|queen|dynasty|treaty|president|colonial",
    "geography": "capital of|country|river|mountain[s]?|continent|population|island|border[s]?|climate zone|ocean",
    "politics": "government|election|policy|democracy|parliament|senate|minister|voters?|political|constitution",
    "philosophy": "philosoph[a-z]+|ethics|moral|consciousness|free will|existential[a-z]*|epistemology|stoic[a-z]*",
    "religion": "god|bible|church|islam[a-z]*|buddh[a-z]+|prayer|christian[a-z]*|quran|hindu[a-z]*|jewish",
    "literature": "novel|poem|poetry|author|shakespeare|sonnet|haiku|short story|character arc|metaphor|rhyme",
    "music": "song|lyrics|album|guitar|piano|melody|chord[s]?|orchestra|concert|composer",
    "film": "movie|film|actor|actress|director|tv show|netflix|anime|screenplay|video game",
    "art": "painting|painter|sculpture|museum|drawing|photograph[a-z]*|design|architecture|gallery",
    "sport": "football|soccer|basketball|tennis|olympic[s]?|athlete|coach|workout|marathon|championship|player[s]?",
    "food": "recipe|cook[a-z]*|ingredient[s]?|bake|vegetarian|restaurant|flavou?r|dinner|meal[s]?|wine",
    "travel": "travel|trip|flight|hotel|itinerary|tourist|vacation|visit|airport|luggage",
    "home": "garden[a-z]*|plants?|furniture|cleaning|kitchen|repair|pet[s]?|dog|cat|house",
    "education": "students?|teacher|lesson plan|curriculum|essay|homework|school|exam|university|course",
    "relationships": "friend[s]?|marriage|parent[s]?|children|dating|family|partner|girlfriend|boyfriend|wedding",
    "health": "diet|exercise|sleep|stress|anxiety|calories|vitamin[s]?|weight loss|mental health|yoga",
    "environment": "climate change|pollution|renewable|carbon|recycling|solar|ecosystem[s]?|deforestation|emissions",
    "business": "customer[s]?|market[a-z]*|startup|sales|brand|employee[s]?|manager|product|meeting|project|company",
    "support": "order|refund|delivery|subscription|password|account|ticket|shipping|invoice|cancel",
    "technology": "software|computer|smartphone|internet|blockchain|robot[s]?|machine learning|server|cloud|device",
    "language": "grammar|vocabulary|translate|synonym[s]?|pronounce|sentence|adjective[s]?|spelling|verb[s]?",
}

TOPIC_PATTERNS: Final[dict[str, str]] = {name: rf"\b(?:{words})\b" for name, words in _WORDS.items()}
TOPIC_NUMBERS: Final[dict[str, int]] = {name: place for place, name in enumerate(TOPIC_PATTERNS, 1)}
TOPIC_NAMES: Final[tuple[str, ...]] = ("other", *TOPIC_PATTERNS)
