"""The back office's door: it shows, filters and triggers; whatever changes a workitem goes through services."""

from workitems.admin import dispositions, mails, people, policies, policy_runs, presences, transfers, workitems

__all__ = ["dispositions", "mails", "people", "policies", "policy_runs", "presences", "transfers", "workitems"]
