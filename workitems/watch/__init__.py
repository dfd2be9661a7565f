"""The door for those who watch over a deployment: is it well, and how much of everything is there.

Nothing here is about one person or one workitem, so nothing asks for a scope.
"""
