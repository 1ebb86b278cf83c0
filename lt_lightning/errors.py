"""What a user can cause is told in one sentence, never as a traceback."""


class UserError(ValueError):
    """A mistake that the user can mend; the message holds the value and the remedy."""
