"""Redis as the message broker, where it may hang.

kombu counts a message as in hand until its acknowledgement has gone through. A worker that takes one message at a time
and whose acknowledgement finds no answer would never take another. Here it goes on; the message that Redis still holds
for it comes a second time after the visibility time-out, which does no harm.
"""

from typing import Any

from kombu.transport import redis, virtual


class QoS(redis.QoS):
    """What a worker has in hand."""

    channel: Any

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge a message, and have it no longer in hand even where Redis does not hear of it."""
        try:
            super().ack(delivery_tag)
        except self.channel.connection_errors:
            virtual.QoS.ack(self, delivery_tag)
            raise

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Give a message up, or back, and have it no longer in hand even where Redis does not hear of it."""
        try:
            super().reject(delivery_tag, requeue)
        except self.channel.connection_errors:
            virtual.QoS.ack(self, delivery_tag)
            raise


class Channel(redis.Channel):
    """A channel that lets go of what it cannot acknowledge."""

    QoS: Any = QoS


class Transport(redis.Transport):
    """The transport behind the broker addresses ``redis://`` and ``rediss://``."""

    Channel = Channel
