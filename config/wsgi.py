"""The entry point for web servers."""

import gc
import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

# What is loaded never becomes garbage, and to look for some in it again and again costs requests a part of their time.
import_module("config.urls")
gc.collect()
gc.freeze()
