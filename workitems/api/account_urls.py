"""The pages of a person about himself."""

from django.urls import path

from workitems.api import account

urlpatterns = [
    path("account/", account.account_page, name="account"),
    path("account/tokens/", account.tokens_page, name="account-tokens"),
    path("account/tokens/<int:pk>/revoke/", account.revoke, name="account-token-revoke"),
]
