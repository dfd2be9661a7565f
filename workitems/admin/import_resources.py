"""The columns of the tables that contacts, queues and dispositions come in by, and go out by for that.

A cell that cannot be read is a ValueError that says why. An empty cell empties a text or a list; a number or a yes or
no stays as it is, since it cannot be empty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export.fields import Field
from import_export.resources import Resource
from import_export.widgets import Widget

from contacts.addresses import normal_email, normal_phone
from contacts.models import Contact
from queues.channels import DEFAULT_SLA_SECONDS, Channel
from queues.models import Queue
from workitems.choices import Type
from workitems.directory import CONTACT, DISPOSITION, QUEUE, Kind
from workitems.models import Disposition

YES = frozenset({"true", "yes", "y", "1", "x"})
NO = frozenset({"false", "no", "n", "0"})
BETWEEN = re.compile(r"[,;\n]")


class Cell(Widget):
    """A text."""

    hint: str | Promise = ""  # how it is written, where that is not plain

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> Any:
        """Return what the cell says, None where it leaves things as they are."""
        return value

    def plain(self, value: Any) -> Any:
        """Return what an object has, in the form in which a cell is understood."""
        return value

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        """Return it as it goes into a file."""
        return self.plain(value)


class YesNo(Cell):
    """Yes or no."""

    hint = gettext_lazy("yes or no")

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> bool | None:
        word = value.casefold()
        if not word:
            return None
        if word in YES or word == _("yes").casefold():
            return True
        if word in NO or word == _("no").casefold():
            return False
        raise ValueError(_("“%s” is neither yes nor no.") % value[:50])


class Whole(Cell):
    """A whole number."""

    def __init__(self, lowest: int = 0, highest: int = 1_000_000) -> None:
        super().__init__()
        self.lowest, self.highest = lowest, highest
        self.hint = gettext_lazy("a whole number")

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> int | None:
        if not value:
            return None
        number = int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else -1
        if not self.lowest <= number <= self.highest:
            facts = {"text": value[:50], "lowest": self.lowest, "highest": self.highest}
            raise ValueError(_("“%(text)s” is no whole number from %(lowest)d to %(highest)d.") % facts)
        return number


class Several(Cell):
    """Several things in one cell, with commas or semicolons between them."""

    hint: str | Promise = gettext_lazy("several, with commas between them")

    def __init__(self, attribute: str = "") -> None:
        super().__init__()
        self.attribute = attribute

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> list[str]:
        return list(dict.fromkeys(self.one(text.strip()) for text in BETWEEN.split(value) if text.strip()))

    def one(self, text: str) -> str:
        """Return one of them in the form in which it is kept."""
        return text

    def plain(self, value: Any) -> list[str]:
        if isinstance(value, list):
            return value
        return [getattr(one, self.attribute) for one in value.all()]

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return ", ".join(self.plain(value))


class Phones(Several):
    """Phone numbers in any typing, kept in E.164; the first is the primary one."""

    hint = gettext_lazy("in any typing, several with commas between them, the primary one first")

    def one(self, text: str) -> str:
        number = normal_phone(text)
        if number is None:
            raise ValueError(_("“%(text)s” is no phone number.") % {"text": text[:50]})
        return number


class Emails(Several):
    """E-mail addresses; the first is the primary one."""

    hint = gettext_lazy("several with commas between them, the primary one first")

    def one(self, text: str) -> str:
        address = normal_email(text)
        try:
            validate_email(address)
        except ValidationError:
            raise ValueError(_("“%(text)s” is no e-mail address.") % {"text": text[:50]}) from None
        return address


class Usernames(Several):
    """People; their order says nothing."""

    hint = gettext_lazy("user names, with commas between them")

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> list[str]:
        return sorted(super().clean(value))

    def plain(self, value: Any) -> list[str]:
        return sorted(super().plain(value))


class Types(Several):
    """Types of workitems, by their codes or words."""

    hint = gettext_lazy("several, with commas between them; empty means all")

    def one(self, text: str) -> str:
        found = [kind.value for kind in Type if text.casefold() in {kind.value.casefold(), str(kind.label).casefold()}]
        if not found:
            raise ValueError(_("“%s” is no type of workitem.") % text[:50])
        return found[0]


class Channels(Cell):
    """Channels, each with its service level in seconds or the usual one: `voice:30, email`."""

    hint = gettext_lazy("for example voice:30, email; the number is the service level in seconds")

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> dict[str, int]:
        found: dict[str, int] = {}
        for text in BETWEEN.split(value):
            if text:
                name, _colon, seconds = (part.strip() for part in text.partition(":"))
                channel = self._channel(name)
                usual = DEFAULT_SLA_SECONDS[channel]
                found[channel.value] = usual if not seconds else Whole(0, 10_000_000).clean(seconds) or 0
        return found

    def plain(self, value: Any) -> dict[str, int]:
        return {one.channel: one.sla_seconds for one in value.all()}

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return ", ".join(f"{channel}:{seconds}" for channel, seconds in self.plain(value).items())

    def _channel(self, name: str) -> Channel:
        for channel in Channel:
            if name.casefold() in {channel.value.casefold(), str(channel.label).casefold()}:
                return channel
        raise ValueError(_("“%s” is no channel.") % name[:50])


class Facts(Cell):
    """A JSON object."""

    hint = gettext_lazy("a JSON object")

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> dict[str, Any]:
        try:
            found = json.loads(value) if value else {}
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise ValueError(_("This is no JSON object: “%s”.") % value[:50])
        return found

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return json.dumps(value, ensure_ascii=False) if value else ""


class Table(Resource):
    """The columns of one kind; the first one is the public id."""

    kind: ClassVar[Kind]
    model: ClassVar[type[Model]]
    needed: ClassVar[tuple[str, ...]] = ()  # of a new one
    neighbours: ClassVar[tuple[str, ...]] = ()
    title_of: ClassVar[str]

    def columns(self) -> list[Any]:
        """Return the columns in their order."""
        found: list[Any] = self.get_import_fields()
        return found

    def column_names(self) -> list[str]:
        """Return what stands in the first line of a file."""
        return [column.column_name for column in self.columns()]

    def exported(self, row: Any) -> list[Any]:
        """Return a line that can be imported again."""
        return [column.export(row) for column in self.columns()]

    def current(self, row: Any, names: Sequence[str]) -> dict[str, Any]:
        """Return what an object says in these columns, as cells are understood."""
        return {
            column.column_name: column.widget.plain(column.get_value(row))
            for column in self.columns()
            if column.column_name in names
        }

    def names_by_header(self) -> dict[str, str]:
        """Return the columns by all names that a header may have for them: their own and those of the list."""
        labels = {column.column_name: _label(self.model, column.attribute) for column in self.columns()}
        return {
            **{plain_header(str(label)): name for name, label in labels.items()},
            **{plain_header(name): name for name in labels},
        }

    def for_kind(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the values as the directory takes them."""
        return values


