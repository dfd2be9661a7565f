"""Loaded before the settings: tests leave a developer's data alone and talk only to servers that are named."""

import gc
import os
import tempfile

# Hundreds of megabytes of code and plans never become garbage; to look for some in them all the time takes a while.
gc.set_threshold(100_000, 50, 100)

# What the tests with a real worker use: the broker that the environment names, else the embedded one. Kept in the
# environment, because the processes of pytest-xdist inherit what is set below.
os.environ.setdefault("REAL_BROKER_URL", os.environ.get("CELERY_BROKER_URL", "embedded://localhost"))
REAL_BROKER_URL = os.environ["REAL_BROKER_URL"]

os.environ["CELERY_BROKER_URL"] = "memory://"
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="workitems-tests-")
os.environ["HTTPS"] = "off"
os.environ["SECOND_FACTOR"] = "off"  # but for the tests of it
os.environ.setdefault("DATABASE_POOL_SIZE", "40")
