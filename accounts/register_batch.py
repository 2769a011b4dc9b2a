"""A batch of the register compared with what is stored: read at once, applied line by line in memory, written at once.

So a line is compared with the lines before it just as with an earlier import, however often it names an account. What
counts is the whole batch: where a line takes back what another has said, nothing has changed.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from django.db.models import Model, Q
from msgspec import UNSET

from accounts.licensing import licence_details, licences_to_withdraw, permitted_terms, withdrawal_changes
from accounts.models import Account, ApiKey, Licence, Organisation, TermsAcceptance, TermsVersion
from accounts.queries import lock_keys
from accounts.register import AcceptedTerms, AccountLine, ApiKeyValue, LicenceValue, LineOutcome
from accounts.register_rows import COLUMNS, PERSONAL, RegisterRows
from governance.audit.actions import NewEntry
from governance.audit.verbs import Verb


class RegisterBatch:
    """What is stored about the accounts of some lines, and how the lines change it.

    Locks the accounts and keys that it reads; runs in the caller's transaction. Once all lines are applied, `outcomes`
    says what each did, `new_entries` are entries for the audit log, `notes` say in words what changed hands or was left
    out; `renamed` are the accounts and organisations that a restriction now covers by other names, `kept_out` those
    that were erased and of whom the lines said something that stays erased.
    """

    def __init__(self, lines: Sequence[AccountLine], *, now: datetime) -> None:
        self._now = now
        self.renamed: list[Account | Organisation] = []
        self.kept_out: list[str] = []
        self._register = RegisterRows()
        self._rows: list[Model] = []  # that the line has added or changed
        self._touched: list[tuple[bool, list[Model]]] = []  # by line: whether its account is new, and its rows
        self._new_entries: list[tuple[Model, NewEntry]] = []
        self._notes: list[tuple[Model, str]] = []
        named = {line.account for line in lines}
        stored = Account.objects.select_for_update(no_key=True).filter(external_id__in=named).order_by("pk")
        self._accounts = {account.external_id: account for account in stored}
        self._organisations = self._read_organisations(lines)
        self._keys = self._read_keys([key for line in lines for key in line.keys or ()])
        self._key_of = {bytes(key.digest): key for key in self._keys.values() if key.digest}
        self._licences: dict[str, list[Licence]] = defaultdict(list)
        for licence in Licence.objects.filter(account__in=self._accounts.values()).select_related("account"):
            self._licences[licence.account.external_id].append(licence)
        names = {line.terms.version for line in lines if line.terms}
        self._versions = {version.name: version for version in TermsVersion.objects.filter(name__in=names)}
        accepted = TermsAcceptance.objects.filter(account__in=self._accounts.values(), terms__name__in=names)
        self._accepted = {
            (one.account.external_id, one.terms.name): one for one in accepted.select_related("account", "terms")
        }

    def _read_organisations(self, lines: Sequence[AccountLine]) -> dict[str, Organisation]:
        """Those that the lines name, and those of the accounts as they are stored."""
        wanted = Q(external_id__in={line.organisation for line in lines if line.organisation})
        wanted |= Q(accounts__in=self._accounts.values())
        stored = {one.pk: one for one in Organisation.objects.filter(wanted).distinct()}
        for account in self._accounts.values():
            if account.organisation_id is not None:
                account.organisation = stored[account.organisation_id]
        return {one.external_id: one for one in stored.values()}

    def _read_keys(self, lines: Sequence[ApiKeyValue]) -> dict[str, ApiKey]:
        """Those that the lines name, and those that have one of their digests."""
        named = Q(external_id__in={key.id for key in lines})
        named |= Q(digest__in={bytes.fromhex(key.digest) for key in lines if key.digest})
        return {key.external_id: key for key in lock_keys(ApiKey.objects.filter(named))}

    def apply(self, line: AccountLine) -> None:
        """Apply a line. Raises ImpossibleLicenceError, and then has applied nothing of it."""
        account = self._accounts.get(line.account)
        is_new = account is None
        if account is None:
            account = Account(external_id=line.account, first_seen_at=self._now)
        self._rows = []
        self._license(account, line)
        self._touched.append((is_new, self._rows))
        if is_new:
            self._accounts[line.account] = account
            self._add(account)
        self._describe(account, line)
        for key in line.keys or ():
            self._register_key(account, key)
        if line.terms:
            self._accept_terms(account, line.terms)

    @property
    def outcomes(self) -> list[LineOutcome]:
        """What each line did that was applied."""
        return [_outcome(is_new, any(map(self._register.differs, rows))) for is_new, rows in self._touched]

    @property
    def new_entries(self) -> list[NewEntry]:
        return [entry for row, entry in self._new_entries if self._register.differs(row)]

    @property
    def notes(self) -> list[str]:
        moved = [note for row, note in self._notes if self._register.differs(row)]
        erased = [f"{name} was erased: what the register says of a person was left out." for name in self.kept_out]
        return moved + erased

    # What a line says -------------------------------------------------------------------------------------------

    def _describe(self, account: Account, line: AccountLine) -> None:
        if line.organisation is not UNSET:
            self._move_account(account, self._organisation(line) if line.organisation else None)
            if account.has_no_organisation is not (not line.organisation):
                self._change(account, has_no_organisation=not line.organisation)
        if line.status == "open" and account.closed_at and not account.erased_on_request:
            self._change(account, erased_at=None)  # it is a customer again
        for column, cleared in COLUMNS.items():
            value = getattr(line, column)
            if value is UNSET:
                continue
            if account.erased_at is not None and column in PERSONAL:
                self._keep_out(account, value)
                continue
            value = value or cleared
            if not _is_same(column, getattr(account, column), value):
                self._change(account, **{column: value})
        is_closed = account.status == Account.Status.CLOSED
        if is_closed is not (account.closed_at is not None):
            closed_at = self._register.stored(account).get("closed_at") or self._now
            self._change(account, closed_at=closed_at if is_closed else None)

    def _keep_out(self, erased: Account | Organisation, value: object) -> None:
        """Note that a line says something of a person who was erased, if it does."""
        name = f"{'Account' if isinstance(erased, Account) else 'Organisation'} {erased.external_id}"
        if value and name not in self.kept_out:
            self.kept_out.append(name)

    def _organisation(self, line: AccountLine) -> Organisation:
        external_id = str(line.organisation)
        organisation = self._organisations.get(external_id)
        if organisation is None:
            organisation = self._organisations[external_id] = Organisation(external_id=external_id)
            self._add(organisation)
        if organisation.erased_at is not None:
            self._keep_out(organisation, line.organisation_name is not UNSET and line.organisation_name)
        elif line.organisation_name is not UNSET and organisation.name != (line.organisation_name or ""):
            self._change(organisation, name=line.organisation_name or "")
        return organisation

    def _move_account(self, account: Account, organisation: Organisation | None) -> None:
        before = account.organisation
        if before is organisation:
            return
        self._change(account, organisation=organisation)
        self.renamed += [one for one in (before, organisation) if one is not None]
        if before is not None:
            self._note(Verb.ACCOUNT_MOVED, account, before=before, after=organisation)

    def _register_key(self, account: Account, line: ApiKeyValue) -> None:
        key = self._keys.get(line.id)
        if key is None:
            key = self._keys[line.id] = ApiKey(external_id=line.id, account=account, first_seen_at=self._now)
            key.tied_by = ApiKey.TiedBy.REGISTER
            self._add(key)
            self.renamed.append(account)
        elif key.account.external_id != account.external_id:
            self._note(Verb.KEY_MOVED, key, before=key.account, after=account)
            self.renamed += [key.account, account]
            self._change(key, account=account)
        if key.tied_by != ApiKey.TiedBy.REGISTER:
            self._settle_key(key)
        if line.digest is not UNSET:
            self._set_digest(key, bytes.fromhex(line.digest) if line.digest else None)

    def _settle_key(self, key: ApiKey) -> None:
        """From now on the register says whose key it is, whatever usage claimed."""
        if key.contested_by is not None:
            details = {"account": key.account.external_id, "contested_by": key.contested_by.external_id}
            self._new_entries.append((key, NewEntry(Verb.KEY_SETTLED, ("key", key.external_id), details)))
            self.renamed.append(key.account)
        self._change(key, tied_by=ApiKey.TiedBy.REGISTER, contested_by=None, contested_at=None)

    def _set_digest(self, key: ApiKey, digest: bytes | None) -> None:
        before = bytes(key.digest) if key.digest else None
        if before == digest:
            return
        if before is not None:
            del self._key_of[before]
        if digest is not None:
            if (other := self._key_of.get(digest)) is not None:
                self._note(Verb.KEY_DIGEST_MOVED, other, before=other, after=key)
                self.renamed.append(other.account)
                self._change(other, digest=None)
            self._key_of[digest] = key
        self.renamed.append(key.account)
        self._change(key, digest=digest)

    def _license(self, account: Account, line: AccountLine) -> None:
        said = line.licence
        if said is UNSET:
            return
        known = self._licences[account.external_id]
        if said is None or not said.training_permitted:
            for licence in licences_to_withdraw(said, known, now=self._now):
                self._change(licence, **withdrawal_changes(licence, self._register.stored(licence), now=self._now))
                self._note_licence(Verb.LICENCE_WITHDRAWN, account, licence)
            return
        opened_at = account.created_at if line.created_at is UNSET else line.created_at
        self._permit(account, said, known, opened_at=opened_at)

    def _permit(
        self, account: Account, said: LicenceValue, known: list[Licence], *, opened_at: datetime | None
    ) -> None:
        licence, starts_at, ends_at = permitted_terms(said, known, opened_at=opened_at, now=self._now)
        if licence is None:
            licence = Licence(
                account=account,
                training_permitted=True,
                starts_at=starts_at,
                ends_at=ends_at,
                reference=said.reference,
            )
            known.append(licence)
            self._add(licence)
            self._note_licence(Verb.LICENCE_GRANTED, account, licence)
        elif (licence.training_permitted, licence.ends_at) != (True, ends_at):
            self._change(licence, training_permitted=True, ends_at=ends_at)
            self._note_licence(Verb.LICENCE_CHANGED, account, licence)

    def _accept_terms(self, account: Account, terms: AcceptedTerms) -> None:
        version = self._versions.get(terms.version)
        if version is None:
            version = TermsVersion(name=terms.version, published_at=terms.accepted_at)
            self._versions[terms.version] = version
            self._add(version)
        elif terms.accepted_at < version.published_at:  # nobody accepts what is not published
            self._change(version, published_at=terms.accepted_at)
        accepted = self._accepted.get((account.external_id, terms.version))
        if accepted is None:
            accepted = TermsAcceptance(account=account, terms=version, accepted_at=terms.accepted_at)
            self._accepted[account.external_id, terms.version] = accepted
            self._add(accepted)
        elif accepted.accepted_at != terms.accepted_at:
            self._change(accepted, accepted_at=terms.accepted_at)

    def save(self) -> None:
        """Write what was added and changed."""
        self._register.save()

    def _add(self, row: Model) -> None:
        self._rows.append(row)
        self._register.add(row)

    def _change(self, row: Model, **columns: Any) -> None:
        self._rows.append(row)
        self._register.change(row, **columns)

    def _note(
        self, verb: Verb, of: Account | ApiKey, *, before: Account | ApiKey | Organisation, after: Model | None
    ) -> None:
        kind, to = "key" if isinstance(of, ApiKey) else "account", getattr(after, "external_id", None)
        details = {"from": before.external_id, "to": to}
        self._new_entries.append((of, NewEntry(verb, (kind, of.external_id), details)))
        what = "The digest of key" if verb == Verb.KEY_DIGEST_MOVED else kind.capitalize()
        note = f"{what} {of.external_id} moved from {before.external_id} to {to or 'no organisation'}."
        self._notes.append((of, note))

    def _note_licence(self, verb: Verb, account: Account, licence: Licence) -> None:
        self._new_entries.append((licence, NewEntry(verb, ("account", account.external_id), licence_details(licence))))


def _outcome(is_new: bool, differs: bool) -> LineOutcome:  # noqa: FBT001
    if is_new:
        return LineOutcome.CREATED
    return LineOutcome.UPDATED if differs else LineOutcome.UNCHANGED


def _is_same(column: str, stored: Any, said: Any) -> bool:
    if column == "signup_ip" and stored and said:  # an address has several spellings
        return ip_address(stored) == ip_address(said)
    return bool(stored == said)