def _column(attribute: str, name: str, widget: Cell | None = None) -> Any:
    return Field(attribute=attribute, column_name=name, widget=widget or Cell())


class ContactTable(Table):
    """Contacts."""

    kind, model, needed, title_of = CONTACT, Contact, ("displayName",), "displayName"
    neighbours = ("phones", "emails")

    contact_id = _column("contact_id", "contactId")
    display_name = _column("display_name", "displayName")
    first_name = _column("first_name", "firstName")
    last_name = _column("last_name", "lastName")
    company = _column("company", "company")
    phones = _column("phones", "phones", Phones("number"))
    emails = _column("emails", "emails", Emails("address"))
    source = _column("source", "source")
    external_id = _column("external_id", "externalId")
    is_blocked = _column("is_blocked", "blocked", YesNo())
    notes = _column("notes", "notes")
    data = _column("data", "data", Facts())


class QueueTable(Table):
    """Queues."""

    kind, model, needed, title_of = QUEUE, Queue, ("queueId", "name"), "name"
    neighbours = ("channel_rows", "members", "supervisors")

    queue_id = _column("queue_id", "queueId")
    name = _column("name", "name")
    description = _column("description", "description")
    is_open = _column("is_open", "isOpen", YesNo())
    priority = _column("priority", "priority", Whole(1, 5))
    short_abandon_seconds = _column("short_abandon_seconds", "shortAbandonSeconds", Whole())
    offer_timeout_seconds = _column("offer_timeout_seconds", "offerTimeoutSeconds", Whole(1))
    wrap_up_seconds = _column("wrap_up_seconds", "wrapUpSeconds", Whole())
    offers_automatically = _column("offers_automatically", "offersAutomatically", YesNo())
    channel_rows = _column("channel_rows", "channels", Channels())
    members = _column("members", "members", Usernames("username"))
    supervisors = _column("supervisors", "supervisors", Usernames("username"))

    def for_kind(self, values: dict[str, Any]) -> dict[str, Any]:
        """Tell the channels apart from their service levels."""
        if "channels" not in values:
            return values
        return {**values, "channels": list(values["channels"]), "slaSeconds": values["channels"]}


class DispositionTable(Table):
    """Dispositions."""

    kind, model, needed, title_of = DISPOSITION, Disposition, ("dispositionId", "name"), "name"

    disposition_id = _column("disposition_id", "dispositionId")
    name = _column("name", "name")
    is_resolved = _column("is_resolved", "resolved", YesNo())
    types = _column("types", "types", Types())
    is_active = _column("is_active", "isActive", YesNo())


TABLES: dict[type[Model], type[Table]] = {one.model: one for one in (ContactTable, QueueTable, DispositionTable)}


def plain_header(text: str) -> str:
    """Return a header as headers are compared: letters and digits only, in lower case."""
    return "".join(one for one in text.casefold() if one.isalnum())


def _label(model: type[Model], attribute: str) -> str | Promise:
    field: Any = model._meta.get_field(attribute)
    label: str | Promise = field.related_model._meta.verbose_name_plural if field.auto_created else field.verbose_name
    return label
