"""The REST door's views: translate the request, one call, translate back."""
