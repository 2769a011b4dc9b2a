"""Honest customers who resemble a harvest: what a reviewer looks at closely and then dismisses."""

from collections.abc import Iterator
from datetime import timedelta

from governance.demo.customer import Customer, CustomerKind
from governance.demo.day import Behaviour, Day, ModelRequest, assistant, user
from governance.demo.wording.harvest import HARVEST
from governance.demo.wording.knowledge import KNOWLEDGE


def exercise_publisher(customer: Customer) -> Behaviour:
    """A publisher has worked solutions of exercises written by night: harmless, and looks like a harvest."""
    wrapper = HARVEST.say("solution_wrapper", customer.dice("habits"))

    def on(day: Day) -> Iterator[ModelRequest]:
        for at in day.nightly(22 * customer.size, 1):
            exercise = wrapper.replace("PAYLOAD", KNOWLEDGE.say("problem", day.dice))
            yield ModelRequest(
                at, [user(exercise)], int(350 + day.dice.random() * 500), parameters={"temperature": 0.3}
            )

    return on


def explainer_site(customer: Customer) -> Behaviour:
    """A magazine answers its readers' questions at length: one wrapper, ever-new questions; editors ask for changes."""
    wrapper = HARVEST.say("explainer_wrapper", customer.dice("habits"))

    def on(day: Day) -> Iterator[ModelRequest]:
        for at in day.office(11 * customer.size):
            question = user(wrapper.replace("PAYLOAD", KNOWLEDGE.say("concept_question", day.dice)))
            edited = day.dice.random() < 0.35
            article = f"c_{day.dice.getrandbits(40):010x}" if edited else None
            yield ModelRequest(at, [question], int(500 + day.dice.random() * 700), conversation=article)
            if edited:
                draft = assistant(f"{KNOWLEDGE.say('idea', day.dice).capitalize()} is easier than it sounds.")
                messages = [question, draft, user(HARVEST.say("edit", day.dice))]
                later_at = at + timedelta(minutes=4 + day.dice.random() * 20)
                yield ModelRequest(later_at, messages, int(300 + day.dice.random() * 400), conversation=article)

    return on


def reasoning_study(customer: Customer) -> Behaviour:
    """A research group studies how models reason: each problem three times, on a few days, a few hundred in all."""
    dice = customer.dice("habits")
    wrapper = HARVEST.say("study_wrapper", dice)
    every = 3 + int(dice.random() * 2)

    def on(day: Day) -> Iterator[ModelRequest]:
        if day.number % every:
            return
        for at in day.bursts(36 * customer.size, 3):
            problem = wrapper.replace("PAYLOAD", KNOWLEDGE.say("problem", day.dice))
            for _ in range(3):
                yield ModelRequest(
                    at, [user(problem)], int(250 + day.dice.random() * 400), int(day.dice.random() * 900)
                )

    return on


EXERCISE_PUBLISHER = CustomerKind(
    "exercise_publisher", 3, exercise_publisher, ("education publishing",), models=("flagship-2",), called="Press"
)
EXPLAINER_SITE = CustomerKind(
    "explainer_site", 3, explainer_site, ("publishing", "content generation"), called="Magazine"
)
REASONING_STUDY = CustomerKind(
    "reasoning_study", 2, reasoning_study, ("research",), models=("reason-1",), called="Institute"
)
