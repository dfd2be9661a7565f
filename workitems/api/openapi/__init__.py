"""The OpenAPI document: what is said in it, and how drf-spectacular is told."""
