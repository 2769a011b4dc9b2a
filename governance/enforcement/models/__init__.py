"""The tables of enforcement: what is in force, who obeys it, and who is told."""

from governance.enforcement.models.automatic import AutomaticSwitch, PolicyOutcome
from governance.enforcement.models.epoch import FeedEpoch, LostDecision, LostName
from governance.enforcement.models.gateway import Arrival, Gateway, Holder, Probe, Pushed, Refusal, Repair
from governance.enforcement.models.lifted import LiftedOrigin
from governance.enforcement.models.restriction import (
    Change,
    CoveredAccount,
    CoveredName,
    Reason,
    Restriction,
    RestrictionQuerySet,
)
from governance.enforcement.models.webhook import Delivery, Webhook

__all__ = [
    "Arrival",
    "AutomaticSwitch",
    "Change",
    "CoveredAccount",
    "CoveredName",
    "Delivery",
    "FeedEpoch",
    "Gateway",
    "Holder",
    "LiftedOrigin",
    "LostDecision",
    "LostName",
    "PolicyOutcome",
    "Probe",
    "Pushed",
    "Reason",
    "Refusal",
    "Repair",
    "Restriction",
    "RestrictionQuerySet",
    "Webhook",
]
