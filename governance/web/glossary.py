"""The words of the pages and the documents, each with one plain sentence: the only source of the page Words and of
docs/glossary.md.

`make docs` writes docs/glossary.md. Pure: it runs without Django.
"""

from typing import Final, NamedTuple


class Word(NamedTuple):
    name: str
    meaning: str


class GlossarySection(NamedTuple):
    title: str
    words: tuple[Word, ...]


GLOSSARY: Final = (
    GlossarySection(
        "Customers",
        (
            Word("organisation", "A customer company. It can have several accounts."),
            Word("account", "One API account of a customer. Usage is counted, scored and restricted by account."),
            Word("API key", "The secret with which an account calls the API. Only its digest is stored."),
            Word("plan", "What the account pays for, such as payg or enterprise."),
            Word("declared use", "What the customer said at sign-up that they use the API for."),
            Word("licence", "An agreement that permits training on the answers. A licensed account is not a suspect."),
            Word("terms clause", "A numbered rule of the terms of service. A strong decision names the one broken."),
            Word("register", "The list of organisations, accounts, keys and licences that you import."),
        ),
    ),
    GlossarySection(
        "Usage and detection",
        (
            Word("distillation", "Training a model on the answers of another one, here against the terms."),
            Word("harvest", "Collecting answers in bulk to train a model on them."),
            Word("usage event", "One request to the model: who sent it, when, to which model, and how many tokens."),
            Word("fingerprint", "What is kept of a prompt instead of its text: keyed digests of its words."),
            Word("excerpt", "A short sample of a prompt’s text, encrypted and deleted after some days."),
            Word("profile", "The counters of one account, model and hour. Scores are computed from profiles."),
            Word("prompt template", "The fixed text around changing content in many prompts of an account."),
            Word("stand-alone request", "A request with no conversation, end user or tools named."),
            Word("known corpus", "A collection of prompts that is recognised, such as a public instruction set."),
            Word("detector", "A rule that looks for one sign in the usage of an account, against it or in its favour."),
            Word("finding", "What a detector saw: a sentence with figures, its points, and an innocent explanation."),
            Word("assessment", "One scoring of an account: its score, band and findings."),
            Word("score", "0 to 100: the risk that an account harvests answers. It is the sum of its findings."),
            Word("band", "The range of a score: low, elevated, high or critical."),
            Word("review line", "The score at which a case opens."),
            Word("calibration", "The weights of the detectors. One calibration is active at a time."),
            Word("drift", "How today’s customers differ from those that the active calibration was made for."),
            Word("link", "What two accounts share beyond chance, such as a card, IP addresses or prompt templates."),
            Word("partner", "A provider or an authority with which indicators of harvesters are exchanged."),
            Word("indicator", "A card, domain, address, network or wording by which a partner names harvesters."),
            Word("share", "What of a campaign goes to a partner: proposed by one person, approved by another."),
            Word("campaign", "Accounts that act as one and whose prompts, taken together, read like a harvest."),
        ),
    ),
    GlossarySection(
        "Review",
        (
            Word("case", "An account or campaign that needs a decision by a person."),
            Word("queue", "The open cases, the highest score first."),
            Word("due-date target", "Within how many hours cases of a band are due. A lead sets it."),
            Word("claim", "To reserve a case for yourself for 30 minutes. Others cannot decide it in that time."),
            Word(
                "decision", "What staff decided on a case: an action, a reason, and a terms clause where one is needed."
            ),
            Word("dismiss", "To close a case without a restriction."),
            Word("watch-list", "Accounts that staff keep an eye on. Nothing is restricted by it."),
            Word("undo", "To take back a decision soon after it, as if it had not been made."),
            Word("decide about many", "To decide about up to 500 ticked accounts at once. Each gets its own decision."),
            Word("skipped", "Left undecided by a decision about many, for a reason that its page shows."),
            Word("reopen", "To open a new case on an account that was decided. The old decision stays until then."),
            Word("remove", "To end a restriction before it expires. The API calls this lifting."),
            Word("overview", "The first page: a reviewer’s own day, and for leads the figures of everybody’s work."),
            Word("harm in flight", "Output tokens that accounts with an open case got in the last 24 hours."),
            Word("harm stopped", "Output tokens a day that accounts got in the 7 days before they were refused."),
        ),
    ),
    GlossarySection(
        "Restrictions, mildest first",
        (
            Word("restriction", "What is in force against an account, key or organisation."),
            Word("watch", "Nothing changes for the customer. The account stays marked."),
            Word("warn", "The account is served. Gateways can pass on a warning."),
            Word("throttle", "The account is served up to a number of requests or tokens per minute."),
            Word("withhold", "The account is served without some features, such as token probabilities."),
            Word("verify", "The account is served. Gateways receive that the customer’s identity must be verified."),
            Word("suspend", "The account is refused for some days."),
            Word("block", "The account is refused until the block is removed."),
        ),
    ),
    GlossarySection(
        "Enforcement",
        (
            Word("gateway", "The software that serves your API. It asks Stillwatch what is restricted, and obeys."),
            Word("check", "The service that answers gateways whether a request is allowed."),
            Word("client", "The Python package that holds the restrictions inside a gateway and decides there."),
            Word("change", "One numbered step of the feed: a restriction began, changed or ended."),
            Word("feed", "All changes in the order in which they were committed. Gateways follow it."),
            Word("snapshot", "Everything in force at one number of the feed."),
            Word("epoch", "A stretch of the feed without a break. A restore of the database begins a new one."),
            Word("canary", "An account of your own that is blocked for moments to test that a gateway obeys."),
            Word("webhook", "An address of yours that is notified of every change."),
            Word("policy", "Rules that restrict accounts automatically."),
            Word(
                "shadow mode", "How a new policy runs: it records which accounts it would restrict, and restricts none."
            ),
            Word("hourly cap", "How many accounts and how much traffic policies may restrict in an hour."),
            Word("kill switch", "Switches all policies off at once."),
            Word("held for review", "A policy matched, but a cap was reached: a person decides."),
        ),
    ),
    GlossarySection(
        "Records and access",
        (
            Word("audit log", "What people, machines and Stillwatch did. Nobody can change it unnoticed."),
            Word("entry", "One line of the audit log."),
            Word("checkpoint", "A signed head of the published audit log: how many entries it has, and a hash of all."),
            Word("witness", "A server of others that signs checkpoints, and only those that fit the one before."),
            Word(
                "sealed day",
                "A day whose usage events were fixed by the head of a tree over all of them, in the audit log.",
            ),
            Word(
                "evidence bundle",
                "A zip that proves a case: report, records with proofs, and a program to verify them.",
            ),
            Word("time stamp", "A signed statement of an authority that a checkpoint existed at a time."),
            Word("legal hold", "Keeps what there is of an account, organisation or campaign until it is lifted."),
            Word("erasure", "Takes what is held of a person who asks. Restrictions and the audit log stay."),
            Word("pseudonym", "What stands for an erased card, domain or name: the same for the same value."),
            Word("role", "What a member of staff may do: reviewer, lead, policy engineer, auditor or admin."),
            Word("service key", "The secret with which a machine calls Stillwatch, and the scopes it may use."),
        ),
    ),
)


def glossary_as_markdown() -> str:
    """Return the glossary as a document."""
    lines = [
        "# Glossary",
        "",
        "The words of Stillwatch, for everybody who reads its pages or documents. Made by `make docs` from",
        "[governance/web/glossary.py](../governance/web/glossary.py): edit that file.",
    ]
    for group in GLOSSARY:
        lines += ["", f"## {group.title}", "", "| Word | Meaning |", "|---|---|"]
        lines += [f"| {word.name} | {word.meaning} |" for word in group.words]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(glossary_as_markdown(), end="")  # noqa: T201 - `make docs` writes it into the document
