"""A contact centre that does not exist: its people, queues and past, and a simulation that goes on living it."""
