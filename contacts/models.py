"""Contacts: the people behind the workitems, and the numbers and addresses they are known by."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from ulid import ULID

from contacts.addresses import normal_address, normal_email, normal_phone


def new_contact_id() -> str:
    """Make a public id that sorts by time."""
    return f"ct_{str(ULID()).lower()}"


class ContactQuerySet(models.QuerySet["Contact"]):
    """The questions asked about contacts."""

    def standing(self) -> ContactQuerySet:
        """Leave out those that went up in others."""
        return self.filter(merged_into=None)

    def known_by(self, address: str) -> ContactQuerySet:
        """Keep the contacts that have this number or e-mail address, however it was typed."""
        address = normal_address(address)
        if not address:
            return self.none()
        reachable = self.standing().filter(erased_at=None)
        if "@" in address:
            return reachable.filter(emails__address=address)
        return reachable.filter(phones__number=address)

    def the_one_known_by(self, address: str) -> Contact | None:
        """Return the contact with this number or address, or None where nobody or several people have it."""
        found = list(self.known_by(address).order_by("pk")[:2])
        return found[0] if len(found) == 1 else None


class Contact(models.Model):
    """A person, or an office, that talks to the centre."""

    contact_id = models.CharField(_("contact id"), max_length=64, unique=True, default=new_contact_id)
    display_name = models.CharField(_("display name"), max_length=200)
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    company = models.CharField(_("company"), max_length=200, blank=True)
    source = models.CharField(_("source system"), max_length=50, blank=True)
    external_id = models.CharField(_("id in the source system"), max_length=100, blank=True)
    is_blocked = models.BooleanField(_("blocked"), default=False)
    notes = models.TextField(_("notes"), blank=True)
    data = models.JSONField(_("data"), default=dict, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    modified_at = models.DateTimeField(_("modified"), auto_now=True)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="absorbed",
        verbose_name=_("merged into"),
    )
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True, editable=False)

    objects = ContactQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["display_name", "pk"]
        indexes = [
            # the contact list in its order; the words of names have indexes of PostgreSQL's own, in migration 0003
            models.Index(fields=["display_name", "id"], name="contact_by_name"),
            # who is blocked
            models.Index(fields=["display_name", "id"], name="contact_blocked", condition=Q(is_blocked=True)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "external_id"],
                condition=~Q(external_id=""),
                name="contact_external_id_once_per_source",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def survivor(self) -> Contact:
        """The contact that it went up in at last, or itself; of those that went up nothing else can become one."""
        contact = self
        while contact.merged_into is not None:
            contact = contact.merged_into
        return contact


class ContactPhone(models.Model):
    """A number at which a contact is reached."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="phones", verbose_name=_("contact"))
    number = models.CharField(_("number"), max_length=20, help_text=_("With country code, for example +12025550123."))
    is_primary = models.BooleanField(_("primary"), default=False)

    class Meta:
        verbose_name = _("phone")
        verbose_name_plural = _("phones")
        ordering = ["-is_primary", "pk"]
        indexes = [
            # who is calling, and who has a number that begins so
            models.Index(fields=["number"], name="contact_phone_number", opclasses=["varchar_pattern_ops"]),
        ]
        constraints = [
            models.UniqueConstraint(fields=["contact", "number"], name="contact_phone_once"),
            models.UniqueConstraint(fields=["contact"], condition=Q(is_primary=True), name="contact_one_primary_phone"),
            models.CheckConstraint(condition=Q(number__startswith="+"), name="contact_phone_is_e164"),
        ]

    def __str__(self) -> str:
        return self.number

    def clean(self) -> None:
        """Bring the number into E.164, or say that it is none."""
        number = normal_phone(self.number)
        if number is None:
            raise ValidationError({"number": _("“%(text)s” is no phone number.") % {"text": self.number}})
        self.number = number


class ContactEmail(models.Model):
    """An e-mail address at which a contact is reached."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="emails", verbose_name=_("contact"))
    address = models.EmailField(_("address"))
    is_primary = models.BooleanField(_("primary"), default=False)

    class Meta:
        verbose_name = _("e-mail address")
        verbose_name_plural = _("e-mail addresses")
        ordering = ["-is_primary", "pk"]
        indexes = [
            # who is writing
            models.Index(fields=["address"], name="contact_email_address"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["contact", "address"], name="contact_email_once"),
            models.UniqueConstraint(fields=["contact"], condition=Q(is_primary=True), name="contact_one_primary_email"),
        ]

    def __str__(self) -> str:
        return self.address

    def clean(self) -> None:
        """Keep the address in the form in which it is compared."""
        self.address = normal_email(self.address)
