"""What the REST door keeps: programs, people's tokens, attempts to sign in, and answers that can be asked for again."""

from workitems.api.models.application import Application
from workitems.api.models.kept_answer import KeptAnswer
from workitems.api.models.personal_token import PersonalToken
from workitems.api.models.sign_in_guard import SignInGuard

__all__ = ["Application", "KeptAnswer", "PersonalToken", "SignInGuard"]
