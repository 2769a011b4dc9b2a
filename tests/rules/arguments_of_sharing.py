"""What the URLs of partners and shares take: a part of arguments.py."""

import uuid
from functools import partial

from governance.campaigns.models import Campaign
from governance.sharing.models import Partner, Share, SharedObject
from tests.rules.given import Arguments, first_of

PARTNER = {"pk": partial(first_of, Partner)}
SHARE = {"pk": partial(first_of, Share)}
COLLECTION = {"pk": lambda: Partner.objects.get().collection_id}
OBJECT = COLLECTION | {"stix_id": lambda: SharedObject.objects.values_list("stix_id", flat=True)[0]}
TAXII = ("added_after", "limit", "next", "match[id]", "match[type]", "match[version]", "match[spec_version]")
CAMPAIGN = {"pk": partial(first_of, Campaign)}

ARGUMENTS_OF_SHARING: dict[str, Arguments] = {
    "/settings/partners/": Arguments(),
    "/settings/partners/add/": Arguments(
        sent={
            "name": "South Lab",
            "receives": "on",
            "sends": "on",
            "tlp": "amber",
            "days": "365",
            "shared_key": f"swp1_{'A' * 43}",
            "collection_url": "https://taxii.example.com/shared/collections/1/",
            "collection_token": "swt_1",
        }
    ),
    "/settings/partners/<uuid:pk>/": Arguments(PARTNER),
    "/settings/partners/<uuid:pk>/token/": Arguments(PARTNER),
    "/settings/partners/<uuid:pk>/key/": Arguments(PARTNER, sent={"shared_key": f"swp9_{'A' * 43}"}),
    "/settings/partners/<uuid:pk>/revoke/": Arguments(PARTNER),
    "/shares/<uuid:pk>/": Arguments(SHARE),
    "/shares/<uuid:pk>/approve/": Arguments(SHARE),
    "/shares/<uuid:pk>/decline/": Arguments(SHARE),
    "/shares/<uuid:pk>/retract/": Arguments(SHARE, sent={"reason": "A mistake."}),
    "/taxii2/": Arguments(),
    "/taxii2/shared/": Arguments(),
    "/taxii2/shared/collections/": Arguments(),
    "/taxii2/shared/collections/<uuid:pk>/": Arguments(COLLECTION),
    "/taxii2/shared/collections/<uuid:pk>/objects/": Arguments(COLLECTION, query=TAXII),
    "/taxii2/shared/collections/<uuid:pk>/objects/<str:stix_id>/": Arguments(OBJECT, query=TAXII),
    "/taxii2/shared/collections/<uuid:pk>/objects/<str:stix_id>/versions/": Arguments(OBJECT, query=TAXII),
    "/taxii2/shared/collections/<uuid:pk>/manifest/": Arguments(COLLECTION, query=TAXII),
    "/taxii2/<path:_rest>": Arguments({"_rest": lambda: "shared/status/1/"}),
    "/campaigns/<uuid:pk>/share/": Arguments(CAMPAIGN, query=("partner", "tlp")),
    "/campaigns/<uuid:pk>/share/propose/": Arguments(
        CAMPAIGN, sent={"partner": str(uuid.uuid4()), "tlp": "amber", "reason": "They move on."}
    ),
}
