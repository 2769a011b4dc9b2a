"""Customers that build on the model: coding agents, retrieval over documents, evaluation of models."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from governance.demo.customer import Customer, CustomerKind
from governance.demo.day import Behaviour, Day, ModelRequest, assistant, system, user
from governance.demo.wording.code import CODE
from governance.demo.wording.documents import DOCUMENTS
from governance.demo.wording.knowledge import KNOWLEDGE

# What many unrelated customers take from the same public evaluations, questions included.
_CHOICE = (
    "The next item has four options; exactly one is right.\n\n{question}\n\n"
    "(A) {a}\n(B) {b}\n(C) {c}\n(D) {d}\n\nReply with the letter alone."
)
_WORKING = "Q: {question}\nWork it out step by step and put the final number after four hashes.\nA:"
_QUESTIONS = 400


def coding_agent(customer: Customer) -> Behaviour:
    """Developers with an agent: one instruction, then tool results in quick succession."""
    dice = customer.dice("habits")
    prompts = [system(CODE.say("system", dice)) for _ in range(1 + int(dice.random() * 4))]
    tools = 4 + int(dice.random() * 12)

    def on(day: Day) -> Iterator[ModelRequest]:
        for at in day.office(4.2 * customer.size):
            messages = [day.picks(prompts), user(CODE.say("instruction", day.dice))]
            name = f"c_{day.dice.getrandbits(40):010x}"
            step_at = at
            for _ in range(1 + int(day.dice.random() * 5)):
                answer = int(40 + day.dice.lognormvariate(4.6, 0.8))
                parameters = {"tools": tools, "stream": True, "max_tokens": 8192}
                yield ModelRequest(step_at, messages, answer, conversation=name, parameters=parameters)
                step_at += timedelta(seconds=5 + day.dice.expovariate(1 / 15))
                messages = [
                    *messages,
                    assistant(CODE.say("plan", day.dice)),
                    user(CODE.say("tool_result", day.dice)),
                ]

    return on


def retrieval(customer: Customer) -> Behaviour:
    """Staff ask the company's handbook: found passages and a question, answered with sources."""
    dice = customer.dice("habits")
    handbook = [DOCUMENTS.say("passage", dice) for _ in range(60 + int(dice.random() * 200))]
    prompt = system(
        f"Answer questions of the staff of {customer.company} from the passages alone, in at most "
        f"{2 + int(dice.random() * 6)} sentences, and name the passage. If it is not there, say so."
    )

    def on(day: Day) -> Iterator[ModelRequest]:
        for at in day.office(13 * customer.size):
            found = "\n".join(f"[{n + 1}] {day.picks(handbook)}" for n in range(2))
            query = user(f"Passages:\n{found}\n\nQuestion: {DOCUMENTS.say('query', day.dice)}")
            yield ModelRequest(at, [prompt, query], int(40 + day.dice.random() * 130), parameters={"temperature": 0.1})

    return on


def evaluation_harness(customer: Customer) -> Behaviour:
    """A public evaluation run against the model now and then: fixed template and questions."""
    dice = customer.dice("habits")
    choice = dice.random() < 0.6
    common = customer.common_dice("choice" if choice else "working")
    questions = [_choice(KNOWLEDGE.say("problem", common), common) for _ in range(_QUESTIONS)]
    if not choice:
        questions = [_WORKING.format(question=KNOWLEDGE.say("problem", common)) for _ in range(_QUESTIONS)]
    every = 3 + int(dice.random() * 4)
    take = int((50 + dice.random() * 70) * customer.size)
    parameters = {"temperature": 0, "max_tokens": 4 if choice else 1024, "seed": 1234, "logprobs": choice}

    def on(day: Day) -> Iterator[ModelRequest]:
        if day.number % every:
            return
        begins_at = day.starts_at + timedelta(hours=day.dice.random() * 20)
        first = int(day.dice.random() * (_QUESTIONS - take))
        times = day.paced(begins_at, take, 2)
        for at, question in zip(times, questions[first : first + take], strict=True):
            answer = 1 if choice else int(120 + day.dice.random() * 250)
            yield ModelRequest(at, [user(question)], answer, parameters=parameters)

    return on


def _choice(question: str, dice: Random) -> str:
    options = [str(2 + int(dice.random() * 900)) for _ in range(4)]
    return _CHOICE.format(question=question, a=options[0], b=options[1], c=options[2], d=options[3])


CODING_AGENT = CustomerKind(
    "coding_agent", 35, coding_agent, ("software development", "coding agent", "developer tools")
)
RETRIEVAL = CustomerKind("retrieval", 34, retrieval, ("knowledge base", "internal search", "staff assistant"))
EVALUATION_HARNESS = CustomerKind(
    "evaluation_harness",
    14,
    evaluation_harness,
    ("model evaluation", "quality assurance", "research"),
    least=2,
    talks=False,
    adopts_new_model=0.6,
)
