"""Bringing in workitems that lived elsewhere: a reader for each format, one way into the database for all of them."""
