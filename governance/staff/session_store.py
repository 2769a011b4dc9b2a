"""Django's sessions in the database, which end after some time without use, and after some hours at the latest.

Named by the setting SESSION_ENGINE. Since when one lasts is in a row beside it, read by the same query; a session of a
user that has no such row has ended.
"""

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from governance.staff.models import StaffSession


class SessionStore(db.SessionStore):
    of_staff: StaffSession | None = None

    def load(self) -> dict[str, Any]:
        now = timezone.now()
        mine = Session.objects.select_related("of_staff").filter(session_key=self.session_key, expire_date__gt=now)
        found = mine.order_by().first()
        data = self.decode(found.session_data) if found else {}
        self.of_staff = getattr(found, "of_staff", None)
        has_ended = SESSION_KEY in data and not (self.of_staff and self.of_staff.is_open(at=now))
        if found is None or has_ended:
            self._session_key, self.of_staff = None, None
            return {}
        return data

    def cycle_key(self) -> None:
        """Go on under another key, as after a change of the password: it lasts as long as before."""
        mine = StaffSession.objects.filter(session_id=self.session_key).first()
        super().cycle_key()
        if mine and self.session_key:
            mine.session_id = self.session_key
            mine.save(force_insert=True)
