"""Addresses people are reached at, each in the one form in which it is kept and compared."""

import re

import phonenumbers
from django.conf import settings

NUMBER = re.compile(r"\s*(?:tel:)?\+?[0-9\s().\-/\u2010-\u2015]{3,40}")


def normal_phone(text: str) -> str | None:
    """Return a phone number in E.164, or None where the text is none ("anonymous", an extension, a SIP address).

    Numbers without a country code are read as of the region in settings.PHONE_REGION.
    """
    if not NUMBER.fullmatch(text):
        return None  # the library would find digits in any text
    try:
        number = phonenumbers.parse(text, settings.PHONE_REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normal_email(text: str) -> str:
    """Return an e-mail address as it is compared: without blanks around it and in lower case."""
    return text.strip().lower()


def normal_address(text: str) -> str:
    """Return a number in E.164, an e-mail address in lower case, and a handle as it came."""
    text = text.strip()
    return normal_phone(text) or (normal_email(text) if "@" in text else text)
